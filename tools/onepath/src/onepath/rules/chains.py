"""Imports as the contracts see them: which count, and by which way one module reaches another.

It knows the import facts of the linked program. What is allowed is the contracts' business.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from onepath.config import Exemption
from onepath.graph import Import, Imports, Program
from onepath.rules.contract import Finding, Hop
from onepath.rules.names import matches


class Counted(msgspec.Struct, frozen=True):
    """The imports a contract counts, and its exceptions that were of no use."""

    imports: Imports
    unused: tuple[Exemption, ...]

    def of(self, module: str) -> tuple[Import, ...]:
        """Imports written in `module`."""
        return self.imports.by_importer.get(module, ())


class Chain(msgspec.Struct, frozen=True):
    """Imports that follow each other."""

    imports: tuple[Import, ...]

    @property
    def first(self) -> Import:
        return self.imports[0]

    @property
    def last(self) -> Import:
        return self.imports[-1]

    def evidence(self) -> tuple[Hop, ...]:
        """One hop for each import, then the place where the way ends."""
        hops = [Hop(one.scope, one.place, f"imports {named(one)}") for one in self.imports]
        return (*hops, Hop(named(self.last), None))


def named(one: Import) -> str:
    """What an import takes: the symbol's full name, or the module."""
    return one.written if one.symbol not in ("", "*") else one.imported


def counted(
    program: Program,
    exemptions: Sequence[Exemption] = (),
    *,
    type_checking: bool = True,
    functions: bool = True,
) -> Counted:
    """The imports that count; an exception takes away those from `importer` to `imported`, and what lies below both."""
    if type_checking and functions and not exemptions:
        return Counted(program.importing, ())
    used: set[int] = set()
    kept: list[Import] = []
    for one in program.imports:
        if (one.type_checking and not type_checking) or (one.scope != one.importer and not functions):
            continue
        exempt = [index for index, exemption in enumerate(exemptions) if _exempts(exemption, one)]
        used.update(exempt)
        if not exempt:
            kept.append(one)
    unused = tuple(exemption for index, exemption in enumerate(exemptions) if index not in used)
    return Counted(Imports(kept), unused)


def chains(
    counts: Counted,
    sources: Iterable[str],
    is_target: Callable[[Import], bool],
    is_way: Callable[[str], bool],
    *,
    indirect: bool = True,
) -> Iterator[Chain]:
    """For each import of a source that is a target or leads to one over `is_way` modules: the shortest way.

    One chain for each first step, so that all that has to be mended is told in one run. `is_target` is asked once of
    all imports that take the same: it may look at what an import takes, not at who takes it.
    """
    imports = counts.imports
    targets = [is_target(one) for one in imports.taken]
    if not any(targets):
        return
    onward = _onward(imports, targets, is_way) if indirect else {}
    for module in sorted(set(sources)):
        for one, number in zip(counts.of(module), imports.kinds.get(module, ()), strict=True):
            if targets[number]:
                yield Chain((one,))
            elif one.imported in onward and is_way(one.imported):
                yield Chain((one, *_followed(one.imported, onward)))


def unused_exemptions(rule: str, contract: str, exemptions: Iterable[Exemption]) -> list[Finding]:
    """An exception that excepts nothing is a finding: it would hide the next one."""
    return [
        Finding(
            rule=rule,
            contract=contract,
            message=f"the exception for {one.importer} importing {one.imported} excepts nothing",
            where=one.importer,
            place=None,
            instead="take the exception out of the contract",
            subject=("unused exception", one.imported),
        )
        for one in exemptions
    ]


def _exempts(exemption: Exemption, one: Import) -> bool:
    return matches(exemption.importer, one.importer) and (
        matches(exemption.imported, one.imported) or matches(exemption.imported, one.written)
    )


def _onward(imports: Imports, targets: Sequence[bool], is_way: Callable[[str], bool]) -> dict[str, Import]:
    """By module on the way: the import by which the shortest way to a target goes on."""
    onward: dict[str, Import] = {}
    takers = frozenset().union(*(some for some, is_target in zip(imports.takers, targets, strict=True) if is_target))
    for module in sorted(filter(is_way, takers)):
        some = zip(imports.by_importer[module], imports.kinds[module], strict=True)
        onward[module] = next(one for one, number in some if targets[number])
    queue = deque(onward)
    while queue:
        for one in imports.of_imported.get(queue.popleft(), ()):
            if one.importer not in onward and is_way(one.importer):
                onward[one.importer] = one
                queue.append(one.importer)
    return onward


def _followed(module: str, onward: dict[str, Import]) -> Iterator[Import]:
    while module in onward:
        one = onward[module]
        yield one
        module = one.imported
