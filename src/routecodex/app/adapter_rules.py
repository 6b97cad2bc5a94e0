"""What of a configuration the HTTP adapter obeys; makes the admin token's file where there is none."""

from __future__ import annotations

from routecodex.app import admin_token
from routecodex.blocks.http_adapter import Rules
from routecodex.config.compiled import CompiledConfig


def rules(config: CompiledConfig) -> Rules:
    """Raises AdminTokenError when the token's file cannot be used."""
    server = config.server
    return Rules(
        server=server,
        limits=server.limits,
        admin_token_digest=admin_token.digest(server.admin.token_file) if server.admin.enabled else None,
        websockets=server.limits.max_websocket_connections > 0,
        route_hints=config.route_hints,
        metrics=config.telemetry.metrics,
    )
