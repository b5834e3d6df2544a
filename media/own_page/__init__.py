"""The agent's own page: own states, what may be asked for now, and how it went."""
