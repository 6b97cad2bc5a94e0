from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.router import health
from llmswitch_core.router.contract import (
    Alias,
    ContextSettings,
    Decision,
    Features,
    ProviderModels,
    RoutingTable,
    StickySettings,
)
from llmswitch_core.router.policy import VirtualRouter
from llmswitch_core.router.state import Quota, RouterState, restore

from .builders import failure, features, pool, table, target

PLAIN = features()
CODING = features(last_tool="Edit", last_tool_category="coding")
SEARCH = features(last_tool="Grep", last_tool_category="search")
VISION = features(latest_media=("image",), has_media=True)


class Gateway:
    """A router with its state and a clock, to write scenarios with."""

    def __init__(self, made: RoutingTable) -> None:
        self.router = VirtualRouter(made)
        self.state = RouterState()
        self.now = 0.0

    def ask(self, asked: Features | None = PLAIN, model: str = "any", **more: Any) -> Decision:
        hint, key = more.pop("hint", None), more.pop("key", None)
        excluded = more.pop("excluded", ())
        return self.router.route(asked, model, hint, key, self.state, excluded, self.now, **more)

    def chosen(self, asked: Features | None = PLAIN, **more: Any) -> str:
        return self.ask(asked, **more).target.provider_key

    def refused(self, asked: Features = PLAIN, **more: Any) -> GatewayError:
        with pytest.raises(GatewayError) as caught:
            self.ask(asked, **more)
        return caught.value

    def fail(self, provider_key: str, kind: ErrorKind, times: int = 1, **more: Any) -> None:
        for _ in range(times):
            health.report(self.state, self.router.table.health, target(provider_key), failure(kind, **more), self.now)


def two(**more: Any) -> Gateway:
    return Gateway(table({"default": [pool("a.k.m", "b.k.m")]}, **more))


# --- pools ---------------------------------------------------------------------------------------------


def test_weights_are_kept_exactly_over_a_cycle() -> None:
    gateway = Gateway(table({"default": [pool(("a.k.m", 5), ("b.k.m", 2), ("c.k.m", 1))]}))
    assert Counter(gateway.chosen() for _ in range(16)) == {"a.k.m": 10, "b.k.m": 4, "c.k.m": 2}


def test_priority_takes_the_first_that_may_be_asked() -> None:
    gateway = Gateway(table({"default": [pool(("a.k.m", 1), ("b.k.m", 0), ("c.k.m", 2), mode="priority")]}))
    assert [gateway.chosen() for _ in range(3)] == ["b.k.m"] * 3
    gateway.fail("b.k.m", ErrorKind.RATE_LIMIT)
    assert gateway.chosen() == "a.k.m"
    assert gateway.chosen(excluded={"a.k.m"}) == "c.k.m"


def test_equal_priorities_share() -> None:
    gateway = Gateway(table({"default": [pool("a.k.m", "b.k.m", mode="priority")]}))
    assert Counter(gateway.chosen() for _ in range(10)) == {"a.k.m": 5, "b.k.m": 5}


def test_pools_are_used_by_priority_not_by_place() -> None:
    gateway = Gateway(
        table({"default": [pool("late.k.m", id="late", priority=9), pool("early.k.m", id="early", priority=1)]})
    )
    assert gateway.ask().pool == "early"
    fallen = gateway.ask(excluded={"early.k.m"})
    assert (fallen.pool, fallen.reasons[-1]) == ("late", "fallback:late")


def test_a_route_falls_through_its_pools_to_default() -> None:
    gateway = Gateway(
        table(
            {
                "coding": [pool("a.k.m", id="one"), pool("b.k.m", id="two", priority=1)],
                "default": [pool("d.k.m", id="last")],
            }
        )
    )
    assert gateway.chosen(CODING) == "a.k.m"
    assert gateway.chosen(CODING, excluded={"a.k.m"}) == "b.k.m"
    last = gateway.ask(CODING, excluded={"a.k.m", "b.k.m"})
    assert (last.target.provider_key, last.route, last.reasons[-1]) == ("d.k.m", "coding", "fallback:default/last")


