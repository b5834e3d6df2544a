"""Prosody, the XMPP server for TCP, TLS and BOSH.

This service's extensions of it are the Lua modules in `deploy/prosody`.
"""
