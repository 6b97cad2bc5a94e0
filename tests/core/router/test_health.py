from __future__ import annotations

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.router import health
from llmswitch_core.router.contract import HealthSettings
from llmswitch_core.router.health import BILLING_CODES, CONNECTION_CODES, MAX_ENTRIES, PROBE_LEASE
from llmswitch_core.router.state import Quota, RouterState

from .builders import failure, target

SETTINGS = HealthSettings()
LARGE, SMALL = target("acme.main.large"), target("acme.main.small")
OTHER_KEY = target("acme.eu.large")
UPSTREAM = failure(ErrorKind.UPSTREAM)


def report(
    state: RouterState, outcome: health.Outcome, now: float, *, at: object = None, since: float | None = None
) -> None:
    chosen = LARGE if at is None else at
    health.report(state, SETTINGS, chosen, outcome, now, probe_since=since)  # type: ignore[arg-type]


def standing(state: RouterState, now: float, at: object = None) -> tuple[str, str]:
    verdict = health.judge(state, SETTINGS, LARGE if at is None else at, now)  # type: ignore[arg-type]
    return verdict.standing, verdict.reason


def opened(now: float = 0.0) -> RouterState:
    """A state whose circuit for `large` opened at `now`."""
    state = RouterState()
    for _ in range(SETTINGS.failure_threshold):
        report(state, UPSTREAM, now)
    return state


# --- which error hits what -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "blocks"),
    [
        (failure(ErrorKind.RATE_LIMIT), {"large"}),
        (failure(ErrorKind.RATE_LIMIT, vendor_type="rate_limit_reached_error"), {"large", "small"}),
        (failure(ErrorKind.RATE_LIMIT, vendor_code="insufficient_quota"), {"large", "small"}),
        (failure(ErrorKind.AUTHENTICATION), {"large", "small"}),
        (failure(ErrorKind.PERMISSION), {"large", "small"}),
        (failure(ErrorKind.BILLING), {"large", "small"}),
        (failure(ErrorKind.INVALID_REQUEST, vendor_code="Arrearage"), {"large", "small"}),
        (failure(ErrorKind.NOT_FOUND), {"large"}),
        (failure(ErrorKind.OVERLOADED, retry_after=5), {"large"}),
        (failure(ErrorKind.NOT_FOUND, vendor_code="previous_response_not_found"), set()),
        (failure(ErrorKind.INVALID_REQUEST), set()),
        (failure(ErrorKind.TOO_LARGE), set()),
        (failure(ErrorKind.CONFLICT), set()),
        (failure(ErrorKind.CANCELLED), set()),
        (failure(ErrorKind.UPSTREAM), set()),
        (failure(ErrorKind.AUTHENTICATION, layer=Layer.CLIENT), set()),
        (failure(ErrorKind.UPSTREAM, layer=Layer.HOST), set()),
        (failure(ErrorKind.INTERNAL, layer=Layer.SHARED_MODULE), set()),
    ],
)
def test_one_error_blocks_the_key_the_model_or_nothing(error: GatewayError, blocks: set[str]) -> None:
    state = RouterState()
    report(state, error, 100.0)
    blocked = {each.model for each in (LARGE, SMALL) if standing(state, 100.0, each)[0] == "blocked"}
    assert blocked == blocks
    assert standing(state, 100.0, OTHER_KEY) == ("free", "")


@pytest.mark.parametrize(
    ("error", "opens"),
    [
        (failure(ErrorKind.UPSTREAM), {"large"}),
        (failure(ErrorKind.TIMEOUT), {"large"}),
        (failure(ErrorKind.OVERLOADED), {"large"}),
        (failure(ErrorKind.INTERNAL), {"large"}),
        (failure(ErrorKind.UPSTREAM, "truncated_stream", layer=Layer.SHARED_MODULE), {"large"}),
        *((failure(ErrorKind.UPSTREAM, code, layer=Layer.PROVIDER), {"large", "small"}) for code in CONNECTION_CODES),
        (failure(ErrorKind.INVALID_REQUEST), set()),
        (failure(ErrorKind.CANCELLED), set()),
    ],
)
def test_repeated_errors_open_the_circuit_of_the_model_or_the_key(error: GatewayError, opens: set[str]) -> None:
    state = RouterState()
    for second in range(SETTINGS.failure_threshold):
        assert standing(state, float(second))[0] == "free"
        report(state, error, float(second))
    blocked = {each.model for each in (LARGE, SMALL) if standing(state, 5.0, each)[0] == "blocked"}
    assert blocked == opens


def test_cancellation_and_the_clients_own_faults_leave_no_trace() -> None:
    state = RouterState()
    for _ in range(50):
        report(state, "cancelled", 1.0)
        report(state, failure(ErrorKind.INVALID_REQUEST), 1.0)
    assert state == RouterState()


# --- cooldown ------------------------------------------------------------------------------------------


