"""Runtime bootstrap v2: artifacts by content; what is unchanged is used again, connections and tokens included.

An artifact's key is a digest of everything it is made from, secrets too: a rotated key makes a new provider. The
digest is keyed with random bytes of this process, so that it tells nobody anything about a secret. Each artifact
counts its users; the last one's release closes it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from llmswitch_core.compat import BUILT_IN, ProfilePair, compile_profiles, rule_set
from llmswitch_core.hub.pipeline import HubPipeline
from llmswitch_core.hub.upstream import UpstreamRequest
from llmswitch_core.router.policy import VirtualRouter
from routecodex.blocks.runtime_bootstrap.contract import Artifacts, RuleSet, Runtime, RuntimeBootstrap, Surround
from routecodex.blocks.runtime_bootstrap.settings import pipeline_settings
from routecodex.config.compiled import CompiledConfig
from routecodex.config.secret import Secret
from routecodex.providers.provider import UpstreamStream

T = TypeVar("T")


class Digest:
    """Keys of content. Equal content gives an equal key within one process."""

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._encoder = msgspec.msgpack.Encoder(enc_hook=_revealed, order="deterministic")

    def __call__(self, *parts: object) -> bytes:
        state = hashlib.blake2b(key=self._key, digest_size=16)
        for part in parts:
            encoded = self._encoder.encode(part)
            state.update(len(encoded).to_bytes(8, "big") + encoded)
        return state.digest()


def _revealed(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} has no content key.")


class Shelf(Generic[T]):
    """Things of one kind by key, each with the number of its users."""

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[T, int]] = {}

    def take(self, key: bytes, make: Callable[[], T]) -> T:
        """The thing of this key, made if there is none; `give_back` must follow."""
        found = self._kept.get(key)
        thing, users = found if found is not None else (make(), 0)
        self._kept[key] = (thing, users + 1)
        return thing

    def give_back(self, key: bytes) -> T | None:
        """One user less; the thing itself if nobody uses it any more."""
        thing, users = self._kept.pop(key)
        if users == 1:
            return thing
        self._kept[key] = (thing, users - 1)
        return None

    def __len__(self) -> int:
        return len(self._kept)


class PerProvider:
    """One runtime per provider behind the face of one runtime for all."""

    __slots__ = ("_nobody", "_runtimes")

    def __init__(self, runtimes: Mapping[str, Runtime], nobody: Runtime) -> None:
        self._runtimes = runtimes
        self._nobody = nobody

    def send(self, request: UpstreamRequest) -> Coroutine[Any, Any, UpstreamStream]:
        return self._runtimes.get(request.target.provider, self._nobody).send(request)

    async def close(self) -> None:
        for runtime in self._runtimes.values():
            await runtime.close()


class ByContent:
    """Shares what is equal between generations."""

    def __init__(self, surround: Surround) -> None:
        self._surround = surround
        self._digest = Digest()
        self._profiles: Shelf[dict[str, ProfilePair]] = Shelf()
        self._pipelines: Shelf[HubPipeline] = Shelf()
        self._routers: Shelf[VirtualRouter] = Shelf()
        self._runtimes: Shelf[Runtime] = Shelf()
        self._used: dict[Artifacts, list[tuple[Shelf[Any], bytes]]] = {}

    def build(self, config: CompiledConfig, rules: RuleSet) -> Artifacts:
        used: list[tuple[Shelf[Any], bytes]] = []
        try:
            artifacts = self._build(config, rules, used)
        except BaseException:
            # Whatever was made for it has opened no connection yet.
            for shelf, key in used:
                shelf.give_back(key)
            raise
        self._used[artifacts] = used
        return artifacts

    async def release(self, artifacts: Artifacts) -> None:
        for shelf, key in self._used.pop(artifacts):
            last = shelf.give_back(key)
            if last is not None and shelf is self._runtimes:
                await last.close()

    def _build(self, config: CompiledConfig, rules: RuleSet, used: list[tuple[Shelf[Any], bytes]]) -> Artifacts:
        surround, digest = self._surround, self._digest

        def shared(shelf: Shelf[T], key: bytes, make: Callable[[], T]) -> T:
            thing = shelf.take(key, make)
            used.append((shelf, key))
            return thing

        settings = pipeline_settings(config, surround.key_secret)
        of_profiles = digest(config.profiles)
        of_routing = digest(config.routing)
        profiles = shared(self._profiles, of_profiles, lambda: compile_profiles(BUILT_IN, config.profiles))
        pipeline = shared(
            self._pipelines,
            digest(of_routing, of_profiles, rules, settings),
            lambda: HubPipeline(config.routing, rule_set(profiles, rules), settings),
        )
        router = shared(self._routers, of_routing, lambda: VirtualRouter(config.routing))
        runtimes: dict[str | bool | tuple[str, ...], Runtime] = {}
        for side, make in surround.runtimes.items():
            by_provider: dict[str, Runtime] = {}
            for name, spec in config.providers.items():
                one = {name: spec}
                by_provider[name] = shared(
                    self._runtimes,
                    digest(side, spec),
                    lambda make=make, one=one: make(one, surround.now),  # type: ignore[misc]
                )
            runtimes[side] = PerProvider(by_provider, make({}, surround.now))
        return Artifacts(pipeline, router, runtimes)


def build(surround: Surround) -> RuntimeBootstrap:
    """The door of this side."""
    return ByContent(surround)
