"""System checks: what can be set wrong, told at start with what to do about it."""

from finesse.checks import services

__all__ = ["services"]
