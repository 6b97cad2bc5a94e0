"""Foreign callables that are called: what tables and models know of the name, else what it may call."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

from onepath.link.binding import note_entered
from onepath.link.code import Site
from onepath.link.dunders import call_special
from onepath.link.escaping import call_back, escape_arguments, is_exception, is_template, run_overrides
from onepath.link.foreign import (
    DUNDERS,
    GIVES,
    GIVES_ITS_RESULT,
    LOGGED,
    MAKES_ITS_CLASS,
    NEVER_CALL,
    NEVER_CALL_BELOW,
    NEVER_CALL_BUT,
    OF_ELEMENTS,
    OPAQUE_BELOW,
    OPAQUE_CALLS,
    PASSES_ON,
    canonical,
)
from onepath.link.invoke import holding
from onepath.link.iteration import iterate
from onepath.link.models import MODELS
from onepath.link.models.loaders import TAKES_OWNER
from onepath.link.raising import raised
from onepath.link.solver import RAISED, Solver
from onepath.link.unknown import read_by_unknown
from onepath.link.values import BOXES, OBJECTS, OBJECTS_AND_CLASSES, Box, Class, Instance, Result, Value
from onepath.link.within import reach_all, reach_parts

_OPAQUE_BELOW: Final = tuple(f"{name}." for name in OPAQUE_BELOW)


class _Known(NamedTuple):
    """What the name of a foreign callable says."""

    name: str
    """The one name of what has several."""
    silent: bool
    """Whether it stands for no call."""
    opaque: str
    """Why what it does cannot be computed; empty if it can."""
    dunders: tuple[str, ...] | None
    is_exception: bool
    tells_raised: bool
    """Whether it shows the error there is, whatever it is given."""
    method: str
    model: Callable[[Solver, Site], None] | None
    is_tool: bool
    quiet: bool
    """Whether it calls nothing it is given."""


@cache
def _known(written: str) -> _Known:
    name = canonical(written)
    why = OPAQUE_CALLS.get(name, "")
    if not why and name.startswith(_OPAQUE_BELOW):
        why = "native code is called"
    return _Known(
        name=name,
        silent=name in _SILENT,
        opaque=why,
        dunders=DUNDERS.get(name),
        is_exception=name.startswith("builtins.") and is_exception(name.removesuffix(".__init__")),
        tells_raised=name.startswith("traceback.") or (name.startswith("logging.") and name.endswith(".exception")),
        method=name.rpartition(".")[2],
        model=MODELS.get(name),
        is_tool=name.startswith(_TOOLS),
        quiet=name in NEVER_CALL or _is_quiet(name),
    )


def external(solver: Solver, site: Site, written: str, owner: Value | None) -> None:
    """A foreign callable is called; `owner` is the program's object whose inherited method it is."""
    known = _known(written)
    name = known.name
    if not known.silent:
        solver.edge(site.frame, name, "call", site.line)
    _note_entries(solver, site, name)
    if known.opaque:
        solver.note_opaque(site.frame, name, known.opaque, site.line)
        solver.add(site.dst, solver.uncomputed(name, known.opaque))
    if known.dunders is not None and not solver.specials.isdisjoint(known.dunders):
        named = (var for keyword, var in site.named if keyword == "extra")
        for var in (*site.positional, *named):
            solver.when(var, _call_dunders, (site.frame, known.dunders, name in OF_ELEMENTS, site.line), _WITH_DUNDERS)
    for var in site.stars:
        iterate(solver, site.frame, var, solver.nowhere, False, site.line)
    if known.is_exception:
        for var in site.positional:  # its text is made of them
            reach_all(solver, site.frame, var, _TOLD, solver.nowhere, site.line)
    if known.tells_raised or (site.named and _logs_raised(name, site)):
        reach_all(solver, site.frame, solver.var_for(RAISED), _TOLD, solver.nowhere, site.line)
    if known.method == "with_traceback":
        solver.add(site.dst, owner if owner is not None else solver.result(name.removesuffix(".with_traceback")))
        return
    if known.method == "set_exception":
        for var in site.positional[:1]:
            raised(solver, site.frame, var, site.line)
    if owner is not None and name in MAKES_ITS_CLASS:
        _make_of_class(solver, site, name, owner)
    if known.model is not None:
        if owner is not None and (name in TAKES_OWNER or (name in _TAKES_ITSELF and _asks_anew(site))):
            site = Site(site.frame, site.dst, -1, (holding(solver, owner), *site.positional), site.named, site.line)
        known.model(solver, site)
        if owner is not None and known.is_tool:
            _call_overrides(solver, site, name, owner)
        return
    if owner is not None:
        _call_overrides(solver, site, name, owner)
    if name not in GIVES_ITS_RESULT:
        solver.add(site.dst, _given_by(solver, name))
    if known.quiet:
        if known.method in _SENDS and name.startswith("logging."):
            solver.when(solver.var_for("log handlers"), _log_sent, site)
        if name.startswith("math."):
            for var in site.positional:
                solver.when(var, read_by_unknown, None, BOXES)
        return
    passed = PASSES_ON.get(name)
    if passed is not None and len(site.positional) > passed:
        _pass_on(solver, site, name, passed)
    escape_arguments(solver, site, name)


