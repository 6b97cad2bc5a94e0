"""`asyncio`: what is awaited, by whom it is run, and what it gives."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.invoke import holding, invoke_all
from onepath.link.items import item_cell
from onepath.link.iteration import awaited, iterate
from onepath.link.models.model import Model, same
from onepath.link.raising import all_raised, told_of
from onepath.link.solver import Solver
from onepath.link.values import Uncomputed, Value


def _awaitable(solver: Solver, site: Site) -> None:
    """`create_task`, `wait_for`, `shield`: what it gives is awaited to what its argument is awaited to."""
    box = solver.box_at("awaitable", site.frame, ("made", site.dst - site.frame.base))
    for var in site.positional[:1]:
        solver.when(var, awaited, (site.frame, box.rest, site.line))
        solver.when(var, _uncomputed_passed, site)
    for name, var in site.named:
        if name in ("coro", "fut"):
            solver.when(var, awaited, (site.frame, box.rest, site.line))
    solver.add(site.dst, box)


def _uncomputed_passed(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Uncomputed):
        solver.note_opaque(site.frame, f"what {value.what} gave", value.why, site.line)


def _run_awaitable(solver: Solver, site: Site) -> None:
    for var in site.positional[:1]:
        solver.when(var, awaited, (site.frame, site.dst, site.line))


def _gather(solver: Solver, site: Site) -> None:
    box = solver.box_at("gathered", site.frame, ("made", site.dst - site.frame.base))
    for index, var in enumerate(site.positional):
        solver.flow(var, item_cell(solver, box, index))
    for var in site.stars:
        iterate(solver, site.frame, var, box.rest, False, site.line)
    if any(name == "return_exceptions" for name, _ in site.named):
        solver.flow(all_raised(solver), box.rest)
    solver.add(site.dst, box)


def _set_exception_handler(solver: Solver, site: Site) -> None:
    """A loop's handler is told of the loop and of the error, which is in a mapping."""
    box = solver.box_at("dict", site.frame, ("context", site.dst - site.frame.base))
    solver.flow(told_of(solver), item_cell(solver, box, "exception"))
    for var in site.positional[:1]:
        told = (holding(solver, solver.result("asyncio.AbstractEventLoop")), holding(solver, box))
        invoke_all(solver, site.frame, var, told, -1, site.line)


MODELS: Final[dict[str, Model]] = {
    "types.coroutine": same(),
    "asyncio.create_task": _awaitable,
    "asyncio.ensure_future": _awaitable,
    "asyncio.shield": _awaitable,
    "asyncio.wait_for": _awaitable,
    "asyncio.TaskGroup.create_task": _awaitable,
    "asyncio.AbstractEventLoop.create_task": _awaitable,
    "asyncio.run_coroutine_threadsafe": _awaitable,
    "asyncio.run": _run_awaitable,
    "asyncio.Runner.run": _run_awaitable,
    "asyncio.AbstractEventLoop.run_until_complete": _run_awaitable,
    "asyncio.gather": _gather,
    "asyncio.AbstractEventLoop.set_exception_handler": _set_exception_handler,
}
"""By full name: what it does."""
