"""The viewer: its page, its data, its static files."""
