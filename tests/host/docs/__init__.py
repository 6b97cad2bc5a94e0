"""The documentation holds: the reference is what the code says, and every page's links, blocks and commands work."""
