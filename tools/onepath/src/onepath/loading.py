"""From a configuration to a linked program, kept between runs.

It knows the order of the pipeline's first half: files, facts, program. The program of an unchanged tree is read back,
and then neither the extractor nor the linker is imported.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from onepath.config import Configuration, ConfigurationError, Project, find_project
from onepath.discover import Discovery, discover
from onepath.facts.gather import Progress, gather, kept_facts
from onepath.facts.model import Annotation, ModuleFacts
from onepath.facts.sources import Source, read_sources
from onepath.garbage import not_collecting
from onepath.graph import Program
from onepath.keeping import read_entry, write_entry
from onepath.looking import Looked
from onepath.rules.contract import Model
from onepath.rules.groups import GROUPS

LINKER: Final = 20
"""Version of what linking finds; part of the key of a kept program."""

_FEW: Final = 40
"""Up to how many changed files it is looked whether only their lines have moved."""


_LARGE: Final = 3000
"""From how many files on what linking leaves behind is given back before anything else is done."""


class Last(msgspec.Struct, frozen=True):
    """The program that was linked last of these files under these demands."""

    program: str
    """Its key."""
    sources: tuple[str, ...]
    """The keys of the files' facts."""


_decoder = msgspec.msgpack.Decoder(Program)
_last_decoder = msgspec.msgpack.Decoder(Last)


class Demands(msgspec.Struct, frozen=True):
    """What the configuration asks of the linker: names only."""

    entries: tuple[str, ...]
    protected: tuple[str, ...]
    watched: tuple[str, ...]
    carried: tuple[tuple[str, str], ...]
    sealed: tuple[str, ...]
    whole: bool = True
    demanded: tuple[str, ...] = ()
    importing: bool = False
    zones: tuple[str, ...] = ()


def load_model(
    project: Project | str | Path,
    *,
    jobs: int | None,
    progress: Progress | None,
    whole: bool = True,
    discovery: Discovery | None = None,
) -> Model:
    """See `onepath.load`. `discovery`: the modules of the project, where somebody has just looked."""
    if not isinstance(project, Project):
        found = find_project(Path(project))
        if found is None:
            raise ConfigurationError([])
        project = found
    configuration = project.configuration
    cache = project.folder / configuration.cache if configuration.cache else None
    if discovery is None:
        discovery = discover(project.folder, configuration.roots, configuration.exclude)
    looked = Looked()
    looked.modules = discovery.digest
    sources, faults = read_sources(discovery.modules, looked)
    demands = demands_of(configuration, whole=whole)
    around = hashlib.sha256(f"program\0{LINKER}\0".encode() + msgspec.msgpack.encode(demands))
    unread = [fault.file for fault in faults]
    for name in (*(module.file for module in discovery.modules), "", *unread, "", *sorted(discovery.namespaces)):
        around.update(name.encode("utf-8", "surrogateescape") + b"\0")
    surroundings = around.hexdigest()
    keys = tuple(source.key for source in sources)
    key = hashlib.sha256("\0".join((surroundings, *keys)).encode()).hexdigest()
    program = _kept(cache, key)
    if program is None:
        program = _last_relined(cache, surroundings, sources, jobs)
        if program is None:
            facts = [*gather(sources, cache, jobs=jobs, progress=progress, meanwhile=_import_linker), *faults]
            del sources  # their text is read; what is linked next takes room enough
            program = _linked(facts, demands, discovery.namespaces)
            del facts
            if len(keys) > _LARGE:
                gc.collect()  # the solver goes round in circles, and is most of what there is
        write_entry(cache, key, msgspec.msgpack.encode(program))
        write_entry(cache, surroundings, msgspec.msgpack.encode(Last(key, keys)))
    return Model(project.folder, configuration, program, looked)


def _import_linker() -> None:
    import onepath.link  # noqa: F401  # it takes a while, and is wanted next


def _last_relined(cache: Path | None, surroundings: str, sources: Sequence[Source], jobs: int | None) -> Program | None:
    """The program that was linked last, if nothing but lines of a few files has changed since."""
    body = read_entry(cache, surroundings)
    if body is None:
        return None
    try:
        last = _last_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if len(last.sources) != len(sources):
        return None
    changed = [(key, source) for key, source in zip(last.sources, sources, strict=True) if key != source.key]
    if len(changed) > _FEW:
        return None
    from onepath.relining import moved_lines, relined

    moves: dict[str, dict[int, int]] = {}
    for (key, source), after in zip(changed, gather([source for _, source in changed], cache, jobs=jobs), strict=True):
        before = kept_facts(cache, key)
        moved = moved_lines(before, after) if before is not None else None
        if moved is None:
            return None
        moves[source.module.file] = moved
    program = _kept(cache, last.program)
    return relined(program, moves) if program is not None else None


