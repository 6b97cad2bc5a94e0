"""Names -> what they address: aliases, `provider.model`, `provider.keyAlias.model`, wildcards, the route hint.

It knows the routing table's names and nothing of health or conversations. Precedence (architecture.md §4, "Names"):
hint header > exact alias > providerKey > wildcard alias > classification (or a 404). The hint comes first because it
is said for this one request, by someone who knows the gateway; a model name is often a client's default. Text in the
conversation never addresses anything.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer, invalid
from llmswitch_core.globs import is_pattern, literal_length, matches
from llmswitch_core.router.contract import (
    DEFAULT_ROUTE,
    ROUTES,
    Alias,
    ProviderModels,
    RoutingTable,
    Target,
)

How: TypeAlias = Literal["alias", "provider_key", "wildcard", "hint", "classified"]

_NAMED_AT_MOST = 12
"""Known names listed in an error message."""


class Resolution(msgspec.Struct, frozen=True):
    """What a name addresses: a route, or explicit targets (one per keyAlias), or neither (classify)."""

    how: How
    requested: str
    """The model name the client sent."""
    reasons: tuple[str, ...]
    route: str | None = None
    address: str = ""
    """Where targets are named explicitly: `provider` + `.keyAlias` if given."""
    targets: tuple[Target, ...] = ()


class Names:
    """The routing table's names, compiled for lookup."""

    __slots__ = ("_exact", "_table", "_wildcards")

    def __init__(self, table: RoutingTable) -> None:
        self._table = table
        self._exact = {alias.pattern: alias for alias in table.aliases if not is_pattern(alias.pattern)}
        wildcards = [alias for alias in table.aliases if is_pattern(alias.pattern)]
        # The longest literal wins; among equals the one with fewer wildcards, then the configuration's order.
        self._wildcards: tuple[Alias, ...] = tuple(
            sorted(wildcards, key=lambda alias: (-literal_length(alias.pattern), alias.pattern.count("*")))
        )

    def resolve(self, model: str, hint: str | None = None) -> Resolution:
        """What `model` (and the value of `x-routecodex-route`) addresses.

        Raises GatewayError: 400 `unknown_route_hint`, 404 `model_not_found` (only where unknown models are refused).
        """
        if hint is not None and hint.strip():
            return self._of_hint(hint.strip(), model)
        alias = self._exact.get(model)
        if alias is not None:
            return self._of_ref(alias, "alias", model)
        addressed = self.address(model)
        if addressed is not None:
            place, targets = addressed
            return Resolution("provider_key", model, (f"provider-key:{place}",), address=place, targets=targets)
        for alias in self._wildcards:
            if matches(alias.pattern, model):
                return self._of_ref(alias, "wildcard", model)
        if self._table.unknown_model == "404":
            raise self._model_not_found(model)
        return Resolution("classified", model, ("name:not-configured",))

    def address(self, name: str) -> tuple[str, tuple[Target, ...]] | None:
        """(place, targets) of `provider.model` or `provider.keyAlias.model`; None if `name` is neither.

        A prefix splits off only if it is a configured provider id, then only if it is its keyAlias. A model listed
        under exactly the rest of the name wins over splitting off a keyAlias; "*" accepts any model.
        """
        prefix, dot, rest = name.partition(".")
        provider = self._table.providers.get(prefix)
        if not dot or not rest or provider is None:
            return None
        alias, dot, tail = rest.partition(".")
        splits = bool(dot and tail) and alias in provider.key_aliases
        if splits and tail in provider.models:
            return f"{prefix}.{alias}", (self._target(provider, alias, tail),)
        if rest in provider.models:
            return prefix, tuple(self._target(provider, each, rest) for each in provider.key_aliases)
        if "*" not in provider.models:
            return None
        if splits:
            return f"{prefix}.{alias}", (self._target(provider, alias, tail),)
        return prefix, tuple(self._target(provider, each, rest) for each in provider.key_aliases)

    def holder(self, provider_key: str) -> Target | None:
        """The target behind a provider_key of earlier; its model may be gone from the list, its key may not."""
        name, _, rest = provider_key.partition(".")
        alias, _, model = rest.partition(".")
        provider = self._table.providers.get(name)
        if provider is None or alias not in provider.key_aliases or not model:
            return None
        return self._target(provider, alias, model)

    def _target(self, provider: ProviderModels, alias: str, model: str) -> Target:
        """The configured target, or one made up for a model that only "*" covers."""
        known = self._table.targets.get(f"{provider.id}.{alias}.{model}")
        if known is not None:
            return known
        return Target(
            provider=provider.id,
            key_alias=alias,
            model=model,
            protocol=provider.protocol,
            profile=provider.profile,
            vendor=provider.vendor or provider.id,
        )

    def _of_hint(self, hint: str, model: str) -> Resolution:
        if self.is_route(hint):
            return Resolution("hint", model, (f"hint:route={hint}",), route=hint)
        addressed = self.address(hint)
        if addressed is not None:
            place, targets = addressed
            return Resolution("hint", model, (f"hint:provider-key={place}",), address=place, targets=targets)
        known = (*sorted(self._table.routes), *sorted(self._table.targets))
        raise invalid(
            f"The route hint {hint[:120]!r} names neither a route nor a provider key.",
            param="x-routecodex-route",
            code="unknown_route_hint",
            next_step=f"Known: {_listed(known)}.",
        )

    def _of_ref(self, alias: Alias, how: Literal["alias", "wildcard"], model: str) -> Resolution:
        reason = f"{how}:{alias.pattern}->{alias.ref}"
        if self.is_route(alias.ref):
            return Resolution(how, model, (reason,), route=alias.ref)
        addressed = self.address(alias.ref)
        if addressed is None:  # refused when the table was made (policy.faults_of); a table nobody checked ends here
            raise GatewayError(
                ErrorKind.INTERNAL,
                "alias_without_target",
                f"The alias {alias.pattern!r} points to {alias.ref!r}, which is neither a route nor a provider key.",
                next_step="Correct virtualrouter.aliases.",
                layer=Layer.HOST,
            )
        place, targets = addressed
        return Resolution(how, model, (reason,), address=place, targets=targets)

    def is_route(self, name: str) -> bool:
        """Whether `name` is a built-in or configured route (built-in ones without pools fall to `default`)."""
        return name in self._table.routes or name in ROUTES or name == DEFAULT_ROUTE

    def _model_not_found(self, model: str) -> GatewayError:
        known = list(self.known())
        near = difflib.get_close_matches(model[:200], known, n=3, cutoff=0.5)
        hint = f"Nearest: {', '.join(near)}." if near else f"Known: {_listed(known)}."
        return GatewayError(
            ErrorKind.NOT_FOUND,
            "model_not_found",
            f"The model {model[:200]!r} is not configured.",
            next_step=hint,
            param="model",
            layer=Layer.CLIENT,
        )

    def known(self) -> Iterable[str]:
        """Every name a client may use, without repeats: exact aliases, then `provider.model`, wildcards last."""
        names: dict[str, None] = dict.fromkeys(self._exact)
        for provider in self._table.providers.values():
            names.update((f"{provider.id}.{model}", None) for model in provider.models)
        names.update((alias.pattern, None) for alias in self._wildcards)
        return tuple(names)


def resolve(model: str, table: RoutingTable, hint: str | None = None) -> Resolution:
    """What `model` addresses in `table`; for many requests compile `Names` once."""
    return Names(table).resolve(model, hint)


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _NAMED_AT_MOST
    return ", ".join(listed[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "") if listed else "none"
