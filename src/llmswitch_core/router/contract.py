"""The Virtual Router's data: targets, pools, routes, its settings, and the decision it hands out.

Frozen tables compiled from configuration, plus the mutable `RouterState` the host holds for one generation
after another. No behaviour here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

import msgspec

from llmswitch_core.canonical.model import Protocol

DEFAULT_ROUTE = "default"

ROUTES: tuple[str, ...] = (
    "multimodal",
    "vision",
    "longcontext",
    "web_search",
    "thinking",
    "coding",
    "search",
    "tools",
    "background",
    DEFAULT_ROUTE,
)
"""Built-in routes; users may define more. A route without pools falls to `default`."""


class Target(msgspec.Struct, frozen=True, dict=True):
    """One model behind one credential of one provider: what a request is sent to."""

    provider: str
    key_alias: str
    model: str
    protocol: Protocol
    profile: str
    vendor: str
    """Vendor family of the provider, for signatures ("anthropic", "openai", "gemini", else the provider id)."""
    context_window: int | None = None
    max_output_tokens: int | None = None
    options: Mapping[str, Any] = {}
    """Per-model settings of the configuration the compat profile may read."""

    @cached_property
    def provider_key(self) -> str:
        """`provider.keyAlias.model`."""
        return f"{self.provider}.{self.key_alias}.{self.model}"

    @cached_property
    def runtime_key(self) -> str:
        """`provider.keyAlias`."""
        return f"{self.provider}.{self.key_alias}"


class PoolEntry(msgspec.Struct, frozen=True):
    """A target in a pool with its weight (smooth weighted round robin) and priority (lower first)."""

    provider_key: str
    weight: int = 1
    priority: int = 0


class Pool(msgspec.Struct, frozen=True):
    """Targets tried together. Pools of a route are tried in order of `priority` (lower first)."""

    id: str
    entries: tuple[PoolEntry, ...]
    mode: Literal["weighted", "priority"] = "weighted"
    priority: int = 0


class Route(msgspec.Struct, frozen=True):
    name: str
    pools: tuple[Pool, ...]


class Alias(msgspec.Struct, frozen=True):
    """A model name clients use (exact, or with `*` wildcards) -> a route name or a `provider[.alias].model`."""

    pattern: str
    ref: str


class ProviderModels(msgspec.Struct, frozen=True):
    """What name resolution needs of a provider: its id, keyAliases, and models ("*" accepts any)."""

    id: str
    key_aliases: tuple[str, ...]
    models: tuple[str, ...]
    vendor: str = ""
    protocol: Protocol = Protocol.OPENAI_CHAT
    profile: str = ""


class ClassifierSettings(msgspec.Struct, frozen=True):
    """Thresholds and words of classification; every list may be replaced by configuration."""

    long_context_tokens: int = 120_000
    background_models: tuple[str, ...] = ("*haiku*", "*-mini", "*-nano", "*flash-lite*")
    coding_tools: tuple[str, ...] = ()
    search_tools: tuple[str, ...] = ()
    web_tools: tuple[str, ...] = ()
    keywords: Mapping[str, tuple[str, ...]] = {}
    """route -> words; matched as whole words, case-insensitively, in the latest user text only. Replaces the route's
    built-in words; an empty list turns them off."""
    background_tokens: int = 16_000
    """A side request of a small model is background only up to this estimate."""
    order: tuple[str, ...] = ROUTES


class HealthSettings(msgspec.Struct, frozen=True):
    """Cooldowns and the circuit breaker; seconds and counts."""

    failure_threshold: int = 3
    window: float = 60.0
    open_seconds: float = 30.0
    max_open_seconds: float = 600.0
    half_open_probes: int = 1
    rate_limit_cooldown: float = 10.0
    auth_cooldown: float = 600.0
    billing_cooldown: float = 3600.0


class ContextSettings(msgspec.Struct, frozen=True):
    """How much of a target's context window may be filled before it is avoided (warn) or excluded (hard)."""

    warn_ratio: float = 0.9
    hard_limit: bool = True


class StickySettings(msgspec.Struct, frozen=True):
    enabled: bool = True
    ttl: float = 3600.0
    max_entries: int = 100_000


class RoutingTable(msgspec.Struct, frozen=True):
    """Everything the router knows from configuration; immutable, part of a Generation."""

    targets: Mapping[str, Target]
    """provider_key -> Target, for listed models."""
    routes: Mapping[str, Route]
    providers: Mapping[str, ProviderModels]
    aliases: tuple[Alias, ...] = ()
    unknown_model: Literal["classify", "404"] = "classify"
    classifier: ClassifierSettings = ClassifierSettings()
    health: HealthSettings = HealthSettings()
    context: ContextSettings = ContextSettings()
    sticky: StickySettings = StickySettings()
    policy: str = "stable"


class Features(msgspec.Struct, frozen=True):
    """What classification looks at: the latest turn, the tools, sizes. All derived from one Conversation."""

    model: str
    estimated_tokens: int
    latest_text: str
    """Text of the latest user turn (without tool results), cut to 20 000 characters."""
    latest_media: tuple[str, ...]
    """Kinds of media in the latest user turn (`image`, `document`, `audio`, `video`), tool results included."""
    has_media: bool
    tool_names: tuple[str, ...]
    last_tool: str | None
    """Name of the latest tool call answered by the latest turn."""
    last_tool_category: Literal["coding", "search", "web", "other"] | None
    hosted_tools: tuple[str, ...]
    thinking: bool
    has_tools: bool
    forced_tool: str | None = None
    """The tool `tool_choice` names, if any."""


class Candidate(msgspec.Struct, frozen=True):
    """One target as the router judged it: eligible or why not."""

    provider_key: str
    pool: str
    eligible: bool
    reason: str = ""
    weight: float = 0.0


class Decision(msgspec.Struct, frozen=True):
    """Why a target was chosen: enough to explain and to replay the choice."""

    target: Target
    route: str
    pool: str
    how: Literal["alias", "provider_key", "wildcard", "hint", "classified", "sticky"]
    reasons: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    requested_model: str
    sticky: bool = False
    probe: bool = False
    """The target's circuit is half-open and this request is its probe."""
    decided_at: float = 0.0
    """The clock reading the choice was made with; names the probe when its outcome is reported."""
