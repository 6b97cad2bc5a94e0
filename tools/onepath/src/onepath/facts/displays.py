"""A dictionary that is written down and changed at once: `d = {"k": a}` and then `d["k"] = b` never holds `a`.

Only where nothing can have read it in between: no call, no attribute, no branch, just names and constants.
"""

from __future__ import annotations

from typing import Final

from onepath.facts.flow import Body
from onepath.facts.model import (
    NONE,
    AnyOperation,
    Bytes,
    Constant,
    Free,
    Global,
    Item,
    MakeFunction,
    Mapping,
    Number,
    SetItem,
    StoreFree,
    StoreGlobal,
    Text,
)

_QUIET: Final = (Text, Number, Constant, Bytes, Global, Free, MakeFunction, StoreFree, StoreGlobal, Mapping)
_FAR: Final = 60
"""How many operations back the display is looked for."""


def overwrite(body: Body, obj: int, index: int) -> None:
    """`obj[index]` is about to be set: what a display written just before put there is taken out of it."""
    recent = body.code[-_FAR:]
    start = len(body.code) - len(recent)
    places = {one.dst: start + at for at, one in enumerate(recent) if hasattr(one, "dst")}
    key = _key(body.code, places, index)
    display, outermost = _display(body.code, places, obj)
    if key is None or display == NONE or body.fresh.get(display) != body.nested:
        return
    place = places[display]
    mapping = body.code[place]
    if not isinstance(mapping, Mapping):
        return
    after = body.code[places[outermost] + 1 :]
    if not all(isinstance(one, _QUIET) or _is_way(one, places, display) for one in after):
        return
    values = tuple(
        NONE if known != NONE and _key(body.code, places, known) == key else value
        for known, value in zip(mapping.keys, mapping.values, strict=True)
    )
    if values != mapping.values and len(set(mapping.keys)) == len(mapping.keys):
        body.code[place] = Mapping(mapping.dst, mapping.keys, values)


def _is_way(one: AnyOperation, places: dict[int, int], display: int) -> bool:
    """The way to an inner display, and stores into displays."""
    return isinstance(one, Item | SetItem) and one.obj in places


def _key(code: list[AnyOperation], places: dict[int, int], var: int) -> str | int | None:
    found = code[places[var]] if var in places else None
    return found.value if isinstance(found, Text | Number) else None


def _display(code: list[AnyOperation], places: dict[int, int], var: int) -> tuple[int, int]:
    """The display a variable is, or is an item of; and the outermost one around it."""
    found = code[places[var]] if var in places else None
    if isinstance(found, Mapping):
        return var, var
    if isinstance(found, Item):
        inside, outermost = _display(code, places, found.obj)
        key = _key(code, places, found.index)
        mapping = code[places[inside]] if inside != NONE else None
        if isinstance(mapping, Mapping) and key is not None:
            for known, value in zip(mapping.keys, mapping.values, strict=True):
                if value != NONE and _key(code, places, known) == key:
                    return _display(code, places, value)[0], outermost
    return NONE, NONE
