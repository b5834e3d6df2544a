"""All settings, from the environment. With nothing but FINESSE_DEMO=1 set, everything is embedded.

The system checks in `finesse.checks` catch settings that cannot work.
docs/settings.md has the table of variables for operators.
"""

from collections.abc import Sequence
from ipaddress import ip_network
from logging import getLevelNamesMapping
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from finesse.log_lines import JSONFormatter, LineFormatter
from finesse.private_files import make_folder_private, read_or_make_secret
from finesse.redaction import quiet_level
from finesse.repeats import RepeatsFilter

env = environ.Env()


def _list(name: str, default: Sequence[str] = ()) -> list[str]:
    """Values by commas, with blanks around them or without."""
    return [text.strip() for text in env.list(name, default=[*default]) if text.strip()]


BASE_DIR = Path(__file__).resolve().parent.parent
# A checkout has its files beside the packages; where the package is installed they are inside.
_IS_CHECKOUT = (BASE_DIR / "manage.py").exists()
FINESSE_FILES_DIR = BASE_DIR if _IS_CHECKOUT else BASE_DIR / "finesse"

# --- What kind of service this is ---------------------------------------------------------------

FINESSE_DEMO = env.bool("FINESSE_DEMO", False)
# Of every demo login. It is public: the demo answers on loopback only, and outside the demo nobody
# signs in with it, not even where the database is the copy of a demo's.
FINESSE_DEMO_PASSWORD = "finesse"
_USERS_DATA_DIR = Path.home() / ".local" / "share" / "finesse-media"
_DATA_DIR = BASE_DIR / ".data" if _IS_CHECKOUT else _USERS_DATA_DIR
FINESSE_DATA_DIR = Path(env.str("FINESSE_DATA_DIR", str(_DATA_DIR)))
make_folder_private(FINESSE_DATA_DIR)
# What the processes of this machine say of themselves: what they count, and that they go on.
FINESSE_RUN_DIR = Path(env.str("FINESSE_RUN_DIR", str(FINESSE_DATA_DIR / "run")))
SECRET_KEY = env.str("SECRET_KEY", "")
if not SECRET_KEY and FINESSE_DEMO:
    # Kept in a file, so that sign-ins outlive a restart.
    SECRET_KEY = read_or_make_secret(FINESSE_DATA_DIR / "demo-secret-key")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Put a long random value into the environment (for one: "
        "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'), "
        "or set FINESSE_DEMO=1 to try the service with demo data on this machine."
    )
DEBUG = False
ALLOWED_HOSTS = _list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = _list("CSRF_TRUSTED_ORIGINS")

