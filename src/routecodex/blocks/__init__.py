"""The host's capabilities, one folder each. A block never imports another block: the app wires them.

What a block must call upward it receives through a Protocol in its own `contract.py`.
"""
