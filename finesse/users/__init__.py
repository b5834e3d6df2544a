"""Users, their teams, and the supervisors of teams."""
