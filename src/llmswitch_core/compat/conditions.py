"""`when`: the facts a compat rule may depend on, compiled into one predicate.

    when.model = "glm-4*"                 one glob or several; any fits
    when.not_model = ["*-thinking*"]      none fits
    when.inbound / when.outbound          protocols of the client / the upstream
    when.stream = true                    the upstream is asked for a stream
    when.present / when.absent            paths where something other than null stands, or nothing does
    when.equals / when.not_equals         path -> value, or list of values
    when.tool_choice = ["required"]       auto, none, required, named (as the body says it)
    when.option                           a per-model option of the configuration -> its value

All of them must hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import msgspec

from llmswitch_core.canonical.model import JsonValue, Protocol
from llmswitch_core.compat.contract import CompatContext
from llmswitch_core.compat.paths import MISSING, Path
from llmswitch_core.globs import matches

Tree: TypeAlias = dict[str, JsonValue]
Predicate: TypeAlias = Callable[[Tree, CompatContext], bool]
ToolChoiceForm: TypeAlias = Literal["auto", "none", "required", "named"]


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    model: str | list[str] | None = None
    not_model: str | list[str] | None = None
    inbound: Protocol | list[Protocol] | None = None
    outbound: Protocol | list[Protocol] | None = None
    stream: bool | None = None
    present: str | list[str] | None = None
    absent: str | list[str] | None = None
    equals: dict[str, Any] | None = None
    not_equals: dict[str, Any] | None = None
    tool_choice: ToolChoiceForm | list[ToolChoiceForm] | None = None
    option: dict[str, Any] | None = None


def compile_when(when: When) -> Predicate | None:
    """One predicate for all conditions; None where there are none. Raises ValueError for a bad path."""
    parts = [*_of_context(when), *_of_body(when)]
    if not parts:
        return None
    if len(parts) == 1:
        return parts[0]
    return lambda tree, context: all(part(tree, context) for part in parts)


def _of_context(when: When) -> list[Predicate]:
    parts: list[Predicate] = []
    if when.model is not None:
        wanted = _listed(when.model)
        parts.append(lambda _, context: any(matches(glob, context.model) for glob in wanted))
    if when.not_model is not None:
        unwanted = _listed(when.not_model)
        parts.append(lambda _, context: not any(matches(glob, context.model) for glob in unwanted))
    if when.inbound is not None:
        inbound = _listed(when.inbound)
        parts.append(lambda _, context: context.inbound in inbound)
    if when.outbound is not None:
        outbound = _listed(when.outbound)
        parts.append(lambda _, context: context.outbound in outbound)
    if when.stream is not None:
        stream = when.stream
        parts.append(lambda _, context: context.stream is stream)
    for name, value in (when.option or {}).items():
        parts.append(_option(name, value))
    return parts


def _option(name: str, value: Any) -> Predicate:
    return lambda _, context: context.options.get(name) == value


def _of_body(when: When) -> list[Predicate]:
    parts = [_stands(Path(text), True) for text in _listed(when.present)]
    parts += [_stands(Path(text), False) for text in _listed(when.absent)]
    parts += [_has(Path(text), value, True) for text, value in (when.equals or {}).items()]
    parts += [_has(Path(text), value, False) for text, value in (when.not_equals or {}).items()]
    if when.tool_choice is not None:
        forms = _listed(when.tool_choice)
        parts.append(lambda tree, _: tool_choice_form(tree.get("tool_choice")) in forms)
    return parts


def _stands(path: Path, expected: bool) -> Predicate:
    return lambda tree, _: any(value is not None for value in path.values(tree)) is expected


def _has(path: Path, value: Any, expected: bool) -> Predicate:
    values = value if isinstance(value, list) else [value]
    return lambda tree, _: any(same(found, each) for found in path.values(tree) for each in values) is expected


def same(found: JsonValue, value: JsonValue) -> bool:
    """Equal as JSON: true is not 1."""
    return found == value and isinstance(found, bool) is isinstance(value, bool)


def tool_choice_form(choice: JsonValue) -> ToolChoiceForm | None:
    """Which kind of choice a body's `tool_choice` is, in the Chat Completions, Responses or Messages spelling."""
    word = choice.get("type") if isinstance(choice, dict) else choice
    if word == "auto" or word == "none":
        return "auto" if word == "auto" else "none"
    if word == "required" or word == "any":
        return "required"
    return "named" if isinstance(choice, dict) else None


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def is_missing(value: Any) -> bool:
    """Whether nothing, or null, stands there."""
    return value is MISSING or value is None