# Pages of these origins may call the API from a browser [Cisco Finesse CLI (administration guide)].
CORS_ALLOWED_ORIGINS = _list("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/finesse/api/"
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS")
CORS_ALLOW_HEADERS = (
    "Content-Type",
    "X-Requested-With",
    "Accept",
    "Origin",
    "Authorization",
    "Access-Control-Request-Method",
    "Access-Control-Request-Headers",
    "requestId",
    "Range",
    # Cisco's own client sends it, too.
    "locale",
)
# Not exposed by Finesse itself: its scripts can send a requestId, but not read it back.
CORS_EXPOSE_HEADERS = ("requestId", "Location")

# --- TLS ----------------------------------------------------------------------------------------

# For `run --tls`: the operator's files in PEM. Without them it makes its own.
FINESSE_TLS_CERTIFICATE = env.str("FINESSE_TLS_CERTIFICATE", "")
FINESSE_TLS_KEY = env.str("FINESSE_TLS_KEY", "")

# --- Behaviour of the protocol ------------------------------------------------------------------

# The name under which clients reach this service, for SystemInfo. Default: the name they used.
FINESSE_HOST = env.str("FINESSE_HOST", "")

# The specification that this began with has no requestId in successful events; Cisco's samples do.
FINESSE_REQUEST_ID_ON_SUCCESS = env.bool("FINESSE_REQUEST_ID_ON_SUCCESS", False)
# GET /User/<id>/Media: releases up to 12.6(1) listed every non-voice MRD, later ones the user's.
FINESSE_LIST_ALL_MEDIA = env.bool("FINESSE_LIST_ALL_MEDIA", False)
# Whether a request waits that the rules of states refuse now, or that finds no place at a reason.
FINESSE_AFTER_THIS_ONE = env.bool("FINESSE_AFTER_THIS_ONE", False)
# So many seconds requests and sockets have to end when `manage.py run` is stopped.
FINESSE_SHUTDOWN_SECONDS = 2
# For so many seconds after its last outcome an action of a supervisor can be undone.
FINESSE_UNDO_SECONDS = env.int("FINESSE_UNDO_SECONDS", 10)
# What a desktop's sign-out ends [Cisco Finesse CLI (administration guide)]. 1: the desktop alone.
# 2 and a: the desktop and all of the user's MRDs, since every MRD here belongs to Finesse.
FINESSE_USER_SIGNOUT_CHANNEL = env.str("FINESSE_USER_SIGNOUT_CHANNEL", "a")
# Reason codes in a category, not counting system codes
# [Manage Reason Codes (administration guide)].
FINESSE_MAX_GLOBAL_REASON_CODES = env.int("FINESSE_MAX_GLOBAL_REASON_CODES", 100)
FINESSE_MAX_TEAM_REASON_CODES = env.int("FINESSE_MAX_TEAM_REASON_CODES", 100)
# The language in which labels are written. They may have translations.
FINESSE_LABEL_LANGUAGE = env.str("FINESSE_LABEL_LANGUAGE", "en")
FINESSE_MAX_BODY_BYTES = 64 * 1024
# Five wrong passwords in a row for a user from one origin block the two for five minutes
# [Media—Sign In, where the user is blocked everywhere].
FINESSE_LOCKOUT_FAILURES = 5
FINESSE_LOCKOUT_SECONDS = 300
# After so many, a password that was verified there before is not believed any more, either.
FINESSE_LOCKOUT_REMEMBERED_FAILURES = 100
# After so many from one origin, for any users, its passwords are checked once a second: many agents
# may share one address.
FINESSE_LOCKOUT_ORIGIN_FAILURES = 200
# Networks of proxies whose X-Forwarded-For says where a client comes from, by commas.
FINESSE_TRUSTED_PROXIES = _list(
    "FINESSE_TRUSTED_PROXIES",
    ["127.0.0.0/8", "::1/128"] if env.bool("BEHIND_TLS_PROXY", False) else [],
)
try:
    for _network in FINESSE_TRUSTED_PROXIES:
        ip_network(_network, strict=False)
except ValueError as _error:
    raise ImproperlyConfigured(
        f"FINESSE_TRUSTED_PROXIES: {_error}. It has addresses or networks, as in "
        "10.0.0.5,10.1.0.0/16, and no names."
    ) from None
FINESSE_CREDENTIAL_CACHE_SECONDS = env.int("FINESSE_CREDENTIAL_CACHE_SECONDS", 300)
# How many password checks may run at once in one process: each takes CPU and memory.
FINESSE_PASSWORD_CHECKS = env.int("FINESSE_PASSWORD_CHECKS", 2)
# How many users may wait for a password check in one process; others are answered 503. There must
# be fewer of these than threads: the rest serve users whose password is remembered.
FINESSE_PASSWORD_PLACES = env.int("FINESSE_PASSWORD_PLACES", 12)
# The age in seconds of the last heartbeat from which on the service is out of service.
FINESSE_HEARTBEAT_SECONDS = env.float("FINESSE_HEARTBEAT_SECONDS", 1.5)
# For how many days requests, notifications and the history of states are kept.
FINESSE_KEEP_REQUESTS_DAYS = env.int("FINESSE_KEEP_REQUESTS_DAYS", 30)
FINESSE_KEEP_NOTIFICATIONS_DAYS = env.int("FINESSE_KEEP_NOTIFICATIONS_DAYS", 7)
FINESSE_KEEP_INTERVALS_DAYS = env.int("FINESSE_KEEP_INTERVALS_DAYS", 400)

# --- XMPP ---------------------------------------------------------------------------------------

# The domain of XMPP addresses: <login id>@<domain>.
FINESSE_XMPP_DOMAIN = env.str("FINESSE_XMPP_DOMAIN", FINESSE_HOST or "localhost")
# Allows SASL PLAIN over sockets that are neither encrypted nor from this machine.
FINESSE_XMPP_ALLOW_CLEARTEXT = env.bool("FINESSE_XMPP_ALLOW_CLEARTEXT", False)
# Sockets in one process: of one user, XMPP's and viewers' together, and from one address those of
# XMPP before they sign in. (An XMPP server has counts of its own.)
FINESSE_XMPP_CONNECTIONS_PER_USER = env.int("FINESSE_XMPP_CONNECTIONS_PER_USER", 20)
FINESSE_XMPP_STRANGERS_PER_ADDRESS = env.int("FINESSE_XMPP_STRANGERS_PER_ADDRESS", 200)
# Shared with the XMPP server, if there is one, for the component and the password hook.
FINESSE_XMPP_SECRET = env.str("FINESSE_XMPP_SECRET", "")
# Where that server accepts components.
FINESSE_XMPP_COMPONENT = env.str("FINESSE_XMPP_COMPONENT", "127.0.0.1:5347")
# Where that server accepts clients: with STARTTLS, and with TLS from the start.
FINESSE_XMPP_PORT = env.int("FINESSE_XMPP_PORT", 5222)
FINESSE_XMPP_SECURE_PORT = env.int("FINESSE_XMPP_SECURE_PORT", 5223)
# Where that server serves BOSH. If set, /http-bind is forwarded to it.
FINESSE_XMPP_BOSH_URL = env.str("FINESSE_XMPP_BOSH_URL", "")
# A user whose client had connected is signed out after so many seconds without a sign of life
# [Desktop Presence and Forced Logout]. 0: never.
FINESSE_PRESENCE_SECONDS = env.int("FINESSE_PRESENCE_SECONDS", 0 if FINESSE_DEMO else 60)

# Clients that send it may read /metrics. Without it, only this machine may.
FINESSE_METRICS_TOKEN = env.str("FINESSE_METRICS_TOKEN", "")

# Ways on which notifications leave: the name of the cursor, and a module with
# `deliver(batch, head, after)`.
FINESSE_TRANSPORTS = {"channels": "finesse.notifications.transports.channels"}

# --- Django -------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "finesse.admin_site.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "corsheaders",
    "rest_framework",
    "import_export",
    "simple_history",
    "finesse.commands",
    "finesse.presence",
    "finesse.api",
    "finesse.notifications",
    "finesse.users",
    "finesse.files",
    "finesse.xmpp",
    "reasoncodes",
    "media",
    "media.board",
    "media.supervision",
    "media.own_page",
    "finesse.docs",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "finesse.server.content_policy.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "finesse.users.time_zones.TimeZoneMiddleware",
    "finesse.users.sessions.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "reasoncodes.middleware.ChangeOfTheAdministration",
]
# The API has these instead (finesse.server.handlers), since its requests carry their credentials
# and have no session and no form. Only their `__call__` runs, no other hooks. Checking origins
# where none are allowed would take a thirtieth of a GET.
FINESSE_API_MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware"] if CORS_ALLOWED_ORIGINS else []
ROOT_URLCONF = "finesse.urls"
WSGI_APPLICATION = "finesse.wsgi.application"
ASGI_APPLICATION = "finesse.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [FINESSE_FILES_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["finesse.users.backends.LockoutBackend"]
PASSWORD_HASHERS = [
    "finesse.users.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {
            "user_attributes": ("login_id", "first_name", "last_name")
        },
        "MinimumLengthValidator": {},
        "CommonPasswordValidator": {},
    }.items()
]
# For how many days a sign-in link that an administrator gives out may be used, once.
FINESSE_SIGN_IN_LINK_DAYS = env.int("FINESSE_SIGN_IN_LINK_DAYS", 3)
PASSWORD_RESET_TIMEOUT = FINESSE_SIGN_IN_LINK_DAYS * 24 * 3600
SESSION_ENGINE = "finesse.users.sessions"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "viewer"
LOGOUT_REDIRECT_URL = "login"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_TZ = True
STATIC_URL = "static/"
# Serves the files of the installed apps where they are, without a collectstatic before `make run`.
WHITENOISE_USE_FINDERS = True
SECURE_CONTENT_TYPE_NOSNIFF = True
# More than fit into an address: Django may count them before anything can answer a 400.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100_000
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", False) else None
)
# Browsers come by TLS alone. (`run --tls` with a certificate of its own says so by itself.)
_IS_TLS_KNOWN = env.bool("BEHIND_TLS_PROXY", False) or bool(FINESSE_TLS_CERTIFICATE)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _IS_TLS_KNOWN
FINESSE_HSTS_SECONDS = env.int("HSTS_SECONDS", 180 * 24 * 3600)
SECURE_HSTS_SECONDS = FINESSE_HSTS_SECONDS if _IS_TLS_KNOWN and not FINESSE_DEMO else 0
SILENCED_SYSTEM_CHECKS = [
    # Other names of the domain, and lists that browsers are delivered with, are the operator's.
    "security.W005",
    "security.W021",
    # The proxy redirects, if it has a plain port; `run --tls` has none. Health checks and the
    # XMPP server's password hook reach this service without TLS.
    "security.W008",
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "finesse.api.authentication.BasicAuthentication",
        # For what the first has found no credentials in.
        "finesse.api.authentication.PageAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["finesse.api.parsers.FinesseXMLParser"],
    "DEFAULT_RENDERER_CLASSES": ["finesse.api.renderers.FinesseXMLRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "finesse.api.negotiation.FinesseContentNegotiation",
    "EXCEPTION_HANDLER": "finesse.api.responses.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "finesse.docs.openapi.FinesseSchema",
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "PREPROCESSING_HOOKS": ["finesse.docs.paths.name_paths"],
    "POSTPROCESSING_HOOKS": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
}

# --- Database, cache, channel layer, broker -----------------------------------------------------

# The demo's public passwords never come near another database (finesse.checks.demo).
FINESSE_DEMO_DATABASE = "demo.sqlite3"
_SQLITE = FINESSE_DATA_DIR / (FINESSE_DEMO_DATABASE if FINESSE_DEMO else "finesse.sqlite3")
try:
    DATABASES: dict[str, dict[str, Any]] = {
        "default": (
            env.db("DATABASE_URL")
            if "DATABASE_URL" in env.ENVIRON
            # Not as an address, in which some characters of a path mean something else.
            else {"ENGINE": "django.db.backends.sqlite3", "NAME": str(_SQLITE)}
        )
    }
except (ValueError, KeyError):
    # Neither the message nor the traceback, as both repeat parts of a password.
    raise ImproperlyConfigured(
        "DATABASE_URL cannot be read. It is postgres://user:password@host/name, where special "
        "characters of user and password are percent-encoded (for one: # as %23)."
    ) from None
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["ENGINE"] = "finesse.db.sqlite3"
    DATABASES["default"]["OPTIONS"] = {
        # Every transaction takes the write lock at its start: one that began as a reader could
        # be refused at its first write. Readers outside transactions never wait.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: an accepted request outlives a power cut, not only the end of the process.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
# Each thread that serves requests or tasks keeps a connection, which is checked before use.
DATABASES["default"]["CONN_MAX_AGE"] = None
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    DATABASES["default"]["ENGINE"] = "finesse.db.postgresql"
    # A connection whose network has vanished is noticed within seconds, not hours.
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        {
            "server_side_binding": True,
            # Psycopg prepares nothing: it would forget what it has prepared at each ROLLBACK.
            # finesse.db.postgresql prepares the statements that are executed often.
            "prepare_threshold": None,
            "connect_timeout": 3,
            "keepalives_idle": 1,
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "tcp_user_timeout": 4_000,
        }
    )
    # A process that stands still in a transaction, or whose machine is gone, loses its locks, the
    # writer's among them: PostgreSQL ends its session. Those that wait give up sooner: of a machine
    # that is gone no second process gets the lock after the first.
    # Statements are not compiled: of reports that alone took seconds, of all others it is no gain.
    # A report groups 25,000 rows in memory; with the usual 4 MB they would be sorted on the disk.
    _given = DATABASES["default"]["OPTIONS"].get("options", "")
    DATABASES["default"]["OPTIONS"]["options"] = (
        f"{_given} -c idle_in_transaction_session_timeout=2000 -c lock_timeout=1500 -c jit=off"
        " -c work_mem=16MB"
    ).strip()
# Off: PostgreSQL's statements are executed by Django's own cursors, where tracing tools see them.
FINESSE_PREPARED_STATEMENTS = env.bool("FINESSE_PREPARED_STATEMENTS", True)

REDIS_URL = env.str("REDIS_URL", "")
# Distinguishes installations that share one Redis or one broker.
FINESSE_INSTANCE = env.str("FINESSE_INSTANCE", "finesse")
if REDIS_URL:
    from redis.exceptions import ConnectionError as RedisConnectionError

    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": FINESSE_INSTANCE,
            "OPTIONS": {
                "pool_class": "finesse.db.redis_cache.ProcessConnectionPool",
                "socket_timeout": 2,
                "socket_connect_timeout": 1,
            },
        }
    }
    CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                # Without a timeout, since redis-py would close a socket that was quiet for 5 s;
                # with a check, since a dead socket is quiet, too.
                "hosts": [
                    {
                        "address": REDIS_URL,
                        "socket_timeout": None,
                        "socket_connect_timeout": 1,
                        "socket_keepalive": True,
                        "health_check_interval": 10,
                        # At once, by a new connection: each child of a worker would lose a sweep
                        # by one that Redis has ended meanwhile.
                        "retry_on_error": [RedisConnectionError],
                    }
                ],
                "prefix": FINESSE_INSTANCE,
            },
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            # With Django's 300, signs of life alone would push the heartbeats out.
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    }
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels.layers.InMemoryChannelLayer",
            # The hub joins once, for the life of the process; the default is a day.
            "CONFIG": {"group_expiry": 10 * 365 * 24 * 3600},
        }
    }

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "memory://localhost/")
CELERY_TASK_DEFAULT_QUEUE = FINESSE_INSTANCE
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# The queue of a worker's remote control is one connection's own: a worker ended that connected anew
# before RabbitMQ had given up its dead connection. The embedded one turns it on, to be told to end.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
# Without end: worker and beat must outlive an hour without a broker.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# RabbitMQ sends a worker a sign of life at half of this, and ends the connection of one that has
# sent none for two or three times as long. Fewer than the usual five seconds: a worker that was
# taken for dead, since it stood still, connects anew within a second, and nothing is lost.
CELERY_BROKER_HEARTBEAT = 2
# The longest that a request waits for the broker: to ring the bell, which may be lost.
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    # A thread that waits for the broker learns at once that it is away: a worker and beat try again
    # by themselves (finesse.broker), and a lost bell does no harm.
    "max_retries": 0,
}
if CELERY_BROKER_URL.startswith("memory:"):
    # The memory transport polls: every ten milliseconds, the idle service takes 2 % of a core.
    CELERY_BROKER_TRANSPORT_OPTIONS["polling_interval"] = 0.01
