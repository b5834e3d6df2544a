"""Metrics for Prometheus: what each process counts, and the page that shows it."""
