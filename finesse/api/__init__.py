"""How Finesse speaks HTTP and XML: codec, the error table, authentication, the base view."""
