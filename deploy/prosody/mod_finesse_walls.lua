-- Users exchange stanzas with the service, not with each other, and have no contacts.
--
-- Option: finesse_users_may_talk.

local jid_split = require "util.jid".split;
local st = require "util.stanza";

local component = "pubsub." .. module.host;
local users_may_talk = module:get_option_boolean("finesse_users_may_talk", false);

local function may_pass(session, stanza)
	local user, host = jid_split(stanza.attr.to);
	if not user then
		-- Requests and their answers; presence reaches the component by this server alone.
		return not host or stanza.name == "iq" and (host == module.host or host == component);
	end
	return host == module.host and (users_may_talk or user == session.username);
end

module:hook("pre-stanza", function (event)
	local session, stanza = event.origin, event.stanza;
	if may_pass(session, stanza) then
		return;
	end
	local kind = stanza.attr.type;
	if stanza.name ~= "presence" and kind ~= "error" and kind ~= "result" then
		session.send(st.error_reply(stanza, "cancel", "service-unavailable"));
	end
	return true;
end, 100);

local function answer_roster(event)
	local session, iq = event.origin, event.stanza;
	if iq.attr.type == "get" then
		session.send(st.reply(iq):query("jabber:iq:roster"));
	else
		session.send(st.error_reply(iq, "cancel", "not-allowed"));
	end
	return true;
end

module:add_feature("jabber:iq:roster");
module:hook("iq/self/jabber:iq:roster:query", answer_roster);
module:hook("iq/host/jabber:iq:roster:query", answer_roster);
