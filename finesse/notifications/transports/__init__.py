"""A transport is a module with `deliver(batch, head, after)`, named in FINESSE_TRANSPORTS."""
