"""Accepting requests, applying them in order, and the history: nothing else changes a state."""