def test_a_route_without_pools_uses_default_and_says_so() -> None:
    decision = two().ask(hint="vision")
    assert decision.route == "default"
    assert decision.reasons == ("hint:route=vision", "default:vision-has-no-pools")


def test_requests_without_a_conversation_are_not_classified() -> None:
    assert two().ask(None).reasons == ("name:not-configured", "default:not-classified")


# --- who may be asked ----------------------------------------------------------------------------------


def test_a_retry_excludes_what_was_tried_and_ends_in_a_503_naming_all() -> None:
    gateway = two()
    assert gateway.chosen(excluded={"a.k.m"}) == "b.k.m"
    error = gateway.refused(excluded={"a.k.m", "b.k.m"})
    assert (error.status, error.code, error.retry_after) == (503, "no_target_left", None)
    assert "a.k.m (already-tried); b.k.m (already-tried)" in error.text


def test_all_rate_limited_is_a_429_with_the_soonest_time() -> None:
    gateway = two()
    gateway.fail("a.k.m", ErrorKind.RATE_LIMIT, retry_after=30)
    gateway.fail("b.k.m", ErrorKind.RATE_LIMIT, retry_after=12)
    gateway.now = 2.0
    error = gateway.refused()
    assert (error.status, error.code, error.retry_after) == (429, "all_targets_cooling", 10.0)
    assert "a.k.m (cooling:model:rate_limit, 28 s left)" in error.text


def test_a_429_stays_a_429_when_the_other_target_was_tried() -> None:
    gateway = two()
    gateway.fail("a.k.m", ErrorKind.RATE_LIMIT, retry_after=30)
    error = gateway.refused(excluded={"b.k.m"})
    assert (error.status, error.retry_after) == (429, 30.0)


def test_other_outages_are_a_503_saying_which_and_why() -> None:
    gateway = two()
    gateway.fail("a.k.m", ErrorKind.UPSTREAM, times=3)
    gateway.fail("b.k.m", ErrorKind.AUTHENTICATION)
    error = gateway.refused()
    assert (error.kind, error.status, error.code) == (ErrorKind.OVERLOADED, 503, "no_healthy_target")
    assert error.retry_after == 30.0
    assert "a.k.m (circuit-open:model, 30 s left)" in error.text
    assert "b.k.m (cooling:key:auth, 600 s left)" in error.text


def test_disabled_targets_have_no_time_to_wait_for() -> None:
    gateway = two()
    health.disable(gateway.state, "a", "x")
    health.disable(gateway.state, "b.k", "x")
    error = gateway.refused()
    assert (error.status, error.retry_after) == (503, None)
    assert "a.k.m (disabled:a)" in error.text


def test_a_table_without_pools_answers_404_with_the_way_out() -> None:
    gateway = Gateway(table({}, providers=[ProviderModels("a", ("k",), ("m",))]))
    error = gateway.refused()
    assert (error.status, error.code) == (404, "no_target_configured")
    assert "virtualrouter.routing.default" in error.text


def test_a_degraded_target_gets_less_in_exact_shares() -> None:
    gateway = two()
    gateway.fail("a.k.m", ErrorKind.UPSTREAM)
    assert Counter(gateway.chosen() for _ in range(12)) == {"a.k.m": 4, "b.k.m": 8}


def test_a_recovering_target_is_probed_by_one_request_at_a_time() -> None:
    gateway = two()
    gateway.fail("a.k.m", ErrorKind.UPSTREAM, times=3)
    assert {gateway.chosen() for _ in range(8)} == {"b.k.m"}
    gateway.now = 30.0
    decisions = [gateway.ask() for _ in range(20)]
    probes = [decision for decision in decisions if decision.probe]
    assert [probe.target.provider_key for probe in probes] == ["a.k.m"]
    assert probes[0].reasons[-1] == "probe:half-open"
    gateway.router.report(gateway.state, probes[0], "ok", 31.0)
    gateway.now = 31.0
    assert {gateway.chosen() for _ in range(4)} == {"a.k.m", "b.k.m"}


