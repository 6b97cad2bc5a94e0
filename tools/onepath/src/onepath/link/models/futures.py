"""Pools of threads and processes: what is handed to them runs, and what it gives is the future's, or in their lists."""

from __future__ import annotations

from typing import Final

from onepath.link.code import Site
from onepath.link.escaping import escape_arguments
from onepath.link.invoke import invoke_all
from onepath.link.items import item_cell
from onepath.link.iteration import iterate
from onepath.link.models.callers import MODELS as CALLERS
from onepath.link.models.callers import call_inner
from onepath.link.models.model import Model, argument
from onepath.link.raising import told_of
from onepath.link.solver import Solver
from onepath.link.values import Box


def _submit(solver: Solver, site: Site) -> None:
    """`pool.submit(f, *args)`: a future of what that gives."""
    box = _future(solver, site)
    func, rest = argument(site, 0), site.positional[1:]
    if func < 0:
        # The function comes out of `*`, and with it all others move up: any may be any.
        func = solver.new()
        for var in site.stars:
            iterate(solver, site.frame, var, func, False, site.line)
    inner = Site(site.frame, box.rest, -1, rest, site.named, site.line, site.stars, site.double_stars)
    solver.when(func, call_inner, inner)


def _future(solver: Solver, site: Site) -> Box:
    box = solver.box_at("awaitable", site.frame, ("made", site.dst - site.frame.base))
    solver.add(site.dst, box)
    return box


def _call_back(solver: Solver, site: Site, index: int, given: int) -> None:
    """A pool tells of a result, or of an error."""
    for number, (name, var) in enumerate((("callback", given), ("error_callback", told_of(solver)))):
        callback = argument(site, index + number, name)
        if callback >= 0:
            invoke_all(solver, site.frame, callback, (var,), -1, site.line)


def _apply(later: bool) -> Model:
    """`pool.apply(f, args, kwds)`."""

    def made(solver: Solver, site: Site) -> None:
        given = _future(solver, site).rest if later else site.dst
        func, stars, doubles = argument(site, 0, "func"), argument(site, 1, "args"), argument(site, 2, "kwds")
        if func < 0:
            escape_arguments(solver, site, "multiprocessing.Pool")
            return
        inner = Site(
            site.frame, given, -1, (), (), site.line, (stars,) if stars >= 0 else (),
            (doubles,) if doubles >= 0 else (),
        )  # fmt: skip
        solver.when(func, call_inner, inner)
        if later:
            _call_back(solver, site, 3, given)

    return made


def _map(kind: str, *, spread: bool = False, later: bool = False) -> Model:
    """`pool.map(f, xs)`: what `f` gives for each; with `spread`, its arguments are in each."""

    def made(solver: Solver, site: Site) -> None:
        box = solver.box_at(kind, site.frame, ("mapped", site.dst - site.frame.base))
        func, elements = argument(site, 0, "func"), argument(site, 1, "iterable")
        if later:
            solver.add(_future(solver, site).rest, box)
        else:
            solver.add(site.dst, box)
        if func < 0 or elements < 0:
            escape_arguments(solver, site, "multiprocessing.Pool")
            return
        element = solver.new()
        iterate(solver, site.frame, elements, element, False, site.line)
        plain, stars = ((), (element,)) if spread else ((element,), ())
        solver.when(func, call_inner, Site(site.frame, box.rest, -1, plain, (), site.line, stars))
        if later:
            listed = solver.new()
            solver.add(listed, box)
            _call_back(solver, site, 3, listed)

    return made


def _wait(solver: Solver, site: Site) -> None:
    """`concurrent.futures.wait(futures)`: those that are done, and the others."""
    both = solver.box_at("tuple", site.frame, ("made", site.dst - site.frame.base))
    box = solver.box_at("set", site.frame, ("waited", site.dst - site.frame.base))
    futures = argument(site, 0, "fs")
    if futures >= 0:
        iterate(solver, site.frame, futures, box.rest, False, site.line)
    for number, name in enumerate(("done", "not_done")):
        solver.add(item_cell(solver, both, number), box)
        solver.add(solver.cell(both, name), box)
    solver.add(site.dst, both)


def _as_completed(solver: Solver, site: Site) -> None:
    box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    futures = argument(site, 0, "fs")
    if futures >= 0:
        iterate(solver, site.frame, futures, box.rest, False, site.line)
    solver.add(site.dst, box)


_EXECUTORS: Final = ("Executor", "ThreadPoolExecutor", "ProcessPoolExecutor", "InterpreterPoolExecutor")
_POOLS: Final = ("multiprocessing.Pool", "multiprocessing.pool.ThreadPool", "multiprocessing.dummy.Pool")
_METHODS: Final[dict[str, Model]] = {
    "apply": _apply(later=False),
    "apply_async": _apply(later=True),
    "map": _map("list"),
    "map_async": _map("list", later=True),
    "imap": _map("generator"),
    "imap_unordered": _map("generator"),
    "starmap": _map("list", spread=True),
    "starmap_async": _map("list", spread=True, later=True),
}
MODELS: Final[dict[str, Model]] = {
    **{f"concurrent.futures.{name}.submit": _submit for name in _EXECUTORS},
    **{f"concurrent.futures.{name}.map": CALLERS["builtins.map"] for name in _EXECUTORS},
    "concurrent.futures.wait": _wait,
    "concurrent.futures.as_completed": _as_completed,
    **{f"{pool}.{method}": model for pool in _POOLS for method, model in _METHODS.items()},
}
"""By full name: what it does."""
