"""Random histories of choices, outcomes and waiting, against what must hold of every history."""

from __future__ import annotations

import copy

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.router.contract import Decision, HealthSettings
from llmswitch_core.router.policy import VirtualRouter
from llmswitch_core.router.state import RouterState, restore

from .builders import failure, features, pool, table

PROBES = 2
SETTINGS = HealthSettings(
    failure_threshold=2, window=30.0, open_seconds=10.0, max_open_seconds=80.0, half_open_probes=PROBES
)
NAMES = ("acme.a.one", "acme.b.one", "beta.k.two")
ROUTER = VirtualRouter(
    table({"default": [pool((NAMES[0], 3), (NAMES[1], 1)), pool(NAMES[2], id="spare", priority=1)]}, health=SETTINGS)
)

ERRORS = st.sampled_from(
    [
        failure(ErrorKind.UPSTREAM),
        failure(ErrorKind.TIMEOUT),
        failure(ErrorKind.UPSTREAM, "connect_failed", layer=Layer.PROVIDER),
        failure(ErrorKind.RATE_LIMIT, retry_after=7.0),
        failure(ErrorKind.RATE_LIMIT),
        failure(ErrorKind.INVALID_REQUEST),
        failure(ErrorKind.NOT_FOUND),
    ]
)


class HealthMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.state = RouterState()
        self.now = 1_000.0
        self.under_way: list[Decision] = []
        self.refused: GatewayError | None = None
        self.blocked_until: dict[str, float] = {}

    @rule(seconds=st.sampled_from([0.0, 0.5, 3.0, 7.0, 10.0, 45.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(conversation=st.sampled_from([None, "c1", "c2"]), excluded=st.sets(st.sampled_from(NAMES), max_size=2))
    def ask(self, conversation: str | None, excluded: set[str]) -> None:
        before = copy.deepcopy(self.state)
        decision = self._route(self.state, conversation, excluded)
        again = self._route(before, conversation, excluded)
        assert decision == again, "the same state and inputs give the same decision"
        assert before == self.state
        if decision is None:
            return
        key = decision.target.provider_key
        assert key not in excluded
        assert self.now >= self.blocked_until.get(key, 0.0), "a cooldown is honoured"
        for entry in (self.state.models.get(key), self.state.keys.get(decision.target.runtime_key)):
            if entry is not None and entry.openings:
                assert decision.probe, "an open circuit is only ever probed"
                assert entry.open_until <= self.now
        self.under_way.append(decision)

    def _route(self, state: RouterState, conversation: str | None, excluded: set[str]) -> Decision | None:
        try:
            return ROUTER.route(features(), "any", None, conversation, state, excluded, self.now)
        except GatewayError as error:
            self.refused = error
            return None

    @invariant()
    def a_refusal_is_a_503_or_a_429_with_a_sensible_time(self) -> None:
        if self.refused is not None:
            assert self.refused.kind in (ErrorKind.OVERLOADED, ErrorKind.RATE_LIMIT)
            assert self.refused.retry_after is None or self.refused.retry_after >= 0

    @precondition(lambda self: self.under_way)
    @rule(index=st.integers(0, 50))
    def succeed(self, index: int) -> None:
        decision = self._take(index)
        was_half_open = decision.probe and all(
            entry.open_until <= self.now for entry in self._entries(decision) if entry.openings
        )
        held = decision.probe and all(
            decision.decided_at in entry.probes for entry in self._entries(decision) if entry.openings
        )
        ROUTER.report(self.state, decision, "ok", self.now)
        if was_half_open and held:
            assert not any(entry.openings for entry in self._entries(decision)), "a good probe closes the circuit"

    @precondition(lambda self: self.under_way)
    @rule(index=st.integers(0, 50))
    def hang_up(self, index: int) -> None:
        decision = self._take(index)
        before = self._without_probes()
        ROUTER.report(self.state, decision, "cancelled", self.now)
        assert self._without_probes() == before, "a hang-up only gives its probe back"

    @precondition(lambda self: self.under_way)
    @rule(index=st.integers(0, 50), error=ERRORS)
    def fail(self, index: int, error: GatewayError) -> None:
        decision = self._take(index)
        ROUTER.report(self.state, decision, error, self.now)
        if error.kind is ErrorKind.RATE_LIMIT:
            pause = SETTINGS.rate_limit_cooldown if error.retry_after is None else error.retry_after
            key = decision.target.provider_key
            self.blocked_until[key] = max(self.now + pause, self.blocked_until.get(key, 0.0))

    def _take(self, index: int) -> Decision:
        return self.under_way.pop(index % len(self.under_way))

    def _entries(self, decision: Decision) -> list[object]:
        found = (
            self.state.models.get(decision.target.provider_key),
            self.state.keys.get(decision.target.runtime_key),
        )
        return [entry for entry in found if entry is not None]

    def _without_probes(self) -> object:
        plain = self.state.snapshot()
        for level in ("models", "keys"):
            for entry in plain[level].values():
                entry.pop("probes", None)
                entry.pop("touched", None)
        return plain

    @invariant()
    def probes_stay_within_their_number(self) -> None:
        for level in (self.state.models, self.state.keys):
            for entry in level.values():
                assert len(entry.probes) <= PROBES

    @invariant()
    def every_probe_place_belongs_to_a_request_under_way(self) -> None:
        started = [decision.decided_at for decision in self.under_way if decision.probe]
        for level in (self.state.models, self.state.keys):
            for entry in level.values():
                for since in entry.probes:
                    assert since in started

    @invariant()
    def open_times_stay_within_the_maximum(self) -> None:
        for level in (self.state.models, self.state.keys):
            for entry in level.values():
                assert entry.open_until <= self.now + SETTINGS.max_open_seconds

    @invariant()
    def the_state_survives_encoding(self) -> None:
        assert restore(msgspec.json.decode(msgspec.json.encode(self.state.snapshot()))) == self.state


HealthMachine.TestCase.settings = settings(deadline=None, max_examples=60, stateful_step_count=40)
TestHealthMachine = HealthMachine.TestCase
