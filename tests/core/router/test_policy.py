from __future__ import annotations

import json

import pytest

from llmswitch_core.canonical.errors import ErrorKind
from llmswitch_core.canonical.model import FunctionTool
from llmswitch_core.router.contract import Alias, ClassifierSettings, Pool, PoolEntry, ProviderModels
from llmswitch_core.router.policy import RoutingTableError, VirtualRouter, explain
from llmswitch_core.router.state import RouterState

from .builders import assistant, call, conversation, failure, pool, result, table, user


def test_a_conversation_is_routed_from_its_features_to_a_target() -> None:
    router = VirtualRouter(
        table(
            {"default": [pool("a.k.m")], "coding": [pool("b.k.m")]},
            classifier=ClassifierSettings(coding_tools=("my_editor",)),
        )
    )
    request = conversation(
        user("go"), assistant(call("my_editor")), user(result("ok")), tools=[FunctionTool("my_editor")]
    )
    decision = router.route(router.features(request), request.model, None, "c", RouterState(), (), 5.0)
    assert (decision.target.provider_key, decision.route, decision.how) == ("b.k.m", "coding", "classified")
    assert decision.reasons == ("name:not-configured", "coding:last-tool=my_editor")
    assert decision.decided_at == 5.0


def test_an_explanation_is_json_and_tells_everything() -> None:
    router = VirtualRouter(table({"default": [pool("a.k.m", ("b.k.m", 3))]}))
    decision = router.route(None, "gpt-5", None, None, RouterState(), {"a.k.m"}, 0.0)
    assert json.loads(json.dumps(explain(decision))) == {
        "target": "b.k.m",
        "route": "default",
        "pool": "main",
        "how": "classified",
        "requestedModel": "gpt-5",
        "sticky": False,
        "probe": False,
        "reasons": ["name:not-configured", "default:not-classified"],
        "candidates": [
            {"target": "a.k.m", "pool": "main", "eligible": False, "reason": "already-tried", "weight": 0.0},
            {"target": "b.k.m", "pool": "main", "eligible": True, "reason": "", "weight": 3.0},
        ],
    }


def test_every_fault_of_a_table_is_named_at_once() -> None:
    broken = table(
        {
            "default": [
                pool("a.k.m", id="p"),
                Pool("p", (PoolEntry("x.k.m"), PoolEntry("a.k.m", -1), PoolEntry("a.k.m"))),
            ]
        },
        providers=[ProviderModels("gpt-5.5", ("k.1",), ("m",)), ProviderModels("a", ("k",), ("m",))],
        aliases=(Alias("fast", "nobody.m"), Alias("fine", "a.m"), Alias("see", "vision")),
    )
    broken.targets.pop("x.k.m")  # type: ignore[attr-defined]
    with pytest.raises(RoutingTableError) as caught:
        VirtualRouter(broken)
    assert caught.value.faults == (
        "providers.gpt-5.5: the id 'gpt-5.5' may not contain dots or be empty",
        "providers.gpt-5.5: keyAlias 'k.1' may not contain dots or be empty",
        "routing.default.p: the pool id is used twice in the route",
        "routing.default.p: 'x.k.m' is not a configured target",
        "routing.default.p: the weight of 'a.k.m' is negative",
        "routing.default.p: 'a.k.m' is listed twice",
        "aliases.fast: 'nobody.m' is neither a route nor a provider key",
    )


def test_known_names_are_aliases_then_models_then_wildcards() -> None:
    router = VirtualRouter(
        table({"default": [pool("a.k.m", "a.k2.m")]}, aliases=(Alias("x-*", "default"), Alias("fast", "a.m")))
    )
    assert router.known_names() == ("fast", "a.m", "x-*")


def test_outcomes_reported_through_the_router_show_in_the_standings() -> None:
    router = VirtualRouter(table({"default": [pool("a.k.m", "b.k.m")]}))
    state = RouterState()
    decision = router.route(None, "any", None, None, state, (), 0.0)
    router.report(state, decision, failure(ErrorKind.RATE_LIMIT), 1.0)
    assert {each.provider_key: each.state for each in router.standings(state, 2.0)} == {
        "a.k.m": "cooling",
        "b.k.m": "healthy",
    }


def test_two_policies_share_nothing() -> None:
    stable = VirtualRouter(table({"default": [pool("a.k.m", "b.k.m")]}))
    canary = VirtualRouter(table({"default": [pool("b.k.m")]}, policy="canary"))
    state = RouterState()
    assert canary.route(None, "x", None, None, state, (), 0.0).target.provider == "b"
    assert stable.route(None, "x", None, None, state, (), 0.0).target.provider == "a"
