"""Import and export of reason codes."""
