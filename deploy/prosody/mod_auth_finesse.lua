-- Signs users in with SASL PLAIN. The service has the users, so each password is sent there over
-- HTTP. No other mechanism is offered: clients would choose it, and no password is stored here.
--
-- Options: finesse_password_url, finesse_secret, finesse_trust_password_url (accept any
-- certificate), finesse_allow_cleartext.

local async = require "util.async";
local formencode = require "util.http".formencode;
local http = require "net.http";
local stringprep = require "util.encodings".stringprep;

local url = assert(module:get_option_string("finesse_password_url"), "finesse_password_url is not set");
local secret = assert(module:get_option_string("finesse_secret"), "finesse_secret is not set");
local trusts_url = module:get_option_boolean("finesse_trust_password_url", false);
local allow_cleartext = module:get_option_boolean("finesse_allow_cleartext", false);
local answer_timeout_seconds = 50; -- The service may keep a check waiting for its turn.

-- Ask the service. Returns the HTTP status, or a text if no answer came. Only the client that is
-- signing in has to wait.
local function request_status(user, password, address)
	local wait, done = async.waiter();
	local status;
	local function finish(body_or_error, code)
		if not status then
			status = code == 0 and body_or_error or code;
			done();
		end
	end
	local timer = module:add_timer(answer_timeout_seconds, function () finish("no answer in time", 0); end);
	http.request(url, {
		headers = {
			["Authorization"] = "Bearer " .. secret,
			["Content-Type"] = "application/x-www-form-urlencoded",
		},
		body = formencode { user = user, password = password, address = address },
		insecure = trusts_url,
	}, finish);
	wait();
	timer:stop();
	return status;
end

-- The user name in an address of this domain; any other text is a user name already.
local function user_of(name)
	local user, host = name:match("^(.+)@([^@]+)$");
	return host and stringprep.nameprep(host) == module.host and user or name;
end

-- A SASL handler, as mod_saslauth expects it.
local handler = {};
handler.__index = handler;

local function new_handler(session)
	return setmetatable({ session = session }, handler);
end

function handler:clean_clone()
	return new_handler(self.session);
end

function handler:mechanisms()
	return { PLAIN = true };
end

function handler:select(mechanism)
	self.selected = mechanism;
	return mechanism == "PLAIN";
end

function handler:process(message)
	if not message or message == "" then
		return "challenge", "";
	end
	local acting_as, name, password = message:match("^(%Z*)%z(%Z+)%z(%Z+)$");
	if not name then
		return "failure", "malformed-request";
	end
	name = user_of(name);
	self.username = stringprep.nodeprep(name);
	-- Clients leave the authorization identity empty, or send the user name or address again.
	if acting_as ~= "" and stringprep.nodeprep(user_of(acting_as)) ~= self.username then
		return "failure", "invalid-authzid";
	end
	if not self.username or self.username == "" then
		return "failure", "not-authorized";
	end
	-- With the client's address, since wrong passwords block a user from that address only.
	local status = request_status(name, password, self.session and self.session.ip or "");
	if status == 200 then
		return "success";
	elseif status == 401 then
		return "failure", "not-authorized";
	end
	module:log("warn", "Cannot check a password at %s: %s", url, status);
	return "failure", "temporary-auth-failure";
end

-- PLAIN needs a connection that nobody can read. One that does not leave this machine is as safe
-- as TLS.
local function is_loopback(ip)
	return ip == "::1" or ip:gsub("^::ffff:", ""):match("^127%.") ~= nil;
end

module:hook("stream-features", function (event)
	local session = event.origin;
	if not session.secure and (allow_cleartext or is_loopback(session.ip)) then
		session.secure = true;
	end
end, 1000);

module:provides("auth", {
	get_sasl_handler = new_handler;
	user_exists = function () return true; end;
});
