"""What the checks are written with: HTTP, the socket and XML, nothing of any server."""
