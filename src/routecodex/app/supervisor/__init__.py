"""Keeps the listener open and workers alive, and carries every change of configuration to all of them at once.

messages.py is the language between supervisor and workers, link.py its framing. The supervisor is small on purpose: it
imports no configuration model and no data plane, so that what breaks a worker cannot break what would replace it.
"""
