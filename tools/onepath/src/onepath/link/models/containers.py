"""What holds values of others: lists, mappings, queues, context variables, weak references.

Their methods are not known here, nor what goes through them one by one.
"""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.dunders import call_special
from onepath.link.invoke import holding, invoke_all
from onepath.link.items import COUNTS, NEEDS, PRIORITIES, item_cell, merge_into, same_item
from onepath.link.iteration import iterate
from onepath.link.models.model import Model, same
from onepath.link.solver import Solver
from onepath.link.unknown import run_unknown
from onepath.link.values import BOXES, Box, Instance, Value
from onepath.link.within import HASH, ORDER, reach_all


def _container(kind: str) -> Model:
    def made(solver: Solver, site: Site) -> None:
        box = solver.box_at(kind, site.frame, ("made", site.dst - site.frame.base))
        for name, var in site.named:
            solver.add(box.keys, solver.text(name))
            solver.flow(var, item_cell(solver, box, name))
        for var in site.positional if kind == "dict" else site.positional[:1]:
            if kind == "dict":
                solver.when(var, _merged, (site, box))
            else:
                solver.when(var, _copied, (site, box))
        for var in site.double_stars:
            solver.when(var, _merged, (site, box))
        solver.add(site.dst, box)

    return made


def _copied(solver: Solver, payload: Any, value: Value) -> None:
    site, box = payload
    if isinstance(value, Box) and value.kind in ("list", "tuple") and box.kind in ("list", "tuple"):
        solver.each_item(value, same_item, box)
        solver.flow(value.rest, box.rest)
        return
    iterate(solver, site.frame, holding(solver, value), box.rest, False, site.line)


def _merged(solver: Solver, payload: Any, value: Value) -> None:
    """A mapping, or pairs, or an object that is one of them, into a new mapping."""
    site, box = payload
    merge_into(solver, box, value)
    if isinstance(value, Instance):
        keys = solver.var_for(("keys", site, value))
        call_special(solver, site.frame, value, "keys", (), keys, site.line)
        iterate(solver, site.frame, keys, box.keys, False, site.line)
        call_special(solver, site.frame, value, "__getitem__", (box.keys,), box.rest, site.line)
        call_special(solver, site.frame, value, "__iter__", (), -1, site.line)


def _merge(solver: Solver, box: Any, value: Value) -> None:
    merge_into(solver, box, value)


def _default_dict(solver: Solver, site: Site) -> None:
    box = solver.box_at("dict", site.frame, ("made", site.dst - site.frame.base))
    if site.positional:
        box.missing = site.positional[0]
    for var in site.positional[1:2]:
        solver.when(var, _merge, box)
    solver.add(site.dst, box)


def _counter(solver: Solver, site: Site) -> None:
    """`collections.Counter(x)`: a mapping of what is in x to numbers."""
    box = solver.box_at("dict", site.frame, ("made", site.dst - site.frame.base))
    solver.values[COUNTS, box] = True
    solver.add(box.rest, solver.constant("int"))
    for name, _ in site.named:
        solver.add(box.keys, solver.text(name))
    for var in (*site.positional[:1], *site.double_stars):
        iterate(solver, site.frame, var, box.keys, False, site.line)
    solver.add(site.dst, box)


def _sorter(solver: Solver, site: Site) -> None:
    """`graphlib.TopologicalSorter(x)`: the keys of x, and what is in their values."""
    box = solver.box_at(NEEDS, site.frame, ("made", site.dst - site.frame.base))
    for var in site.positional[:1]:
        iterate(solver, site.frame, var, box.rest, False, site.line)
        solver.when(var, _needed, (site, box), BOXES)
    solver.add(site.dst, box)


def _needed(solver: Solver, payload: Any, value: Value) -> None:
    site, box = payload
    iterate(solver, site.frame, solver.every(value), box.rest, False, site.line)  # type: ignore[arg-type]


def _from_keys(solver: Solver, site: Site) -> None:
    """`dict.fromkeys(x, y)`: a mapping of what is in x to y."""
    box = solver.box_at("dict", site.frame, ("made", site.dst - site.frame.base))
    for var in site.positional[:1]:
        iterate(solver, site.frame, var, box.keys, False, site.line)
    for var in site.positional[1:2]:
        solver.flow(var, box.rest)
    reach_all(solver, site.frame, box.keys, HASH, solver.nowhere, site.line)
    solver.add(site.dst, box)


