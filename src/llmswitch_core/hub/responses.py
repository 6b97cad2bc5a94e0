"""Responses state on a request's way: what `previous_response_id` means for routing and body, and the state endpoints.

A request goes on from a response either by reference (to the upstream that issued it and still has it) or by value
(the history expanded from the store, for everybody else). The state itself lives in responses_state.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer, invalid
from llmswitch_core.canonical.model import Conversation, JsonValue, Protocol
from llmswitch_core.hub import deletion
from llmswitch_core.hub import responses_state as state
from llmswitch_core.hub.exchange import Exchange, Plan
from llmswitch_core.hub.wire_edit import REMOVED
from llmswitch_core.protocols.contract import Codec
from llmswitch_core.protocols.openai_responses import tokens
from llmswitch_core.router.contract import Target


def goes_on(exchange: Exchange) -> bool:
    """True where the request refers to something stored: a previous response or single items."""
    tree = exchange.tree
    if tree.get("previous_response_id"):
        return True
    items = tree.get("input")
    return isinstance(items, list) and any(
        isinstance(item, dict) and item.get("type") == "item_reference" for item in items
    )


def read(exchange: Exchange, codec: Codec) -> Conversation:
    """The conversation of a Responses request, with the whole history behind it.

    Raises GatewayError shaped as the vendor's 404 where the history is unknown or belongs to another account.
    """
    inbound = exchange.inbound
    previous = exchange.tree.get("previous_response_id")
    if previous is not None and not isinstance(previous, str):
        raise invalid("previous_response_id must be a string.", param="previous_response_id")
    if not goes_on(exchange):
        return codec.read_request(inbound.head, exchange.tree)
    expanded, history = state.expand_request(exchange.surroundings.responses, exchange.tree, inbound.account)
    exchange.expanded, exchange.history = expanded, history
    return codec.read_request(inbound.head, expanded)


def issuer_of(exchange: Exchange) -> str | None:
    """provider_key of the target that issued what this request goes on from: it is asked first."""
    history = exchange.history
    return history.provider_key or None if history is not None else None


def by_reference(exchange: Exchange, target: Target, features: Mapping[str, Any]) -> bool:
    """True where the history behind the request stays with the upstream that still has it.

    Feature `stored_responses` (default true): the target keeps responses at all.
    """
    history = exchange.history
    if features.get("stored_responses", True) is False:
        return False
    return (
        history is not None
        and history.upstream_id is not None
        and history.upstream_stored
        and history.provider_key == target.provider_key
        and target.protocol is Protocol.OPENAI_RESPONSES
    )


def same_protocol_edits(exchange: Exchange, target: Target, features: Mapping[str, Any]) -> dict[str, JsonValue]:
    """How a Responses body is sent to a Responses upstream: by reference or by value, without foreign reasoning."""
    if exchange.inbound.protocol is not Protocol.OPENAI_RESPONSES:
        return {}
    edits: dict[str, JsonValue] = {}
    items = exchange.tree.get("input")
    history = exchange.history
    if history is not None and exchange.expanded is not None:
        if by_reference(exchange, target, features):
            if exchange.tree.get("previous_response_id") != history.upstream_id:
                edits["previous_response_id"] = history.upstream_id
        else:
            items = exchange.expanded["input"]
            edits = {"previous_response_id": REMOVED, "input": items}
    if exchange.tree.get("store") is True and features.get("stored_responses", True) is False:
        edits["store"] = False  # the gateway keeps it
    own = tokens.without_foreign(items)
    if own is not None:
        edits["input"] = own
        exchange.notes.dropped("reasoning")
    return edits


def forgotten(exchange: Exchange, plan: Plan, failure: GatewayError) -> bool:
    """True where the upstream no longer has what a request by reference refers to; from here on it goes by value."""
    history, target = exchange.history, plan.target
    if history is None or target is None or not history.upstream_stored or history.provider_key != target.provider_key:
        return False
    if not plan.same_protocol or (failure.vendor_code != _FORGOTTEN and failure.status != _NOT_FOUND):
        return False
    exchange.history = msgspec.structs.replace(history, upstream_stored=False)
    return True


_FORGOTTEN: Final = "previous_response_not_found"
_NOT_FOUND: Final = 404


# --- what an answer leaves in the store --------------------------------------------------------------------


def wants_record(exchange: Exchange) -> bool:
    """A Responses answer is kept unless the client said `store: false` (a connection keeps it even then)."""
    if exchange.inbound.protocol is not Protocol.OPENAI_RESPONSES:
        return False
    return exchange.tree.get("store") is not False or isinstance(exchange.surroundings.responses, state.ConnectionStore)


def record(
    exchange: Exchange, response: Mapping[str, JsonValue], target: Target, upstream_id: str | None
) -> state.StoredResponse | None:
    """The stored form of a finished answer."""
    surroundings = exchange.surroundings
    return state.to_store(
        request=exchange.tree,
        response=response,
        account=exchange.inbound.account,
        created=int(surroundings.now()),
        new_id=surroundings.new_id,
        provider_key=target.provider_key,
        runtime_key=target.runtime_key,
        upstream_id=upstream_id,
    )


# --- the endpoints under /v1/responses/{id} ----------------------------------------------------------------


class Forwarded(Exception):  # noqa: N818 - not an error: the state lives upstream
    """This state request goes to the upstream that holds the response: `provider_key`, `method`, `path`."""

    def __init__(self, provider_key: str, method: str, path: str) -> None:
        super().__init__(path)
        self.provider_key = provider_key
        self.method = method
        self.path = path


def answer(exchange: Exchange) -> bytes:
    """The gateway's own answer to a state request. Raises Forwarded, or GatewayError (404, 400)."""
    inbound = exchange.inbound
    store, account, response_id = exchange.surroundings.responses, inbound.account, inbound.response_id
    if response_id is None:
        raise GatewayError(ErrorKind.NOT_FOUND, "not_found", "The path names no response.", layer=Layer.CLIENT)
    found = store.get(response_id)
    mine = found is not None and found.account == account
    upstream_id = found.upstream_id if found is not None and mine else None
    action = inbound.head.path.rstrip("/").rpartition("/")[2]
    body: dict[str, Any]
    if inbound.head.method == "DELETE":
        if found is None or not mine:
            raise deletion.unknown(response_id)
        if deletion.upstream_has_it(found, exchange):
            raise Forwarded(found.provider_key, "DELETE", f"/responses/{upstream_id}")
        body = state.delete(store, response_id, account)
    elif action == "cancel":
        cancelled = state.cancel(store, response_id, account)
        if cancelled.body is None:
            provider_key = found.provider_key if found is not None else ""
            raise Forwarded(provider_key, "POST", f"/responses/{cancelled.upstream_id}/cancel")
        body = cancelled.body
    elif action == "input_items":
        body = state.input_items(store, response_id, account, inbound.head.query)
    else:
        body = state.retrieve(store, response_id, account)
        if found is not None and upstream_id is not None and found.status in {"queued", "in_progress"}:
            raise Forwarded(found.provider_key, "GET", f"/responses/{upstream_id}")
    return jsonio.encode(body)
