"""The `tool_choice` and `ids` actions: forced calls and call ids as an upstream takes them.

Both know the Chat Completions wire (`tools`, `tool_choice`, `tool_calls`, `tool_call_id`) unless paths say otherwise.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final, Literal

import msgspec

from llmswitch_core.canonical.model import JsonValue
from llmswitch_core.compat.conditions import tool_choice_form
from llmswitch_core.compat.edits import Edit, Moment, Tree
from llmswitch_core.compat.paths import Path

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class ToolChoiceRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of each form the upstream does not know. `named = required` leaves only the named tool in `tools`,
    so that the meaning stays; `none = drop_tools` removes the tools, since nobody may call them."""

    required: Literal["keep", "auto"] = "keep"
    named: Literal["keep", "required", "auto"] = "keep"
    none: Literal["keep", "drop_tools"] = "keep"


def build_tool_choice(rule: ToolChoiceRule) -> Edit:
    def edit(tree: Tree, moment: Moment) -> Tree:
        choice = tree.get("tool_choice")
        form = tool_choice_form(choice)
        if form == "required" and rule.required == "auto":
            moment.notes.mapped("tool_choice")
            return {**tree, "tool_choice": "auto"}
        if form == "named" and rule.named != "keep":
            moment.notes.mapped("tool_choice")
            if rule.named == "auto":
                return {**tree, "tool_choice": "auto"}
            return {**tree, "tool_choice": "required", "tools": _only(tree.get("tools"), choice)}
        if form == "none" and rule.none == "drop_tools":
            moment.notes.mapped("tool_choice")
            return {name: value for name, value in tree.items() if name not in _TOOL_MEMBERS}
        return tree

    return edit


_TOOL_MEMBERS: Final = frozenset({"tools", "tool_choice", "parallel_tool_calls"})


def _only(tools: JsonValue, choice: Any) -> JsonValue:
    """The tools cut down to the named one; all of them if it is not among them."""
    name = _name_in(choice)
    kept = [tool for tool in tools if _name_in(tool) == name] if isinstance(tools, list) else []
    return kept or tools


def _name_in(value: Any) -> JsonValue:
    """The name in `{type, function: {name}}`, `{type, custom: {name}}` or `{type, name}`."""
    if not isinstance(value, dict):
        return None
    for box in (value.get("function"), value.get("custom"), value):
        if isinstance(box, dict) and isinstance(box.get("name"), str):
            return box["name"]
    return None


class IdsRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form of tool call ids: exactly `length` letters and digits after `prefix`, or what `pattern` says is right.

    An id that fits stays; any other becomes a hash of itself, so that call and result keep matching, in every request.
    """

    length: int = 9
    prefix: str = ""
    pattern: str | None = None
    path: tuple[str, ...] = ("messages[*].tool_calls[*].id", "messages[*].tool_call_id")


def build_ids(rule: IdsRule) -> Edit:
    free = rule.length - len(rule.prefix)
    if free < 6:
        raise ValueError(f"length {rule.length} leaves {free} characters behind the prefix; at least 6 keep ids apart")
    fits = re.compile(rule.pattern or f"{re.escape(rule.prefix)}[0-9A-Za-z]{{{free}}}").fullmatch
    paths = [Path(text) for text in rule.path]

    def change(value: Any) -> Any:
        if not isinstance(value, str) or fits(value):
            return value
        return rule.prefix + _short(value, free)

    def edit(tree: Tree, moment: Moment) -> Tree:
        new: Tree = tree
        for path in paths:
            new = path.edit(new, change)
        if new is not tree:
            moment.notes.mapped("tool_call.id")
        return new

    return edit


def _short(text: str, length: int) -> str:
    """`length` base-62 digits that depend on every character of `text`."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=max(16, length)).digest()
    number = int.from_bytes(digest, "big")
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(digits)
