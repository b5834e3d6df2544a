"""The pages on which supervisors manage reason codes.

They stand here and not in `reasoncodes`, since they show who is in a code now and how often it was
used: that is known to `media` alone.
"""
