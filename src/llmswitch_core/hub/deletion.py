"""Deleting a stored response that lives twice: at the upstream that issued it, and in the gateway's store.

The order: the upstream is asked first, and the gateway's copy goes only when the upstream's is known to be gone. So
whatever fails in between leaves the copy that knows where the other one is, and the same DELETE can be sent again.

    upstream answers 2xx    gone there now: ours goes, 200
    upstream answers 404    gone there before (a lost answer, an expiry): ours goes, 200
    no such call there      405, 501 of an upstream that never said it keeps responses: ours goes, 200
    anything else           both stay as they are; the error says so, and what to do next

Knows exchanges, the store and failures; how requests travel is the pipeline's and the host's.
"""

from __future__ import annotations

from typing import Final

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.hub import responses_state as state
from llmswitch_core.hub.exchange import AttemptOutcome, Exchange, StateDelta
from llmswitch_core.hub.responses_state import StoredResponse

_NOT_FOUND: Final = 404
_NO_SUCH_CALL: Final = frozenset({405, 501})
_LONGEST: Final = 64 * 1024
"""Bytes of an upstream's answer to a DELETE that are looked at."""


def asked(exchange: Exchange) -> bool:
    """True for the DELETE of a stored response."""
    return exchange.inbound.operation == "forward" and exchange.inbound.head.method == "DELETE"


def upstream_has_it(found: StoredResponse, exchange: Exchange) -> bool:
    """The upstream that issued the response may still hold it under `upstream_id`."""
    return found.upstream_id is not None and found.body.get("store") is not False and not exchange.gone


def take_as_gone(exchange: Exchange, failure: GatewayError) -> bool:
    """Whether an upstream's error answer says that it has no such response; the next plan then deletes ours."""
    found = _copy(exchange)
    if not asked(exchange) or found is None:
        return False
    keeps = found.body.get("store") is True
    exchange.gone = failure.status == _NOT_FOUND or (failure.status in _NO_SUCH_CALL and not keeps)
    return exchange.gone


class Deletion:
    """The way back of a DELETE the upstream has carried out: the gateway's own answer, about both copies."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._body = b""
        self.failure: GatewayError | None = None
        self.judged = False
        self.content = False
        self.finished = False

    def feed(self, chunk: bytes) -> bytes:
        """Nothing goes out before the whole answer is there."""
        if len(self._body) < _LONGEST:
            self._body += chunk
        return b""

    def end(self) -> bytes:
        """The status said it; only a body that denies it weighs more."""
        self.judged = True
        try:
            tree = jsonio.decode(self._body)
        except ValueError:
            tree = None
        if isinstance(tree, dict) and tree.get("deleted") is False:
            message = "The upstream took the DELETE and says that the response is not deleted."
            self.failure = GatewayError(ErrorKind.UPSTREAM, "not_deleted", message, layer=Layer.UPSTREAM)
            return b""
        self.content = self.finished = True
        return jsonio.encode(state.deleted(self._exchange.inbound.response_id or ""))

    def outcome(self) -> AttemptOutcome:
        """The gateway's copy goes now."""
        gone = self._exchange.inbound.response_id if self.finished else None
        return AttemptOutcome(self.failure, None, None, "", (), StateDelta(deleted=gone or ""))


# --- what is left where ------------------------------------------------------------------------------------


def unknown(response_id: str) -> GatewayError:
    """The account has no such response here; of other copies the gateway knows nothing."""
    error = state.response_not_found(response_id)
    error.next_step = "If a provider stored it, its copy is still there: delete it at the provider."
    return error


def no_holder(exchange: Exchange, provider_key: str) -> GatewayError:
    """The upstream that holds the response cannot be asked any more."""
    response_id = exchange.inbound.response_id
    provider = ".".join(provider_key.split(".", 2)[:2])
    error = GatewayError(
        ErrorKind.CONFLICT,
        "issuer_not_configured",
        f"The response '{response_id}' is held by '{provider}', which is no longer configured for it.",
        next_step=f"Configure '{provider}' again as an openai-responses upstream, then send the request again.",
        layer=Layer.CLIENT,
    )
    return told(exchange, error, provider_key)


def told(exchange: Exchange, error: GatewayError, provider_key: str) -> GatewayError:
    """A failure of this request as its client is told: for a DELETE also what is left where. Kind and code stay."""
    found = _copy(exchange)
    if not asked(exchange) or found is None:
        return error
    left = (
        f"Nothing was deleted here: the gateway keeps its copy of '{found.id}', and '{provider_key}' has not confirmed"
        f" that its own ('{found.upstream_id}') is gone."
    )
    again = "Send the DELETE again: it can be repeated, and an upstream that no longer has the response counts as done."
    return GatewayError(
        error.kind,
        error.code,
        f"{error.message} {left}",
        next_step=f"{error.next_step} {again}" if error.next_step else again,
        status=error.status,
        param=error.param,
        retry_after=error.retry_after,
        layer=error.layer,
        vendor_type=error.vendor_type,
        vendor_code=error.vendor_code,
    )


def _copy(exchange: Exchange) -> StoredResponse | None:
    """The gateway's copy of what the path names, if it is the account's."""
    inbound = exchange.inbound
    if inbound.response_id is None:
        return None
    found = exchange.surroundings.responses.get(inbound.response_id)
    return found if found is not None and found.account == inbound.account else None
