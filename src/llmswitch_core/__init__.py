"""The shared module: bytes and config in, bytes and decisions out, no I/O.

Imports the standard library and msgspec only. No sockets, files, clocks or globals: clock, id factory,
randomness and state come in as arguments, which is what makes shadow, replay and property tests possible.
"""
