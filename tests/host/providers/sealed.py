"""Sealed requests for tests of the provider layer: made the only way they can be, by a pipeline's seal."""

from __future__ import annotations

from typing import Any

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.upstream import _SEAL, UpstreamRequest
from llmswitch_core.router.contract import Target


def request(
    *,
    path: str = "/chat/completions",
    model: str = "large",
    protocol: Protocol = Protocol.OPENAI_CHAT,
    stream: bool = False,
    **more: Any,
) -> UpstreamRequest:
    """A request for provider `acme`, keyAlias `main`."""
    fields: dict[str, Any] = {
        "request_id": "req_1",
        "attempt": 1,
        "operation": "generate",
        "method": "POST",
        "query": {},
        "headers": {},
        "body": b"{}",
        **more,
    }
    target = Target("acme", "main", model, protocol, "plain", "acme")
    return UpstreamRequest(_SEAL, target=target, path=path, stream=stream, **fields)
