"""TLS: an authority of the installation's own and the server's certificate."""
