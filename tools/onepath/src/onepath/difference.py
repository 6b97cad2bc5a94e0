"""What changed in an architecture between two states of a program: what a reviewer has to look at, and no more.

Rooms are packages; an arrow between two rooms is told once, however many imports draw it. Nothing in here knows where
the two states come from, nor how the difference is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from onepath.config import Configuration
from onepath.rules.contract import Model
from onepath.rules.groups import Sinks
from onepath.switches import Matrix, shown

Area = Literal[
    "modules", "imports", "foreign", "calls", "outside", "entries", "contracts", "ways out", "waivers", "switches"
]


class Change(msgspec.Struct, frozen=True):
    """One thing that is new, gone or different."""

    area: Area
    sign: Literal["+", "-", "~"]
    what: str
    detail: str = ""
    """For a difference: what it was and what it is; for an arrow: where it is drawn first."""


class Snapshot(msgspec.Struct, frozen=True):
    """A state of a program, as far as reviewers care: by area, each thing with a detail that may differ."""

    areas: dict[str, dict[str, str]]


_ORDER: tuple[Area, ...] = (
    "modules",
    "imports",
    "foreign",
    "calls",
    "outside",
    "entries",
    "contracts",
    "ways out",
    "waivers",
    "switches",
)
_DETAIL_IS_A_PLACE = {"imports", "foreign", "calls", "outside"}
_OUTSIDE = ("@network", "@process")


def snapshot(model: Model, matrix: Matrix | None) -> Snapshot:
    """The state of a linked program."""
    program = model.program
    areas: dict[str, dict[str, str]] = {area: {} for area in _ORDER}
    areas["modules"] = dict.fromkeys(program.modules, "")
    room_of = {name: room(name, program.packages) for name in program.modules}
    for one in program.imports:
        if one.type_checking:
            continue
        importer = room_of.get(one.importer, one.importer)
        if one.internal:
            imported = room_of.get(one.imported, one.imported)
            if importer != imported:
                areas["imports"].setdefault(f"{importer} → {imported}", str(one.place))
        else:
            areas["foreign"].setdefault(f"{importer} → {one.imported.partition('.')[0]}", str(one.place))
    sinks = Sinks({*_OUTSIDE, *(sink for path in model.configuration.path for sink in path.sinks)})
    for edge in program.edges:
        caller, callee = program.module_of(edge.caller), program.module_of(edge.callee)
        if caller and edge.callee in sinks:
            areas["outside"].setdefault(f"{room_of[caller]} → {edge.callee}", str(edge.place))
        is_import = edge.callee in program.modules
        if edge.kind == "call" and caller and callee and not is_import and room_of[caller] != room_of[callee]:
            areas["calls"].setdefault(f"{room_of[caller]} → {room_of[callee]}", str(edge.place))
    for pattern, nodes in program.entries.items():
        for index in nodes:
            areas["entries"].setdefault(program.nodes[index].function, pattern)
    areas["contracts"], areas["ways out"], areas["waivers"] = _configured(model.configuration)
    for row in matrix.rows if matrix is not None else ():
        values = " | ".join(shown(side.value) + ("" if side.available else " (not yet)") for side in row.sides)
        areas["switches"][row.key] = f"default {shown(row.default)}; {values}; {row.scope}; {row.effect}"
    return Snapshot(areas)


def room(module: str, packages: tuple[str, ...]) -> str:
    """The package a module is in; a package is its own room."""
    return module if module in packages else module.rpartition(".")[0] or module


def compare(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """What is new, gone and different, area by area, sorted."""
    changes: list[Change] = []
    for area in _ORDER:
        old, new = before.areas[area], after.areas[area]
        for what in sorted({*old, *new}):
            if what not in old:
                changes.append(Change(area, "+", what, new[what]))
            elif what not in new:
                changes.append(Change(area, "-", what, old[what]))
            elif old[what] != new[what] and area not in _DETAIL_IS_A_PLACE:
                changes.append(Change(area, "~", what, f"{old[what]}  →  {new[what]}"))
    return tuple(changes)


def _configured(configuration: Configuration) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    contracts: dict[str, str] = {}
    ways: dict[str, str] = {}
    for kind in ("path", "sink_owners", "layers", "forbidden", "protected", "independent", "acyclic", "sealed", "pure"):
        for contract in getattr(configuration, kind):
            contracts[f"{kind} {contract.name}"] = _told(msgspec.to_builtins(contract))
    for path in configuration.path:
        ways.update({f"{path.name}: {way.node}": way.reason for way in path.ways_out})
    waivers = {
        f"{waiver.rule} {waiver.where}": f"{waiver.reason} ({waiver.owner}, until {waiver.expires})"
        for waiver in configuration.waivers
    }
    return contracts, ways, waivers


def _told(contract: Mapping[str, Any]) -> str:
    kept = {
        key: value for key, value in contract.items() if key not in ("name", "ways_out") and value not in ((), [], "")
    }
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)
