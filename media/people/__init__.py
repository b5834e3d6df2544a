"""Import and export of people: agents, supervisors, their teams and their MRDs.

It stands here and not in `finesse.users`, since MRDs and what is published about people are known
to `media` alone.
"""
