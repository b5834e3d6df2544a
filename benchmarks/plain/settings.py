"""A project's settings as `startproject` makes them, plus those that the four packages need.

In its favour: connections to the database are kept, and passwords are as quick to check as in the
other contenders, since PBKDF2 is not to be measured.
"""

import os

import environ

env = environ.Env()

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "channels",
    "rest_framework",
    "benchmarks.plain",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "benchmarks.plain.urls"
DATABASES = {"default": env.db("DATABASE_URL")}
DATABASES["default"]["CONN_MAX_AGE"] = None
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
# The tables are made from the models, without migrations.
MIGRATION_MODULES = dict.fromkeys(("auth", "contenttypes", "sessions", "plain"))
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework_xml.parsers.XMLParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework_xml.renderers.XMLRenderer"],
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            # redis-py 8 would close quiet sockets after five seconds.
            "hosts": [{"address": env.str("REDIS_URL"), "socket_timeout": None}],
            "prefix": env.str("FINESSE_INSTANCE"),
        },
    }
}
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL")
CELERY_TASK_DEFAULT_QUEUE = env.str("FINESSE_INSTANCE")
CELERY_TASK_IGNORE_RESULT = True
