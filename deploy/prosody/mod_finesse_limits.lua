-- Limits of one peer: connections, stanzas, unread bytes, wrong passwords. A session over a limit is
-- closed with a stream error that names it. A peer that has vanished is found with pings.
--
-- Options, each with its default below: finesse_<name>.

module:set_global();

local filters = require "util.filters";
local new_id = require "util.id".short;
local new_ip = require "util.ip".new_ip;
local now = require "util.time".monotonic;
local st = require "util.stanza";

local function limit(name, default)
	return module:get_option_number("finesse_" .. name, default);
end

local strangers_per_address = limit("strangers_per_address", 200); -- connections that have not signed in
local connections_per_user = limit("connections_per_user", 20);
local seconds_before_bind = limit("seconds_before_bind", 30);
local stanzas_before_bind = limit("stanzas_before_bind", 20);
local wrong_passwords = limit("wrong_passwords", 3); -- on one connection
local deepest_levels = limit("deepest_stanza", 20); -- of nested elements
local quiet_seconds = limit("quiet_seconds", 20); -- until a ping, then as long until the end
local unread_bytes = limit("unread_bytes", 1024 * 1024); -- sent, and not yet read by the client
local unread_stanzas = limit("unread_stanzas", 500); -- the same for BOSH
local error_read_seconds = 5;

local function close(session, condition, text)
	local conn = session.conn;
	session.finesse_unread = 0; -- Room for the error.
	session:close { condition = condition, text = text };
	-- A client that reads slowly gets this long to read the error. BOSH shares its connections.
	if conn and not session.sid then
		module:add_timer(error_read_seconds, function () conn:close(); end);
	end
end

-- Close after the current read or write, which would otherwise continue with a closed session.
local function close_soon(session, condition, text)
	if not session.finesse_closing then
		session.finesse_closing = true;
		module:add_timer(0, function ()
			if not session.destroyed then
				close(session, condition, text);
			end
		end);
	end
end

-- Connections that have not signed in, by network ----------------------------------------------

local strangers = {};

local function still_strangers(sessions)
	local found = {};
	for _, session in ipairs(sessions) do
		if not session.destroyed and not session.username then
			found[#found + 1] = session;
		end
	end
	return found;
end

-- The addresses that one party is likely to have to itself: one of IPv4, or a /64 network of IPv6.
local function network_of(address)
	local ip = new_ip(address);
	return ip and ip.proto == "IPv6" and ip.bits:sub(1, 64) or address;
end

local too_many = "Too many connections from your address";

local function has_room(session)
	local network = network_of(session.ip);
	local found = strangers[network] or {};
	if #found >= strangers_per_address then
		found = still_strangers(found);
	end
	strangers[network] = found;
	if #found < strangers_per_address then
		found[#found + 1] = session;
		return true;
	end
end

module:add_timer(60, function ()
	for network, sessions in pairs(strangers) do
		local left = still_strangers(sessions);
		strangers[network] = left[1] and left or nil;
	end
	return 60;
end);

-- Input and output of one session ---------------------------------------------------------------

local function nests_deeper(stanza, levels)
	if levels == 0 then
		return true;
	end
	for _, child in ipairs(stanza.tags) do
		if nests_deeper(child, levels - 1) then
			return true;
		end
	end
end

local function on_bytes_in(bytes, session)
	session.finesse_heard, session.finesse_pinged = now(), nil;
	return bytes;
end

local function on_stanza_in(stanza, session)
	if session.finesse_closing then
		return;
	elseif session.finesse_is_one_too_many then
		close_soon(session, "policy-violation", too_many);
		return;
	elseif nests_deeper(stanza, deepest_levels) then
		close_soon(session, "policy-violation", "The stanza is too deep");
		return;
	elseif not session.full_jid then
		session.finesse_stanzas = (session.finesse_stanzas or 0) + 1;
		if session.finesse_stanzas > stanzas_before_bind then
			close_soon(session, "policy-violation", "Bind a resource first");
			return;
		end
	end
	return stanza;
end

local function on_bytes_out(bytes, session)
	session.finesse_unread = (session.finesse_unread or 0) + #bytes;
	if session.finesse_unread <= unread_bytes then
		return bytes;
	end
	close_soon(session, "policy-violation", "You read too slowly");
end

local function on_bosh_out(stanza, session)
	if #session.send_buffer > unread_stanzas then
		close_soon(session, "policy-violation", "You read too slowly");
	end
	return stanza;
end

local function guard(session)
	if not session.type:match("^c2s") then
		return;
	end
	local room = has_room(session);
	session.finesse_deadline = module:add_timer(seconds_before_bind, function ()
		if not session.destroyed and not session.full_jid then
			close(session, "connection-timeout");
		end
	end);
	filters.add_filter(session, "stanzas/in", on_stanza_in);
	if session.sid then
		-- BOSH: TLS is that of HTTP, and mod_bosh itself finds clients that have vanished. An error
		-- can be sent only as the answer to a request, hence the mark.
		session.ssl_ctx, session.finesse_is_one_too_many = false, not room;
		filters.add_filter(session, "stanzas/out", on_bosh_out);
	else
		session.finesse_heard = now();
		filters.add_filter(session, "bytes/in", on_bytes_in);
		filters.add_filter(session, "bytes/out", on_bytes_out);
		if not room then
			close_soon(session, "policy-violation", too_many);
		end
	end
end

filters.add_filter_hook(guard);

function module.unload()
	filters.remove_filter_hook(guard);
end

-- Peers that have vanished -----------------------------------------------------------------------

local function ping(session)
	session.finesse_pinged = now();
	local iq = st.iq { type = "get", id = "ping-" .. new_id(), from = session.host, to = session.full_jid };
	session.send(iq:tag("ping", { xmlns = "urn:xmpp:ping" }));
end

local check_interval_seconds = math.min(1, quiet_seconds / 4);

module:add_timer(check_interval_seconds, function ()
	local time = now();
	for _, session in pairs(prosody.full_sessions) do
		local pinged, heard = session.finesse_pinged, session.finesse_heard;
		if pinged and time - pinged > quiet_seconds then
			close(session, "connection-timeout", "You have been quiet for too long");
		elseif heard and not pinged and time - heard > quiet_seconds then
			ping(session);
		end
	end
	return check_interval_seconds;
end);

-- On each host -----------------------------------------------------------------------------------

function module.add_host(module)
	module:hook("c2s-ondrain", function (event)
		event.session.finesse_unread = 0;
	end);

	module:hook("authentication-failure", function (event)
		local session = event.session;
		session.finesse_failures = (session.finesse_failures or 0) + 1;
		if session.finesse_failures >= wrong_passwords then
			close_soon(session, "policy-violation", "Too many wrong passwords");
		end
	end);

	module:hook("pre-resource-bind", function (event)
		local session = event.session;
		local user = prosody.hosts[module.host].sessions[session.username];
		local count = 0;
		for resource in pairs(user and user.sessions or {}) do
			-- A session with the same resource is replaced by this one, so it does not count.
			count = count + (resource == event.resource and 0 or 1);
		end
		if count >= connections_per_user then
			close_soon(session, "resource-constraint", "Too many connections of one user");
			return false;
		end
		session.finesse_deadline:stop();
	end);
end
