"""TLS: an authority of the installation's own, the server's certificate, private files."""
