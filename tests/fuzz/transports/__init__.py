"""Fuzzed upstreams, fed to every side of the transport: same bytes, same boundaries, same endings.

making     seed -> what an upstream does: valid answers in every framing and encoding, mutated; garbage; smuggling
serving    plays it over a real socket, one boundary at a time
running    one side against one case: what came of it
allowed    the differences that are known, each with its reason
__main__   `python -m tests.fuzz.transports --count 100000`
"""
