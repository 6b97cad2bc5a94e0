"""Chain -> target: pools in order, the bound target first, then rotation among who may be asked.

It asks health.py who may be asked and says why not of everyone it passed over. It changes only the state it is given:
rotation counters, bindings, probe places. The same state and inputs give the same decision.

Candidates fall into tiers; a tier is used only where no pool has anyone in a better one:
0 free, 1 its reported quota is used up, 2 its context window is too small.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NoReturn

import msgspec

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.router import health
from llmswitch_core.router.contract import Candidate, ContextSettings, Decision, RoutingTable
from llmswitch_core.router.names import How
from llmswitch_core.router.pools import Chain, Member, Stage
from llmswitch_core.router.rotation import next_in_rotation
from llmswitch_core.router.state import RouterState
from llmswitch_core.router.sticky import bind, bound_member

BLOCKED: Final = 9
"""The tier of who may not be asked at all."""

_NEARLY_FULL: Final = 0.25
"""Weight factor of a target whose context window is filled beyond the warning ratio."""

_TOLD_AT_MOST: Final = 8


class Judged(msgspec.Struct, frozen=True):
    """A member as it stands for this request."""

    member: Member
    tier: int
    weight: float
    reason: str
    until: float | None
    probe: bool

    def candidate(self, stage: Stage) -> Candidate:
        return Candidate(self.member.provider_key, stage.id, self.tier < BLOCKED, self.reason, self.weight)


class Asked(msgspec.Struct, frozen=True):
    """What a choice is made for. `how` and `reasons` say how the chain was arrived at; `tokens` the input estimated."""

    how: How
    requested: str
    reasons: tuple[str, ...]
    tokens: int
    conversation_key: str | None
    excluded: Collection[str]
    now: float


def choose(table: RoutingTable, state: RouterState, chain: Chain, asked: Asked) -> Decision:
    """The target for this request. Raises GatewayError: 503 `no_healthy_target`, 429 `all_targets_cooling` with the
    soonest `retry_after`, 503 `no_target_left` when every one was already tried."""
    if table.sticky.enabled and asked.conversation_key is not None:
        bound = bound_member(state, chain, asked.conversation_key, asked.now)
        if bound is not None:
            index, member = bound
            judged = judge(table, state, member, asked)
            if judged.tier == 0 and not judged.probe:
                stage = chain.stages[index]
                candidates = (judged.candidate(stage),)
                return _decide(table, state, chain, asked, stage, judged, candidates, sticky=True)
    passed: list[tuple[Stage, list[Judged]]] = []
    for stage in chain.stages:
        standing = [judge(table, state, member, asked) for member in stage.members]
        passed.append((stage, standing))
        if any(judged.tier == 0 for judged in standing):
            return _pick(table, state, chain, asked, passed, tier=0)
    tier = min((judged.tier for _, standing in passed for judged in standing), default=BLOCKED)
    if tier == BLOCKED:
        _refuse(chain, asked, [judged for _, standing in passed for judged in standing])
    return _pick(table, state, chain, asked, passed, tier)


def judge(table: RoutingTable, state: RouterState, member: Member, asked: Asked) -> Judged:
    """One member: excluded, health, then context. Changes nothing."""
    if member.provider_key in asked.excluded:
        return Judged(member, BLOCKED, 0.0, "already-tried", None, False)
    verdict = health.judge(state, table.health, member.target, asked.now)
    if verdict.standing == "blocked":
        return Judged(member, BLOCKED, 0.0, verdict.reason, verdict.until, False)
    tier = 1 if verdict.standing == "spared" else 0
    factor, reason = verdict.factor, verdict.reason
    window = member.target.context_window
    if window is not None and asked.tokens > window * table.context.warn_ratio:
        beyond, factor, told = _context(table.context, asked.tokens, window, factor)
        tier = 2 if beyond else tier
        reason = f"{reason}, {told}" if reason else told
    return Judged(member, tier, member.weight * factor, reason, None, verdict.probe)


def _context(settings: ContextSettings, tokens: int, window: int, factor: float) -> tuple[bool, float, str]:
    """(excluded, factor, reason) of a request that fills the window beyond the warning ratio."""
    if tokens > window:
        return settings.hard_limit, factor * _NEARLY_FULL, f"context-exceeded:{tokens}/{window}"
    return False, factor * _NEARLY_FULL, f"context-nearly-full:{tokens}/{window}"


def _pick(
    table: RoutingTable,
    state: RouterState,
    chain: Chain,
    asked: Asked,
    passed: list[tuple[Stage, list[Judged]]],
    tier: int,
) -> Decision:
    """Choose within the first pool that has members in `tier`."""
    stage, standing = next(each for each in passed if any(judged.tier == tier for judged in each[1]))
    open_to = [judged for judged in standing if judged.tier == tier]
    if stage.mode == "priority":
        first = min(judged.member.priority for judged in open_to)
        open_to = [judged for judged in open_to if judged.member.priority == first]
    if len(open_to) == 1:
        chosen = open_to[0]
    else:
        slot = next_in_rotation(_counters(state, stage), [(judged.member.slot, judged.weight) for judged in open_to])
        chosen = next(judged for judged in open_to if judged.member.slot == slot)
    candidates = tuple(judged.candidate(each) for each, judgements in passed for judged in judgements)
    return _decide(table, state, chain, asked, stage, chosen, candidates, sticky=False)


def _counters(state: RouterState, stage: Stage) -> dict[str, float]:
    counters = state.rotation.setdefault(stage.rotation, {})
    if len(counters) > len(stage.members):  # members that a configuration change took out
        slots = {member.slot for member in stage.members}
        for slot in [slot for slot in counters if slot not in slots]:
            del counters[slot]
    return counters


def _decide(
    table: RoutingTable,
    state: RouterState,
    chain: Chain,
    asked: Asked,
    stage: Stage,
    chosen: Judged,
    candidates: tuple[Candidate, ...],
    *,
    sticky: bool,
) -> Decision:
    """Write the choice into the state and into a Decision."""
    member = chosen.member
    if chosen.probe:
        health.admit(state, member.target, asked.now)
    fallback = _is_fallback(chain, stage, member)
    if table.sticky.enabled and asked.conversation_key is not None and len(chain.places) > 1:
        bind(state, table.sticky, chain, asked.conversation_key, member.provider_key, fallback, asked.now)
    reasons = list(asked.reasons)
    if sticky:
        reasons.append("sticky:conversation")
    if fallback:
        reasons.append(f"fallback:{stage.id}" if stage.own else f"fallback:default/{stage.id}")
    if chosen.tier == 1:
        reasons.append("spared:nobody-else-has-quota")
    elif chosen.tier == 2:
        reasons.append("spared:no-larger-context-window")
    if chosen.probe:
        reasons.append("probe:half-open")
    return Decision(
        target=member.target,
        route=chain.route,
        pool=stage.id,
        how=asked.how,
        reasons=tuple(reasons),
        candidates=candidates,
        requested_model=asked.requested,
        sticky=sticky,
        probe=chosen.probe,
        decided_at=asked.now,
    )


def _is_fallback(chain: Chain, stage: Stage, member: Member) -> bool:
    if stage is not chain.stages[0]:
        return True
    return stage.mode == "priority" and member.priority > min(each.priority for each in stage.members)


def _refuse(chain: Chain, asked: Asked, standing: list[Judged]) -> NoReturn:
    """Nobody may be asked: say which and why, and when it is worth trying again."""
    reasons = {judged.member.provider_key: judged for judged in standing}
    waiting = [judged.until for judged in standing if judged.until is not None]
    retry_after = max(min(waiting) - asked.now, 0.0) if waiting else None
    untried = [judged for judged in standing if judged.reason != "already-tried"]
    told = "; ".join(_told(judged, asked.now) for judged in list(reasons.values())[:_TOLD_AT_MOST])
    more = len(reasons) - _TOLD_AT_MOST
    told += f"; and {more} more" if more > 0 else ""
    where = f"route {chain.route}" if chain.stages and chain.binding == chain.route else chain.binding
    if not standing:
        raise GatewayError(
            ErrorKind.NOT_FOUND,
            "no_target_configured",
            f"No target is configured for {where}.",
            next_step="Add a pool to virtualrouter.routing.default, or ask for provider.model.",
            layer=Layer.SHARED_MODULE,
        )
    if not untried:
        raise GatewayError(
            ErrorKind.OVERLOADED,
            "no_target_left",
            f"Every target of {where} was tried for this request: {told}.",
            next_step="Add further targets to the route, or try again.",
        )
    if all(_is_throttled(judged.reason) for judged in untried):
        raise GatewayError(
            ErrorKind.RATE_LIMIT,
            "all_targets_cooling",
            f"All targets of {where} are rate limited: {told}.",
            next_step="Try again after the time given, or add keys or targets.",
            retry_after=retry_after,
        )
    raise GatewayError(
        ErrorKind.OVERLOADED,
        "no_healthy_target",
        f"No target of {where} can be asked now: {told}.",
        next_step="See `routecodex status` for their health.",
        retry_after=retry_after,
    )


def _told(judged: Judged, now: float) -> str:
    wait = f", {max(judged.until - now, 0.0):.0f} s left" if judged.until is not None else ""
    return f"{judged.member.provider_key} ({judged.reason}{wait})"


def _is_throttled(reason: str) -> bool:
    return reason.startswith("quota-used-up") or (reason.startswith("cooling:") and reason.endswith(":rate_limit"))
