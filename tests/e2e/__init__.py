"""Real coding agents and vendor SDKs at work: through the gateway, over each upstream protocol.

`python -m tests.e2e` installs the pinned clients, starts one fake upstream per cell and one gateway in front of them
all, runs every cell of client x upstream x case, judges each by its meaning and prints the matrix. Nothing in here
imports the code under test: the gateway is a process, spoken to by the clients alone.
"""
