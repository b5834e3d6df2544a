"""The pages of break rules: how many may be on a break, how long, and what happens then."""
