"""The production set-up: which processes there are, what is made of that, and how they are run."""
