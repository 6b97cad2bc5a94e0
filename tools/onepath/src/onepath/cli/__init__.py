"""The command line: one command, one file. Heavy modules are imported by the command that needs them.

Exit codes: 0 clean, 1 findings or stale regions, 2 usage or configuration, 3 internal.
"""

from onepath.cli.application import main, run

__all__ = ["main", "run"]
