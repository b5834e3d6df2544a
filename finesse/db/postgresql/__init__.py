"""Django's engine for PostgreSQL: asks less often whether it is still there, reads moments in C,
and keeps prepared statements."""
