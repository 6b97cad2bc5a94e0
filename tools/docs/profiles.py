"""Compat profiles: the form of a document, paths, conditions, actions, failure rules, and what is built in."""

from __future__ import annotations

import typing
from typing import Any, Final

import msgspec
from tools.docs.source import module_doc
from tools.docs.text import block, clean, code, codes, literal, source_link, table

from llmswitch_core.compat import BUILT_IN
from llmswitch_core.compat.actions import ACTIONS, Action
from llmswitch_core.compat.failures import FailureRule
from llmswitch_core.compat.paths import MISSING
from routecodex.config.vendors import PROTOCOL_PROFILE, VENDORS

TITLE: Final = "Compat profiles"
SOURCES: Final = ("src/llmswitch_core/compat/actions.py", "src/llmswitch_core/compat/builtin/__init__.py")


def page() -> str:
    """The page's body."""
    return "\n\n".join(
        [
            (
                "A compat profile is a list of rules for one upstream's quirks. Providers name one in `compatProfile`; "
                "[how to write one](../how-to/compat-profile.md)."
            ),
            "## A document",
            *_sections(module_doc("llmswitch_core/compat/profile.py"), 1),
            "## Paths",
            *_sections(module_doc("llmswitch_core/compat/paths.py"), 1),
            "## Conditions",
            *_sections(module_doc("llmswitch_core/compat/conditions.py"), 1),
            "## Actions",
            "Every rule has `action`, may have `when`, and `why` for people.",
            *(_action(name, action) for name, action in ACTIONS.items()),
            "## Failure rules",
            clean(FailureRule.__doc__),
            _parameters(FailureRule),
            "## Which profile a provider has",
            "Without `compatProfile` the host of `baseUrl` decides; first match wins.",
            table(
                ("hosts", "profile", "vendor family"),
                [
                    (codes(vendor.hosts), _profile_of(vendor), code(vendor.family) or "the provider's id")
                    for vendor in VENDORS
                ],
            ),
            "Any other host, by protocol:",
            table(
                ("protocol", "profile"),
                [(protocol.value, code(profile)) for protocol, profile in PROTOCOL_PROFILE.items()],
            ),
            "## Built in",
            "Every quirk stands beside its public source in "
            + source_link("src/llmswitch_core/compat/builtin/", 2)
            + ".",
            *(_built_in(document) for document in BUILT_IN.values()),
        ]
    )


def _profile_of(vendor: Any) -> str:
    told = code(vendor.profile) if vendor.profile else "by protocol"
    others = [f"{code(profile)} for {protocol.value}" for protocol, profile in vendor.profiles.items()]
    return "; ".join([told, *others])


def _sections(doc: str, skip: int) -> list[str]:
    """A module's docstring without its first paragraphs; indented runs become blocks."""
    parts: list[str] = []
    plain: list[str] = []
    listed: list[str] = []
    for line in "\n\n".join(doc.split("\n\n")[skip:]).split("\n"):
        if line.startswith("    "):
            if plain and any(plain):
                parts.append("\n".join(plain).strip())
            plain = []
            listed.append(line[4:])
        else:
            if listed:
                parts.append(block("\n".join(listed)))
            listed = []
            plain.append(line)
    if listed:
        parts.append(block("\n".join(listed)))
    if any(plain):
        parts.append("\n".join(plain).strip())
    return parts


def _action(name: str, action: Action) -> str:
    where = (
        "requests and answers" if action.requests and action.answers else "requests" if action.requests else "answers"
    )
    return f"### {code(name)}\n\n{clean(action.parameters.__doc__)} For {where}.\n\n{_parameters(action.parameters)}"


def _parameters(kind: type[msgspec.Struct]) -> str:
    hints = typing.get_type_hints(kind)
    rows = []
    for field in msgspec.structs.fields(kind):
        if field.name == "when":
            continue
        rows.append((code(field.name), _type(hints[field.name]), _default(field)))
    return table(("parameter", "type", "default"), rows)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is not msgspec.NODEFAULT:
        value = field.default
    elif field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    else:
        return "required"
    if value is MISSING or value is None:
        return ""
    return literal(list(value) if isinstance(value, tuple) else value)


def _type(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return ", ".join(code(str(value)) for value in arguments)
    if origin in (list, tuple):
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"table of {_type(arguments[1])}"
    if arguments:
        return " or ".join(_type(each) for each in arguments if each is not type(None))
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    if isinstance(hint, type) and hint.__name__ == "ErrorKind":
        return "[kind](errors.md#kinds)"
    return names.get(hint, "any value")


def _built_in(document: Any) -> str:
    parts = [f"### {code(document['name'])}", document.get("description", "")]
    facts = [
        f"{name}: {literal(document[key])}"
        for name, key in (
            ("Extends", "extends"),
            ("Vendor family", "vendor"),
            ("Protocols", "protocols"),
            ("Answers' model name", "model_name"),
            ("Mode forced upstream", "force_mode"),
        )
        if key in document
    ]
    if facts:
        parts.append("\n".join(f"- {fact}" for fact in facts))
    if document.get("features"):
        rows = [(code(key), literal(value)) for key, value in document["features"].items()]
        parts.append(table(("feature", "value"), rows))
    parts += [
        table((f"{kind} rule", "parameters", "when"), [_rule(rule) for rule in document[kind]])
        for kind in ("request", "answer")
        if document.get(kind)
    ]
    if document.get("failure"):
        rows = [(code(rule["path"]), _pairs(rule, ("path", "when", "why"))) for rule in document["failure"]]
        parts.append(table(("failure found at", "parameters"), rows))
    return "\n\n".join(part for part in parts if part)


def _rule(rule: Any) -> tuple[str, str, str]:
    return code(rule["action"]), _pairs(rule, ("action", "when", "why")), _pairs(rule.get("when", {}), ())


def _pairs(table_: Any, without: tuple[str, ...]) -> str:
    return "; ".join(f"{key} = {literal(value)}" for key, value in table_.items() if key not in without)
