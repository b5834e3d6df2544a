{% autoescape off %}-- Prosody 0.12 as the XMPP server of Finesse Media. `manage.py` wrote this file from the service's
-- settings: do not edit it, change the settings and write it again. It contains a secret.

{% if folder %}run_as_root = true
data_path = {{ folder }}
umask = "077"
log = { { to = "stdout", timestamps = false, levels = { min = "warn" } } }
{% else %}log = { info = "*console" } -- Under systemd, that is the journal.
statistics = "internal"
statistics_interval = "manual" -- whenever /metrics is read
{% endif %}plugin_paths = {{ modules }}
-- Measured: 1,000 messages take a third of the time that they take with the default.
gc = { mode = "generational" }

modules_enabled = {
	"saslauth", "tls", "disco", "ping", "bosh", "limits", "finesse_limits",
{% if folder %}	"finesse_child", -- ends with its parent
{% else %}	"admin_shell", "http_openmetrics", -- both for this machine only
{% endif %}}
-- No connections to other servers, and no offline messages: the service's log has all notifications.
modules_disabled = { "s2s", "s2s_auth_certs", "offline" }
storage = "none"

-- Where clients connect: STARTTLS, TLS from the start, BOSH
c2s_interfaces = {{ interfaces }}
c2s_ports = { {{ port }} }
c2s_direct_tls_interfaces = {{ interfaces }}
c2s_direct_tls_ports = { {{ secure_port }} }
ssl = { certificate = {{ certificate }}, key = {{ key }} }
certificates = {{ certificate_folder }}
c2s_require_encryption = true
http_interfaces = { {{ bosh_host }} }
http_ports = { {{ bosh_port }} }
https_ports = {}
http_default_host = {{ domain }}
-- A client that has vanished is found after the sum of these, in seconds, at the latest.
bosh_max_wait = 20
bosh_max_inactivity = 60

-- Where the component connects
component_interfaces = { {{ component_host }} }
component_ports = { {{ component_port }} }

-- Limits of one peer (mod_finesse_limits.lua has more)
c2s_stanza_size_limit = 64 * 1024
c2s_timeout = 30
c2s_close_timeout = 1
http_max_content_size = 128 * 1024
limits = { c2s = { rate = "32kb/s" } }
finesse_connections_per_user = {{ connections_per_user }}
finesse_strangers_per_address = {{ strangers_per_address }}
network_settings = { nagle = false, tcp_backlog = 1024, send_timeout = 60, ssl_handshake_timeout = 10 }

VirtualHost {{ domain }}
	name = "Finesse Media"
	authentication = "finesse"
	modules_enabled = { "finesse_sessions", "finesse_presence", "finesse_walls", "finesse_any_name" }
	finesse_secret = {{ secret }}
	finesse_password_url = {{ password_url }}
	finesse_trust_password_url = {{ trust_password_url }}
	finesse_allow_cleartext = {{ allow_cleartext }}
	finesse_users_may_talk = {{ users_may_talk }}
	finesse_patience = {{ patience }}

Component {{ pubsub_domain }}
	component_secret = {{ secret }}
	-- A connection whose other end has vanished must not keep the new one out.
	component_conflict_resolve = "kick_old"
{% endautoescape %}
