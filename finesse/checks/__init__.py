"""System checks: they report at start what is set wrong, with what to do about it."""

from finesse.checks import data_folder, demo, middleware, presence, services, tls

__all__ = ["data_folder", "demo", "middleware", "presence", "services", "tls"]
