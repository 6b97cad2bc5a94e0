"""Mermaid flowcharts whose labels cannot break them.

It draws what it is given, in the order it is given; what belongs into a picture is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from onepath.render.view import View

Shape = Literal["box", "mandated", "round"]
Arrow = Literal["call", "may-call", "value"]

MOST_EDGES: Final = 500
"""What mermaid draws without being configured."""

_SHAPES: Final[dict[Shape, tuple[str, str]]] = {"box": ("[", "]"), "mandated": ("[[", "]]"), "round": ("((", "))")}
_ARROWS: Final[dict[Arrow, str]] = {"call": "-->", "may-call": "-.->", "value": "-.->"}


class Box(msgspec.Struct, frozen=True):
    """A node of a drawing."""

    id: str
    """Any text; made safe and unique by the drawing."""
    label: str
    """Lines are separated by a newline."""
    shape: Shape = "box"


class Frame(msgspec.Struct, frozen=True):
    """Nodes in a common frame; without a title they stand free."""

    title: str
    boxes: tuple[Box, ...]


class Line(msgspec.Struct, frozen=True):
    """An arrow."""

    source: str
    target: str
    kind: Arrow = "call"
    label: str = ""


def draw(frames: Sequence[Frame], lines: Sequence[Line], direction: Literal["LR", "TB"] = "LR") -> str:
    """A flowchart, without a fence."""
    ids: dict[str, str] = {}
    for frame in frames:
        for box in frame.boxes:
            ids.setdefault(box.id, _safe(box.id, ids))
    text = [f"flowchart {direction}"]
    for number, frame in enumerate(frames):
        indent = "  "
        if frame.title:
            text.append(f'  subgraph g{number}["{escaped(frame.title)}"]')
            indent = "    "
        for box in frame.boxes:
            left, right = _SHAPES[box.shape]
            text.append(f'{indent}{ids[box.id]}{left}"{escaped(box.label)}"{right}')
        if frame.title:
            text.append("  end")
    for line in lines:
        label = f'|"{escaped(line.label)}"|' if line.label else ""
        text.append(f"  {ids[line.source]} {_ARROWS[line.kind]}{label} {ids[line.target]}")
    return "\n".join(text) + "\n"


def render(view: View) -> str:
    """A view as a flowchart, one frame a module."""
    groups: dict[str, list[Box]] = {}
    for node in view.nodes:
        short = node.name.removeprefix(node.group + ".") if view.kind == "calls" else node.name
        groups.setdefault(node.group, []).append(Box(node.name, short, "round" if node.is_foreign else "box"))
    frames = [Frame(group, tuple(boxes)) for group, boxes in groups.items()]
    lines = [Line(link.source, link.target, "may-call" if link.kind == "may-call" else "call") for link in view.links]
    return draw(frames, lines)


def escaped(label: str) -> str:
    """A label within quotes: entity codes for what mermaid or HTML would read, `<br/>` for newlines."""
    text = label.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
    return text.replace("`", "#96;").replace("\n", "<br/>")


def _safe(name: str, taken: dict[str, str]) -> str:
    """An id of letters and digits that is no keyword: a short one if it is free."""
    words = [
        word
        for word in "".join(one if one.isascii() and (one.isalnum() or one == "_") else " " for one in name).split()
        if word
    ]
    base = "n_" + "_".join(words[-2:])
    used = set(taken.values())
    candidate, number = base, 1
    while candidate in used:
        number += 1
        candidate = f"{base}_{number}"
    return candidate
