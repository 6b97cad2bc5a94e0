"""decode → govern → route → compat → encode, and back.

pipeline.py is the way there, responder.py the way back; upstream.py is the sealed request that comes out, exchange.py
the data of one request on its way. The conversation that is worked on is the canonical room's. Nothing here opens,
reads or waits for anything.
"""
