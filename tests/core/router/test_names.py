from __future__ import annotations

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.router.contract import Alias, ProviderModels, RoutingTable
from llmswitch_core.router.names import Resolution, resolve

from .builders import pool, table

TABLE = table(
    {"default": [pool("acme.main.large")], "coding": [pool("acme.main.coder")], "legal": [pool("acme.eu.large")]},
    providers=[
        ProviderModels("acme", ("main", "eu"), ("large", "coder", "v1.5", "main.tuned")),
        ProviderModels("router", ("main",), ("*",), "router", Protocol.ANTHROPIC_MESSAGES, "openrouter"),
        ProviderModels("gpt-5", ("5x",), ("nano",)),
    ],
    aliases=(
        Alias("fast", "acme.large"),
        Alias("gpt-*", "coding"),
        Alias("gpt-5*", "legal"),
        Alias("*-mini", "acme.eu.large"),
        Alias("claude-opus", "default"),
        Alias("acme.renamed", "acme.coder"),
    ),
)


def keys(resolution: Resolution) -> list[str]:
    return [target.provider_key for target in resolution.targets]


def test_an_exact_alias_names_a_target_or_a_route() -> None:
    to_target = resolve("fast", TABLE)
    assert (to_target.how, keys(to_target)) == ("alias", ["acme.main.large", "acme.eu.large"])
    to_route = resolve("claude-opus", TABLE)
    assert (to_route.how, to_route.route) == ("alias", "default")


def test_an_exact_alias_wins_over_a_provider_key() -> None:
    assert keys(resolve("acme.renamed", TABLE)) == ["acme.main.coder", "acme.eu.coder"]


def test_provider_model_means_all_its_keys_and_with_a_key_alias_that_one() -> None:
    assert keys(resolve("acme.large", TABLE)) == ["acme.main.large", "acme.eu.large"]
    assert keys(resolve("acme.eu.large", TABLE)) == ["acme.eu.large"]
    assert resolve("acme.eu.large", TABLE).how == "provider_key"


def test_model_ids_may_contain_dots_and_slashes() -> None:
    assert keys(resolve("acme.v1.5", TABLE)) == ["acme.main.v1.5", "acme.eu.v1.5"]
    assert keys(resolve("acme.eu.v1.5", TABLE)) == ["acme.eu.v1.5"]
    assert keys(resolve("router.anthropic/claude-3.5:beta", TABLE)) == ["router.main.anthropic/claude-3.5:beta"]
    assert keys(resolve("router.main.z-ai/glm-4.6", TABLE)) == ["router.main.z-ai/glm-4.6"]


def test_a_listed_model_that_looks_like_a_key_alias_is_the_model() -> None:
    assert keys(resolve("acme.main.tuned", TABLE)) == ["acme.main.main.tuned", "acme.eu.main.tuned"]


def test_gpt_5_5_is_not_provider_gpt_5() -> None:
    resolution = resolve("gpt-5.5", TABLE)
    assert (resolution.how, resolution.route) == ("wildcard", "legal")
    assert keys(resolve("gpt-5.nano", TABLE)) == ["gpt-5.5x.nano"]


def test_a_model_behind_a_star_takes_the_providers_protocol_and_profile() -> None:
    (made_up,) = resolve("router.some/model", TABLE).targets
    assert (made_up.protocol, made_up.profile, made_up.vendor) == (Protocol.ANTHROPIC_MESSAGES, "openrouter", "router")


def test_the_longest_literal_wins_among_wildcards() -> None:
    assert resolve("gpt-4", TABLE).route == "coding"
    assert resolve("gpt-5-turbo", TABLE).route == "legal"
    assert keys(resolve("x-mini", TABLE)) == ["acme.eu.large"]


def test_equally_long_wildcards_go_by_fewer_stars_then_by_order() -> None:
    both = table(
        {"default": [pool("a.k.m")], "x": [pool("a.k.m")], "y": [pool("a.k.m")], "z": [pool("a.k.m")]},
        aliases=(Alias("*ab*", "x"), Alias("ab*", "y"), Alias("*ab", "z")),
    )
    assert resolve("ab", both).route == "y"
    assert resolve("cab", both).route == "z"
    assert resolve("cabs", both).route == "x"


@pytest.mark.parametrize(
    "name", ["", ".", "acme", "acme.", ".large", "acme.main", "acme.unknown", "acme.main.", "nobody.x"]
)
def test_anything_else_is_classified(name: str) -> None:
    assert resolve(name, TABLE).how == "classified"


def test_the_hint_outranks_the_model_name() -> None:
    by_route = resolve("acme.large", TABLE, "coding")
    assert (by_route.how, by_route.route, by_route.targets) == ("hint", "coding", ())
    by_key = resolve("fast", TABLE, " acme.eu.coder ")
    assert (by_key.how, keys(by_key)) == ("hint", ["acme.eu.coder"])


def test_a_built_in_route_without_pools_is_a_fine_hint_and_an_empty_hint_is_none() -> None:
    assert resolve("m", TABLE, "vision").route == "vision"
    assert resolve("fast", TABLE, "  ").how == "alias"


def test_an_unknown_hint_is_refused_naming_the_known_ones() -> None:
    with pytest.raises(GatewayError) as caught:
        resolve("fast", TABLE, "codign")
    error = caught.value
    assert (error.kind, error.status, error.code) == (ErrorKind.INVALID_REQUEST, 400, "unknown_route_hint")
    assert error.param == "x-routecodex-route"
    for known in ("coding", "default", "legal", "acme.main.large"):
        assert known in error.text


def strict() -> RoutingTable:
    return table(
        {"default": [pool("acme.main.large")]},
        aliases=(Alias("claude-sonnet-5", "default"),),
        unknown_model="404",
    )


def test_an_unknown_model_is_a_404_with_the_nearest_names_where_so_configured() -> None:
    with pytest.raises(GatewayError) as caught:
        resolve("claude-sonnet-4", strict())
    error = caught.value
    assert (error.kind, error.status, error.code) == (ErrorKind.NOT_FOUND, 404, "model_not_found")
    assert "claude-sonnet-5" in error.text
    assert "acme.large" not in error.text


def test_a_404_without_near_names_lists_the_known_ones() -> None:
    with pytest.raises(GatewayError) as caught:
        resolve("zzz", strict())
    assert "acme.large" in caught.value.text


def test_a_strict_table_still_resolves_what_it_knows() -> None:
    assert resolve("claude-sonnet-5", strict()).route == "default"
    assert resolve("acme.large", strict()).how == "provider_key"
    assert resolve("zzz", strict(), "default").how == "hint"


def test_resolution_is_deterministic_and_says_why() -> None:
    assert resolve("gpt-5.5", TABLE) == resolve("gpt-5.5", TABLE)
    assert resolve("gpt-5.5", TABLE).reasons == ("wildcard:gpt-5*->legal",)
    assert resolve("acme.eu.large", TABLE).reasons == ("provider-key:acme.eu",)
