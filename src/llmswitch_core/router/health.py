"""The one owner of cooldown, circuit breaking and quota: what an outcome does to health, and what health allows.

Two levels: a key (`provider.keyAlias`) carries what concerns the credential or the road to the provider, a model of
a key (`provider.keyAlias.model`) everything else. Which level an error hits is a table of kinds and vendor codes,
never a search in messages. Client faults and cancellations change nothing.

    closed --threshold failures in the window--> open --open_seconds * 2^n--> half-open --ok--> closed
                                                  ^------------- probe fails ----'

A circuit is half-open by the clock alone: no timer moves it. Half-open admits `half_open_probes` at a time; each must
be reported or given back, and a probe nobody reports is forgotten after `PROBE_LEASE`.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.router.contract import HealthSettings, Target
from llmswitch_core.router.state import CooldownCause, Health, Quota, RouterState

Outcome: TypeAlias = GatewayError | Literal["ok", "cancelled"]

PROBE_LEASE: Final = 900.0
"""Seconds after which a probe without a report no longer holds its place."""

MAX_ENTRIES: Final = 10_000
"""Health entries per level; models behind a "*" are named by clients, so their number needs a bound."""

LOW_QUOTA: Final = 0.1
"""Share of a limit below which a target is spared."""

CONNECTION_CODES: Final = frozenset(
    {
        "connect_failed",
        "connect_timeout",
        "connection_error",
        "connection_failed",
        "connection_refused",
        "dns_failed",
        "tls_failed",
        "proxy_failed",
    }
)
"""Codes of failures before the provider was reached: they count against the key's circuit, not one model's."""

BILLING_CODES: Final = frozenset(
    {
        "insufficient_quota",  # OpenAI
        "billing_hard_limit_reached",  # OpenAI
        "billing_not_active",  # OpenAI
        "billing_error",  # Anthropic
        "exceeded_current_quota_error",  # Moonshot (Kimi)
        "Arrearage",  # Alibaba Model Studio (Qwen)
        "1113",  # Zhipu (GLM): account in arrears
        "insufficient_balance",
    }
)
"""Vendor codes that mean "no money", whatever status they come with."""

KEY_RATE_CODES: Final = frozenset(
    {
        "rate_limit_reached_error",  # Moonshot: limits are per account
        "1302",  # Zhipu: concurrency of the account
        "1303",  # Zhipu: frequency of the account
        "account_rate_limit_exceeded",
        "organization_rate_limit_exceeded",
    }
)
"""Rate limits of the whole account; any other concerns the model asked for."""

_OBJECT_MISSING_CODES: Final = frozenset(
    {"previous_response_not_found", "response_not_found", "file_not_found", "container_not_found", "item_not_found"}
)
"""404s about something the client named, not about the model."""

_CIRCUIT_KINDS: Final = frozenset({ErrorKind.UPSTREAM, ErrorKind.TIMEOUT, ErrorKind.OVERLOADED})

_HIGHEST_DOUBLING: Final = 30


class Verdict(msgspec.Struct, frozen=True):
    """Whether a target may be asked now.

    `standing`: free | spared (only if nothing else is left) | blocked. `factor` scales its weight (a power of two);
    `until` when a block ends, if the clock ends it; `probe`: asking it is a half-open probe.
    """

    standing: Literal["free", "spared", "blocked"]
    reason: str = ""
    factor: float = 1.0
    until: float | None = None
    probe: bool = False


HEALTHY: Final = Verdict("free")


def judge(state: RouterState, settings: HealthSettings, target: Target, now: float) -> Verdict:
    """What health, quota and the operator say of a target. Changes nothing."""
    runtime_key, provider_key = target.runtime_key, target.provider_key
    if state.disabled:
        for name in (target.provider, runtime_key, provider_key):
            if name in state.disabled:
                return Verdict("blocked", f"disabled:{name}")
    key, model = state.keys.get(runtime_key), state.models.get(provider_key)
    if key is None and model is None and not state.quota:
        return HEALTHY
    probe = False
    factor = 1.0
    for level, entry in (("key", key), ("model", model)):
        if entry is None:
            continue
        blocked = _blocked(level, entry, settings, now)
        if blocked is not None:
            return blocked
        probe = probe or entry.openings > 0
        factor = min(factor, 0.25 if entry.openings else _degraded(entry, settings, now))
    verdict = _judge_quota(state, (runtime_key, provider_key), now)
    if verdict is not None and verdict.standing == "blocked":
        return verdict
    if verdict is not None:
        return msgspec.structs.replace(verdict, factor=min(factor, verdict.factor), probe=probe)
    reason = "half-open" if probe else "degraded" if factor < 1.0 else ""
    return Verdict("free", reason, factor, None, probe)


def _blocked(level: str, entry: Health, settings: HealthSettings, now: float) -> Verdict | None:
    if entry.cool_until > now:
        return Verdict("blocked", f"cooling:{level}:{entry.cool_cause}", until=entry.cool_until)
    if entry.openings == 0:
        return None
    if entry.open_until > now:
        return Verdict("blocked", f"circuit-open:{level}", until=entry.open_until)
    under_way = [started for started in entry.probes if started + PROBE_LEASE > now]
    if len(under_way) >= settings.half_open_probes:
        return Verdict("blocked", f"probe-under-way:{level}", until=now + 1.0)
    return None


def _degraded(entry: Health, settings: HealthSettings, now: float) -> float:
    """Recent failures halve the weight, one by one, down to a quarter."""
    recent = sum(1 for at in entry.failures if at + settings.window > now)
    return (1.0, 0.5)[recent] if recent < 2 else 0.25


def _judge_quota(state: RouterState, names: tuple[str, str], now: float) -> Verdict | None:
    low: Verdict | None = None
    for name in names:
        for unit, quota in state.quota.get(name, {}).items():
            if quota.remaining is None or (quota.reset_at is not None and quota.reset_at <= now):
                continue
            if quota.remaining <= 0:
                reason = f"quota-used-up:{unit}"
                if quota.source == "operator":
                    return Verdict("blocked", reason, until=quota.reset_at)
                low = Verdict("spared", reason, 0.25, quota.reset_at)
            elif low is None and quota.limit and quota.remaining < quota.limit * LOW_QUOTA:
                low = Verdict("free", f"quota-low:{unit}", 0.5)
    return low


# --- admission of probes -------------------------------------------------------------------------------


def admit(state: RouterState, target: Target, now: float) -> None:
    """Take the probe places of a target judged half-open; `report` gives them back."""
    for entry in _entries(state, target):
        if entry.openings > 0 and entry.open_until <= now:
            entry.probes = [started for started in entry.probes if started + PROBE_LEASE > now] + [now]
            entry.touched = now


def _entries(state: RouterState, target: Target) -> list[Health]:
    found = (state.keys.get(target.runtime_key), state.models.get(target.provider_key))
    return [entry for entry in found if entry is not None]


# --- outcomes ------------------------------------------------------------------------------------------


def report(
    state: RouterState,
    settings: HealthSettings,
    target: Target,
    outcome: Outcome,
    now: float,
    *,
    probe_since: float | None = None,
) -> None:
    """Take in how an attempt ended: "ok", "cancelled" (by the client), or the error.

    `probe_since` is `Decision.decided_at` where `Decision.probe` is set. Only a probe closes or reopens a circuit that
    has opened: what set out before the circuit opened knows nothing of now. A probe that was cancelled, or that the
    upstream answered with the client's own fault, only gives its place back.
    """
    probed = [] if probe_since is None else _give_back(state, target, probe_since, now)
    if outcome == "cancelled":
        return
    if outcome == "ok":
        _succeeded(state, target, probed, now)
    elif isinstance(outcome, GatewayError):
        _failed(state, settings, target, outcome, probed, now)


def _give_back(state: RouterState, target: Target, since: float, now: float) -> list[Health]:
    """The entries this request held a probe place of; the places are free again."""
    probed = []
    for entry in _entries(state, target):
        if since in entry.probes:
            entry.probes = list(entry.probes)
            entry.probes.remove(since)
            entry.touched = now
            probed.append(entry)
    return probed


def _succeeded(state: RouterState, target: Target, probed: list[Health], now: float) -> None:
    for level, name in ((state.keys, target.runtime_key), (state.models, target.provider_key)):
        entry = level.get(name)
        if entry is None:
            continue
        if entry.openings > 0 and (entry.open_until > now or not any(entry is each for each in probed)):
            continue
        entry.failures, entry.openings, entry.open_until, entry.probes = [], 0, 0.0, []
        if entry.cool_until <= now:
            del level[name]


def _failed(
    state: RouterState,
    settings: HealthSettings,
    target: Target,
    error: GatewayError,
    probed: list[Health],
    now: float,
) -> None:
    if error.layer in (Layer.CLIENT, Layer.HOST):
        return
    names = {error.vendor_code, error.vendor_type, error.code}
    told = f"{error.kind.value}/{error.vendor_code or error.code}"
    runtime_key, provider_key = target.runtime_key, target.provider_key
    if error.kind is ErrorKind.BILLING or names & BILLING_CODES:
        pause = _pause(error, settings.billing_cooldown)
        _cool(_entry(state.keys, runtime_key, now), "billing", pause, told, now)
    elif error.kind is ErrorKind.RATE_LIMIT:
        pause = _pause(error, settings.rate_limit_cooldown)
        whole_key = bool(names & KEY_RATE_CODES)
        entry = _entry(state.keys, runtime_key, now) if whole_key else _entry(state.models, provider_key, now)
        _cool(entry, "rate_limit", pause, told, now)
    elif error.kind in (ErrorKind.AUTHENTICATION, ErrorKind.PERMISSION):
        pause = _pause(error, settings.auth_cooldown)
        _cool(_entry(state.keys, runtime_key, now), "auth", pause, told, now)
    elif error.kind is ErrorKind.NOT_FOUND:
        if not names & _OBJECT_MISSING_CODES:
            _cool(_entry(state.models, provider_key, now), "model_missing", settings.auth_cooldown, told, now)
    elif error.kind in _CIRCUIT_KINDS or (error.kind is ErrorKind.INTERNAL and error.layer is Layer.UPSTREAM):
        on_the_road = error.code in CONNECTION_CODES
        entry = _entry(state.keys, runtime_key, now) if on_the_road else _entry(state.models, provider_key, now)
        entry.last_error = told
        if error.retry_after:
            _cool(entry, "overloaded", error.retry_after, told, now)
        for half_open in probed:
            if half_open.open_until <= now:
                _open(half_open, settings, now)
        _count(entry, settings, now)


def _pause(error: GatewayError, default: float) -> float:
    return default if error.retry_after is None else max(error.retry_after, 0.0)


def _cool(entry: Health, cause: CooldownCause, pause: float, told: str, now: float) -> None:
    """Never shortens a cooldown under way: a late answer to an earlier request knows less."""
    entry.last_error = told
    if now + pause > entry.cool_until:
        entry.cool_until, entry.cool_cause = now + pause, cause


def _count(entry: Health, settings: HealthSettings, now: float) -> None:
    """One more failure; opens a closed circuit at the threshold. An open one waits for its probe."""
    if entry.openings > 0:
        return
    recent = [at for at in entry.failures if at + settings.window > now]
    entry.failures = [*recent, now][-settings.failure_threshold :]
    if len(entry.failures) >= settings.failure_threshold:
        _open(entry, settings, now)


def _open(entry: Health, settings: HealthSettings, now: float) -> None:
    """Each opening without a success in between lasts twice as long, up to the maximum."""
    length = settings.open_seconds * 2.0 ** min(entry.openings, _HIGHEST_DOUBLING)
    entry.open_until = now + min(length, settings.max_open_seconds)
    entry.openings += 1
    entry.failures = []


def _entry(level: dict[str, Health], name: str, now: float) -> Health:
    entry = level.get(name)
    if entry is None:
        if len(level) >= MAX_ENTRIES:
            _forget(level, now)
        entry = level[name] = Health()
    entry.touched = now
    return entry


def _forget(level: dict[str, Health], now: float) -> None:
    """Make room: what the clock has healed goes first, then a tenth of the rest, longest untouched first."""
    for name in [name for name, entry in level.items() if entry.openings == 0 and entry.cool_until <= now]:
        del level[name]
    if len(level) >= MAX_ENTRIES:
        for name in sorted(level, key=lambda each: (level[each].touched, each))[: MAX_ENTRIES // 10]:
            del level[name]


# --- the operator's hand and reported quota ------------------------------------------------------------


def disable(state: RouterState, name: str, reason: str) -> None:
    """Take a provider id, runtime_key or provider_key out of every choice until `enable`."""
    state.disabled[name] = reason


def enable(state: RouterState, name: str) -> bool:
    """Undo `disable` of exactly that name; False if it was not disabled."""
    return state.disabled.pop(name, None) is not None


def reset(state: RouterState, name: str) -> int:
    """Forget failures, cooldowns, circuits and quota of `name` and all below it; the number of entries forgotten."""
    forgotten = 0
    for level in (state.models, state.keys, state.quota):
        for each in [each for each in level if each == name or each.startswith(f"{name}.")]:
            del level[each]
            forgotten += 1
    return forgotten


def note_quota(state: RouterState, name: str, readings: dict[str, Quota]) -> None:
    """Keep what a provider said it still grants `name` (a runtime_key or provider_key), by unit.

    An operator's figure is not overwritten by what headers say.
    """
    known = state.quota.get(name)
    if known is None:
        if len(state.quota) >= MAX_ENTRIES:
            del state.quota[next(iter(state.quota))]
        known = state.quota[name] = {}
    for unit, quota in readings.items():
        held = known.get(unit)
        if quota.source == "operator" or held is None or held.source == "headers":
            known[unit] = quota


class Standing(msgspec.Struct, frozen=True):
    """One target's health for people: what `status` shows."""

    provider_key: str
    state: Literal["healthy", "degraded", "half_open", "open", "cooling", "disabled", "quota"]
    reason: str = ""
    until: float | None = None
    last_error: str = ""


def standing(state: RouterState, settings: HealthSettings, target: Target, now: float) -> Standing:
    """The health of one target in one word, with its reason."""
    verdict = judge(state, settings, target, now)
    errors = [entry.last_error for entry in _entries(state, target) if entry.last_error]
    return Standing(
        target.provider_key,
        _word(verdict),
        verdict.reason,
        verdict.until,
        errors[-1] if errors else "",
    )


def _word(
    verdict: Verdict,
) -> Literal["healthy", "degraded", "half_open", "open", "cooling", "disabled", "quota"]:
    head = verdict.reason.partition(":")[0]
    if verdict.probe or head == "probe-under-way":
        return "half_open"
    if head in ("quota-used-up", "quota-low"):
        return "quota"
    if verdict.standing == "blocked":
        return "disabled" if head == "disabled" else "open" if head == "circuit-open" else "cooling"
    return "degraded" if verdict.factor < 1.0 else "healthy"
