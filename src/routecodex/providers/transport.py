"""What a transport is: one HTTP request out, one answer in, and every way this can fail, by name.

It knows HTTP's outside (method, URL, headers, bytes) and phases in time. It must not know protocols, providers
or credentials, nor which library does the work: both sides of `hostBlocks.providerRuntime` fulfil this.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol as Interface

import msgspec


class TransportFault(StrEnum):
    """Which phase failed, and how."""

    CONNECT_FAILED = "connect_failed"
    """Name resolution or the TCP connection."""
    CONNECT_TIMEOUT = "connect_timeout"
    """No connection in time; waiting for a free one of the pool counts."""
    TLS_FAILED = "tls_failed"
    PROXY_FAILED = "proxy_failed"
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"
    IDLE_TIMEOUT = "idle_timeout"
    CONNECTION_LOST = "connection_lost"
    """Before any byte of the answer, on a fresh connection."""
    TRUNCATED = "truncated"
    """The body broke off: fewer bytes than announced, or a reset."""
    PROTOCOL_ERROR = "protocol_error"
    """What came is not HTTP, or not in the encoding it claims."""
    CLOSED = "closed"
    """The transport was closed by its owner."""


class TransportError(Exception):
    """A transport's failure. `detail` is for people and holds no credential."""

    def __init__(self, fault: TransportFault, detail: str) -> None:
        super().__init__(f"{fault.value}: {detail}")
        self.fault = fault
        self.detail = detail


class TransportRequest(msgspec.Struct, frozen=True):
    """One HTTP request, complete. `url` is absolute and percent-encoded; header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


class TransportStream(Interface):
    """An answer whose head has come. `headers` have lower-case names, repeated ones joined by `, `."""

    status: int
    headers: Mapping[str, str]

    async def read(self) -> bytes:
        """The next bytes as received, content-decoded; b"" at the clean end. Raises TransportError."""
        ...

    def close(self) -> None:
        """Give the connection up, at once if the answer has not ended. May be called at any time, repeatedly."""
        ...


class Transport(Interface):
    """Connections to one provider."""

    async def open(self, request: TransportRequest) -> TransportStream:
        """Send and wait for the head; redirects are answers like others. Cancelling closes the connection.

        A pooled connection that turns out dead before any byte of the answer is replaced by a fresh one, once.
        Raises TransportError.
        """
        ...

    async def close(self) -> None:
        """Close every connection, busy ones too."""
        ...
