"""Django's SQLite, with files for the service's own user alone."""
