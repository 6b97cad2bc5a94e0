"""The shape of `virtualrouter`: providers, pools, aliases, classifier, health, context routing, stickiness.

It knows how routing is written. What a target or a route name refers to is checked when it is compiled.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from llmswitch_core.router.contract import ClassifierSettings, ContextSettings, HealthSettings, StickySettings
from routecodex.config.fields import LongSeconds, Name, Priority, Seconds, SecondsOrOff, Section, Text, Weight
from routecodex.config.provider_models import Provider, or_text

_CLASSIFIER = ClassifierSettings()
_HEALTH = HealthSettings()
_CONTEXT = ContextSettings()
_STICKY = StickySettings()

Ratio = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class PoolTarget(Section):
    """`provider[.keyAlias].model`, bare or with its weight and priority in the pool."""

    model_config = ConfigDict(json_schema_extra={"description": "A target; a bare string is enough."})

    target: Text
    weight: Weight | None = None
    priority: Priority | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return {"target": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return or_text(handler.resolve_ref_schema(handler(core)))


class RouteItem(Section):
    """One item of a route: a target (bare string or `target`), or a pool of its own (`targets`).

    The targets of a route that stand beside each other form one pool. Pools are tried in order of `priority`,
    lower first; without one, in the order they are written in.
    """

    model_config = ConfigDict(json_schema_extra={"description": "A target, or a pool of targets."})

    target: Text | None = None
    weight: Weight | None = None
    targets: list[PoolTarget] | None = Field(default=None, min_length=1)
    mode: Literal["weighted", "priority"] = "weighted"
    priority: Priority | None = None
    id: Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return {"target": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.target is None) == (self.targets is None):
            raise PydanticCustomError("bad_pool", "Write either target (one target) or targets (a pool).")
        if self.target is not None and (self.id is not None or "mode" in self.model_fields_set):
            raise PydanticCustomError("bad_pool", "id and mode belong to a pool: write targets = […].")
        if self.targets is not None and self.weight is not None:
            raise PydanticCustomError("bad_pool", "weight belongs to a target, not to a pool.")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return or_text(handler.resolve_ref_schema(handler(core)))


class Classifier(Section):
    """Thresholds and words of classification; every list written here replaces the built-in one."""

    long_context_tokens: int = Field(default=_CLASSIFIER.long_context_tokens, ge=1)
    background_tokens: int = Field(default=_CLASSIFIER.background_tokens, ge=0)
    background_models: list[Text] = Field(default_factory=lambda: list(_CLASSIFIER.background_models))
    coding_tools: list[Text] = Field(default_factory=lambda: list(_CLASSIFIER.coding_tools))
    search_tools: list[Text] = Field(default_factory=lambda: list(_CLASSIFIER.search_tools))
    web_tools: list[Text] = Field(default_factory=lambda: list(_CLASSIFIER.web_tools))
    keywords: dict[Name, list[Text]] = Field(
        default_factory=lambda: {route: list(words) for route, words in _CLASSIFIER.keywords.items()}
    )
    order: list[Name] = Field(default_factory=lambda: list(_CLASSIFIER.order), min_length=1)


class Health(Section):
    """Cooldowns and the circuit breaker; seconds and counts."""

    failure_threshold: int = Field(default=_HEALTH.failure_threshold, ge=1, le=1000)
    window: Seconds = _HEALTH.window
    open_seconds: Seconds = _HEALTH.open_seconds
    max_open_seconds: Seconds = _HEALTH.max_open_seconds
    half_open_probes: int = Field(default=_HEALTH.half_open_probes, ge=1, le=100)
    rate_limit_cooldown: SecondsOrOff = _HEALTH.rate_limit_cooldown
    auth_cooldown: SecondsOrOff = _HEALTH.auth_cooldown
    billing_cooldown: SecondsOrOff = _HEALTH.billing_cooldown


class ContextRouting(Section):
    warn_ratio: Ratio = _CONTEXT.warn_ratio
    hard_limit: bool = _CONTEXT.hard_limit


class Sticky(Section):
    enabled: bool = _STICKY.enabled
    ttl: LongSeconds = _STICKY.ttl
    max_entries: int = Field(default=_STICKY.max_entries, ge=1, le=10_000_000)


class Hints(Section):
    """Whether clients may choose a route themselves."""

    header: bool = True
    """`x-routecodex-route` is honoured."""


class Retry(Section):
    attempts: int = Field(default=3, ge=1, le=20)
    lone_retry_after: SecondsOrOff = 5.0
    """A lone target is tried again if it asks for no longer wait than this."""


class VirtualRouter(Section):
    providers: dict[Name, Provider] = Field(default_factory=dict)
    routing: dict[Name, list[RouteItem]] = Field(default_factory=dict)
    """route -> its pools."""
    aliases: dict[Text, Text] = Field(default_factory=dict)
    """Model name as clients write it, maybe with `*` -> route or target."""
    unknown_model: Literal["classify", "404"] = "classify"
    classifier: Classifier = Classifier()
    health: Health = Health()
    context_routing: ContextRouting = ContextRouting()
    sticky: Sticky = Sticky()
    hints: Hints = Hints()
    retry: Retry = Retry()