def test_a_target_without_reported_quota_is_spared_until_nobody_else_is_left() -> None:
    gateway = two()
    health.note_quota(gateway.state, "a.k.m", {"requests": Quota(remaining=0, reset_at=60.0)})
    assert {gateway.chosen() for _ in range(6)} == {"b.k.m"}
    decision = gateway.ask(excluded={"b.k.m"})
    assert decision.target.provider_key == "a.k.m"
    assert decision.reasons[-1] == "spared:nobody-else-has-quota"


# --- context windows -----------------------------------------------------------------------------------


def windows(**more: Any) -> Gateway:
    targets = (target("small.k.m", context_window=1_000), target("big.k.m", context_window=10_000))
    return Gateway(table({"default": [pool("small.k.m", "big.k.m")]}, targets=targets, **more))


def test_a_window_that_is_nearly_full_weighs_less() -> None:
    gateway = windows()
    assert Counter(gateway.chosen(features(estimated_tokens=900)) for _ in range(10)) == {"small.k.m": 5, "big.k.m": 5}
    assert Counter(gateway.chosen(features(estimated_tokens=901)) for _ in range(10)) == {"small.k.m": 2, "big.k.m": 8}


def test_a_window_that_is_too_small_is_out_unless_all_are() -> None:
    gateway = windows()
    assert {gateway.chosen(features(estimated_tokens=1_001)) for _ in range(6)} == {"big.k.m"}
    too_long = gateway.ask(features(estimated_tokens=20_000))
    assert too_long.reasons[-1] == "spared:no-larger-context-window"
    assert {each.reason for each in too_long.candidates} == {
        "context-exceeded:20000/1000",
        "context-exceeded:20000/10000",
    }


def test_a_larger_window_in_a_later_pool_comes_before_one_that_is_too_small() -> None:
    targets = (target("small.k.m", context_window=1_000), target("big.k.m", context_window=10_000))
    gateway = Gateway(
        table({"default": [pool("small.k.m", id="one"), pool("big.k.m", id="two", priority=1)]}, targets=targets)
    )
    assert gateway.chosen(features(estimated_tokens=5_000)) == "big.k.m"


def test_the_hard_limit_can_be_a_mere_weight() -> None:
    gateway = windows(context=ContextSettings(hard_limit=False))
    assert Counter(gateway.chosen(features(estimated_tokens=2_000)) for _ in range(10)) == {
        "small.k.m": 2,
        "big.k.m": 8,
    }


def test_a_blocked_target_is_not_saved_by_its_window() -> None:
    gateway = windows()
    gateway.fail("big.k.m", ErrorKind.RATE_LIMIT)
    assert gateway.chosen(features(estimated_tokens=5_000)) == "small.k.m"


# --- stickiness ----------------------------------------------------------------------------------------


def test_a_conversation_stays_and_new_ones_are_spread() -> None:
    gateway = two()
    homes = {key: gateway.chosen(key=key) for key in ("c1", "c2", "c3", "c4")}
    assert Counter(homes.values()) == {"a.k.m": 2, "b.k.m": 2}
    for _ in range(3):
        assert {key: gateway.chosen(key=key) for key in homes} == homes
    stayed = gateway.ask(key="c1")
    assert stayed.sticky
    assert stayed.reasons[-1] == "sticky:conversation"


def test_without_a_key_or_with_stickiness_off_nothing_is_remembered() -> None:
    gateway = two(sticky=StickySettings(enabled=False))
    assert [gateway.chosen(key="c") for _ in range(2)] == ["a.k.m", "b.k.m"]
    assert gateway.state.sticky == {}


def test_a_conversation_moves_when_its_target_is_out_and_stays_there() -> None:
    gateway = two()
    assert gateway.chosen(key="c") == "a.k.m"
    gateway.fail("a.k.m", ErrorKind.RATE_LIMIT, retry_after=5)
    assert gateway.chosen(key="c") == "b.k.m"
    gateway.now = 10.0
    assert gateway.chosen(key="c") == "b.k.m"


def test_a_conversation_that_fell_to_a_spare_pool_goes_home_after_the_ttl() -> None:
    gateway = Gateway(
        table(
            {"default": [pool("a.k.m", id="one"), pool("b.k.m", id="spare", priority=1)]},
            sticky=StickySettings(ttl=100.0),
        )
    )
    gateway.fail("a.k.m", ErrorKind.RATE_LIMIT, retry_after=5)
    for now, chosen in ((0.0, "b.k.m"), (60.0, "b.k.m"), (99.0, "b.k.m"), (100.0, "a.k.m"), (190.0, "a.k.m")):
        gateway.now = now
        assert gateway.chosen(key="c") == chosen