if CELERY_BROKER_URL.startswith(("redis:", "rediss:")):
    # By itself Kombu waits for a Redis that hangs without end, and a request for Kombu. It is more
    # than the second for which a worker lets Redis wait for a task.
    CELERY_BROKER_TRANSPORT_OPTIONS |= {"socket_timeout": 1.5, "socket_connect_timeout": 1}
CELERY_WORKER_CONSUMER = "finesse.broker:Consumer"
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "finesse.beat:MonotonicScheduler"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep": {
        "task": "media.tasks.sweep",
        "schedule": 0.5,
        # Sweeps that pile up while no worker runs have nothing to add to the newest one. RabbitMQ
        # drops them; Celery's `expires` would be beat's time of day, compared with the worker's.
        "options": {"expiration": 2},
    },
    "deactivated": {
        "task": "media.tasks.sign_out_the_deactivated",
        "schedule": 60.0,
        "options": {"expiration": 60},
    },
    "limits": {
        "task": "media.tasks.mind_limits",
        "schedule": 5.0,
        "options": {"expiration": 5},
    },
    "use": {
        "task": "media.tasks.count_use",
        "schedule": 10.0,
        "options": {"expiration": 10},
    },
    "sums": {
        "task": "media.tasks.sum_up",
        "schedule": 10.0,
        "options": {"expiration": 10},
    },
    "prune": {"task": "media.tasks.prune", "schedule": 3600.0, "options": {"expiration": 3600}},
}

