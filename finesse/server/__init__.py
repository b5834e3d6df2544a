"""What serves: Django's handlers, uvicorn's protocols, bounds for clients, the embedded worker."""