def test_bindings_end_after_the_ttl_of_the_last_use() -> None:
    gateway = two(sticky=StickySettings(ttl=100.0))
    assert gateway.chosen(key="c") == "a.k.m"
    gateway.now = 90.0
    assert gateway.ask(key="c").sticky
    gateway.now = 180.0
    assert gateway.ask(key="c").sticky
    gateway.now = 280.0
    assert not gateway.ask(key="c").sticky


def test_the_least_recently_used_bindings_make_room() -> None:
    gateway = two(sticky=StickySettings(max_entries=32))
    for number in range(32):
        gateway.ask(key=f"c{number}")
    gateway.ask(key="c0")
    gateway.ask(key="new")
    assert len(gateway.state.sticky) <= 32
    assert "c0" in gateway.state.sticky
    assert "c1" not in gateway.state.sticky


def routes() -> Gateway:
    return Gateway(
        table(
            {
                "default": [pool("a.k.m", "b.k.m")],
                "coding": [pool("b.k.m", "c.k.m")],
                "search": [pool("b.k.m", "c.k.m", "s.k.m")],
                "vision": [pool("b.k.m", "v.k.m")],
            }
        )
    )


def test_a_route_takes_over_the_target_the_conversation_already_uses() -> None:
    gateway = routes()
    gateway.ask(CODING, key="other")
    assert gateway.chosen(CODING, key="c") == "c.k.m"
    moved = gateway.ask(SEARCH, key="c")
    assert (moved.target.provider_key, moved.sticky) == ("c.k.m", True)


def test_a_route_does_not_inherit_a_target_that_is_only_its_fallback() -> None:
    gateway = routes()
    assert gateway.chosen(PLAIN, key="c") == "a.k.m"
    assert gateway.chosen(CODING, key="c") == "b.k.m"
    assert gateway.chosen(PLAIN, key="c") == "a.k.m"


def test_media_needs_override_the_conversations_target() -> None:
    gateway = routes()
    gateway.ask(VISION, key="other")
    assert gateway.chosen(CODING, key="c") == "b.k.m"
    seen = gateway.ask(VISION, key="c")
    assert (seen.target.provider_key, seen.sticky) == ("v.k.m", False)
    assert gateway.ask(VISION, key="c").sticky
    assert gateway.chosen(CODING, key="c") == "b.k.m"


def test_a_conversation_that_outgrew_its_target_moves() -> None:
    gateway = windows()
    assert gateway.chosen(features(estimated_tokens=10), key="c") == "small.k.m"
    assert gateway.chosen(features(estimated_tokens=5_000), key="c") == "big.k.m"


def test_a_sticky_target_that_recovers_is_only_probed() -> None:
    gateway = two()
    assert gateway.chosen(key="c") == "a.k.m"
    gateway.fail("a.k.m", ErrorKind.UPSTREAM, times=3)
    gateway.now = 31.0
    assert not gateway.ask(key="c").sticky


# --- direct addressing ---------------------------------------------------------------------------------


def keyed() -> Gateway:
    return Gateway(
        table(
            {"default": [pool("d.k.m")]},
            providers=[ProviderModels("acme", ("one", "two"), ("*",)), ProviderModels("d", ("k",), ("m",))],
            aliases=(Alias("fast", "acme.quick"),),
        )
    )


def test_provider_model_rotates_over_the_providers_keys() -> None:
    gateway = keyed()
    decisions = [gateway.ask(model="acme.large") for _ in range(4)]
    assert [each.target.key_alias for each in decisions] == ["one", "two", "one", "two"]
    assert {(each.route, each.pool, each.how) for each in decisions} == {("direct", "acme", "provider_key")}


def test_direct_addressing_never_falls_through_to_default() -> None:
    gateway = keyed()
    error = gateway.refused(model="acme.large", excluded={"acme.one.large", "acme.two.large"})
    assert "direct/acme" in error.text


