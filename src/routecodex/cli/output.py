"""How commands print: JSON, tables, plain lines. Tables are rich's on a terminal and plain columns elsewhere.

It knows how to lay things out. It must not know what they mean, and it never sees a revealed secret.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence


def emit_json(value: object) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def say(line: str = "") -> None:
    """One line on stdout."""
    sys.stdout.write(line + "\n")


def note(line: str) -> None:
    """One line on stderr: what a person should know and a pipe should not get."""
    sys.stderr.write(line + "\n")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """A table; empty ones say so."""
    if title:
        say(title)
    if not rows:
        say("  (none)")
        return
    if sys.stdout.isatty():
        _rich_table(columns, rows)
        return
    widths = [max(len(row[index]) for row in [columns, *rows]) for index in range(len(columns))]
    for row in [columns, *rows]:
        say("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _rich_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*columns, box=SIMPLE)
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    Console().print(drawn)
