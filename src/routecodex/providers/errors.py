"""What a transport's failure means for the client: a table from fault to kind, code and advice.

It knows transports and the shared error type. Answers with an error status are not seen here: the codecs read them.
"""

from __future__ import annotations

from typing import Final

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from routecodex.providers.transport import TransportError, TransportFault

_MEANING: Final[dict[TransportFault, tuple[ErrorKind, str, str, str]]] = {
    TransportFault.CONNECT_FAILED: (
        ErrorKind.UPSTREAM,
        "connect_failed",
        "Could not connect to the upstream",
        "Check baseUrl and that the upstream is running.",
    ),
    TransportFault.CONNECT_TIMEOUT: (
        ErrorKind.TIMEOUT,
        "connect_timeout",
        "The connection to the upstream was not made in time",
        "Check the network, or raise timeouts.connect or maxConnections.",
    ),
    TransportFault.TLS_FAILED: (
        ErrorKind.UPSTREAM,
        "tls_failed",
        "The TLS handshake with the upstream failed",
        "Check the certificate; set the provider's caFile for a private authority.",
    ),
    TransportFault.PROXY_FAILED: (
        ErrorKind.UPSTREAM,
        "proxy_failed",
        "The proxy did not connect to the upstream",
        "Check the proxy's URL and credentials.",
    ),
    TransportFault.FIRST_BYTE_TIMEOUT: (
        ErrorKind.TIMEOUT,
        "first_byte_timeout",
        "The upstream did not begin to answer in time",
        "Try again, or raise timeouts.firstByte.",
    ),
    TransportFault.IDLE_TIMEOUT: (
        ErrorKind.TIMEOUT,
        "idle_timeout",
        "The upstream fell silent in the middle of its answer",
        "Try again, or raise timeouts.idle.",
    ),
    TransportFault.CONNECTION_LOST: (
        ErrorKind.UPSTREAM,
        "connection_lost",
        "The upstream closed the connection without an answer",
        "Try again.",
    ),
    TransportFault.TRUNCATED: (
        ErrorKind.UPSTREAM,
        "truncated_stream",
        "The upstream's answer broke off before its end",
        "Try again.",
    ),
    TransportFault.PROTOCOL_ERROR: (
        ErrorKind.UPSTREAM,
        "upstream_protocol_error",
        "The upstream's answer is not valid HTTP",
        "Check that baseUrl names an HTTP API.",
    ),
    TransportFault.CLOSED: (
        ErrorKind.OVERLOADED,
        "gateway_stopping",
        "The gateway is stopping",
        "Try again.",
    ),
}


def gateway_error(error: TransportError, provider: str) -> GatewayError:
    """The failure as the shared module and the client know it; layer provider. `provider` is named in the message."""
    kind, code, cause, advice = _MEANING[error.fault]
    return GatewayError(kind, code, f"{cause} ({provider}): {error.detail}.", next_step=advice, layer=Layer.PROVIDER)
