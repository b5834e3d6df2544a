"""Stepping in: what supervisors do to their agents' states, and what waits and was done."""
