-- Tells the component that is pubsub.<domain> of every session here: bound, present, gone. It
-- answers with where in the log a session begins, and each item says how far a session has come;
-- so a component that comes back goes on with each exactly where it was.
--
-- Option: finesse_bind_patience, seconds that a client waits for the component's answer, or for the
-- component.

local async = require "util.async";
local st = require "util.stanza";

local xmlns = "urn:finesse-media:sessions";
local xmlns_event = "http://jabber.org/protocol/pubsub#event";
local component = "pubsub." .. module.host;
local patience = module:get_option_number("finesse_bind_patience", 5);
local full_sessions = prosody.full_sessions;

local connected; -- the component's own session
local newest; -- the highest position seen here: no client that comes from now on needs what is before
local awaited = {}; -- address -> sessions that the component has been told of and not answered yet

local function tell(what, attributes)
	if connected then
		attributes = attributes or {};
		attributes.xmlns = xmlns;
		module:send(st.message({ from = module.host, to = component }):tag(what, attributes));
	end
end

local function tell_bound(session)
	local position = session.finesse_position;
	if not position then
		local waiting = awaited[session.full_jid] or {};
		awaited[session.full_jid] = waiting;
		waiting[#waiting + 1] = session;
	end
	tell("bound", {
		jid = session.full_jid,
		position = position and ("%d"):format(position),
		priority = session.presence and ("%d"):format(session.priority),
	});
end

-- Only ever forward: what a session has had, it has had.
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
	-- The client hears that it is bound once its place in the log is known: whatever it causes
	-- from then on comes behind that place.
	local wait, done = async.waiter(1, true);
	session.finesse_release = done;
	local timer = module:add_timer(patience, done);
	tell_bound(session);
	wait();
	timer:stop();
end);

module:hook("resource-unbind", function (event)
	tell("unbound", { jid = event.session.full_jid });
end, -10); -- After mod_presence has said that it is unavailable.

module:hook("presence/bare", function (event)
	local session, presence = event.origin, event.stanza;
	local kind = presence.attr.type;
	if presence.attr.to or not session.full_jid or (kind and kind ~= "unavailable") then
		return;
	end
	local priority = tonumber((presence:get_child_text("priority") or ""):match("^%s*([+-]?%d+)%s*$")) or 0;
	priority = ("%d"):format(math.max(-128, math.min(priority, 127)));
	tell("presence", { jid = session.full_jid, priority = not kind and priority or nil });
end, 10); -- Before mod_presence, which ends the event.

-- Where a session begins, or how far it has come; and whose user has no access any more. Answers
-- come in the order of the questions, so that of two clients that took the same address in a row
-- neither gets the other's.
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
		if session then
			release(session);
			session:close { condition = "not-authorized", text = "Your access has ended" };
		end
	end
	return true;
end);

-- A notification. Its item's id is its position. For a client that has gone, or has it already,
-- it ends here: mod_message would hand it to the user's other clients.
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
			tell_bound(session);
		end
	end
	tell("synced");
	module:fire_event("finesse-component-connected");
end

local function on_disconnected(event)
	if event.session ~= connected then
		return; -- One that was refused, since the component is here.
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

local function watch()
	local host = module:context(component);
	host:hook("component-authenticated", on_connected);
	host:hook("component-disconnected", on_disconnected);
end

if prosody.hosts[component] then
	watch();
else
	module:hook_global("host-activated", function (host)
		if host == component then
			watch();
		end
	end);
end
