"""How the service speaks to its database and its cache: statements, many rows at once, engines."""
