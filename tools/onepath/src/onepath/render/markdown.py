"""Markdown that stays what it was meant to be: cells that do not end, code that does not close, fences that hold.

It knows text; what is written is the regions' business.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

_SPECIAL = re.compile(r"([\\`*_\[\]<>~#&])")
_BACKTICKS = re.compile(r"`+")


def text(words: str) -> str:
    """Running text: nothing in it is markup, it is one line. Underscores within words mean nothing and stay bare."""
    return _escaped(" ".join(words.split()))


def _escaped(line: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", line)
    return re.sub(r"(?<=\w)\\_(?=\w)", "_", escaped)


def prose(words: str) -> str:
    """A sentence of a docstring or a table: its code spans stay code, all else is text."""
    parts = re.split(r"(``[^`]+``|`[^`]+`)", " ".join(words.split()))
    return "".join(
        code(part.strip("`")) if part.startswith("`") and part.endswith("`") else _escaped(part) for part in parts
    )


def code(words: str) -> str:
    """Inline code, whatever backticks it holds."""
    line = " ".join(words.split())
    if not line:
        return ""
    longest = max(map(len, _BACKTICKS.findall(line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def link(label: str, target: str) -> str:
    """A link to a file; the label is Markdown already."""
    return f"[{label}]({quote(target, safe='/#.-_~')})"


def fence(body: str, language: str = "") -> str:
    """A code fence that is longer than any in the body."""
    runs = [len(run) for run in re.findall(r"^\s*(`{3,})", body, re.MULTILINE)]
    ticks = "`" * max(3, *(length + 1 for length in runs)) if runs else "```"
    return f"{ticks}{language}\n{body.rstrip(chr(10))}\n{ticks}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells are Markdown without newlines. Each `|` is escaped: cells are split before code is read."""
    lines = [_row(head), "|" + "---|" * len(head)]
    lines.extend(_row(row) for row in rows)
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") or " " for cell in cells) + " |"
