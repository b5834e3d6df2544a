"""Who works here: users, their team, and who supervises whom."""
