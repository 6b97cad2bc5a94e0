"""decode → govern → route → compat → encode, and back.

The Hub Pipeline and the canonical model it works on. Nothing here opens, reads or waits for anything.
"""
