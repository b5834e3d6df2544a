"""Reports on the history of states: how long agents were in which state, and for which reason."""
