"""Django's engine for PostgreSQL, with fewer checks of connections, timestamps that are read in C,
and prepared statements."""
