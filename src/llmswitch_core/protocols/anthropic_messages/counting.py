"""Token counting: `/v1/messages/count_tokens`, request and answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.model import Conversation, JsonValue
from llmswitch_core.protocols.anthropic_messages.request_writer import headers_for, request_body
from llmswitch_core.protocols.contract import Notes, WireRequest, WireTarget

PATH: Final = "/v1/messages/count_tokens"

_ACCEPTED: Final = frozenset(
    {
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "cache_control",
        "context_management",
        "mcp_servers",
        "speed",
    }
)
"""Members the endpoint takes; it refuses the rest, max_tokens among them."""


def count_request(conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest | None:
    """The counting call; None where the profile says that the upstream has none (feature `count_tokens` false)."""
    if not target.features.get("count_tokens", True):
        return None
    body = request_body(conversation, target, notes)
    counted = {name: value for name, value in body.items() if name in _ACCEPTED}
    return WireRequest(path=PATH, body=counted, headers=headers_for(counted))


def read_count(body: Mapping[str, JsonValue]) -> int:
    """`input_tokens`. Raises GatewayError(UPSTREAM) for a body without it."""
    tokens = body.get("input_tokens")
    if isinstance(tokens, bool) or not isinstance(tokens, int | float) or tokens < 0:
        raise GatewayError(
            ErrorKind.UPSTREAM,
            "bad_count",
            "The upstream's token count has no input_tokens.",
            next_step="Retry the request.",
            layer=Layer.UPSTREAM,
        )
    return int(tokens)


def write_count(tokens: int, estimated: bool) -> bytes:
    """The answer body; an estimate is marked by an additional member, which the vendor's SDKs keep and ignore."""
    return jsonio.encode({"input_tokens": tokens, **({"estimated": True} if estimated else {})})
