"""WHAT STATE an agent is in, per Media Routing Domain."""
