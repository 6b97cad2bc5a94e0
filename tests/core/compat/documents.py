"""Small ways to compile and run compat profiles in tests."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import msgspec

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.compat import BUILT_IN, Profile, ProfilePair, compile_profiles
from llmswitch_core.compat.contract import CompatContext
from llmswitch_core.protocols.contract import Notes


class Document(msgspec.Struct, frozen=True):
    """A user's profile as the configuration hands it over."""

    name: str
    data: Mapping[str, Any]
    source: str = "profiles/own.toml"


def compiled(data: Mapping[str, Any], name: str = "own") -> ProfilePair:
    return compile_profiles(BUILT_IN, [Document(name, data)])[name]


def own(*request: Mapping[str, Any], **more: Any) -> Profile:
    """A profile of these request rules."""
    return compiled({"request": list(request), **more}).stable


def built_in(name: str) -> Profile:
    return compile_profiles(BUILT_IN)[name].stable


def context(**changes: Any) -> CompatContext:
    facts: dict[str, Any] = {
        "model": "some-model",
        "inbound": Protocol.ANTHROPIC_MESSAGES,
        "outbound": Protocol.OPENAI_CHAT,
        "stream": True,
    }
    return CompatContext(**(facts | changes))


class Outcome(msgspec.Struct):
    """What a request became."""

    body: dict[str, Any]
    changed: set[str]
    notes: dict[str, str]
    headers: dict[str, str]


def applied(profile: Profile, body: Mapping[str, Any], **facts: Any) -> Outcome:
    """`body` through the request rules. Fails if anything that may be shared with the client's request was altered."""
    given = dict(body)
    before = copy.deepcopy(given)
    notes = Notes()
    headers: dict[str, str] = {}
    shared = {name: (value, copy.deepcopy(value)) for name, value in given.items()}
    changed = profile.request(given, headers, context(**facts), notes)
    for name, (value, original) in shared.items():
        assert value == original, f"{name} was changed in place"
    really = {name for name in before.keys() | given.keys() if before.get(name) != given.get(name)}
    assert really <= changed, "a change was not told"
    return Outcome(given, changed, dict(notes.items()), headers)
