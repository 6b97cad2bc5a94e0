"""What both transports say about a failure, so that nobody sees in a message which of them spoke.

It knows faults and the facts they are told with. Libraries' own texts stay out: they name implementations, and may
quote what an upstream sent.
"""

from __future__ import annotations

from routecodex.providers.transport import TransportError, TransportFault


def closed() -> TransportError:
    return TransportError(TransportFault.CLOSED, "the provider's connections are closed")


def connect_failed(host: str, port: int, error: BaseException) -> TransportError:
    return TransportError(TransportFault.CONNECT_FAILED, f"{host}:{port}: {_reason(error)}")


def connect_timeout(seconds: float) -> TransportError:
    return TransportError(TransportFault.CONNECT_TIMEOUT, f"no connection within {seconds:g} s")


def tls_failed(host: str, port: int, error: BaseException) -> TransportError:
    # The certificate's fault as OpenSSL words it, else the handshake's (ssl.SSLError has one or both).
    text = getattr(error, "verify_message", "") or str(getattr(error, "reason", "") or "").replace("_", " ").lower()
    return TransportError(TransportFault.TLS_FAILED, f"{host}:{port}: {text or 'handshake failed'}")


def proxy_unreachable(host: str, port: int, error: BaseException) -> TransportError:
    return TransportError(TransportFault.PROXY_FAILED, f"{host}:{port}: {_reason(error)}")


def proxy_refused(status: int) -> TransportError:
    return TransportError(TransportFault.PROXY_FAILED, f"it answered {status}")


def first_byte_timeout(seconds: float) -> TransportError:
    return TransportError(TransportFault.FIRST_BYTE_TIMEOUT, f"nothing came for {seconds:g} s")


def idle_timeout(seconds: float) -> TransportError:
    return TransportError(TransportFault.IDLE_TIMEOUT, f"nothing came for {seconds:g} s")


def connection_lost() -> TransportError:
    return TransportError(TransportFault.CONNECTION_LOST, "the connection ended before the answer's head did")


def truncated() -> TransportError:
    return TransportError(TransportFault.TRUNCATED, "the connection ended before the answer did")


def malformed() -> TransportError:
    return TransportError(TransportFault.PROTOCOL_ERROR, "what came breaks the rules of HTTP/1.1")


def undecodable() -> TransportError:
    return TransportError(TransportFault.PROTOCOL_ERROR, "the body is not in the encoding its head names")


def unsendable() -> TransportError:
    return TransportError(TransportFault.PROTOCOL_ERROR, "the request's head holds control characters")


def bad_url() -> TransportError:
    return TransportError(TransportFault.CONNECT_FAILED, "the URL has no host, or is not http or https")


def _reason(error: BaseException) -> str:
    """The system's words for an error number; nothing of what libraries add."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
