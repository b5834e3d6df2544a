-- Informs the component pubsub.<domain> when a session is bound, changes its presence or ends. The
-- component answers with the position in the log at which the session begins: the number of a place,
-- as clients see it. The id of each item is such a number, too, so this server knows how far each
-- session has come: a component that reconnects continues with each session exactly there.
--
-- Option: finesse_bind_patience, seconds that a client waits for the component's answer, or for the
-- component to connect.

local async = require "util.async";
local st = require "util.stanza";

local xmlns = "urn:finesse-media:sessions";
local xmlns_event = "http://jabber.org/protocol/pubsub#event";
local component = "pubsub." .. module.host;
local bind_timeout_seconds = module:get_option_number("finesse_bind_patience", 5);
local full_sessions = prosody.full_sessions;

local reasons = {
	["not-authorized"] = "Your access has ended";
	["reset"] = "What you have seen is not in the log any more: read the present state";
};

local connected; -- the component's own session
local newest; -- the highest position seen here: a client that binds from now on needs none before it
local awaited = {}; -- address -> bound sessions whose place the component has not sent yet

local function inform(event, attributes)
	if connected then
		attributes = attributes or {};
		attributes.xmlns = xmlns;
		module:send(st.message({ from = module.host, to = component }):tag(event, attributes));
	end
end

local function inform_bound(session)
	local position = session.finesse_position;
	if not position then
		local waiting = awaited[session.full_jid] or {};
		awaited[session.full_jid] = waiting;
		waiting[#waiting + 1] = session;
	end
	inform("bound", {
		jid = session.full_jid,
		position = position and ("%d"):format(position),
		priority = session.presence and ("%d"):format(session.priority),
	});
end

-- A position only grows: what was sent to a session is not sent again.
local function advance(session, position)
	if position and position > (session.finesse_position or -1) then
		session.finesse_position = position;
		newest = math.max(newest or position, position);
		return true;
	end
end

local function release(session)
	if session.finesse_release then
		session.finesse_release();
	end
end

module:hook("resource-bind", function (event)
	local session = event.session;
	if not connected and newest then
		session.finesse_position = newest;
		return;
	end
	-- The client gets the answer to its bind after its position in the log is known: all that it
	-- causes from then on has higher positions.
	local wait, done = async.waiter(1, true);
	session.finesse_release = done;
	local timer = module:add_timer(bind_timeout_seconds, done);
	inform_bound(session);
	wait();
	timer:stop();
end);

module:hook("resource-unbind", function (event)
	inform("unbound", { jid = event.session.full_jid });
end, -10); -- After mod_presence has said that it is unavailable.

module:hook("presence/bare", function (event)
	local session, presence = event.origin, event.stanza;
	local kind = presence.attr.type;
	if presence.attr.to or not session.full_jid or (kind and kind ~= "unavailable") then
		return;
	end
	local priority = tonumber((presence:get_child_text("priority") or ""):match("^%s*([+-]?%d+)%s*$")) or 0;
	priority = ("%d"):format(math.max(-128, math.min(priority, 127)));
	inform("presence", { jid = session.full_jid, priority = not kind and priority or nil });
end, 10); -- Before mod_presence, which ends the event.

-- From the component: the position of a session, or that it has to end. Answers come in
-- the order of the questions, so of two clients that took the same address one after the other,
-- each gets its own.
module:hook("message/host", function (event)
	if event.stanza.attr.from ~= component then
		return;
	end
	for at in event.stanza:childtags("at", xmlns) do
		local waiting = awaited[at.attr.jid];
		local session = waiting and table.remove(waiting, 1) or full_sessions[at.attr.jid];
		if waiting and not waiting[1] then
			awaited[at.attr.jid] = nil;
		end
		if session and not session.destroyed then
			advance(session, tonumber(at.attr.position));
			release(session);
		end
	end
	for ended in event.stanza:childtags("end", xmlns) do
		local session = full_sessions[ended.attr.jid];
		local condition = ended.attr.condition or "not-authorized";
		if session then
			release(session);
			session:close { condition = condition, text = reasons[condition] };
		end
		if condition == "reset" then
			newest = nil; -- It may be of a log that was restored since.
		end
	end
	return true;
end);

-- A notification, whose item's id is its position. It is dropped if its client has gone or has it
-- already: mod_message would deliver it to the user's other clients.
module:hook("message/full", function (event)
	local message = event.stanza;
	if message.attr.from ~= component then
		return;
	end
	local notification = message:get_child("event", xmlns_event);
	local items = notification and notification:get_child("items");
	local item = items and items:get_child("item");
	if not item then
		return;
	end
	local session = full_sessions[message.attr.to];
	if session and session.finesse_position and advance(session, tonumber(item.attr.id)) then
		session.send(message);
	end
	return true;
end, 10);

local function on_connected(event)
	connected = event.session;
	awaited = {};
	for _, session in pairs(full_sessions) do
		if session.host == module.host then
			inform_bound(session);
		end
	end
	inform("synced");
	module:fire_event("finesse-component-connected");
end

local function on_disconnected(event)
	if event.session ~= connected then
		return; -- A second component, which was refused.
	end
	connected = nil;
	awaited = {};
	for _, session in pairs(full_sessions) do
		if session.host == module.host then
			session.finesse_position = session.finesse_position or newest;
			release(session);
		end
	end
	module:fire_event("finesse-component-disconnected");
end

local function follow_component()
	local host = module:context(component);
	host:hook("component-authenticated", on_connected);
	host:hook("component-disconnected", on_disconnected);
end

if prosody.hosts[component] then
	follow_component();
else
	module:hook_global("host-activated", function (host)
		if host == component then
			follow_component();
		end
	end);
end
