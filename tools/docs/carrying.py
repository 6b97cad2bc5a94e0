"""What a target can carry, per field and pair of protocols: the tests' own table, where it is there."""

from __future__ import annotations

from typing import Final

from tools.docs.source import ROOT

TITLE: Final = "What is carried"
SOURCES: Final = ("tests/matrix/carrying.py",)


def exists() -> bool:
    """Whether the tests have the table."""
    return (ROOT / SOURCES[0]).exists()


def page() -> str:
    """The page's body."""
    raise NotImplementedError