def test_a_rate_limit_cools_until_retry_after_to_the_second() -> None:
    state = RouterState()
    report(state, failure(ErrorKind.RATE_LIMIT, retry_after=42.5), 100.0)
    assert standing(state, 142.4) == ("blocked", "cooling:model:rate_limit")
    assert health.judge(state, SETTINGS, LARGE, 110.0).until == 142.5
    assert standing(state, 142.5)[0] == "free"


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        (ErrorKind.RATE_LIMIT, SETTINGS.rate_limit_cooldown),
        (ErrorKind.AUTHENTICATION, SETTINGS.auth_cooldown),
        (ErrorKind.BILLING, SETTINGS.billing_cooldown),
    ],
)
def test_without_retry_after_the_configured_time_holds(kind: ErrorKind, seconds: float) -> None:
    state = RouterState()
    report(state, failure(kind), 0.0)
    assert standing(state, seconds - 0.1)[0] == "blocked"
    assert standing(state, seconds)[0] == "free"


def test_a_cooldown_is_never_shortened() -> None:
    state = RouterState()
    report(state, failure(ErrorKind.RATE_LIMIT, retry_after=60), 0.0)
    report(state, failure(ErrorKind.RATE_LIMIT, retry_after=1), 5.0)
    report(state, "ok", 6.0)
    assert standing(state, 59.0)[0] == "blocked"


def test_a_success_after_a_cooldown_forgets_the_entry() -> None:
    state = RouterState()
    report(state, failure(ErrorKind.RATE_LIMIT, retry_after=1), 0.0)
    report(state, "ok", 2.0)
    assert state == RouterState()


# --- circuit -------------------------------------------------------------------------------------------


def test_a_success_in_between_starts_the_count_anew() -> None:
    state = RouterState()
    for second in range(20):
        report(state, "ok" if second % 3 == 2 else UPSTREAM, float(second))
    assert standing(state, 20.0)[0] == "free"


def test_failures_outside_the_window_do_not_add_up() -> None:
    state = RouterState()
    for occasion in range(10):
        report(state, UPSTREAM, occasion * SETTINGS.window)
    assert standing(state, 9 * SETTINGS.window)[0] == "free"


def test_recent_failures_lower_the_weight() -> None:
    state = RouterState()
    factors = []
    for _ in range(2):
        report(state, UPSTREAM, 0.0)
        factors.append(health.judge(state, SETTINGS, LARGE, 1.0).factor)
    assert factors == [0.5, 0.25]
    assert health.judge(state, SETTINGS, LARGE, SETTINGS.window + 1).factor == 1.0


def test_an_open_circuit_becomes_half_open_by_the_clock_and_admits_one_probe() -> None:
    state = opened()
    assert standing(state, 29.9) == ("blocked", "circuit-open:model")
    verdict = health.judge(state, SETTINGS, LARGE, 30.0)
    assert (verdict.standing, verdict.probe) == ("free", True)
    health.admit(state, LARGE, 30.0)
    assert standing(state, 30.1) == ("blocked", "probe-under-way:model")


def test_a_successful_probe_closes_the_circuit() -> None:
    state = opened()
    health.admit(state, LARGE, 30.0)
    report(state, "ok", 31.0, since=30.0)
    assert health.judge(state, SETTINGS, LARGE, 31.0) == health.HEALTHY
    assert state == RouterState()


def test_each_failed_probe_doubles_the_open_time_up_to_the_maximum() -> None:
    state = opened()
    now, lengths = 30.0, []
    for _ in range(8):
        health.admit(state, LARGE, now)
        report(state, UPSTREAM, now, since=now)
        until = health.judge(state, SETTINGS, LARGE, now).until
        assert until is not None
        lengths.append(until - now)
        now = until
    assert lengths == [60, 120, 240, 480, 600, 600, 600, 600]


@pytest.mark.parametrize("outcome", ["cancelled", failure(ErrorKind.INVALID_REQUEST)])
def test_a_probe_that_proves_nothing_is_given_back(outcome: health.Outcome) -> None:
    state = opened()
    health.admit(state, LARGE, 30.0)
    report(state, outcome, 31.0, since=30.0)
    assert health.judge(state, SETTINGS, LARGE, 31.0).probe


def test_a_late_answer_from_before_the_circuit_opened_changes_nothing() -> None:
    state = opened()
    before = state.snapshot()
    report(state, "ok", 1.0)
    report(state, UPSTREAM, 1.0)
    assert standing(state, 29.9)[0] == "blocked"
    assert (
        state.snapshot()["models"]["acme.main.large"]["open_until"] == before["models"]["acme.main.large"]["open_until"]
    )


def test_a_probe_nobody_reports_is_forgotten_after_its_lease() -> None:
    state = opened()
    health.admit(state, LARGE, 30.0)
    assert standing(state, 30.0 + PROBE_LEASE - 1)[0] == "blocked"
    assert health.judge(state, SETTINGS, LARGE, 30.0 + PROBE_LEASE).probe
    health.admit(state, LARGE, 30.0 + PROBE_LEASE)
    report(state, "ok", 30.0 + PROBE_LEASE + 1, since=30.0)
    assert standing(state, 30.0 + PROBE_LEASE + 1)[0] == "blocked", "the forgotten probe's answer is not the new one's"


