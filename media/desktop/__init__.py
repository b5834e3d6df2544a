"""The API of User and Team: the desktop's session, and who is in a team."""
