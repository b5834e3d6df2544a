-- The user `Finesse`, whose presence clients watch: when it goes, the service has failed
-- [Cisco Finesse Failover Mechanisms]. It is there while the component is, and is given a moment
-- to come back.
--
-- Option: finesse_patience, seconds for which the component may be away unnoticed. It is
-- mod_finesse_sessions that says when it comes and goes.

local st = require "util.stanza";

local address = "finesse@" .. module.host .. "/finesse";
local patience = module:get_option_number("finesse_patience", 5);

local connected = false;
local is_present = false; -- As clients were told.
local waiting; -- for the component to come back

local function tell(session)
	session.send(st.presence {
		from = address, to = session.full_jid, type = not is_present and "unavailable" or nil,
	});
end

local function settle()
	if connected == is_present then
		return;
	end
	is_present = connected;
	for _, session in pairs(prosody.full_sessions) do
		if session.host == module.host and session.presence then
			tell(session);
		end
	end
end

module:hook("presence/initial", function (event)
	if is_present then
		tell(event.origin);
	end
end);

module:hook("finesse-component-connected", function ()
	connected = true;
	if waiting then
		waiting:stop();
		waiting = nil;
	end
	settle();
end);

module:hook("finesse-component-disconnected", function ()
	connected = false;
	waiting = module:add_timer(patience, settle);
end);
