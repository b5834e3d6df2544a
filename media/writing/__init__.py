"""Accepts requests, applies them in order, and keeps the history. Nothing else changes a state."""
