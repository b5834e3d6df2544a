"""Django's engine for PostgreSQL, which asks less often whether it is still there."""
