"""System checks: what can be set wrong, told at start with what to do about it."""

from finesse.checks import demo, middleware, presence, services, tls

__all__ = ["demo", "middleware", "presence", "services", "tls"]
