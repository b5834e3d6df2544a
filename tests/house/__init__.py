"""`make house`: how the code is built, in figures, and the picture of its layers.

It reads source text and the import contracts only, so that it can measure any commit:
docs/architecture.md keeps the figures from before and after the rooms were redrawn.
"""
