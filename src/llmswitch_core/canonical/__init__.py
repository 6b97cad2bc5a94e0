"""The canonical model: conversations, answers, streaming events and errors in no protocol's spelling.

The ground floor of the shared module: every other room imports it, it imports none of them.
"""
