"""Provider runtime v2: our own HTTP/1.1 over asyncio and httptools, one pool of connections per provider.

It is the door and nothing else; http1/ is the transport.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from routecodex.blocks.provider_runtime.http1 import Http1Transport
from routecodex.blocks.provider_runtime.runtime import Runtime
from routecodex.config.compiled import ProviderSpec

transport: Final = Http1Transport
"""One provider's connections as this side makes them."""


def build(providers: Mapping[str, ProviderSpec], now: Callable[[], float]) -> Runtime:
    """The provider runtime v2 over these providers; `now` in Unix seconds."""
    return Runtime(providers, transport, now)
