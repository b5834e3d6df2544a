-- Streams may be opened to any name: clients send the address that they connected to, and the engine
-- in Finesse does not compare it. Names that no host here has, and none at all, mean this host.

local filters = require "util.filters";
local http_server = require "net.http.server";
local nameprep = require "util.encodings".stringprep.nameprep;

local hosts = prosody.hosts;

local function host_for(name)
	local known = nameprep(name or "") or "";
	return hosts[known] and hosts[known].modules.c2s and known or module.host;
end

-- TCP: the session's thread is the one place that the stream's header passes through. It is there
-- when the first bytes are.
local function on_bytes_in(bytes, session)
	if not session.finesse_any_name then
		session.finesse_any_name = true;
		local thread = session.thread;
		local run = thread.run;
		function thread:run(input)
			if type(input) == "table" and input.stream == "opened" then
				input.attr.to = host_for(input.attr.to);
			end
			return run(self, input);
		end
	end
	return bytes;
end

local function watch(session)
	if session.type == "c2s_unauthed" and not session.sid then
		filters.add_filter(session, "bytes/in", on_bytes_in);
	end
end

filters.add_filter_hook(watch);

-- BOSH: the name is in the first request, which has no `sid` yet.
local function renamed(opening, attributes, rest)
	if attributes:match("%ssid%s*=") then
		return;
	end
	local name = attributes:match("%sto%s*=%s*'([^']*)'") or attributes:match('%sto%s*=%s*"([^"]*)"');
	local others = attributes:gsub("(%s)to%s*=%s*'[^']*'", "%1"):gsub('(%s)to%s*=%s*"[^"]*"', "%1");
	return opening .. " to='" .. host_for(name) .. "'" .. others .. rest;
end

local function on_bosh(event)
	local request = event.request;
	request.body = request.body and request.body:gsub("^(.-<body)(%s[^>]*)(>)", renamed, 1) or request.body;
end

for _, path in ipairs { "/http-bind", "/http-bind/" } do
	module:hook_object_event(http_server, "POST " .. path, on_bosh, 10); -- before mod_bosh
end

function module.unload()
	filters.remove_filter_hook(watch);
end
