"""A view, and what is not known, as lines for people and for grep."""

from __future__ import annotations

from onepath.graph import Program
from onepath.render.view import View

_VERBS = {"call": "calls", "may-call": "may call", "import": "imports"}


def render(view: View) -> str:
    """One edge a line: source, verb, target, first place; then the counts."""
    lines = [
        f"{link.source} {_VERBS[link.kind]} {link.target}  {link.places[0]}"
        + (f" (+{len(link.places) - 1})" if len(link.places) > 1 else "")
        for link in view.links
    ]
    what = "functions" if view.kind == "calls" else "modules"
    return "\n".join([*lines, f"{len(view.nodes)} {what}, {len(view.links)} edges"]) + "\n"


def render_unknown(program: Program) -> str:
    """Unknown receivers, opaque calls, files that could not be read; then the share of unknown receivers."""
    lines = [
        f"{one.place}  {one.function}: {_unknown(one.attribute)} is unknown"
        + (f" (might be {', '.join(one.protected)})" if one.protected else "")
        for one in program.unknown
    ]
    lines += [f"{one.place}  {one.function}: {one.what}: {one.why}" for one in program.opaque]
    lines += [f"{one.place}  {one.message}" for one in program.faults]
    share = f" ({100 * len(program.unknown) / program.calls_total:.1f} %)" if program.calls_total else ""
    lines.append(
        f"{len(program.unknown)} of {program.calls_total} calls have an unknown receiver{share}; "
        f"{len(program.opaque)} opaque calls; {len(program.faults)} files not read"
    )
    return "\n".join(lines) + "\n"


def _unknown(attribute: str) -> str:
    return f"receiver of `.{attribute}`" if attribute else "what is called"
