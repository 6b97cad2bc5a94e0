"""Methods of containers and namespaces: what goes in, what comes out, what is called on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from onepath.link.attributes import read_attribute
from onepath.link.code import Frame, Site
from onepath.link.invoke import holding, invoke_all
from onepath.link.items import (
    NEEDS,
    PRIORITIES,
    counts,
    hashed,
    item_cell,
    items_of,
    names_of,
    read_item,
    set_item,
    unpack_mapping,
)
from onepath.link.iteration import iterate
from onepath.link.raising import GROUP, raised, told_of
from onepath.link.setting import set_attribute
from onepath.link.solver import Solver
from onepath.link.values import Box, Space, Value
from onepath.link.within import EQUAL, ORDER, reach, reach_all


def space_method(solver: Solver, site: Site, owner: Space, name: str) -> None:
    if name in ("get", "pop", "setdefault", "__getitem__") and site.positional:
        read_item(solver, (site.frame, site.positional[0], site.dst, site.line), owner)
        for var in site.positional[1:2]:
            solver.flow(var, site.dst)
            if name == "setdefault":
                solver.when(site.positional[0], _set_key, (site.frame, owner, var, site.line))
    elif name == "update":
        for keyword, var in site.named:
            set_attribute(solver, site.frame, owner.owner, keyword, var, site.line)
        for var in site.positional:
            solver.when(var, _update_space, (site.frame, owner, site.line))
    elif name == "__setitem__" and len(site.positional) > 1:
        solver.when(site.positional[0], _set_key, (site.frame, owner, site.positional[1], site.line))
    elif name in ("values", "items", "keys", "copy"):
        box = solver.box("dict" if name == "copy" else "list", (owner, name))
        _space_items(solver, site.frame, owner, name, box)
        solver.add(site.dst, box)


def _space_items(solver: Solver, frame: Frame, owner: Space, name: str, box: Box) -> None:
    for one in names_of(solver, owner.owner):
        var = solver.new()
        read_attribute(solver, frame, owner.owner, one, var, 0)
        if name == "values":
            solver.flow(var, box.rest)
        elif name == "keys":
            solver.add(box.rest, solver.text(one))
        elif name == "copy":
            solver.add(box.keys, solver.text(one))
            solver.flow(var, item_cell(solver, box, one))
        else:
            pair = solver.box("tuple", (owner, "item", one))
            solver.add(item_cell(solver, pair, 0), solver.text(one))
            solver.flow(var, item_cell(solver, pair, 1))
            solver.add(box.rest, pair)


def _update_space(solver: Solver, payload: Any, value: Value) -> None:
    frame, owner, line = payload
    if isinstance(value, Box):
        solver.each_item(value, _item_to_attribute, (frame, owner.owner, line))


def _item_to_attribute(solver: Solver, payload: Any, key: object, var: int) -> None:
    frame, owner, line = payload
    if isinstance(key, str):
        set_attribute(solver, frame, owner, key, var, line)


def _set_key(solver: Solver, payload: Any, key: Value) -> None:
    frame, owner, src, line = payload
    set_item(solver, frame, owner, key, src, line)


def _append(solver: Solver, site: Site, box: Box) -> None:
    for var in site.positional[-1:]:
        solver.flow(var, box.rest)
        if box.kind == "set":
            solver.when(var, _hashed_one, (site.frame, site.line))
        elif box.kind == PRIORITIES:
            reach_all(solver, site.frame, var, ORDER, solver.every(box), site.line)


def _hashed_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, line = payload
    hashed(solver, frame, value, line)


def _add(solver: Solver, site: Site, box: Box) -> None:
    """A set takes one, what sorts by need any number."""
    if box.kind != NEEDS:
        _append(solver, site, box)
        return
    for var in site.positional:
        solver.flow(var, box.rest)
        solver.when(var, _hashed_one, (site.frame, site.line))


def _look_for(solver: Solver, site: Site, box: Box) -> None:
    """`count`, `index`, `remove`: elements are compared with what is looked for."""
    for var in site.positional[:1]:
        reach_all(solver, site.frame, solver.every(box), EQUAL, var, site.line)
        reach_all(solver, site.frame, var, EQUAL, solver.every(box), site.line)


def _extend(solver: Solver, site: Site, box: Box) -> None:
    for var in site.positional:
        iterate(solver, site.frame, var, box.rest, False, site.line)
    solver.add(site.dst, box)


def _compare(solver: Solver, site: Site, box: Box) -> None:
    """With what else there is: its elements are read and looked for."""
    for var in site.positional:
        iterate(solver, site.frame, var, solver.nowhere, False, site.line)
    solver.add(site.dst, box)


def _get(solver: Solver, site: Site, box: Box) -> None:
    if box.kind not in ("dict", "list", "tuple"):
        items_of(solver, box, site.dst)
    elif site.positional:
        read_item(solver, (site.frame, site.positional[0], site.dst, site.line), box)
    for var in site.positional[1:2]:
        solver.flow(var, site.dst)


def _pop(solver: Solver, site: Site, box: Box) -> None:
    if box.kind == "dict":
        _get(solver, site, box)
    else:
        items_of(solver, box, site.dst)


def _popitem(solver: Solver, site: Site, box: Box) -> None:
    pair = solver.box("tuple", (box, "popped"))
    solver.flow(box.keys, item_cell(solver, pair, 0))
    items_of(solver, box, item_cell(solver, pair, 1))
    solver.add(site.dst, pair)


def _setdefault(solver: Solver, site: Site, box: Box) -> None:
    _get(solver, site, box)
    if len(site.positional) > 1:
        solver.when(site.positional[0], _set_key, (site.frame, box, site.positional[1], site.line))


def _update(solver: Solver, site: Site, box: Box) -> None:
    for name, var in site.named:
        solver.add(box.keys, solver.text(name))
        solver.flow(var, item_cell(solver, box, name))
    for var in (*site.positional, *site.double_stars):
        if counts(solver, box):
            iterate(solver, site.frame, var, box.keys, False, site.line)
        elif box.kind == "dict":
            solver.when(var, unpack_mapping, box)
        else:
            iterate(solver, site.frame, var, box.rest, False, site.line)


def _new_child(solver: Solver, site: Site, box: Box) -> None:
    """`ChainMap.new_child(m)`: what is below is in it too."""
    _update(solver, site, box)
    solver.add(site.dst, box)


def _set_variable(solver: Solver, site: Site, box: Box) -> None:
    """A set, a context variable: the token of the latter holds what was there before."""
    _append(solver, site, box)
    if box.kind == "variable":
        solver.add(site.dst, box)


def _values(solver: Solver, site: Site, box: Box) -> None:
    if box.kind != "dict":
        return
    view = solver.box("list", (box, "values"))
    items_of(solver, box, view.rest)
    solver.add(site.dst, view)


def _keys(solver: Solver, site: Site, box: Box) -> None:
    if box.kind != "dict":
        return
    view = solver.box("list", (box, "keys"))
    solver.flow(box.keys, view.rest)
    solver.add(site.dst, view)


def _items(solver: Solver, site: Site, box: Box) -> None:
    if box.kind != "dict":
        return
    view = solver.box("list", (box, "items"))
    pair = solver.box("tuple", (box, "item"))
    solver.flow(box.keys, item_cell(solver, pair, 0))
    items_of(solver, box, item_cell(solver, pair, 1))
    solver.add(view.rest, pair)
    solver.add(site.dst, view)


def _copy(solver: Solver, site: Site, box: Box) -> None:
    solver.add(site.dst, box)


def _set_item_method(solver: Solver, site: Site, box: Box) -> None:
    if len(site.positional) > 1:
        solver.when(site.positional[0], _set_key, (site.frame, box, site.positional[1], site.line))


def _done_callback(solver: Solver, site: Site, box: Box) -> None:
    """A task's callback gets the task."""
    for var in site.positional[:1]:
        invoke_all(solver, site.frame, var, (holding(solver, box),), -1, site.line)


