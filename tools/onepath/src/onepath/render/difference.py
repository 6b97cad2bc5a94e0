"""A difference between two architectures, as text, Markdown and JSON."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence

from onepath.difference import Change
from onepath.render import markdown

_TITLES = {
    "modules": "modules",
    "imports": "imports between rooms",
    "foreign": "foreign packages",
    "calls": "calls between rooms",
    "outside": "operations on the outside",
    "entries": "entries",
    "contracts": "contracts",
    "ways out": "ways out of the single path",
    "waivers": "waivers",
    "switches": "switches",
}
_LONGEST = 240


def render_text(changes: Sequence[Change], before: str, after: str) -> str:
    """Area by area, `+` new, `-` gone, `~` different."""
    if not changes:
        return f"the architecture is the same in {before} and {after}\n"
    lines = [f"architecture: {before} → {after}"]
    for area, some in itertools.groupby(changes, key=lambda change: change.area):
        lines += ["", f"{_TITLES[area]}"]
        lines += [f"  {one.sign} {one.what}" + (f"  ({_cut(one.detail)})" if one.detail else "") for one in some]
    return "\n".join(lines) + "\n"


def render_markdown(changes: Sequence[Change], before: str, after: str) -> str:
    """The same for a review comment."""
    if not changes:
        return f"The architecture is the same in {markdown.code(before)} and {markdown.code(after)}.\n"
    parts = [f"**Architecture** · {markdown.code(before)} → {markdown.code(after)}"]
    for area, some in itertools.groupby(changes, key=lambda change: change.area):
        rows = [(one.sign, markdown.code(one.what), markdown.text(_cut(one.detail)) or "–") for one in some]
        parts.append(f"{_TITLES[area].capitalize()}\n\n" + markdown.table(("", "what", "detail"), rows))
    return "\n\n".join(parts) + "\n"


def render_json(changes: Sequence[Change], before: str, after: str) -> str:
    """The same as JSON; its shape is held by `schemas/diff.schema.json`."""
    document = {
        "schema": "onepath/diff/v1",
        "before": before,
        "after": after,
        "changes": [{"area": one.area, "sign": one.sign, "what": one.what, "detail": one.detail} for one in changes],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _cut(detail: str) -> str:
    return detail if len(detail) <= _LONGEST else f"{detail[: _LONGEST - 1]}…"
