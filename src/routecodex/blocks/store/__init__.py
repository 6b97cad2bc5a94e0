"""Embedded state: Responses by id, issuers of opaque tokens, the gateway's own secrets. SQLite behind memory.

store.py is what the shared module reads (synchronously, mostly from memory) and the flow writes to; database.py is
the file. Nothing in here knows what a response or a token means.
"""

from routecodex.blocks.store.store import StateStore, StoreUnusableError

__all__ = ["StateStore", "StoreUnusableError"]
