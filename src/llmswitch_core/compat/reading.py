"""Reading profile documents strictly: every fault found, each with file, place, and the nearest known name.

It turns one document, with what it extends, into a RuleSet of compiled steps. It must not know any vendor.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias, TypeVar

import msgspec

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.compat import failures
from llmswitch_core.compat.actions import ACTIONS
from llmswitch_core.compat.conditions import Predicate, When, compile_when
from llmswitch_core.compat.edits import Edit
from llmswitch_core.compat.failures import FailureRule, Finder

T = TypeVar("T")
Half: TypeAlias = Literal["stable", "canary"]

_MEMBERS: Final = (
    "name",
    "description",
    "extends",
    "vendor",
    "protocols",
    "model_name",
    "force_mode",
    "features",
    "request",
    "answer",
    "failure",
    "canary",
)
_CANARY_MEMBERS: Final = tuple(name for name in _MEMBERS if name not in {"name", "description", "extends", "canary"})
_RULE_MEMBERS: Final = ("action", "when", "why")
_MOST_RULES: Final = 500
_DEEPEST: Final = 8
"""Profiles that extend one another."""


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with a profile file: `place` such as `request[2].path`."""

    source: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.source}: {self.place}: {self.message}"


class ProfileError(ValueError):
    """Profiles that cannot be used; `faults` has all of them."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class RuleSet(msgspec.Struct, frozen=True):
    """One half of a profile, compiled: what `profile.Profile` is made of."""

    vendor: str = ""
    protocols: frozenset[Protocol] | None = None
    model_name: Literal["upstream", "requested"] = "upstream"
    force_mode: Literal["stream", "json"] | None = None
    features: dict[str, Any] = {}
    request: tuple[Edit, ...] = ()
    answer: tuple[Edit, ...] = ()
    failures: tuple[tuple[Predicate | None, Finder], ...] = ()


class Reading:
    """All documents by name with their sources, and the faults found so far (each once)."""

    __slots__ = ("_faults", "documents")

    def __init__(self, documents: dict[str, tuple[str, Mapping[str, Any]]]) -> None:
        self.documents = documents
        self._faults: dict[Fault, None] = {}

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(self._faults)

    def fault(self, source: str, place: str, message: str) -> None:
        self._faults[Fault(source, place, message)] = None

    def has_canary(self, name: str, depth: int = 0) -> bool:
        """Whether this profile, or one it extends, has a canary section."""
        if name not in self.documents or depth > _DEEPEST:
            return False
        data = self.documents[name][1]
        return "canary" in data or self.has_canary(str(data.get("extends", "")), depth + 1)


def read_rule_set(reading: Reading, name: str, half: Half, above: tuple[str, ...] = ()) -> RuleSet:
    """The rules of `name`, behind those of what it extends. Faults are noted in `reading`."""
    source, data = reading.documents[name]
    page = _Page(reading, source, "")
    members = page.members(data, _MEMBERS, "profile member")
    base = _base(page, members, name, half, above)
    canary = members.get("canary")
    if "canary" in members and not isinstance(canary, Mapping):
        page.fault("canary", "must be a table")
    if half == "stable" or not isinstance(canary, Mapping):
        return _rules(members, base, lambda _: page)
    inner = _Page(reading, source, "canary.")
    replaced = inner.members(canary, _CANARY_MEMBERS, "canary member")
    return _rules({**members, **replaced}, base, lambda member: inner if member in replaced else page)


def _base(page: _Page, members: Mapping[str, Any], name: str, half: Half, above: tuple[str, ...]) -> RuleSet:
    extended = members.get("extends")
    if extended is None:
        return RuleSet()
    if not isinstance(extended, str) or extended not in page.reading.documents:
        page.fault("extends", f"there is no profile {extended!r}{_nearest(str(extended), page.reading.documents)}")
        return RuleSet()
    if extended == name or extended in above or len(above) >= _DEEPEST:
        page.fault("extends", f"{extended!r} leads back to {name!r} or too deep")
        return RuleSet()
    return read_rule_set(page.reading, extended, half, (*above, name))


def _rules(members: Mapping[str, Any], base: RuleSet, page_of: Callable[[str], _Page]) -> RuleSet:
    def value(name: str, kind: Any, otherwise: Any) -> Any:
        return page_of(name).converted(members, name, kind, otherwise)

    protocols = value("protocols", list[Protocol], None)
    features = value("features", dict[str, Any], {})
    request, answer, failure = page_of("request"), page_of("answer"), page_of("failure")
    return RuleSet(
        vendor=value("vendor", str, base.vendor),
        protocols=base.protocols if protocols is None else frozenset(protocols),
        model_name=value("model_name", Literal["upstream", "requested"], base.model_name),
        force_mode=value("force_mode", Literal["stream", "json"], base.force_mode),
        features={**base.features, **{snake(key): value for key, value in features.items()}},
        request=(*base.request, *request.each(members, "request", request.edit_of_request)),
        answer=(*base.answer, *answer.each(members, "answer", answer.edit_of_answer)),
        failures=(*base.failures, *failure.each(members, "failure", failure.failure)),
    )


class _Page:
    """One document being read: where faults are noted."""

    __slots__ = ("_prefix", "_source", "reading")

    def __init__(self, reading: Reading, source: str, prefix: str) -> None:
        self.reading = reading
        self._source = source
        self._prefix = prefix

    def fault(self, place: str, message: str) -> None:
        self.reading.fault(self._source, self._prefix + place, message)

    def members(self, data: Any, known: Iterable[str], what: str, place: str = "") -> dict[str, Any]:
        """The members with names in snake_case; unknown ones are faults."""
        if not isinstance(data, Mapping):
            self.fault(place.rstrip(".") or "profile", "must be a table")
            return {}
        found: dict[str, Any] = {}
        for key, value in data.items():
            name = snake(str(key))
            if name in known:
                found[name] = value
            else:
                self.fault(f"{place}{key}", f"is no {what}{_nearest(name, known)}")
        return found

    def converted(self, members: Mapping[str, Any], name: str, kind: Any, otherwise: Any) -> Any:
        """A member as `kind`, or `otherwise` where it is missing or wrong."""
        if name not in members:
            return otherwise
        try:
            return msgspec.convert(members[name], kind)
        except msgspec.ValidationError as error:
            self.fault(name, _said(error))
            return otherwise

    def each(
        self, members: Mapping[str, Any], name: str, build: Callable[[str, Mapping[str, Any]], T | None]
    ) -> list[T]:
        """The compiled rules of one list."""
        listed = members.get(name, ())
        if not isinstance(listed, list | tuple) or len(listed) > _MOST_RULES:
            self.fault(name, f"must be a list of at most {_MOST_RULES} rules")
            return []
        built: list[T] = []
        for index, rule in enumerate(listed):
            place = f"{name}[{index}]"
            if not isinstance(rule, Mapping):
                self.fault(place, "must be a table")
                continue
            one = build(place, rule)
            if one is not None:
                built.append(one)
        return built

    def edit(self, place: str, rule: Mapping[str, Any]) -> Edit | None:
        """One rule as a step behind its condition."""
        action_name = snake(str(rule.get("action", "")))
        action = ACTIONS.get(action_name)
        if action is None:
            told = f"{rule['action']!r} is no action" if "action" in rule else "is missing: every rule has an action"
            self.fault(f"{place}.action", told + _nearest(action_name, ACTIONS))
            return None
        fields = (*_RULE_MEMBERS, *action.parameters.__struct_fields__)
        members = self.members(rule, fields, f"parameter of {action_name}", f"{place}.")
        parameters = {name: value for name, value in members.items() if name not in _RULE_MEMBERS}
        predicate, fine = self._when(place, members)
        step = self._built(place, parameters, action.parameters, action.build)
        if step is None or not fine:
            return None
        return step if predicate is None else _guarded(step, predicate)

    def edit_of_request(self, place: str, rule: Mapping[str, Any]) -> Edit | None:
        action = ACTIONS.get(snake(str(rule.get("action", ""))))
        if action is not None and not action.requests:
            self.fault(f"{place}.action", f"{rule['action']!r} makes no sense for requests")
            return None
        return self.edit(place, rule)

    def edit_of_answer(self, place: str, rule: Mapping[str, Any]) -> Edit | None:
        action = ACTIONS.get(snake(str(rule.get("action", ""))))
        if action is not None and not action.answers:
            self.fault(f"{place}.action", f"{rule['action']!r} makes no sense for answers")
            return None
        return self.edit(place, rule)

    def failure(self, place: str, rule: Mapping[str, Any]) -> tuple[Predicate | None, Finder] | None:
        fields = (*FailureRule.__struct_fields__, "why")
        members = self.members(rule, fields, "parameter of a failure rule", f"{place}.")
        predicate, fine = self._when(place, members)
        parameters = {name: value for name, value in members.items() if name not in {"when", "why"}}
        find = self._built(place, parameters, FailureRule, failures.build)
        return None if find is None or not fine else (predicate, find)

    def _built(
        self, place: str, parameters: dict[str, Any], kind: type[msgspec.Struct], build: Callable[[Any], T]
    ) -> T | None:
        try:
            return build(msgspec.convert(parameters, kind))
        except msgspec.ValidationError as error:
            self.fault(place, _said(error))
        except (ValueError, re.error) as error:
            self.fault(place, str(error))
        return None

    def _when(self, place: str, members: Mapping[str, Any]) -> tuple[Predicate | None, bool]:
        """(the condition, whether it could be read)."""
        if "when" not in members:
            return None, True
        before = len(self.reading.faults)
        conditions = self.members(members["when"], When.__struct_fields__, "condition", f"{place}.when.")
        predicate = self._built(f"{place}.when", conditions, When, lambda when: (compile_when(when),))
        return (None if predicate is None else predicate[0]), len(self.reading.faults) == before


def _guarded(step: Edit, predicate: Predicate) -> Edit:
    return lambda tree, moment: step(tree, moment) if predicate(tree, moment.context) else tree


_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")


def snake(name: str) -> str:
    """camelCase as snake_case; anything else unchanged."""
    return _HUMP.sub(lambda hump: "_" + hump[1].lower(), name)


def _said(error: msgspec.ValidationError) -> str:
    """msgspec's message without its `$` for the root."""
    return str(error).replace(" - at `$`", "").replace("`$.", "`")


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(names)}"
