"""Two import graphs side by side: onepath's and grimp's; every difference is counted under a cause.

Both see modules of one package, importer to imported. It knows pairs of names and why the two tools may differ; it does
not run either tool.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from onepath.graph import Program

Pair = tuple[str, str]

UNEXPLAINED: Final = "no cause found"

CAUSES: Final = {
    "no-init": "onepath reads folders without __init__.py, which grimp skips",
    "computed": "onepath follows importlib.import_module and __import__ with a computable name",
    "itself": "a package that imports a name from itself; grimp leaves such imports out",
    "unreadable": "the file is no Python that this interpreter reads; grimp has a parser of its own",
}


@dataclass(frozen=True)
class Grimp:
    """What grimp saw."""

    modules: frozenset[str]
    imports: Mapping[Pair, int]
    """Importer and imported, to a line of the importer."""


@dataclass(frozen=True)
class Comparison:
    """Both graphs, taken apart."""

    common: int
    causes: Mapping[str, int]
    """By cause, as in CAUSES: how many differences."""
    unexplained: tuple[str, ...]
    """The others, in words."""


def compare(program: Program, seen: Grimp) -> Comparison:
    """Every pair that only one of the two has gets its cause."""
    ours: dict[Pair, int] = {}
    computed: set[Pair] = set()
    plain: set[Pair] = set()
    for one in program.imports:
        if one.internal:
            pair = (one.importer, one.imported)
            ours.setdefault(pair, one.place.line)
            (computed if one.computed else plain).add(pair)
    unreadable = {name for name, file in program.modules.items() if any(f.place.file == file for f in program.faults)}
    causes: Counter[str] = Counter()
    unexplained: list[str] = []
    for pair in sorted({*ours, *seen.imports}):
        if pair in ours and pair in seen.imports:
            continue
        if pair in ours:
            cause = _only_ours(pair, seen, computed - plain)
        else:
            cause = "unreadable" if pair[0] in unreadable else ""
        causes[cause or UNEXPLAINED] += 1
        if not cause:
            who, line = ("onepath", ours[pair]) if pair in ours else ("grimp", seen.imports[pair])
            unexplained.append(f"only {who}: {pair[0]}:{line} imports {pair[1]}")
    return Comparison(len(ours.keys() & seen.imports.keys()), dict(causes), tuple(unexplained))


def _only_ours(pair: Pair, seen: Grimp, computed: set[Pair]) -> str:
    importer, imported = pair
    if importer not in seen.modules or imported not in seen.modules:
        return "no-init"
    if importer == imported:
        return "itself"
    if pair in computed:
        return "computed"
    return ""
