"""Per-module facts: bytes of one file in, a flat account of its flow out.

In here files are parsed, each on its own, in any process. Nothing in here looks from one module into another, and
nothing imports the code it reads. `facts.model` is all that the linker needs; only `facts.extract` parses.
"""