LOG_LEVEL = env.str("LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in getLevelNamesMapping():
    raise ImproperlyConfigured("LOG_LEVEL is DEBUG, INFO, WARNING, ERROR or CRITICAL.")
FINESSE_LOG_FORMAT = env.str("FINESSE_LOG_FORMAT", "text")
_FORMATTERS = {"text": LineFormatter, "json": JSONFormatter}
if FINESSE_LOG_FORMAT not in _FORMATTERS:
    raise ImproperlyConfigured("FINESSE_LOG_FORMAT is text, for people, or json, for programs.")
# A line for each request that is accepted and for each that is applied.
FINESSE_LOG_REQUESTS = env.bool("FINESSE_LOG_REQUESTS", False)
# Share of the requests that are traced, from 0 (none) to 1 (all).
FINESSE_TRACES = env.float("FINESSE_TRACES", 0.0)
# Libraries print what they send and receive at DEBUG, with passwords, cookies and tokens. So DEBUG
# is for our own packages. uvicorn and Celery have options of their own that set other loggers to
# DEBUG, so libraries that print such things have their level here in any case.
_QUIET: dict[str, Any] = {"level": quiet_level(LOG_LEVEL)}
# What peers do is theirs, and is read at DEBUG alone: who comes and goes, and what is no protocol.
_IS_DEBUG = LOG_LEVEL == "DEBUG"
_CONNECTIONS = {"level": "DEBUG" if _IS_DEBUG else "WARNING"}
_PEERS = {"level": "DEBUG" if _IS_DEBUG else "CRITICAL"}
# In any case: a worker's command line sets the level of all others to WARNING.
_OWN: dict[str, Any] = {"level": LOG_LEVEL}
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": _FORMATTERS[FINESSE_LOG_FORMAT],
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "filters": {
        "repeats": {"()": RepeatsFilter},
        # The service logs once that it is out of service, not with every request.
        "except_503": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(record, "status_code", None) != 503,
        },
        # asyncio's words about a client that has left while much was being sent to it.
        "except_departures": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: record.msg != "socket.send() raised exception.",
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["repeats"],
        }
    },
    "root": {"handlers": ["console"], **_QUIET},
    "loggers": {
        "finesse": _OWN,
        "media": _OWN,
        "reasoncodes": _OWN,
        "finesse.server.connections": _CONNECTIONS,
        "finesse.server.peers": _PEERS,
        # Not by the handler of a uvicorn command line, which would write past filter and formatter.
        "uvicorn.error": {"handlers": ["console"], "propagate": False, **_QUIET},
        "gunicorn.error": {"handlers": ["console"], "propagate": False, **_QUIET},
        "websockets": _QUIET,
        "amqp": _QUIET,
        "kombu": _QUIET,
        "redis": _QUIET,
        "channels_redis": _QUIET,
        "psycopg": _QUIET,
        "asyncio": {**_QUIET, "filters": ["except_departures"]},
        "httpcore": _QUIET,
        # It prints the address of each request, which may hold a password.
        "httpx": {"level": "WARNING"},
        # Django logs every 4xx as a warning; a client reads about its mistake in the answer.
        "django.request": {"level": "ERROR", "filters": ["except_503"]},
        "celery.worker.control": {"level": "ERROR"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        # The component itself logs when it connects and disconnects.
        "slixmpp": {"level": "WARNING"},
    },
}
