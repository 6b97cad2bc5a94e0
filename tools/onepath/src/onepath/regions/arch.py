"""AUTO:ARCH: the rooms of the house and what each may import, and the switch matrix.

What a room may import comes from the contracts; where no contract speaks of it, what it does import is shown in
italics. Nothing in here changes when a function's body does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from onepath.config import Configuration
from onepath.regions.material import Material, Page
from onepath.render import markdown
from onepath.render.switches import render_markdown
from onepath.rules.names import STANDARD_LIBRARY, matches


class _Room(msgspec.Struct, frozen=True):
    name: str
    depth: int
    branch: str
    """The lines of the tree before the name."""


def arch(material: Material, page: Page, *, short: bool) -> str:
    """The body of ARCH. Short: rooms down to `docs.short_depth`, and every block; long: every module."""
    parts = ["**Rooms** · one line each, the first sentence of the room's own docstring"]
    rooms = list(_rooms(material, short=short))
    rows = []
    contracted = True
    for room in rooms:
        allowed, is_contract = _may_import(material, room.name)
        is_told = is_contract or allowed in ("", "–")
        contracted = contracted and is_told
        label, told = _label(material, page, room), markdown.prose(material.summaries.get(room.name, "")) or "–"
        rows.append((f"{room.branch}{label}", told, allowed if is_told else f"*{allowed}*"))
    parts.append(markdown.table(("room" if short else "room or module", "what happens here", "may import"), rows))
    if any(not row[2] for row in rows):
        parts.append("Where a line says nothing of imports, what holds for the room around it holds.")
    if not contracted:
        parts.append("*In italics: no contract says what may be imported; this is what is.*")
    switches = material.model.configuration.switches
    if material.matrix is not None and switches is not None:
        parts.append(render_markdown(material.matrix, page.link, material.fulfils, switches.rollback, short=short))
    return "\n\n".join(parts)


def matrix_alone(material: Material, page: Page) -> str:
    """The body of SWITCHES: the matrix without the rooms."""
    switches = material.model.configuration.switches
    if material.matrix is None or switches is None:
        return ""
    return render_markdown(material.matrix, page.link, material.fulfils, switches.rollback)


def _rooms(material: Material, *, short: bool) -> Iterator[_Room]:
    program = material.model.program
    children: dict[str, list[str]] = {}
    packages = {name for name in program.packages if material.file_of(name)}
    names = sorted(packages if short else {*packages, *program.modules})
    for name in names:
        parent = name.rpartition(".")[0]
        children.setdefault(parent if parent in packages else "", []).append(name)
    opened = material.model.configuration.docs.blocks
    deepest = material.model.configuration.docs.short_depth if short else 99

    def walk(name: str, depth: int, lines: str, branch: str) -> Iterator[_Room]:
        yield _Room(name, depth, branch)
        if depth + 1 >= deepest and name not in opened:
            return
        below = sorted(children.get(name, ()), key=lambda one: (one not in packages, one))
        for index, child in enumerate(below):
            last = index == len(below) - 1
            mark = "└&nbsp;" if last else "├&nbsp;"
            yield from walk(child, depth + 1, lines + ("&nbsp;&nbsp;&nbsp;" if last else "│&nbsp;"), lines + mark)

    for top in children.get("", ()):
        yield from walk(top, 0, "", "")


def _label(material: Material, page: Page, room: _Room) -> str:
    file = material.file_of(room.name)
    is_folder = file.endswith("/")
    last = room.name.rpartition(".")[2]
    shown = f"{last}/" if is_folder else f"{last}.py"
    return markdown.link(markdown.code(shown), page.link(file)) if file else markdown.code(shown)


def _may_import(material: Material, name: str) -> tuple[str, bool]:
    """What a room may import, as Markdown, and whether a contract says so; empty where its room's contract holds."""
    configuration = material.model.configuration
    only = _only(configuration, name)
    layers = _below(material, name)
    if only or layers is not None:
        allowed = ", ".join(dict.fromkeys([*only, *(layers or [])])) or "–"
        apart = any(f"{name}.*" in contract.modules for contract in configuration.independent)
        return f"{allowed}; not each other" if apart else allowed, True
    around = name.rpartition(".")[0]
    if name not in material.model.program.packages or (around and _may_import(material, around)[1]):
        return "", False
    return ", ".join(_siblings(material, name)) or "–", False


def _only(configuration: Configuration, name: str) -> list[str]:
    for contract in configuration.forbidden:
        if contract.only and name in contract.from_:
            return ["standard library" if one == STANDARD_LIBRARY else _short(one) for one in contract.only]
    return []


def _below(material: Material, name: str) -> list[str] | None:
    """The layers below the one that is exactly `name`; None if it is in no layer."""
    known = {*material.model.program.modules, *material.model.program.packages}
    for contract in material.model.configuration.layers:
        for container in contract.containers or ("",):
            levels: list[list[str]] = []
            for line in contract.layers:
                words = [word.strip(" ()") for word in re.split(r"[|:]", line)]
                inside = [f"{container}.{word}" if f"{container}.{word}" in known else word for word in words]
                levels.append([word for word in inside if word in known])
            for index, level in enumerate(levels):
                if name in level:
                    return [_short(one) for lower in levels[index + 1 :] for one in lower]
    return None


def _siblings(material: Material, name: str) -> list[str]:
    """Rooms beside `name` that its modules import."""
    program = material.model.program
    parent = name.rpartition(".")[0]
    found: set[str] = set()
    for one in program.imports:
        if not one.internal or one.type_checking or not matches(name, one.importer) or matches(name, one.imported):
            continue
        if not parent:
            found.add(one.imported.partition(".")[0])
        elif one.imported.startswith(parent + "."):
            found.add(".".join(one.imported.split(".")[: parent.count(".") + 2]))
    return [_short(one) for one in sorted(found)]


def _short(name: str) -> str:
    return markdown.text(name.rpartition(".")[2])
