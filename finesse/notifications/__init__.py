"""The event log, and how it reaches those who may see it."""
