"""The errorHandlingCenter: the one place where a failure becomes a client-visible error and a log record.

Every failed request passes here exactly once. It knows levels and wording; what a protocol's error looks like is
the shared module's.
"""

from __future__ import annotations

from typing import Final

import structlog

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.exchange import Exchange
from llmswitch_core.hub.pipeline import HubPipeline
from llmswitch_core.protocols.contract import ErrorReply

_QUIET: Final = frozenset({Layer.CLIENT})
"""Layers whose failures are told at level info: the client knows already."""


class ErrorHandlingCenter:
    """Turns failures into what the client sees, and says so in the log."""

    def __init__(self, log: structlog.typing.FilteringBoundLogger) -> None:
        self._log = log
        self.unforeseen = 0
        """Faults of our own since the start."""

    def reply(
        self, protocol: Protocol, error: GatewayError, request_id: str, same_protocol: bool = False
    ) -> ErrorReply:
        """The failure as an HTTP answer, before anything was sent."""
        self._told(error, request_id)
        return HubPipeline.refuse(protocol, error, request_id, same_protocol)

    def stream_end(self, pipeline: HubPipeline, exchange: Exchange, error: GatewayError) -> bytes:
        """The failure as the terminal event of a stream whose head is out."""
        self._told(error, exchange.inbound.request_id)
        return pipeline.fail(exchange, error)

    def cancelled(self, error: GatewayError, request_id: str) -> None:
        """A failure nobody is left to be told of."""
        self._told(error, request_id)

    def unexpected(self, error: Exception, request_id: str) -> GatewayError:
        """A fault of our own, with its traceback in the log and a plain 500 for the client."""
        self.unforeseen += 1
        self._log.error("gateway.fault", request_id=request_id, exc_info=error)
        return GatewayError(
            ErrorKind.INTERNAL,
            "internal_error",
            f"The gateway failed while handling the request ({type(error).__name__}).",
            next_step="Report it with the x-routecodex-request-id of this answer; the log has the details.",
            layer=Layer.HOST,
        )

    def _told(self, error: GatewayError, request_id: str) -> None:
        tell = self._log.info if error.layer in _QUIET else self._log.warning
        tell(
            "error.handled",
            request_id=request_id,
            layer=error.layer.value,
            kind=error.kind.value,
            code=error.code,
            status=error.status,
            message=error.message,
        )
        if error.__cause__ is not None and error.kind is ErrorKind.INTERNAL:
            self.unforeseen += 1
            self._log.error("gateway.fault", request_id=request_id, exc_info=error.__cause__)
