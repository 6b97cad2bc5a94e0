"""Which headers pass the gateway: a published table for each direction.

Towards the upstream the shared module forwards what has meaning for the vendor (hub/forwarding.py); this file keeps
credentials and cookies out of everything behind the adapter, and says what of an upstream's head the client sees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from llmswitch_core.hub.forwarding import FORWARDED_HEADERS

CREDENTIALS: Final = ("authorization", "x-api-key", "x-goog-api-key", "api-key")
"""Where a client's key may stand, in this order. They end at the adapter."""

SECRET: Final = frozenset({*CREDENTIALS, "cookie", "proxy-authorization"})
"""Never handed on: neither to the shared module nor to records."""

REQUEST_HEADERS: Final = FORWARDED_HEADERS
"""Client headers that go upstream where inbound and outbound protocol are the same, by protocol."""

RESPONSE_HEADERS: Final = frozenset(
    {
        "request-id",
        "x-request-id",
        "openai-model",
        "openai-organization",
        "openai-processing-ms",
        "openai-version",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "x-reasoning-included",
        "x-models-etag",
        "x-codex-turn-state",
        "server-timing",
    }
)
"""Upstream headers the client sees, by name."""

RESPONSE_PREFIXES: Final = ("x-ratelimit-", "anthropic-", "x-codex-")
"""Upstream headers the client sees, by how the name begins."""


def decoded(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """ASGI's header list as a mapping; repeated names are joined by `, ` (a second credential is dropped)."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
    return headers if len(headers) == len(raw) else _joined(raw)


def _joined(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        key = name.decode("latin-1")
        if key in headers:
            if key not in SECRET:
                headers[key] = f"{headers[key]}, {value.decode('latin-1')}"
        else:
            headers[key] = value.decode("latin-1")
    return headers


def answered(upstream: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers of an upstream's answer that the client gets."""
    return [
        (name.encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in upstream.items()
        if _passes(name)
    ]


@lru_cache(maxsize=512)
def _passes(name: str) -> bool:
    return name in RESPONSE_HEADERS or name.startswith(RESPONSE_PREFIXES)
