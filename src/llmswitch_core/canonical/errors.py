"""The one error type of the shared module, and the kinds of failure it can name.

It knows what went wrong, whose fault it is and what to do next. It must not know how any protocol
spells an error: the protocol codecs turn a `GatewayError` into bytes and upstream bytes into one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ErrorKind(StrEnum):
    """What happened, in words every protocol can spell. The value is the canonical error type."""

    INVALID_REQUEST = "invalid_request"
    AUTHENTICATION = "authentication"
    PERMISSION = "permission"
    BILLING = "billing"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    RATE_LIMIT = "rate_limit"
    TIMEOUT = "timeout"
    OVERLOADED = "overloaded"
    UPSTREAM = "upstream"
    INTERNAL = "internal"
    CANCELLED = "cancelled"


class Layer(StrEnum):
    """Where a failure belongs; every failure names exactly one."""

    HOST = "host"
    SHARED_MODULE = "sharedmodule"
    PROVIDER = "provider"
    UPSTREAM = "upstream"
    CLIENT = "client"


DEFAULT_STATUS: Final[dict[ErrorKind, int]] = {
    ErrorKind.INVALID_REQUEST: 400,
    ErrorKind.AUTHENTICATION: 401,
    ErrorKind.BILLING: 402,
    ErrorKind.PERMISSION: 403,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.TOO_LARGE: 413,
    ErrorKind.RATE_LIMIT: 429,
    ErrorKind.CANCELLED: 499,
    ErrorKind.INTERNAL: 500,
    ErrorKind.UPSTREAM: 502,
    ErrorKind.OVERLOADED: 503,
    ErrorKind.TIMEOUT: 504,
}
"""HTTP status a kind has when the upstream gave none."""


def kind_of_status(status: int) -> ErrorKind:
    """The kind an HTTP status alone tells, for answers whose body says nothing better."""
    known = _KIND_OF_STATUS.get(status)
    if known is not None:
        return known
    return ErrorKind.INVALID_REQUEST if 400 <= status < 500 else ErrorKind.UPSTREAM


_KIND_OF_STATUS: Final[dict[int, ErrorKind]] = {
    401: ErrorKind.AUTHENTICATION,
    402: ErrorKind.BILLING,
    403: ErrorKind.PERMISSION,
    404: ErrorKind.NOT_FOUND,
    408: ErrorKind.TIMEOUT,
    409: ErrorKind.CONFLICT,
    413: ErrorKind.TOO_LARGE,
    429: ErrorKind.RATE_LIMIT,
    499: ErrorKind.CANCELLED,
    503: ErrorKind.OVERLOADED,
    504: ErrorKind.TIMEOUT,
    529: ErrorKind.OVERLOADED,
}


class GatewayError(Exception):
    """A failure on its way to the client, in no protocol yet.

    `code` is stable and machine-readable (`snake_case`), `message` names the cause, `next_step` says
    what the reader can do; `status` is the HTTP status; `param` the JSON path of the faulty field;
    `retry_after` seconds; `vendor_type` / `vendor_code` what the upstream called it, verbatim, and
    `vendor_body` its raw error body (used only when inbound and outbound protocol are the same).
    """

    def __init__(
        self,
        kind: ErrorKind,
        code: str,
        message: str,
        *,
        next_step: str | None = None,
        status: int | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        layer: Layer = Layer.SHARED_MODULE,
        vendor_type: str | None = None,
        vendor_code: str | None = None,
        vendor_body: bytes | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.message = message
        self.next_step = next_step
        self.status = DEFAULT_STATUS[kind] if status is None else status
        self.param = param
        self.retry_after = retry_after
        self.layer = layer
        self.vendor_type = vendor_type
        self.vendor_code = vendor_code
        self.vendor_body = vendor_body

    @property
    def text(self) -> str:
        """Cause and next step as one sentence for a person."""
        return f"{self.message} {self.next_step}" if self.next_step else self.message

    def __repr__(self) -> str:
        return f"GatewayError({self.kind.value}, {self.code}, {self.status}, {self.message!r})"


def invalid(
    message: str, *, param: str | None = None, code: str = "invalid_request", next_step: str | None = None
) -> GatewayError:
    """The caller's request is wrong: a 400 naming the field."""
    return GatewayError(ErrorKind.INVALID_REQUEST, code, message, param=param, next_step=next_step, layer=Layer.CLIENT)
