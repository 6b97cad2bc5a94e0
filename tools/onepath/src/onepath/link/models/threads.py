"""Threads and processes: their targets run from where they are made."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.models.model import Model
from onepath.link.solver import Solver
from onepath.link.values import Foreign, Uncomputed, Value


def _thread(solver: Solver, site: Site) -> None:
    """A thread or process: its target runs with its arguments, from where it is made."""
    name = "threading.Thread"
    solver.add(site.dst, solver.result(name))
    named = dict(site.named)
    target = named.get("target", named.get("function", -1))
    if target < 0 and len(site.positional) > 1:
        target = site.positional[1]
    arguments = named.get("args", -1)
    if arguments < 0 and len(site.positional) > 2:
        arguments = site.positional[2]
    double = named.get("kwargs", -1)
    if target >= 0:
        inner = Site(
            site.frame, solver.new(), -1, (), (), site.line, (arguments,) if arguments >= 0 else (),
            (double,) if double >= 0 else (),
        )  # fmt: skip
        solver.when(target, _started, inner)


def _started(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Foreign):
        if value.special:
            solver.edge(site.frame, value.name, "may-call", site.line)
        return
    if isinstance(value, Uncomputed):
        solver.note_opaque(site.frame, f"what {value.what} gave", value.why, site.line)
        return
    solver.call(solver, site, value)


def _start_new_thread(solver: Solver, site: Site) -> None:
    if site.positional:
        inner = Site(site.frame, solver.new(), -1, (), (), site.line, site.positional[1:2])
        solver.when(site.positional[0], _started, inner)


def _process(solver: Solver, site: Site) -> None:
    _thread(solver, site)
    solver.add(site.dst, solver.result("multiprocessing.Process"))


MODELS: Final[dict[str, Model]] = {
    "threading.Thread": _thread,
    "threading.Timer": _thread,
    "multiprocessing.Process": _process,
    "_thread.start_new_thread": _start_new_thread,
}
"""By full name: what it does."""
