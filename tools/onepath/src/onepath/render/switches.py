"""The switch matrix as Markdown, JSON and CSV.

The Markdown is what ARCH carries: one row a switch, each side with its link, what proves that both are one, the
combinations that are refused, and the command that goes back.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from onepath.render import markdown
from onepath.switches import Matrix, Refusal, Row, Side, shown

SCHEMA = "onepath/switches/v1"
_HEAD = ("switch", "default", "other", "takes effect", "default side is", "other side is", "proof")

Link = Callable[[str], str]
"""From a file, relative to the project, to what a page links to."""

Fulfils = Callable[[Row], bool]
"""Whether every side of a row fulfils its contract."""


def render_markdown(matrix: Matrix, link: Link, fulfils: Fulfils, rollback: str = "", *, short: bool = False) -> str:
    """The matrix as a table, and below it the refused combinations and the way back; short: not what is waited for."""
    rows = [_row(row, link, fulfils, short=short) for row in matrix.rows]
    parts = [f"**Switches** · one row each in {markdown.link(markdown.code(matrix.file), link(matrix.file))}"]
    parts.append(markdown.table(_HEAD, rows))
    closing = []
    if matrix.refusals:
        closing.append(f"Refused together: {' · '.join(_refusals(matrix))}.")
    if rollback:
        closing.append(f"Back to stable: {markdown.code(rollback)}.")
    if closing:
        parts.append(" ".join(closing))
    return "\n\n".join(parts)


def render_json(matrix: Matrix) -> str:
    """The matrix as JSON; its shape is held by `schemas/switches.schema.json`."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "registry": matrix.registry,
        "rows": [
            {
                "key": row.key,
                "kind": row.kind,
                "default": _plain(row.default),
                "scope": row.scope,
                "effect": row.effect,
                "description": row.description,
                "pending": row.pending,
                "contract": row.contract,
                "differential": row.differential,
                "place": {"file": row.place.file, "line": row.place.line},
                "sides": [
                    {
                        "value": _plain(side.value),
                        "text": side.text,
                        "symbol": side.symbol,
                        "file": side.file,
                        "available": side.available,
                    }
                    for side in row.sides
                ],
            }
            for row in matrix.rows
        ],
        "refusals": [
            {
                "key": one.key,
                "value": _plain(one.value),
                "needsKey": one.needs_key,
                "needsValue": _plain(one.needs_value),
                "reason": one.reason,
            }
            for one in matrix.refusals
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def render_csv(matrix: Matrix) -> str:
    """One line a row; sides in columns, default first."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        (
            "switch",
            "kind",
            "default",
            "other",
            "scope",
            "effect",
            "description",
            "default side",
            "other side",
            "pending",
        )
    )
    for row in matrix.rows:
        default, other = _two(row)
        writer.writerow(
            (
                row.key,
                row.kind,
                shown(row.default),
                " ".join(shown(side.value) for side in other),
                row.scope,
                row.effect,
                row.description,
                _target(default),
                " ".join(filter(None, map(_target, other))),
                row.pending,
            )
        )
    return out.getvalue()


def _row(row: Row, link: Link, fulfils: Fulfils, *, short: bool) -> tuple[str, ...]:
    default, other = _two(row)
    others = ", ".join(shown(side.value) for side in other)
    waits = [side for side in other if not side.available]
    what = " · ".join(filter(None, (_side(side, link) for side in other)))
    if waits and row.pending and not short:
        what += f" *(lands with {markdown.prose(row.pending)})*"
    return (
        markdown.code(row.key),
        f"**{markdown.text(shown(row.default))}**",
        markdown.text(others) or "–",
        _effect(row),
        _side(default, link) or markdown.prose(row.description),
        what or "–",
        _proof(row, fulfils),
    )


def _two(row: Row) -> tuple[Side, tuple[Side, ...]]:
    default = next(side for side in row.sides if side.value == row.default)
    return default, tuple(side for side in row.sides if side is not default)


def _side(side: Side, link: Link) -> str:
    words = markdown.prose(side.text)
    if not side.file:
        return words
    label = side.symbol.rpartition(".")[2] if side.symbol else side.file.rpartition("/")[2]
    target = markdown.link(markdown.code(label), link(side.file))
    return f"{words} · {target}" if words else target


def _proof(row: Row, fulfils: Fulfils) -> str:
    if row.kind == "setting":
        return "setting"
    if len(row.available) < 2:
        return f"{markdown.text(shown(row.default))} only so far"
    marks = []
    if row.contract:
        marks.append(f"contract {'✓' if fulfils(row) else '✗'}")
    if row.differential:
        marks.append("differential ✓")
    return " ".join(marks) or "none"


def _effect(row: Row) -> str:
    if row.effect == "hot" and row.scope in ("request", "command"):
        return f"next {row.scope}"
    words = {"hot": "at once", "drain": "after drain", "restart": "after restart"}
    return words.get(row.effect, markdown.prose(row.effect)) or "–"


def _refusals(matrix: Matrix) -> list[str]:
    """Combinations as `a` without `b`; a whole group of rows with one need is told once, as `group.*`."""
    told: list[str] = []
    done: set[int] = set()
    for index, one in enumerate(matrix.refusals):
        if index in done:
            continue
        group = one.key.rpartition(".")[0]
        members = {row.key for row in matrix.rows if group and row.key.startswith(group + ".")}
        alike = [at for at, other in enumerate(matrix.refusals) if _need(other) == _need(one) and other.key in members]
        need = markdown.code(f"{one.needs_key}={shown(one.needs_value)}")
        if len(members) > 1 and {matrix.refusals[at].key for at in alike} == members:
            done.update(alike)
            told.append(f"any {markdown.code(f'{group}.*={shown(one.value)}')} without {need}")
        else:
            told.append(f"{markdown.code(f'{one.key}={shown(one.value)}')} without {need}")
    return told


def _need(one: Refusal) -> tuple[Any, ...]:
    return (one.value, one.needs_key, one.needs_value)


def _target(side: Side) -> str:
    return side.symbol or side.file


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