def _sort(solver: Solver, site: Site, box: Box) -> None:
    for name, var in site.named:
        if name == "key":
            element = solver.new()
            items_of(solver, box, element)
            key = solver.new()
            invoke_all(solver, site.frame, var, (element,), key, site.line)
            reach_all(solver, site.frame, key, ORDER, key, site.line)
            return
    reach(solver, site.frame, box, ORDER, solver.every(box), site.line)


def _element(solver: Solver, site: Site, box: Box) -> None:
    items_of(solver, box, site.dst)


def _error(solver: Solver, site: Site, box: Box) -> None:
    """What a future ended with."""
    if box.kind == "awaitable":
        solver.flow(told_of(solver), site.dst)


def _failed(solver: Solver, site: Site, box: Box) -> None:
    for var in site.positional[:1]:
        raised(solver, site.frame, var, site.line)


def _subgroup(solver: Solver, site: Site, box: Box) -> None:
    """A part of an exception group: what decides is called with each error, and is in it."""
    for var in site.positional[:1]:
        invoke_all(solver, site.frame, var, (solver.every(box),), -1, site.line)
    solver.add(site.dst, box)


def _split(solver: Solver, site: Site, box: Box) -> None:
    if box.kind == GROUP:
        both = solver.box("tuple", (box, "split"))
        inner = Site(site.frame, item_cell(solver, both, 0), -1, site.positional, (), site.line)
        _subgroup(solver, inner, box)
        solver.add(item_cell(solver, both, 1), box)
        solver.add(site.dst, both)


BOX_METHODS: Final[dict[str, Callable[[Solver, Site, Box], None]]] = {
    "set": _set_variable,
    "new_child": _new_child,
    "add_done_callback": _done_callback,
    "result": _element,
    "set_result": _append,
    "exception": _error,
    "set_exception": _failed,
    "split": _split,
    "subgroup": _subgroup,
    "derive": _extend,
    "with_traceback": _copy,
    "send": _element,
    "throw": _element,
    "__anext__": _element,
    "count": _look_for,
    "index": _look_for,
    "remove": _look_for,
    "append": _append,
    "appendleft": _append,
    "add": _add,
    "static_order": _copy,
    "get_ready": _copy,
    "elements": _keys,
    "most_common": _items,
    "subtract": _update,
    "insert": _append,
    "put": _append,
    "put_nowait": _append,
    "extend": _extend,
    "extendleft": _extend,
    "__iadd__": _extend,
    "get": _get,
    "get_nowait": _element,
    "__getitem__": _get,
    "__next__": _element,
    "pop": _pop,
    "popleft": _element,
    "popitem": _popitem,
    "setdefault": _setdefault,
    "update": _update,
    "values": _values,
    "keys": _keys,
    "items": _items,
    "copy": _copy,
    "__iter__": _copy,
    "union": _extend,
    **dict.fromkeys(
        (
            "difference",
            "difference_update",
            "intersection",
            "intersection_update",
            "isdisjoint",
            "issubset",
            "issuperset",
            "symmetric_difference",
        ),
        _compare,
    ),
    "symmetric_difference_update": _extend,
    "__or__": _update,
    "__setitem__": _set_item_method,
    "sort": _sort,
}
