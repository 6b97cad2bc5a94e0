"""Orchestration: the request's one way, generations, switches, boot.

In here blocks are wired to each other; a block never imports another. `RequestFlow.run` is the only way from an
entry to a network sink, and the two error centres are the only places where failures are told.
"""
