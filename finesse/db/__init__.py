"""The database and the cache: compiled statements, bulk statements, the engine, connections."""
