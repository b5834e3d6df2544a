"""System checks: what can be set wrong, told at start with what to do about it."""

from finesse.checks import data_folder, demo, middleware, presence, services, tls

__all__ = ["data_folder", "demo", "middleware", "presence", "services", "tls"]
