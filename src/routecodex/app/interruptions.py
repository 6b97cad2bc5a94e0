"""Why a running request is ended from outside, and the failure each reason is."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer


class Interruption(Enum):
    """The reason kept while the flow's task is cancelled."""

    HUNG_UP = "hung up"
    TOTAL_TIMEOUT = "total time-out"
    STOPPING = "stopping"
    SUPERSEDED = "superseded"

    @property
    def failure(self) -> GatewayError:
        """What it means for the client and the record."""
        return _FAILURES[self]()


def hung_up() -> GatewayError:
    return GatewayError(
        ErrorKind.CANCELLED, "client_cancelled", "The client closed the connection.", layer=Layer.CLIENT
    )


def timed_out() -> GatewayError:
    return GatewayError(
        ErrorKind.TIMEOUT,
        "total_timeout",
        "The answer was not complete within the total time-out.",
        next_step="Raise timeouts.total of the provider, or ask for less.",
        layer=Layer.PROVIDER,
    )


def stopping() -> GatewayError:
    return GatewayError(
        ErrorKind.OVERLOADED,
        "gateway_stopping",
        "The gateway is stopping.",
        next_step="Send the request again.",
        retry_after=1.0,
        layer=Layer.HOST,
    )


def superseded() -> GatewayError:
    return GatewayError(
        ErrorKind.OVERLOADED,
        "generation_ended",
        "The configuration this request began with was replaced, and the time it had left is over.",
        next_step="Send the request again, or raise server.hardStop.",
        retry_after=1.0,
        layer=Layer.HOST,
    )


_FAILURES: Final[dict[Interruption, Callable[[], GatewayError]]] = {
    Interruption.HUNG_UP: hung_up,
    Interruption.TOTAL_TIMEOUT: timed_out,
    Interruption.STOPPING: stopping,
    Interruption.SUPERSEDED: superseded,
}