def test_a_broken_road_is_probed_once_for_all_models_of_the_key() -> None:
    state = RouterState()
    for _ in range(SETTINGS.failure_threshold):
        report(state, failure(ErrorKind.UPSTREAM, "connect_failed", layer=Layer.PROVIDER), 0.0)
    health.admit(state, SMALL, 30.0)
    assert standing(state, 31.0) == ("blocked", "probe-under-way:key")
    report(state, "ok", 31.0, at=SMALL, since=30.0)
    assert standing(state, 31.0) == ("free", "")


# --- operator and quota --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["acme", "acme.main", "acme.main.large"])
def test_the_operator_disables_a_provider_a_key_or_a_model(name: str) -> None:
    state = RouterState()
    health.disable(state, name, "maintenance")
    assert standing(state, 0.0) == ("blocked", f"disabled:{name}")
    assert health.enable(state, name)
    assert not health.enable(state, name)
    assert standing(state, 0.0) == ("free", "")


def test_reset_forgets_a_name_and_all_below_it_and_no_more() -> None:
    state = opened()
    report(state, failure(ErrorKind.AUTHENTICATION), 0.0)
    report(state, failure(ErrorKind.AUTHENTICATION), 0.0, at=target("acmeX.main.large"))
    health.note_quota(state, "acme.main.large", {"requests": Quota(remaining=0)})
    assert health.reset(state, "acme") == 3
    assert standing(state, 0.0) == ("free", "")
    assert list(state.keys) == ["acmeX.main"]


def test_an_operators_quota_blocks_at_zero_until_its_reset() -> None:
    state = RouterState()
    health.note_quota(state, "acme.main", {"day": Quota(remaining=0, reset_at=100.0, source="operator")})
    assert standing(state, 99.0, SMALL) == ("blocked", "quota-used-up:day")
    assert standing(state, 100.0, SMALL) == ("free", "")


def test_reported_quota_spares_at_zero_and_halves_below_a_tenth() -> None:
    state = RouterState()
    health.note_quota(state, "acme.main.large", {"requests": Quota(remaining=0, limit=100, reset_at=60.0)})
    assert standing(state, 1.0) == ("spared", "quota-used-up:requests")
    health.note_quota(state, "acme.main.large", {"requests": Quota(remaining=9, limit=100, reset_at=60.0)})
    verdict = health.judge(state, SETTINGS, LARGE, 1.0)
    assert (verdict.standing, verdict.factor, verdict.reason) == ("free", 0.5, "quota-low:requests")
    assert standing(state, 60.0) == ("free", "")


def test_headers_do_not_overwrite_the_operators_figure() -> None:
    state = RouterState()
    health.note_quota(state, "acme.main", {"day": Quota(remaining=0, source="operator")})
    health.note_quota(state, "acme.main", {"day": Quota(remaining=1000)})
    assert standing(state, 1.0)[0] == "blocked"
    health.note_quota(state, "acme.main", {"day": Quota(remaining=5, source="operator")})
    assert standing(state, 1.0)[0] == "free"


# --- bounds and faces ----------------------------------------------------------------------------------


def test_models_named_by_clients_cannot_fill_the_memory() -> None:
    state = RouterState()
    for number in range(MAX_ENTRIES + 50):
        report(state, failure(ErrorKind.NOT_FOUND), float(number) / 1000, at=target(f"any.main.m{number}"))
    assert len(state.models) <= MAX_ENTRIES
    assert standing(state, 11.0, target(f"any.main.m{MAX_ENTRIES + 49}"))[0] == "blocked", "the youngest are kept"


def test_status_has_one_word_for_every_standing() -> None:
    words = {}
    for name, prepare in {
        "healthy": lambda state: None,
        "degraded": lambda state: report(state, UPSTREAM, 0.0),
        "cooling": lambda state: report(state, failure(ErrorKind.RATE_LIMIT), 0.0),
        "open": lambda state: [report(state, UPSTREAM, 0.0) for _ in range(3)],
        "half_open": lambda state: [report(state, UPSTREAM, -30.0) for _ in range(3)],
        "disabled": lambda state: health.disable(state, "acme", "x"),
        "quota": lambda state: health.note_quota(state, "acme.main", {"day": Quota(remaining=0)}),
    }.items():
        state = RouterState()
        prepare(state)
        words[name] = health.standing(state, SETTINGS, LARGE, 1.0).state
    assert words == {name: name for name in words}


def test_status_tells_the_latest_error_by_kind_and_code() -> None:
    state = RouterState()
    report(state, failure(ErrorKind.RATE_LIMIT, vendor_code="tokens"), 0.0)
    shown = health.standing(state, SETTINGS, LARGE, 1.0)
    assert (shown.last_error, shown.until) == ("rate_limit/tokens", 10.0)


def test_every_billing_code_stops_the_key() -> None:
    for code in BILLING_CODES:
        state = RouterState()
        report(state, failure(ErrorKind.RATE_LIMIT, vendor_code=code), 0.0)
        assert standing(state, 1.0, SMALL) == ("blocked", "cooling:key:billing")
