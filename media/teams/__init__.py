"""A team's page in the administration: everything about it in one place."""
