"""`routecodex models`: what clients may ask for, and where it leads.

From the configuration alone; no server needs to run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routecodex.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from llmswitch_core.router.contract import RoutingTable


def models(config: ConfigOption = None, as_json: JsonOption = False) -> int:
    """List targets, aliases and routes."""
    from routecodex.cli.configuration import compiled
    from routecodex.cli.output import emit_json, table

    _, result = compiled(config)
    routing = result.routing
    if as_json:
        emit_json(_as_json(routing))
        return 0
    table(
        ["target", "protocol", "profile", "context"],
        [
            [key, target.protocol.value, target.profile, str(target.context_window or "")]
            for key, target in routing.targets.items()
        ]
        + [
            [f"{provider.id}.*", provider.protocol.value, provider.profile, ""]
            for provider in routing.providers.values()
            if "*" in provider.models
        ],
        title="Targets (provider.keyAlias.model; the keyAlias may be left out):",
    )
    table(
        ["asked for", "leads to"],
        [[alias.pattern, alias.ref] for alias in routing.aliases],
        title="Aliases:",
    )
    table(
        ["route", "pool", "targets"],
        [
            [route.name, pool.id, ", ".join(entry.provider_key for entry in pool.entries)]
            for route in routing.routes.values()
            for pool in route.pools
        ],
        title="Routes:",
    )
    return 0


def _as_json(routing: RoutingTable) -> dict[str, Any]:
    return {
        "targets": {
            key: {
                "protocol": target.protocol.value,
                "profile": target.profile,
                "vendor": target.vendor,
                "contextWindow": target.context_window,
                "maxOutputTokens": target.max_output_tokens,
            }
            for key, target in routing.targets.items()
        },
        "anyModelOf": [provider.id for provider in routing.providers.values() if "*" in provider.models],
        "aliases": {alias.pattern: alias.ref for alias in routing.aliases},
        "routes": {
            route.name: [
                {
                    "id": pool.id,
                    "mode": pool.mode,
                    "priority": pool.priority,
                    "entries": [
                        {"target": entry.provider_key, "weight": entry.weight, "priority": entry.priority}
                        for entry in pool.entries
                    ],
                }
                for pool in route.pools
            ]
            for route in routing.routes.values()
        },
    }
