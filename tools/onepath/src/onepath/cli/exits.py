"""What the process ends with, and the failures that a command may end in."""

from __future__ import annotations

from typing import Final

CLEAN: Final = 0
FINDINGS: Final = 1
USAGE: Final = 2
INTERNAL: Final = 3


class UsageError(Exception):
    """A command line or a configuration that cannot be used; the message says what to write instead."""
