"""WHY an agent is not ready or signed out."""
