"""The table of compat actions: name -> its parameters and what compiles them into a step.

General actions (remove, rename, set …) live here; those with knowledge of their own have their modules. Adding an
action is adding a row. An action must not know which vendor uses it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.model import JsonValue
from llmswitch_core.compat import schemas, thinking, tools
from llmswitch_core.compat.edits import Edit, Moment, Tree
from llmswitch_core.compat.paths import MISSING, Path
from llmswitch_core.protocols.losses import in_own_words, of_member


class Remove(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Take out what stands at `path` (one or several). `note`: the name under which the loss is told to the client."""

    path: str | list[str]
    note: str | None = None


class Rename(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Give the member at `path` the name `to`, in its place. A member already of that name wins, unless `overwrite`."""

    path: str
    to: str
    overwrite: bool = False


class Set(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Put `value` at `path`, whatever stood there; objects on the way are made."""

    path: str
    value: Any
    note: str | None = None


class Default(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Put `value` at `path` where nothing or null stands; objects on the way are made."""

    path: str
    value: Any
    note: str | None = None


class Allowlist(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Let only these top-level members through; the others are noted as dropped."""

    members: list[str]


class Stringify(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Turn a list of text parts into one string, joined by `join`. `others`: a list with other parts than text is kept,
    or loses them; an object becomes JSON text."""

    path: str | list[str]
    join: str = "\n"
    others: Literal["keep", "drop"] = "keep"


class Parse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Turn JSON text into its value; text that is no JSON stays."""

    path: str | list[str]


class Map(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Replace values: `values` by their text (true and 5 as JSON spells them); `remove` values that go; `other` for
    every value not named."""

    path: str | list[str]
    values: dict[str, Any] = {}
    remove: list[str] = []
    other: Any = MISSING
    note: str | None = None


class Clamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keep a number between `min` and `max`."""

    path: str | list[str]
    min: float | None = None
    max: float | None = None
    note: str | None = None


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keep the first `count` elements of a list."""

    path: str | list[str]
    count: int
    note: str | None = None


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Set a request header, or remove it where `value` is missing. Never a credential."""

    name: str
    value: str | None = None


class Unwrap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Take the object at `path` for the whole answer, where there is one: `{"data": {…}}`, `{"response": {…}}`. Members
    in `keep` move along from the wrapper."""

    path: str
    keep: list[str] = []


class Action(msgspec.Struct, frozen=True):
    """A row: parameters and their compiler; `requests` / `answers` whether it makes sense on the way out / back."""

    parameters: type[msgspec.Struct]
    build: Callable[[Any], Edit]
    requests: bool = True
    answers: bool = True


# --- compilers -----------------------------------------------------------------------------------------


def _paths(given: str | list[str]) -> list[Path]:
    texts = [given] if isinstance(given, str) else given
    if not texts:
        raise ValueError("path is empty")
    return [Path(text) for text in texts]


def _edit_all(
    paths: list[Path],
    change: Callable[[Any], Any],
    how: Literal["dropped", "mapped"],
    note: str | None,
    create: bool = False,
) -> Edit:
    """Apply `change` at every path, and tell the note if something changed."""

    def edit(tree: Tree, moment: Moment) -> Tree:
        new: Tree = tree
        for path in paths:
            new = path.edit(new, change, create)
        if note is not None and new is not tree:
            (moment.notes.dropped if how == "dropped" else moment.notes.mapped)(in_own_words(note))
        return new

    return edit


def _remove(rule: Remove) -> Edit:
    return _edit_all(_paths(rule.path), lambda _: MISSING, "dropped", rule.note)


def _rename(rule: Rename) -> Edit:
    path = Path(rule.path)
    leaf = path.leaf
    if leaf is None:
        raise ValueError(f"{rule.path!r} names no member that could be renamed")

    def change(parent: Any) -> Any:
        if not isinstance(parent, dict) or leaf not in parent:
            return parent
        kept = rule.to in parent and not rule.overwrite
        renamed: Tree = {}
        for name, value in parent.items():
            if name == leaf:
                if not kept:
                    renamed[rule.to] = value
            elif name != rule.to or kept:
                renamed[name] = value
        return renamed

    return lambda tree, _: path.parents(tree, change)


def _set(rule: Set) -> Edit:
    def change(old: Any) -> Any:
        return old if old is not MISSING and old == rule.value and type(old) is type(rule.value) else rule.value

    return _edit_all([Path(rule.path)], change, "mapped", rule.note, create=True)


def _default(rule: Default) -> Edit:
    def change(old: Any) -> Any:
        return rule.value if old is MISSING or old is None else old

    return _edit_all([Path(rule.path)], change, "mapped", rule.note, create=True)


def _allowlist(rule: Allowlist) -> Edit:
    allowed = frozenset(rule.members)

    def edit(tree: Tree, moment: Moment) -> Tree:
        unknown = tree.keys() - allowed
        if not unknown:
            return tree
        for name in tree:
            if name in unknown:
                moment.notes.dropped(of_member(name))
        return {name: value for name, value in tree.items() if name in allowed}

    return edit


def _stringify(rule: Stringify) -> Edit:
    def change(value: Any) -> Any:
        if isinstance(value, dict):
            return jsonio.encode(value).decode()
        if not isinstance(value, list):
            return value
        texts = [_text_of(part) for part in value]
        if rule.others == "keep" and None in texts:
            return value
        return rule.join.join(text for text in texts if text is not None)

    return _edit_all(_paths(rule.path), change, "mapped", None)


def _text_of(part: JsonValue) -> str | None:
    if isinstance(part, str):
        return part
    text = part.get("text") if isinstance(part, dict) else None
    return text if isinstance(text, str) else None


def _parse(rule: Parse) -> Edit:
    def change(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return jsonio.decode(value)
        except ValueError:
            return value

    return _edit_all(_paths(rule.path), change, "mapped", None)


def _map(rule: Map) -> Edit:
    removed = frozenset(rule.remove)

    def change(value: Any) -> Any:
        if value is MISSING or isinstance(value, (dict, list)):
            return value
        text = value if isinstance(value, str) else jsonio.encode(value).decode()
        if text in removed:
            return MISSING
        if text in rule.values:
            return rule.values[text]
        return value if rule.other is MISSING else rule.other

    return _edit_all(_paths(rule.path), change, "mapped", rule.note)


def _clamp(rule: Clamp) -> Edit:
    if rule.min is None and rule.max is None:
        raise ValueError("clamp needs min or max")

    def change(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        if rule.min is not None and value < rule.min:
            return rule.min
        return rule.max if rule.max is not None and value > rule.max else value

    return _edit_all(_paths(rule.path), change, "mapped", rule.note)


def _limit(rule: Limit) -> Edit:
    def change(value: Any) -> Any:
        return value[: rule.count] if isinstance(value, list) and len(value) > rule.count else value

    return _edit_all(_paths(rule.path), change, "dropped", rule.note)


def _header(rule: Header) -> Edit:
    name = rule.name.lower()
    if name in _NEVER or not name:
        raise ValueError(f"a profile may not set the header {rule.name!r}")

    def edit(tree: Tree, moment: Moment) -> Tree:
        if rule.value is None:
            moment.headers.pop(name, None)
        else:
            moment.headers[name] = rule.value
        return tree

    return edit


_NEVER: Final = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie", "host"}
    | {"content-length", "content-encoding", "transfer-encoding", "connection", "te", "upgrade"}
)
"""Credentials are the provider's, framing is the transport's."""


def _unwrap(rule: Unwrap) -> Edit:
    path = Path(rule.path)

    def edit(tree: Tree, _: Moment) -> Tree:
        inner = path.first(tree)
        if not isinstance(inner, dict):
            return tree
        return {**{name: tree[name] for name in rule.keep if name in tree}, **inner}

    return edit


ACTIONS: Final[dict[str, Action]] = {
    "remove": Action(Remove, _remove),
    "rename": Action(Rename, _rename),
    "set": Action(Set, _set),
    "default": Action(Default, _default),
    "allowlist": Action(Allowlist, _allowlist),
    "stringify": Action(Stringify, _stringify),
    "parse": Action(Parse, _parse),
    "map": Action(Map, _map),
    "clamp": Action(Clamp, _clamp),
    "limit": Action(Limit, _limit),
    "schema": Action(schemas.SchemaRule, schemas.build, answers=False),
    "ids": Action(tools.IdsRule, tools.build_ids, answers=False),
    "thinking": Action(thinking.ThinkingRule, thinking.build, answers=False),
    "tool_choice": Action(tools.ToolChoiceRule, tools.build_tool_choice, answers=False),
    "header": Action(Header, _header, answers=False),
    "unwrap": Action(Unwrap, _unwrap, requests=False),
}
"""Every action by name."""