def _put_in(at: int, *, gives: bool) -> Model:
    """`heapq.heappush(x, y)`, `bisect.insort(x, y)`: y is in x; some give an element."""

    def made(solver: Solver, site: Site) -> None:
        for heap in site.positional[:1]:
            for var in site.positional[at : at + 1] if at else ():
                solver.when(heap, _holds, var)
                reach_all(solver, site.frame, var, ORDER, var, site.line)
            if gives:
                iterate(solver, site.frame, heap, site.dst, False, site.line)
        for name, var in site.named:
            if name == "key":
                element = solver.new()
                for heap in site.positional[:1]:
                    iterate(solver, site.frame, heap, element, False, site.line)
                invoke_all(solver, site.frame, var, (element,), -1, site.line)

    return made


def _holds(solver: Solver, src: Any, value: Value) -> None:
    if isinstance(value, Box):
        solver.flow(src, value.rest)
    elif isinstance(value, Instance):
        solver.flow(src, solver.box("dict", ("content", value)).rest)


def _queue(kind: str) -> Model:
    def made(solver: Solver, site: Site) -> None:
        solver.add(site.dst, solver.box_at(kind, site.frame, ("made", site.dst - site.frame.base)))

    return made


def _context_var(solver: Solver, site: Site) -> None:
    box = solver.box_at("variable", site.frame, ("made", site.dst - site.frame.base))
    for name, var in site.named:
        if name == "default":
            solver.flow(var, box.rest)
    solver.add(site.dst, box)
    solver.add(solver.var_for("context variables"), box)


def _context_view(pairs: bool) -> Model:
    """The items or values of a context: those of every variable there is."""

    def made(solver: Solver, site: Site) -> None:
        box = solver.box_at("list", site.frame, ("made", site.dst - site.frame.base))
        solver.when(solver.var_for("context variables"), _in_context, (box, pairs), BOXES)
        solver.add(site.dst, box)

    return made


def _in_context(solver: Solver, payload: Any, value: Value) -> None:
    box, pairs = payload
    if pairs:
        pair = solver.box("tuple", (value, "in a context"))
        solver.add(item_cell(solver, pair, 0), value)
        solver.flow(value.rest, item_cell(solver, pair, 1))  # type: ignore[attr-defined]
        solver.add(box.rest, pair)
    else:
        solver.flow(value.rest, box.rest)  # type: ignore[attr-defined]


def _weak(solver: Solver, site: Site) -> None:
    """`weakref.ref(x, callback)`: called, it gives x."""
    key = ("weak", site)
    value = solver.values.get(key)
    if value is None:
        box = solver.box("weak", site)
        for var in site.positional[:1]:
            solver.flow(var, box.rest)
        solver.values[key] = value = box
    solver.add(site.dst, solver.method(value, "__next__"))
    for var in site.positional[1:]:
        solver.when(var, _finalised, site)


def _finalised(solver: Solver, site: Any, value: Value) -> None:
    run_unknown(solver, value, site.frame, "may-call", site.line)


MODELS: Final[dict[str, Model]] = {
    "builtins.list": _container("list"),
    "builtins.tuple": _container("tuple"),
    "builtins.set": _container("set"),
    "builtins.frozenset": _container("set"),
    "builtins.dict": _container("dict"),
    "types.MappingProxyType": same(),
    "collections.deque": _container("list"),
    "collections.OrderedDict": _container("dict"),
    "collections.ChainMap": _container("dict"),
    "collections.defaultdict": _default_dict,
    "weakref.WeakKeyDictionary": _container("dict"),
    "weakref.WeakValueDictionary": _container("dict"),
    "weakref.WeakSet": _container("set"),
    "weakref.ref": _weak,
    "weakref.proxy": same(),
    "weakref.WeakMethod": _weak,
    "builtins.dict.fromkeys": _from_keys,
    "collections.OrderedDict.fromkeys": _from_keys,
    "heapq.heappush": _put_in(1, gives=False),
    "heapq.heappop": _put_in(0, gives=True),
    "heapq.heappushpop": _put_in(1, gives=True),
    "heapq.heapreplace": _put_in(1, gives=True),
    **{f"bisect.{name}": _put_in(1, gives=False) for name in ("insort", "insort_left", "insort_right")},
    "collections.Counter": _counter,
    "graphlib.TopologicalSorter": _sorter,
    **{f"queue.{name}": _queue("queue") for name in ("Queue", "SimpleQueue", "LifoQueue")},
    **{f"asyncio.{name}": _queue("queue") for name in ("Queue", "LifoQueue")},
    **{f"{module}.PriorityQueue": _queue(PRIORITIES) for module in ("queue", "asyncio")},
    "contextvars.ContextVar": _context_var,
    "contextvars.copy_context.items": _context_view(True),
    "contextvars.copy_context.values": _context_view(False),
}
"""By full name: what it does."""
