"""Small programs that use a vendor's SDK as an application would. Each is a process of its own.

A program takes one JSON argument (see `conversation.Order`), holds the conversation once streamed and once whole, and
prints one JSON line with what its user would have seen. It judges nothing.
"""
