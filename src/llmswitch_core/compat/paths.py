"""Paths into a JSON tree: the small language in which compat rules say where.

    temperature                     a top-level member
    thinking.type                   a member of a member
    messages[*].content             of every element
    stop[0]  messages[-1].role      of one element, from the end if negative
    messages[role=assistant].name   of the elements whose member has this text
    tools[type!=function]           the elements whose member has another text, or none
    messages[tool_calls].content    the elements that have the member
    metadata.*                      every member of an object
    choices[*].delta."x.y"          a quoted name may hold dots and brackets

A path that does not fit a tree reaches nothing; that is never an error. Edits copy what they change and share the
rest, so a tree given in is never altered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from llmswitch_core.canonical.model import JsonValue


class _Missing:
    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final[Any] = _Missing()
"""What a change is given where nothing stands, and gives back so that nothing stands there."""

Change: TypeAlias = Callable[[Any], Any]
"""Old value or MISSING -> new value, or MISSING to remove it; the same object means unchanged."""


class _Name(msgspec.Struct, frozen=True):
    name: str


class _Every(msgspec.Struct, frozen=True):
    pass


class _AnyMember(msgspec.Struct, frozen=True):
    pass


class _Index(msgspec.Struct, frozen=True):
    index: int


class _Where(msgspec.Struct, frozen=True):
    member: str
    value: str | None
    """None: the member only has to be there."""
    equal: bool

    def fits(self, element: JsonValue) -> bool:
        if not isinstance(element, dict):
            return False
        found = element.get(self.member, MISSING)
        if self.value is None:
            return found is not MISSING and found is not None
        return (found == self.value) is self.equal


_Segment: TypeAlias = _Name | _Every | _AnyMember | _Index | _Where

_STEP: Final = re.compile(r'(?:"(?P<quoted>[^"]+)"|(?P<star>\*)|(?P<name>[^.\[\]"*]+))(?P<brackets>(?:\[[^\]]*\])*)')
_BRACKET: Final = re.compile(r"\[([^\]]*)\]")
_CONDITION: Final = re.compile(r"([^=!]+?)(?:(!?=)(.*))?")


class Path:
    """A compiled path."""

    __slots__ = ("_segments", "text")

    def __init__(self, text: str) -> None:
        """Raises ValueError saying what in `text` is no path."""
        self.text = text
        self._segments = _parse(text)

    @property
    def top(self) -> str | None:
        """The top-level member it leads into; None if that is not fixed."""
        first = self._segments[0]
        return first.name if isinstance(first, _Name) else None

    @property
    def leaf(self) -> str | None:
        """The name of the member it ends in; None if it ends in elements."""
        last = self._segments[-1]
        return last.name if isinstance(last, _Name) else None

    def values(self, tree: JsonValue) -> Iterator[JsonValue]:
        """Everything that stands at the path."""
        return _values(tree, self._segments, 0)

    def first(self, tree: JsonValue) -> Any:
        """The first value at the path, or MISSING."""
        return next(self.values(tree), MISSING)

    def edit(self, tree: JsonValue, change: Change, create: bool = False) -> JsonValue:
        """`tree` with `change` applied at the path. `create`: objects on the way to a member are made."""
        return _edit(tree, self._segments, 0, change, create)

    def sibling(self, name: str) -> Path:
        """The path to another member of the same object."""
        made = Path.__new__(Path)
        made.text = f"{self.text}~{name}"
        made._segments = (*self._segments[:-1], _Name(name))
        return made

    def parents(self, tree: JsonValue, change: Change) -> JsonValue:
        """`tree` with `change` applied to the objects that could hold the last member."""
        if len(self._segments) == 1:
            return change(tree)
        return _edit(tree, self._segments[:-1], 0, lambda old: old if old is MISSING else change(old), False)


def _parse(text: str) -> tuple[_Segment, ...]:
    segments: list[_Segment] = []
    at = 0
    while True:
        step = _STEP.match(text, at)
        if step is None:
            raise ValueError(f"{text!r} is no path: a member name is expected at {text[at : at + 20]!r}")
        if step["star"]:
            segments.append(_AnyMember())
        else:
            segments.append(_Name(step["quoted"] or step["name"].strip()))
        segments.extend(_bracket(text, inner) for inner in _BRACKET.findall(step["brackets"]))
        at = step.end()
        if at == len(text):
            return tuple(segments)
        if text[at] != ".":
            raise ValueError(f"{text!r} is no path: a dot is expected at {text[at : at + 20]!r}")
        at += 1


def _bracket(text: str, inner: str) -> _Segment:
    if inner == "*":
        return _Every()
    if re.fullmatch(r"-?\d+", inner):
        return _Index(int(inner))
    condition = _CONDITION.fullmatch(inner)
    if condition is None:
        raise ValueError(f"{text!r} is no path: [{inner}] is neither *, a number nor a condition such as role=user")
    member, operator, value = condition.groups()
    return _Where(member.strip(), value, operator != "!=")


def _values(node: JsonValue, segments: tuple[_Segment, ...], at: int) -> Iterator[JsonValue]:
    if at == len(segments):
        yield node
        return
    segment = segments[at]
    if isinstance(segment, _Name):
        if isinstance(node, dict) and segment.name in node:
            yield from _values(node[segment.name], segments, at + 1)
    elif isinstance(segment, _AnyMember):
        for value in node.values() if isinstance(node, dict) else ():
            yield from _values(value, segments, at + 1)
    elif isinstance(node, list):
        for index in _indices(node, segment):
            yield from _values(node[index], segments, at + 1)


def _indices(node: list[JsonValue], segment: _Every | _Index | _Where) -> Sequence[int]:
    if isinstance(segment, _Every):
        return range(len(node))
    if isinstance(segment, _Index):
        index = segment.index + len(node) if segment.index < 0 else segment.index
        return (index,) if 0 <= index < len(node) else ()
    return [index for index, element in enumerate(node) if segment.fits(element)]


def _edit(node: JsonValue, segments: tuple[_Segment, ...], at: int, change: Change, create: bool) -> JsonValue:
    segment = segments[at]
    if isinstance(segment, _Name):
        return _edit_member(node, segment.name, segments, at, change, create) if isinstance(node, dict) else node
    if isinstance(segment, _AnyMember):
        if isinstance(node, dict):
            for name in tuple(node):
                node = _edit_member(node, name, segments, at, change, create)
        return node
    return _edit_elements(node, segment, segments, at, change, create) if isinstance(node, list) else node


def _edit_member(
    node: dict[str, JsonValue], name: str, segments: tuple[_Segment, ...], at: int, change: Change, create: bool
) -> dict[str, JsonValue]:
    old = node.get(name, MISSING)
    if at + 1 == len(segments):
        new = change(old)
    elif old is not MISSING and not (create and old is None):
        new = _edit(old, segments, at + 1, change, create)
    elif create and isinstance(segments[at + 1], _Name):
        made = _edit({}, segments, at + 1, change, create)
        new = made or old
    else:
        return node
    return node if new is old else _with(node, name, new)


def _with(node: dict[str, JsonValue], name: str, value: JsonValue) -> dict[str, JsonValue]:
    """A copy with this member; without it for MISSING."""
    copy = dict(node)
    if value is MISSING:
        copy.pop(name, None)
    else:
        copy[name] = value
    return copy


def _edit_elements(
    node: list[JsonValue],
    segment: _Every | _Index | _Where,
    segments: tuple[_Segment, ...],
    at: int,
    change: Change,
    create: bool,
) -> list[JsonValue]:
    copy: list[JsonValue] | None = None
    following = segments[at + 1] if at + 1 < len(segments) else None
    member = following.name if isinstance(following, _Name) and at + 2 == len(segments) else None
    for index in _indices(node, segment):
        old = node[index]
        if following is None:
            new = change(old)
        elif member is not None and isinstance(old, dict):
            # A member of every element: most elements of a long history need no change.
            value = old.get(member, MISSING)
            changed = change(value)
            new = old if changed is value else _with(old, member, changed)
        else:
            new = _edit(old, segments, at + 1, change, create)
        if new is not old:
            copy = list(node) if copy is None else copy
            copy[index] = new
    if copy is None:
        return node
    return [element for element in copy if element is not MISSING]