def _kept(cache: Path | None, key: str) -> Program | None:
    body = read_entry(cache, key)
    if body is None:
        return None
    try:
        with not_collecting():
            return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _linked(facts: Sequence[ModuleFacts], demands: Demands, namespaces: Iterable[str]) -> Program:
    from onepath.link import Options, link

    options = Options(
        entries=demands.entries,
        protected=demands.protected,
        watched=frozenset(demands.watched),
        carried=demands.carried,
        whole=demands.whole,
        demanded=frozenset(demands.demanded),
        importing=demands.importing,
        zones=demands.zones,
        origins=tuple(sorted({*demands.sealed, *carried_classes(facts, demands.carried)})),
    )
    with not_collecting():
        return link(facts, options, namespaces)


def demands_of(configuration: Configuration, *, whole: bool = True) -> Demands:
    """What the contracts need to know of values: it makes the linker keep apart what they watch.

    `whole`: the program is wanted for itself. Else it is enough that the rules find all there is to find; some of them
    need the whole program for that.
    """
    whole = whole or _needs_whole(configuration)
    entries: dict[str, None] = {}
    protected: dict[str, None] = {}
    watched: dict[str, None] = {}
    carried: dict[tuple[str, str], None] = {}
    for path in configuration.path:
        entries.update(dict.fromkeys(path.entries))
        protected.update(dict.fromkeys(path.through))
        watched.update(dict.fromkeys(_watched(path.sinks)))
        for one in path.carries:
            carried[(one.into, one.argument)] = None
            protected.update(dict.fromkeys((one.into, one.made_by)))
    for owners in configuration.sink_owners:
        watched.update(dict.fromkeys(_watched(owners.sinks)))
    return Demands(
        tuple(entries),
        tuple(sorted(protected)),
        tuple(sorted(watched)),
        tuple(sorted(carried)),
        tuple(sorted({one.type for one in configuration.sealed})),
        whole=whole,
        demanded=() if whole else tuple(sorted(_demanded(configuration))),
        importing=not whole and _judges_imports(configuration),
        zones=()
        if whole
        else tuple(
            sorted(
                {
                    *(zone for path in configuration.path for zone in path.guarded),
                    *(zone for pure in configuration.pure for zone in pure.zones),
                }
            )
        ),
    )


def _needs_whole(configuration: Configuration) -> bool:
    """Whether a rule asks for ways that start anywhere, or a region shows the whole graph."""
    return (
        not any(path.entries for path in configuration.path)
        or any(path.carries for path in configuration.path)
        or bool(configuration.sealed or configuration.regions or configuration.protected)
    )


def _judges_imports(configuration: Configuration) -> bool:
    return bool(configuration.layers or configuration.forbidden or configuration.independent or configuration.acyclic)


def _demanded(configuration: Configuration) -> set[str]:
    return {name for owners in configuration.sink_owners for name in _watched(owners.sinks)}


def _watched(patterns: Iterable[str]) -> Iterator[str]:
    """Names of groups stand for themselves alone; a bare name of a contract for all below it, too."""
    for pattern in patterns:
        if pattern in GROUPS:
            yield from GROUPS[pattern]
        else:
            yield pattern
            yield f"{pattern.removesuffix('.*')}.*"


def carried_classes(facts: Iterable[ModuleFacts], carried: Iterable[tuple[str, str]]) -> set[str]:
    """Classes a watched parameter is annotated with, and those derived from them by name."""
    wanted = set(carried)
    functions = {function for function, _ in wanted}
    names: set[str] = set()
    classes: dict[str, list[str]] = {}
    for one in facts:
        for scope in one.scopes:
            full = f"{one.module}.{scope.qualname}"
            if scope.kind == "class":
                classes.setdefault(scope.name, []).append(full)
            elif full in functions:
                for parameter in scope.parameters:
                    if (full, parameter.name) in wanted and parameter.annotation >= 0:
                        names |= _names_in(one.annotations[parameter.annotation])
    return {full for name in names for full in classes.get(name, ())}


def _names_in(annotation: Annotation) -> set[str]:
    found = {annotation.name.rpartition(".")[2]}
    for one in annotation.arguments:
        found |= _names_in(one)
    return found
