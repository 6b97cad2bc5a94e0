"""Profile documents -> compiled profiles: read once, checked whole, turned into steps.

A document is what a TOML or JSON file holds; built-in profiles have the same form (builtin/). Keys may be written in
camelCase or snake_case.

    name       = "acme"                 # what providers name in compatProfile
    extends    = "openai-compatible"    # optional: another profile's rules and features come first
    vendor     = "acme"                 # optional: vendor family for signatures; else the provider's id
    protocols  = ["openai-chat"]        # optional: all rules hold for upstreams of these protocols only
    model_name = "upstream"             # or "requested": the name answers carry
    force_mode = "stream"               # or "json": how the upstream is asked, whatever the client wants
    features   = { max_tokens_field = "max_tokens" }    # what the protocol writers read
    [[request]]                         # ordered; see actions.py
    action = "clamp"
    path = "temperature"
    max = 1.0
    when = { model = "acme-*" }         # see conditions.py
    [[answer]]                          # of a whole answer, and of each stream payload
    [[failure]]                         # errors inside a 200; see failures.py
    [canary]                            # optional: members that replace those above in the canary rule set

Every fault of every document is found and told with its file, the rule's index, the key and the nearest known name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias
from typing import Protocol as Interface

import msgspec

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import JsonValue
from llmswitch_core.compat.contract import CompatContext
from llmswitch_core.compat.edits import Edit, Moment, SilentNotes, Tree
from llmswitch_core.compat.reading import Fault, ProfileError, Reading, RuleSet, read_rule_set
from llmswitch_core.protocols.contract import Notes

Name: TypeAlias = Literal["stable", "canary"]

_SILENT: Final = SilentNotes()


class Document(Interface):
    """A user's profile as the configuration read it."""

    @property
    def name(self) -> str: ...
    @property
    def source(self) -> str:
        """File path, for messages."""
        ...

    @property
    def data(self) -> Mapping[str, Any]: ...


class Profile:
    """One rule set of one profile, compiled; fulfils `contract.CompatProfile`. Stateless."""

    __slots__ = (
        "_answer",
        "_failures",
        "_protocols",
        "_request",
        "checks_answers",
        "edits_answers",
        "edits_requests",
        "features",
        "force_mode",
        "model_name",
        "name",
        "vendor",
    )

    def __init__(self, name: str, rules: RuleSet) -> None:
        self.name = name
        self.vendor = rules.vendor
        self.features: Mapping[str, Any] = rules.features
        self.model_name = rules.model_name
        self.force_mode = rules.force_mode
        self._protocols = rules.protocols
        self._request = rules.request
        self._answer = rules.answer
        self._failures = rules.failures
        self.edits_requests = bool(rules.request)
        self.edits_answers = bool(rules.answer)
        self.checks_answers = bool(rules.failures)

    def __repr__(self) -> str:
        return f"<Profile {self.name}: {len(self._request)} request rules, {len(self._answer)} answer rules>"

    def request(
        self, body: dict[str, JsonValue], headers: dict[str, str], context: CompatContext, notes: Notes
    ) -> set[str]:
        """Apply the request rules to `body` in place; the top-level members that changed, came or went."""
        if not self._holds_for(context):
            return set()
        new = _applied(self._request, body, Moment(context, headers, notes))
        if new is body:
            return set()
        changed = {name for name in body if name not in new or new[name] is not body[name]}
        changed.update(name for name in new if name not in body)
        body.clear()
        body.update(new)
        return changed

    def answer(self, body: dict[str, JsonValue], context: CompatContext) -> dict[str, JsonValue]:
        """The tree to read instead of `body`, which stays as it is."""
        if not self._holds_for(context):
            return body
        return _applied(self._answer, body, Moment(context, {}, _SILENT))

    def failure(self, body: Mapping[str, JsonValue], context: CompatContext) -> GatewayError | None:
        """The first error hidden in `body` that a rule knows."""
        if not self._holds_for(context):
            return None
        for predicate, find in self._failures:
            if predicate is None or predicate(dict(body), context):
                error = find(body)
                if error is not None:
                    return error
        return None

    def _holds_for(self, context: CompatContext) -> bool:
        return self._protocols is None or context.outbound in self._protocols


def _applied(rules: Iterable[Edit], tree: Tree, moment: Moment) -> Tree:
    for rule in rules:
        tree = rule(tree, moment)
    return tree


class ProfilePair(msgspec.Struct, frozen=True):
    """Both rule sets of a profile. Without a `canary` section they are the same object."""

    stable: Profile
    canary: Profile

    def of(self, name: Name) -> Profile:
        return self.canary if name == "canary" else self.stable


def compile_profiles(
    built_in: Mapping[str, Mapping[str, Any]], documents: Iterable[Document] = ()
) -> dict[str, ProfilePair]:
    """Every profile by name, both rule sets. Raises ProfileError with the faults of all documents."""
    reading = Reading({name: (f"built-in profile {name!r}", data) for name, data in built_in.items()})
    faults: list[Fault] = []
    for document in documents:
        if document.name in reading.documents:
            taken = reading.documents[document.name][0]
            what = "a built-in profile" if document.name in built_in else taken
            faults.append(
                Fault(
                    document.source,
                    "name",
                    f"{document.name!r} is the name of {what}; choose another, with extends = {document.name!r} in it",
                )
            )
            continue
        reading.documents[document.name] = (document.source, document.data)
    compiled = {name: _compiled(name, reading) for name in reading.documents}
    faults += reading.faults
    if faults:
        raise ProfileError(tuple(faults))
    return compiled


def _compiled(name: str, reading: Reading) -> ProfilePair:
    stable = Profile(name, read_rule_set(reading, name, "stable"))
    if not reading.has_canary(name):
        return ProfilePair(stable, stable)
    return ProfilePair(stable, Profile(name, read_rule_set(reading, name, "canary")))


def rule_set(profiles: Mapping[str, ProfilePair], name: Name) -> dict[str, Profile]:
    """One rule set of all profiles, as the Hub Pipeline takes them."""
    return {key: pair.of(name) for key, pair in profiles.items()}
