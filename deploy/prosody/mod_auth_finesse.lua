-- Whether a password is right is asked of the service, which has the users: SASL PLAIN over HTTP.
-- No other mechanism is offered, since clients would take it, and no password is known here.
--
-- Options: finesse_password_url, finesse_secret, finesse_trust_password_url (whatever certificate
-- it shows), finesse_allow_cleartext.

local async = require "util.async";
local formencode = require "util.http".formencode;
local http = require "net.http";
local stringprep = require "util.encodings".stringprep;

local url = assert(module:get_option_string("finesse_password_url"), "finesse_password_url is not set");
local secret = assert(module:get_option_string("finesse_secret"), "finesse_secret is not set");
local trusts_url = module:get_option_boolean("finesse_trust_password_url", false);
local allow_cleartext = module:get_option_boolean("finesse_allow_cleartext", false);
local patience = 50; -- Seconds; a check may have to wait for its turn.

-- The HTTP status of the answer, or why there is none. Only the client that asks is kept waiting.
local function ask(user, password, address)
	local wait, done = async.waiter();
	local status;
	local function finish(why, code)
		if not status then
			status = code == 0 and why or code;
			done();
		end
	end
	local timer = module:add_timer(patience, function () finish("no answer in time", 0); end);
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

-- The user name of an address in this domain; any other text is one as it is.
local function user_of(name)
	local user, host = name:match("^(.+)@([^@]+)$");
	return host and stringprep.nameprep(host) == module.host and user or name;
end

-- What mod_saslauth calls a SASL handler.
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
	-- Clients leave it empty, or name the user once more, or the user's address.
	if acting_as ~= "" and stringprep.nodeprep(user_of(acting_as)) ~= self.username then
		return "failure", "invalid-authzid";
	end
	if not self.username or self.username == "" then
		return "failure", "not-authorized";
	end
	-- Where the client comes from: wrong passwords block a user there alone.
	local status = ask(name, password, self.session and self.session.ip or "");
	if status == 200 then
		return "success";
	elseif status == 401 then
		return "failure", "not-authorized";
	end
	module:log("warn", "%s cannot say whether a password is right: %s", url, status);
	return "failure", "temporary-auth-failure";
end

-- PLAIN is for those whom nobody can listen to: what does not leave this machine is as good as TLS.
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
