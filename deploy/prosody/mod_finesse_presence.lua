-- The user `Finesse`, whose presence clients watch: unavailable means that the service has failed
-- [Cisco Finesse Failover Mechanisms]. It is available while the component is connected, and stays
-- so if the component comes back soon enough.
--
-- Option: finesse_patience, seconds that the component has to come back. mod_finesse_sessions fires
-- the events when the component connects and disconnects.

local st = require "util.stanza";

local address = "finesse@" .. module.host .. "/finesse";
local return_timeout_seconds = module:get_option_number("finesse_patience", 5);

local connected = false;
local is_present = false; -- as last sent to clients
local return_timer; -- for the component to come back

local function send_presence(session)
	session.send(st.presence {
		from = address, to = session.full_jid, type = not is_present and "unavailable" or nil,
	});
end

local function publish()
	if connected == is_present then
		return;
	end
	is_present = connected;
	for _, session in pairs(prosody.full_sessions) do
		if session.host == module.host and session.presence then
			send_presence(session);
		end
	end
end

module:hook("presence/initial", function (event)
	if is_present then
		send_presence(event.origin);
	end
end);

module:hook("finesse-component-connected", function ()
	connected = true;
	if return_timer then
		return_timer:stop();
		return_timer = nil;
	end
	publish();
end);

module:hook("finesse-component-disconnected", function ()
	connected = false;
	return_timer = module:add_timer(return_timeout_seconds, publish);
end);
