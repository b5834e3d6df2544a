"""Which users' clients are there: signs of life, and whose have ended."""
