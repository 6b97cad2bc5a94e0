"""Both bootstraps behind one contract; and what v2 uses again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from llmswitch_core.router.contract import Pool, PoolEntry, Route
from llmswitch_core.router.policy import RoutingTableError
from routecodex.app.sides import runtime_bootstraps
from routecodex.app.switches import BY_KEY
from routecodex.blocks.runtime_bootstrap import Artifacts, RuntimeBootstrap, Surround
from routecodex.config.compiled import CompiledConfig, ProviderSpec
from routecodex.config.secret import Secret
from tests.host.dataplane.gateway import compiled, provider, routing

SIDES = pytest.mark.parametrize("side", sorted(runtime_bootstraps()))


class Opened:
    """A runtime that remembers whether it was closed."""

    def __init__(self, providers: Mapping[str, ProviderSpec]) -> None:
        self.providers = dict(providers)
        self.closed = 0

    async def send(self, request: Any) -> Any:
        raise AssertionError("nothing is sent here")

    async def close(self) -> None:
        self.closed += 1


class Bench:
    """A bootstrap of one side over runtimes that remember."""

    def __init__(self, side: Any) -> None:
        self.made: list[Opened] = []
        self.bootstrap: RuntimeBootstrap = runtime_bootstraps()[side](Surround({"v1": self._make}, b"k", lambda: 0.0))

    def _make(self, providers: Mapping[str, ProviderSpec], now: Callable[[], float]) -> Opened:
        self.made.append(Opened(providers))
        return self.made[-1]

    def build(self, config: CompiledConfig) -> Artifacts:
        return self.bootstrap.build(config, "stable")

    @property
    def open(self) -> list[list[str]]:
        """Providers of the runtimes that have any and are not closed."""
        return [sorted(one.providers) for one in self.made if one.providers and not one.closed]


@pytest.fixture
def config(tmp_path: Path) -> CompiledConfig:
    return compiled(tmp_path, (provider("a", "http://127.0.0.1:1"), provider("b", "http://127.0.0.1:2")))


def changed(config: CompiledConfig, name: str, **members: Any) -> CompiledConfig:
    """The configuration with one provider changed."""
    spec = msgspec.structs.replace(config.providers[name], **members)
    return msgspec.structs.replace(config, providers={**config.providers, name: spec})


@SIDES
async def test_what_was_built_is_closed_when_it_is_released(side: str, config: CompiledConfig) -> None:
    bench = Bench(side)
    artifacts = bench.build(config)
    assert sorted(name for one in bench.open for name in one) == ["a", "b"]
    assert set(artifacts.router.known_names()) >= {"a.fake-model", "b.fake-model"}
    await bench.bootstrap.release(artifacts)
    assert bench.open == []
    assert max(one.closed for one in bench.made) == 1, "nothing is closed twice"


@SIDES
async def test_a_table_that_makes_no_sense_is_refused_and_leaves_nothing(side: str, config: CompiledConfig) -> None:
    bench = Bench(side)
    nobody = Route("default", (Pool("p", (PoolEntry("nobody.main.m"),)),))
    broken = msgspec.structs.replace(
        config, routing=msgspec.structs.replace(config.routing, routes={"default": nobody})
    )
    before = bench.build(config)
    with pytest.raises(RoutingTableError):
        bench.build(broken)
    await bench.bootstrap.release(before)
    assert bench.open == []


async def test_v1_builds_everything_anew(config: CompiledConfig) -> None:
    bench = Bench(BY_KEY["hostBlocks.runtimeBootstrap"].default)
    one, other = bench.build(config), bench.build(config)
    assert one.pipeline is not other.pipeline
    assert one.router is not other.router
    assert bench.open == [["a", "b"], ["a", "b"]]


async def test_v2_uses_what_is_unchanged_again_and_closes_it_with_its_last_user(config: CompiledConfig) -> None:
    bench = Bench("v2")
    one = bench.build(config)
    other = bench.build(changed(config, "b", base_url="http://127.0.0.1:3"))
    assert other.pipeline is one.pipeline, "routing and profiles are what they were"
    assert other.router is one.router
    assert sorted(bench.open) == [["a"], ["b"], ["b"]], "a keeps its connections"
    await bench.bootstrap.release(one)
    assert sorted(bench.open) == [["a"], ["b"]], "only the b nobody uses any more is closed"
    await bench.bootstrap.release(other)
    assert bench.open == []


async def test_v2_sees_a_key_that_was_rotated_behind_its_reference(config: CompiledConfig) -> None:
    bench = Bench("v2")
    bench.build(config)
    auth = config.providers["a"].auth["main"]
    rotated = msgspec.structs.replace(auth, secret=Secret("another-key", "${KEY}"))
    bench.build(changed(config, "a", auth={"main": rotated}))
    assert sorted(bench.open) == [["a"], ["a"], ["b"]]


async def test_v2_makes_a_new_pipeline_for_other_routing_profiles_rules_or_settings(config: CompiledConfig) -> None:
    bench = Bench("v2")
    first = bench.build(config)
    server = msgspec.structs.replace(config.server, responses_done_marker=True)
    profile = msgspec.structs.replace(config.profiles[0], data={"model_name": "requested"})
    others = [
        bench.build(msgspec.structs.replace(config, server=server)),
        bench.build(msgspec.structs.replace(config, profiles=(profile,))),
        bench.build(msgspec.structs.replace(config, routing=routing(tuple(config.providers.values()), "other"))),
        bench.bootstrap.build(config, "canary"),
    ]
    assert len({id(one.pipeline) for one in (first, *others)}) == 5
    assert len(bench.open) == 2, "the providers are the same in all of them"


async def test_v2_leaves_nothing_of_a_build_that_failed(config: CompiledConfig) -> None:
    bench = Bench("v2")
    one = bench.build(config)
    unknown = msgspec.structs.replace(config.profiles[0], data={"extends": "nobody"})
    with pytest.raises(Exception, match="nobody"):
        bench.build(msgspec.structs.replace(config, profiles=(unknown,)))
    await bench.bootstrap.release(one)
    assert bench.open == []
    assert [len(shelf) for shelf in _shelves(bench.bootstrap)] == [0, 0, 0, 0]


def _shelves(bootstrap: Any) -> list[Any]:
    return [bootstrap._profiles, bootstrap._pipelines, bootstrap._routers, bootstrap._runtimes]
