"""Routes as select.py walks them: pools in order, entries with their targets, `default` behind every route.

Compiled once per routing table; for names that address targets directly, made on the spot.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from llmswitch_core.router.contract import DEFAULT_ROUTE, Pool, Route, RoutingTable, Target

DIRECT: Final = "direct"
"""The route a decision names when the client addressed targets by provider key."""


class Member(msgspec.Struct, frozen=True):
    """A pool's entry with what is asked of it on every request."""

    target: Target
    provider_key: str
    slot: str
    """Its name in the rotation's counters: the provider_key, or the runtime_key where clients name the model."""
    weight: int
    priority: int


class Stage(msgspec.Struct, frozen=True):
    """One pool of a chain."""

    id: str
    rotation: str
    """Key of its counters in the state."""
    mode: Literal["weighted", "priority"]
    members: tuple[Member, ...]
    own: bool
    """False for the pools of `default` behind another route."""


class Chain(msgspec.Struct, frozen=True):
    """The pools a request may use, in order."""

    route: str
    binding: str
    """Under which name conversations are bound to targets of this chain."""
    stages: tuple[Stage, ...]
    places: Mapping[str, tuple[int, Member]]
    """provider_key -> (index of the first stage with it, its member)."""
    windowed: bool
    """Some target's context window is known: the size of the request counts."""


def chains_of(table: RoutingTable) -> dict[str, Chain]:
    """A chain for every configured route that has pools, or borrows those of `default`."""
    fallback = _stages(table, table.routes.get(DEFAULT_ROUTE), own=False)
    chains = {}
    for name, route in table.routes.items():
        stages = _stages(table, route, own=True)
        if name != DEFAULT_ROUTE:
            stages = (*stages, *fallback)
        chains[name] = _chain(name, name, stages)
    return chains


def direct_chain(place: str, targets: tuple[Target, ...]) -> Chain:
    """The implicit pool behind `provider.model`: one entry per keyAlias, equal weights."""
    members = tuple(Member(target, target.provider_key, target.runtime_key, 1, 0) for target in targets)
    name = f"{DIRECT}/{place}"
    return _chain(DIRECT, name, (Stage(place, name, "weighted", members, True),))


def _stages(table: RoutingTable, route: Route | None, own: bool) -> tuple[Stage, ...]:
    if route is None:
        return ()
    pools = sorted(route.pools, key=lambda pool: pool.priority)
    return tuple(_stage(table, route.name, pool, own) for pool in pools if pool.entries)


def _stage(table: RoutingTable, route: str, pool: Pool, own: bool) -> Stage:
    members = tuple(
        Member(table.targets[entry.provider_key], entry.provider_key, entry.provider_key, entry.weight, entry.priority)
        for entry in pool.entries
    )
    return Stage(pool.id, f"{route}/{pool.id}", pool.mode, members, own)


def _chain(route: str, binding: str, stages: tuple[Stage, ...]) -> Chain:
    places: dict[str, tuple[int, Member]] = {}
    for index, stage in enumerate(stages):
        for member in stage.members:
            places.setdefault(member.provider_key, (index, member))
    windowed = any(member.target.context_window is not None for _, member in places.values())
    return Chain(route, binding, stages, places, windowed)


def faults_of(table: RoutingTable) -> tuple[str, ...]:
    """What makes no sense in a table, each with its place; empty for a sound one."""
    faults: list[str] = []
    for provider in table.providers.values():
        faults += [
            f"providers.{provider.id}: {what} {name!r} may not contain dots or be empty"
            for what, name in (("the id", provider.id), *(("keyAlias", alias) for alias in provider.key_aliases))
            if not name or "." in name
        ]
    for route in table.routes.values():
        ids: set[str] = set()
        for pool in route.pools:
            place = f"routing.{route.name}.{pool.id}"
            if pool.id in ids:
                faults.append(f"{place}: the pool id is used twice in the route")
            ids.add(pool.id)
            seen: set[str] = set()
            for entry in pool.entries:
                if entry.provider_key not in table.targets:
                    faults.append(f"{place}: {entry.provider_key!r} is not a configured target")
                if entry.provider_key in seen:
                    faults.append(f"{place}: {entry.provider_key!r} is listed twice")
                if entry.weight < 0:
                    faults.append(f"{place}: the weight of {entry.provider_key!r} is negative")
                seen.add(entry.provider_key)
    return tuple(faults)