def _note_entries(solver: Solver, site: Site, name: str) -> None:
    """What is handed to a foreign callable that takes entries, or decorates them, is one."""
    if name in solver.entry_decorators:
        for var in site.positional[:1]:
            solver.when(var, note_entered, f"@{name}")
    wanted = solver.entry_arguments.get(name)
    for parameter in sorted(wanted) if wanted else ():
        for keyword, var in site.named:
            if keyword == parameter:
                solver.when(var, note_entered, f"arg:{name}.{parameter}")
        for var in site.positional:
            solver.when(var, note_entered, f"arg:{name}.{parameter}")


def _make_of_class(solver: Solver, site: Site, name: str, owner: Value) -> None:
    """An inherited foreign class method makes an object of the program's class."""
    cls = owner.cls if isinstance(owner, Instance) else owner
    if not isinstance(cls, Class):
        return
    made = solver.var_for(("made by", name, site.frame, site.line, cls))
    solver.flow(made, site.dst)
    solver.call(solver, Site(site.frame, made, -1, (), (), site.line), cls)
    if MAKES_ITS_CLASS[name]:
        key, value = solver.new(), solver.new()
        for var in site.positional[:1]:
            iterate(solver, site.frame, var, key, False, site.line)
        for var in site.positional[1:2]:
            solver.flow(var, value)
        solver.when(made, _put_into, (site, name, key, value), OBJECTS)


def _put_into(solver: Solver, payload: Any, made: Value) -> None:
    site, name, key, value = payload
    for method in MAKES_ITS_CLASS[name]:
        call_special(solver, site.frame, made, method, (key, value), -1, site.line)


_TOOLS: Final = ("bdb.", "code.", "concurrent.futures.", "multiprocessing.", "pdb.", "trace.")
"""Modules whose classes call what is overridden, besides what is known of their methods."""


def _call_overrides(solver: Solver, site: Site, name: str, owner: Value) -> None:
    """An inherited foreign method may call what the object's class overrides."""
    call_back(solver, site, name, owner)
    if isinstance(owner, Instance) and is_template(name):
        key = ("overrides", owner, site.frame, site.line)
        if key not in solver.values:
            solver.values[key] = True
            solver.later(run_overrides, solver, owner.cls, owner, site.frame, site.line)


def _given_by(solver: Solver, name: str) -> Result:
    """The result of a foreign call. What a method of a mere result gives is that result again: parts of one data."""
    given = GIVES.get(name)
    if given is not None:
        return solver.result(given)
    owner, _, last = name.rpartition(".")
    if (
        (Result, owner) in solver.values
        and not owner.rpartition(".")[2][:1].isupper()
        and not last[:1].isupper()
        and not solver.leads(name)
    ):
        return solver.result(owner)
    return solver.result(name)


_WITH_DUNDERS: Final = OBJECTS_AND_CLASSES | BOXES


def _asks_anew(site: Site) -> bool:
    """Whether another name is asked for than the one the function was given: that one is read already."""
    own = len(site.frame.code.scope.parameters)
    return any(var - site.frame.base >= own for var in site.positional[:1])


_TAKES_ITSELF: Final = frozenset({"builtins.object.__getattribute__", "builtins.type.__getattribute__"})
"""Models of methods that are asked with the object as an argument, also where it is left of the dot."""
_SILENT: Final = frozenset({"builtins.property", "builtins.staticmethod", "builtins.classmethod"})
_SENDS: Final = frozenset(
    {"debug", "info", "warning", "warn", "error", "critical", "exception", "log", "fatal", "handle"}
)


def _log_sent(solver: Solver, site: Any, value: Value) -> None:
    """A record goes to every handler that was added somewhere."""
    if isinstance(value, Result) and solver.is_watched(f"{value.name}.emit"):
        solver.edge(site.frame, f"{value.name}.emit", "may-call", site.line)


_TOLD: Final = ("__str__", "__repr__")


def _logs_raised(name: str, site: Site) -> bool:
    """Whether a log gets the exception there is, with its text."""
    return name.startswith("logging.") and any(one == "exc_info" for one, _ in site.named)


def _is_quiet(name: str) -> bool:
    head, _, rest = name.partition(".")
    if head in ("logging", "structlog"):
        return rest.rpartition(".")[2] in LOGGED
    return head in NEVER_CALL_BELOW and name not in NEVER_CALL_BUT


def _call_dunders(solver: Solver, payload: Any, value: Value) -> None:
    frame, names, elements, line = payload
    if isinstance(value, Box):
        if elements and solver.is_first(("dunders", frame, names, value)):
            solver.when(solver.every(value), _call_dunders, payload, _WITH_DUNDERS)
            if value.kind == "dict":
                solver.when(value.keys, _call_dunders, payload, _WITH_DUNDERS)
        return
    found = False
    for name in names:
        if name not in solver.specials:
            continue
        found |= call_special(solver, frame, value, name, (solver.nowhere,), -1, line)
    if not found and isinstance(value, Instance):
        for name in names:
            reach_parts(solver, frame, value, name, solver.nowhere, line)


def _pass_on(solver: Solver, site: Site, name: str, index: int) -> None:
    rest = site.positional[index + 1 :]
    inner = Site(site.frame, site.dst, -1, rest, (), site.line, site.stars)
    solver.when(site.positional[index], _pass_one, inner)


def _pass_one(solver: Solver, site: Any, value: Value) -> None:
    solver.call(solver, site, value)
