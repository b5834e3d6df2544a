"""One module a transport: `deliver(batch, head)`, named in the setting FINESSE_TRANSPORTS."""
