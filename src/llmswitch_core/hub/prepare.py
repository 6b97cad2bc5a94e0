"""`generate: false` on the Responses WebSocket: a request that is only kept, so that the next one can go on from it.

Pure: the admitted exchange in, the client's event stream out; the prepared response lives in the exchange's store.
"""

from __future__ import annotations

from llmswitch_core.hub.exchange import Exchange
from llmswitch_core.hub.responses_state import keep, to_store
from llmswitch_core.protocols.contract import Scope
from llmswitch_core.protocols.openai_responses.websocket import prepared


def prepare(exchange: Exchange, done_marker: bool = False) -> bytes:
    """Keep the request under a new response id; the events that tell the client this id."""
    surroundings = exchange.surroundings
    created = int(surroundings.now())
    scope = Scope(
        new_id=surroundings.new_id,
        created=created,
        conversation=exchange.conversation,
        notes=exchange.notes,
        done_marker=done_marker,
        request_wire=exchange.tree,
    )
    events, response = prepared(scope)
    stored = to_store(
        request=exchange.tree,
        response=response,
        account=exchange.inbound.account,
        created=created,
        new_id=surroundings.new_id,
    )
    if stored is not None:
        keep(surroundings.responses, stored)
    return events