def test_models_named_by_clients_leave_no_counters_behind() -> None:
    gateway = keyed()
    for number in range(500):
        gateway.ask(model=f"acme.m{number}", key="c")
        gateway.ask(model=f"acme.one.m{number}")
    assert list(gateway.state.rotation) == ["direct/acme"]
    assert set(gateway.state.rotation["direct/acme"]) == {"acme.one", "acme.two"}
    assert len(gateway.state.sticky["c"]) == 1


def test_a_key_that_cools_leaves_its_sister() -> None:
    gateway = keyed()
    gateway.fail("acme.one.quick", ErrorKind.AUTHENTICATION)
    assert {gateway.ask(model="fast").target.key_alias for _ in range(4)} == {"two"}


# --- the issuer of a previous response -----------------------------------------------------------------


def test_a_continued_response_goes_to_its_issuer() -> None:
    gateway = routes()
    decision = gateway.ask(PLAIN, prefer="s.k.m", key="c")
    assert (decision.target.provider_key, decision.how, decision.route) == ("s.k.m", "sticky", "default")
    assert decision.reasons[-1] == "issuer:previous-response"


def test_an_issuer_that_is_out_tried_or_gone_is_passed_over() -> None:
    gateway = routes()
    assert gateway.chosen(PLAIN, prefer="s.k.m", excluded={"s.k.m"}) == "a.k.m"
    assert gateway.chosen(PLAIN, prefer="gone.k.m") == "b.k.m"
    gateway.fail("s.k.m", ErrorKind.RATE_LIMIT)
    assert gateway.chosen(PLAIN, prefer="s.k.m") == "a.k.m"


def test_a_client_that_addresses_another_target_is_obeyed() -> None:
    assert routes().chosen(PLAIN, model="a.m", prefer="s.k.m") == "a.k.m"


# --- determinism, records ------------------------------------------------------------------------------


def test_a_snapshot_replays_the_same_decisions() -> None:
    gateway = routes()
    gateway.fail("b.k.m", ErrorKind.UPSTREAM, times=2)
    for number in range(7):
        gateway.ask(CODING, key=f"c{number % 3}")
    replay = Gateway(gateway.router.table)
    replay.state, replay.now = restore(gateway.state.snapshot()), gateway.now
    for number in range(20):
        asked = (PLAIN, CODING, SEARCH, VISION)[number % 4]
        assert gateway.ask(asked, key=f"c{number % 5}") == replay.ask(asked, key=f"c{number % 5}")


def test_a_snapshot_for_one_conversation_holds_only_its_bindings_and_is_a_copy() -> None:
    gateway = two()
    gateway.ask(key="mine")
    gateway.ask(key="other")
    snapshot = gateway.state.snapshot("mine")
    assert list(snapshot["sticky"]) == ["mine"]
    assert gateway.state.snapshot("unknown")["sticky"] == {}
    gateway.ask(key="mine")
    gateway.ask()
    assert snapshot["rotation"] == {"default/main": {"a.k.m": 0.0, "b.k.m": 0.0}}


def test_candidates_tell_of_everyone_that_was_looked_at() -> None:
    gateway = Gateway(table({"default": [pool("a.k.m", id="one"), pool("b.k.m", "c.k.m", id="two", priority=1)]}))
    gateway.fail("a.k.m", ErrorKind.RATE_LIMIT)
    decision = gateway.ask(excluded={"c.k.m"})
    assert [
        (each.provider_key, each.pool, each.eligible, each.reason, each.weight) for each in decision.candidates
    ] == [
        ("a.k.m", "one", False, "cooling:model:rate_limit", 0.0),
        ("b.k.m", "two", True, "", 1.0),
        ("c.k.m", "two", False, "already-tried", 0.0),
    ]


def test_counters_of_targets_a_change_took_out_disappear() -> None:
    gateway = Gateway(table({"default": [pool("a.k.m", "b.k.m", "c.k.m")]}))
    for _ in range(4):
        gateway.ask()
    smaller = two()
    smaller.state = gateway.state
    smaller.ask()
    assert set(smaller.state.rotation["default/main"]) == {"a.k.m", "b.k.m"}
