"""Two import graphs side by side: onepath's and grimp's; every difference is counted under a cause.

Both see modules of one package, importer to imported. It knows pairs of names and why the two tools may differ; it does
not run either tool.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from onepath.graph import Import, Program

Pair = tuple[str, str]
"""Importer and imported module."""


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
    """By cause, a key of CAUSES: how many differences."""
    unexplained: tuple[str, ...]
    """The others, in words."""


@dataclass(frozen=True)
class Sides:
    """Both graphs, as the causes read them."""

    program: Program
    seen: Grimp
    ours: Mapping[Pair, Sequence[Import]]
    unreadable: frozenset[str]
    """Modules that onepath could not parse."""

    def rebound(self, module: str) -> bool:
        """Whether a package binds the name of this submodule to something else: `from .run import run`."""
        bound = self.program.symbols.get(module)
        return module in self.program.modules and bound is not None and bound.target != module


@dataclass(frozen=True)
class Cause:
    """One reason why the two may differ."""

    text: str
    explains: Callable[[Sides, Pair], bool]
    """Whether it is the reason for a pair that only one of the two has."""


def _is_loose(sides: Sides, pair: Pair) -> bool:
    return pair in sides.ours and not sides.seen.modules.issuperset(pair)


def _is_itself(sides: Sides, pair: Pair) -> bool:
    return pair in sides.ours and pair[0] == pair[1]


def _is_computed(sides: Sides, pair: Pair) -> bool:
    return pair in sides.ours and all(one.computed for one in sides.ours[pair])


def _is_no_file(sides: Sides, pair: Pair) -> bool:
    """All names asked for are in modules below the package, of which neither tool has a file."""
    return pair in sides.ours and all(
        "." in one.symbol and f"{one.imported}.{one.symbol.partition('.')[0]}" not in sides.seen.modules
        for one in sides.ours[pair]
    )


def _is_rebound(sides: Sides, pair: Pair) -> bool:
    """One side has the package, the other the submodule whose name the package binds anew."""
    if pair in sides.ours:
        return all(
            sides.rebound(one.written) and (pair[0], one.written) in sides.seen.imports for one in sides.ours[pair]
        )
    return sides.rebound(pair[1]) and any(
        one.written == pair[1] for one in sides.ours.get((pair[0], pair[1].rpartition(".")[0]), ())
    )


def _is_unreadable(sides: Sides, pair: Pair) -> bool:
    return pair not in sides.ours and pair[0] in sides.unreadable


CAUSES: Final = {
    "no-init": Cause("onepath reads folders without __init__.py, which grimp skips", _is_loose),
    "itself": Cause("a package that imports a name from itself; grimp leaves such imports out", _is_itself),
    "computed": Cause("onepath follows importlib.import_module and __import__ with a computable name", _is_computed),
    "no-file": Cause(
        "from a module that is no Python file (compiled): onepath keeps the package above, which runs; grimp nothing",
        _is_no_file,
    ),
    "rebound": Cause(
        "the package binds the submodule's name to something else, which is what is imported; grimp has the submodule",
        _is_rebound,
    ),
    "unreadable": Cause("no Python that this interpreter reads; grimp has a parser of its own", _is_unreadable),
}


def compare(program: Program, seen: Grimp) -> Comparison:
    """Every pair that only one of the two has gets its cause."""
    ours: dict[Pair, list[Import]] = defaultdict(list)
    for one in program.imports:
        if one.internal:
            ours[one.importer, one.imported].append(one)
    unread = {fault.place.file for fault in program.faults}
    unreadable = frozenset(name for name, file in program.modules.items() if file in unread)
    sides = Sides(program, seen, dict(ours), unreadable)
    causes: Counter[str] = Counter()
    unexplained: list[str] = []
    for pair in sorted(sides.ours.keys() ^ seen.imports.keys()):
        cause = next((key for key, cause in CAUSES.items() if cause.explains(sides, pair)), None)
        if cause is not None:
            causes[cause] += 1
            continue
        who, line = ("onepath", ours[pair][0].place.line) if pair in sides.ours else ("grimp", seen.imports[pair])
        unexplained.append(f"only {who}: {pair[0]}:{line} imports {pair[1]}")
    return Comparison(len(sides.ours.keys() & seen.imports.keys()), dict(causes), tuple(unexplained))
