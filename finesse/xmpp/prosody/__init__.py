"""Prosody, the XMPP server for TCP, TLS and BOSH.

What this service wants of it beyond a configuration are the Lua modules in `deploy/prosody`.
"""
