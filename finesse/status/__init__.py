"""Is the service in service? SystemInfo for Finesse clients, /healthz for load balancers."""
