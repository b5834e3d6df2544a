"""What is published when administrators change users, teams, memberships, MRDs or reason codes.

The changes of states are published by `media.writing`.
"""
