"""The command line: one face of the gateway. Reads the configuration, starts and asks servers, starts clients.

Each command is a small file; nothing heavy is imported before the command that needs it runs. In here no request is
served and no upstream is contacted: the only connections made are to the gateway's own server (client.py).
Every failure is told as cause and next step, with exit codes 78 (configuration), 75 (temporary), 70 (internal).
"""

from routecodex.cli.application import main

__all__ = ["main"]
