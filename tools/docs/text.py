"""Markdown in small pieces: tables, code, anchors. It knows Markdown and nothing of what is documented."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Sequence
from typing import Any


class DocumentationError(Exception):
    """The code and what is written about it do not fit together; the message says where."""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A pipe table; cells are escaped, line ends become blanks."""
    lines = [_row(columns), "|" + "---|" * len(columns)]
    lines.extend(_row(row) for row in rows)
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def code(value: str) -> str:
    """Inline code, also where the text has backticks."""
    fence = "``" if "`" in value else "`"
    pad = " " if value.startswith("`") or value.endswith("`") else ""
    return f"{fence}{pad}{value}{pad}{fence}" if value else ""


def codes(values: Iterable[str]) -> str:
    """Several names as inline code, in order."""
    return ", ".join(code(value) for value in values)


def literal(value: Any) -> str:
    """A value as TOML and JSON both write it; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return code(json.dumps(value, ensure_ascii=False))


def clean(doc: str | None) -> str:
    """A docstring as one paragraph."""
    return " ".join(inspect.cleandoc(doc).split()) if doc else ""


def block(text: str, language: str = "text") -> str:
    """A fenced block, longer fences where the text has some."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def source_link(path: str, depth: int = 2) -> str:
    """A link to a file of this repository from a page `depth` folders below the root."""
    return f"[`{path}`]({'../' * depth}{path})"
