"""Is the service in service? Health, SystemInfo, the commands that run and fill it."""
