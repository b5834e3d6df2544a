"""Presence: which users' clients are connected, and which users are absent."""
