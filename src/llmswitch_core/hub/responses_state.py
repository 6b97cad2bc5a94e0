"""Responses state: what `previous_response_id`, retrieve, delete, input_items and cancel stand on.

Pure functions over an injected store. A stored response holds its own input and output only; the history of a
conversation is the chain of its ancestors, so that a long one grows linearly. Ids belong to the account that made
them: to everybody else they do not exist. Knows the item lists of openai-responses as JSON, no upstream, no clock.

`store: false` is the caller's to honour by choosing the store: the persistent one never sees such a response, the
store of a WebSocket connection (`ConnectionStore`) keeps it as long as the connection lives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from typing import Protocol as Interface

import msgspec

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer, invalid
from llmswitch_core.canonical.model import JsonValue

MAX_ANCESTORS: Final = 4096
"""Responses one chain may have."""
MAX_ITEMS: Final = 50_000
"""Items an expanded history may have."""

_TERMINAL: Final = frozenset({"completed", "failed", "incomplete", "cancelled"})
_PAGE: Final = (1, 20, 100)
"""Least, default and greatest `limit` of an input_items page."""

_PREFIXES: Final[Mapping[str, str]] = {
    "message": "msg_",
    "reasoning": "rs_",
    "function_call": "fc_",
    "function_call_output": "fco_",
    "custom_tool_call": "ctc_",
    "custom_tool_call_output": "ctco_",
    "additional_tools": "at_",
    "tool_search_call": "tsc_",
    "tool_search_output": "tso_",
}


class StoredResponse(msgspec.Struct, frozen=True):
    """One response as the gateway keeps it.

    `input` are this request's own items, each with an id; `own_ids` those the gateway invented. `body` is the final
    response object (its `output` included). `provider_key` (and its `runtime_key`) say which target made it,
    `upstream_id` how that calls it, if it is a Responses server itself; `created` unix seconds.
    """

    id: str
    account: str
    created: int
    input: list[dict[str, Any]]
    body: dict[str, Any]
    previous_response_id: str | None = None
    runtime_key: str = ""
    provider_key: str = ""
    upstream_id: str | None = None
    own_ids: list[str] = []
    stored: bool = True
    """False: never to be persisted (`store: false`)."""

    @property
    def output(self) -> list[dict[str, Any]]:
        output = self.body.get("output")
        return [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []

    @property
    def status(self) -> str:
        return str(self.body.get("status") or "completed")


class ResponseStore(Interface):
    """Where responses live. The host persists them; tests and connections keep them in memory."""

    def get(self, response_id: str) -> StoredResponse | None: ...

    def put(self, response: StoredResponse) -> None:
        """Keep it; a second put of the same id replaces the first (a retried submit)."""
        ...

    def delete(self, response_id: str) -> None: ...

    def response_of_item(self, item_id: str, account: str) -> str | None:
        """Id of the account's response that has an item of this id in its input or output (for `item_reference`)."""
        ...


class ConnectionStore:
    """What one WebSocket connection remembers, in front of the persistent store. Bounded: the oldest go first."""

    def __init__(self, behind: ResponseStore | None = None, limit: int = 1024) -> None:
        self._behind = behind
        self._limit = limit
        self._responses: dict[str, StoredResponse] = {}

    def get(self, response_id: str) -> StoredResponse | None:
        found = self._responses.get(response_id)
        return found if found is not None or self._behind is None else self._behind.get(response_id)

    def put(self, response: StoredResponse) -> None:
        if response.stored and self._behind is not None:
            self._behind.put(response)
            return
        self._responses.pop(response.id, None)
        self._responses[response.id] = response
        while len(self._responses) > self._limit:
            del self._responses[next(iter(self._responses))]

    def delete(self, response_id: str) -> None:
        if self._responses.pop(response_id, None) is None and self._behind is not None:
            self._behind.delete(response_id)

    def response_of_item(self, item_id: str, account: str) -> str | None:
        for response in reversed(self._responses.values()):
            if response.account == account and any(
                item.get("id") == item_id for item in (*response.input, *response.output)
            ):
                return response.id
        return None if self._behind is None else self._behind.response_of_item(item_id, account)


# --- errors as the vendor spells them ---------------------------------------------------------------------


def previous_response_not_found(response_id: str) -> GatewayError:
    """`previous_response_id` names nothing the account has."""
    return GatewayError(
        ErrorKind.NOT_FOUND,
        "previous_response_not_found",
        f"Previous response with id '{response_id}' not found.",
        param="previous_response_id",
        layer=Layer.CLIENT,
    )


def response_not_found(response_id: str) -> GatewayError:
    """The path names nothing the account has."""
    return GatewayError(
        ErrorKind.NOT_FOUND, "response_not_found", f"Response with id '{response_id}' not found.", layer=Layer.CLIENT
    )


def _find(store: ResponseStore, response_id: str, account: str) -> StoredResponse:
    found = store.get(response_id)
    if found is None or found.account != account:
        raise response_not_found(response_id)
    return found


# --- going on from a response --------------------------------------------------------------------------------


class Expansion(msgspec.Struct, frozen=True):
    """The history behind a request: all items of its ancestors, oldest first, and who made the latest of them."""

    items: list[dict[str, Any]]
    provider_key: str = ""
    runtime_key: str = ""
    upstream_id: str | None = None
    upstream_stored: bool = False
    """The issuing upstream may still have it under `upstream_id`: the request can go there unexpanded."""
    root: str = ""
    """Id of the conversation's first response (a conversation key)."""


def issuer(store: ResponseStore, response_id: str, account: str) -> StoredResponse:
    """The response a request goes on from. Raises `previous_response_not_found`."""
    found = store.get(response_id)
    if found is None or found.account != account:
        raise previous_response_not_found(response_id)
    return found


def expand(store: ResponseStore, response_id: str, account: str) -> Expansion:
    """The full history up to and including `response_id`; instructions are not inherited, as with the vendor.

    Raises `previous_response_not_found` also when an ancestor is gone: part of a history would be another one.
    """
    latest = issuer(store, response_id, account)
    chain = [latest]
    seen = {latest.id}
    while (before := chain[-1].previous_response_id) is not None:
        if before in seen or len(chain) >= MAX_ANCESTORS:
            raise invalid(
                f"The conversation behind '{response_id}' has more than {MAX_ANCESTORS} responses.",
                param="previous_response_id",
                code="conversation_too_long",
                next_step="Start a new conversation.",
            )
        chain.append(issuer(store, before, account))
        seen.add(before)
    items: list[dict[str, Any]] = []
    for response in reversed(chain):
        invented = frozenset(response.own_ids)
        items.extend(_without_id(item, invented) for item in response.input)
        items.extend(response.output)
        if len(items) > MAX_ITEMS:
            raise invalid(
                f"The conversation behind '{response_id}' has more than {MAX_ITEMS} items.",
                param="previous_response_id",
                code="conversation_too_long",
                next_step="Start a new conversation.",
            )
    return Expansion(
        items,
        latest.provider_key,
        latest.runtime_key,
        latest.upstream_id,
        # A server that keeps responses says so; one that says nothing gets the history itself, which always works.
        latest.upstream_id is not None and latest.body.get("store") is True,
        chain[-1].id,
    )


def expand_request(
    store: ResponseStore, body: Mapping[str, JsonValue], account: str
) -> tuple[dict[str, Any], Expansion]:
    """`body` with the whole history as its `input`, without `previous_response_id`, references resolved.

    Items the client repeats although the history has them (same id) are not sent twice.
    """
    previous = body.get("previous_response_id")
    history = expand(store, previous, account) if isinstance(previous, str) and previous else Expansion([])
    known = {item["id"] for item in history.items if isinstance(item.get("id"), str)}
    own = [
        item
        for item in _resolve(store, input_list(body.get("input")), account, known)
        if item.get("id") is None or item["id"] not in known
    ]
    expanded = {name: value for name, value in body.items() if name != "previous_response_id"}
    expanded["input"] = [*history.items, *own]
    return expanded, history


def _resolve(
    store: ResponseStore, items: Sequence[dict[str, Any]], account: str, known: set[Any]
) -> list[dict[str, Any]]:
    """`item_reference`s replaced by what they refer to."""
    out: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        if item.get("type", "item_reference") != "item_reference" or "role" in item:
            out.append(item)
            continue
        reference = item.get("id")
        if reference in known:
            continue
        where = store.response_of_item(reference, account) if isinstance(reference, str) else None
        response = store.get(where) if where is not None else None
        found = next(
            (one for one in (*response.input, *response.output) if one.get("id") == reference)
            if response
            else iter(()),
            None,
        )
        if found is None:
            raise GatewayError(
                ErrorKind.NOT_FOUND,
                "item_not_found",
                f"Item with id '{reference}' not found.",
                param=f"input[{index}]",
                next_step="Send the item itself; only items of stored responses can be referred to.",
                layer=Layer.CLIENT,
            )
        out.append(found)
    return out


def input_list(value: JsonValue) -> list[dict[str, Any]]:
    """`input` as full items: a string and easy messages take the form in which the vendor lists them."""
    if value is None or value == "":
        return []
    items = [value] if isinstance(value, str | dict) else value if isinstance(value, list) else []
    return [_full(item) for item in items if isinstance(item, str | dict)]


def _full(item: str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(item, str):
        item = {"role": "user", "content": item}
    if "role" not in item or item.get("type", "message") != "message":
        return item
    content = item.get("content")
    if isinstance(content, str):
        kind = "output_text" if item.get("role") == "assistant" else "input_text"
        content = [{"type": kind, "text": content}]
    return {"type": "message", **item, "content": content if content is not None else []}


def _without_id(item: dict[str, Any], invented: frozenset[str]) -> dict[str, Any]:
    """Ids the gateway gave to input items mean nothing upstream."""
    if item.get("id") not in invented:
        return item
    return {name: value for name, value in item.items() if name != "id"}


# --- keeping a response -------------------------------------------------------------------------------------------


def to_store(
    *,
    request: Mapping[str, JsonValue],
    response: Mapping[str, JsonValue],
    account: str,
    created: int,
    new_id: Callable[[str], str],
    provider_key: str = "",
    runtime_key: str = "",
    upstream_id: str | None = None,
) -> StoredResponse | None:
    """A finished response as it is to be kept: `request` is the client's body as received, `response` the final object.

    None for a response without an id. Whether it may be persisted is its `stored`.
    """
    response_id = response.get("id")
    if not isinstance(response_id, str) or not response_id:
        return None
    own_ids: list[str] = []
    items = []
    for item in input_list(request.get("input")):
        if not isinstance(item.get("id"), str) or not item["id"]:
            kind = str(item.get("type") or "item")
            item = {**item, "id": new_id(_PREFIXES.get(kind, "item_"))}
            own_ids.append(item["id"])
        items.append(item)
    previous = request.get("previous_response_id")
    return StoredResponse(
        id=response_id,
        account=account,
        created=created,
        input=items,
        body=dict(response),
        previous_response_id=previous if isinstance(previous, str) and previous else None,
        runtime_key=runtime_key,
        provider_key=provider_key,
        upstream_id=upstream_id,
        own_ids=own_ids,
        stored=request.get("store") is not False,
    )


def keep(store: ResponseStore, response: StoredResponse) -> bool:
    """Put a response where it may live; False (and nothing kept) for `store: false` outside a connection."""
    if not response.stored and not isinstance(store, ConnectionStore):
        return False
    store.put(response)
    return True


# --- the endpoints under /v1/responses/{id} -----------------------------------------------------------------------


def retrieve(store: ResponseStore, response_id: str, account: str) -> dict[str, Any]:
    """`GET /v1/responses/{id}`: the response object."""
    return _find(store, response_id, account).body


def delete(store: ResponseStore, response_id: str, account: str) -> dict[str, Any]:
    """`DELETE /v1/responses/{id}`. Whoever goes on from it, or from its descendants, gets a 404 afterwards."""
    found = _find(store, response_id, account)
    store.delete(found.id)
    return deleted(found.id)


def deleted(response_id: str) -> dict[str, Any]:
    """What a DELETE is answered with."""
    return {"id": response_id, "object": "response", "deleted": True}


def input_items(store: ResponseStore, response_id: str, account: str, query: Mapping[str, str]) -> dict[str, Any]:
    """`GET /v1/responses/{id}/input_items`: a page of the input, the history before it included.

    `order` desc (default) or asc, `limit` 1 to 100 (default 20), `after` an item id.
    """
    found = _find(store, response_id, account)
    items: list[dict[str, Any]] = []
    if found.previous_response_id is not None:
        items.extend(_listed(store, found.previous_response_id, account))
    items.extend(found.input)
    order = query.get("order") or "desc"
    if order not in ("asc", "desc"):
        raise invalid(f"Invalid value for 'order': '{order}'.", param="order", code="invalid_value")
    if order == "desc":
        items.reverse()
    start = 0
    after = query.get("after")
    if after:
        at = next((index for index, item in enumerate(items) if item.get("id") == after), None)
        if at is None:
            raise invalid(f"Item with id '{after}' not found.", param="after", code="invalid_value")
        start = at + 1
    page = items[start : start + _limit(query.get("limit"))]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0].get("id") if page else None,
        "last_id": page[-1].get("id") if page else None,
        "has_more": start + len(page) < len(items),
    }


def _listed(store: ResponseStore, response_id: str, account: str) -> list[dict[str, Any]]:
    """Items of the ancestors with their ids; a deleted ancestor ends the list, retrieval must not fail for it."""
    chain: list[StoredResponse] = []
    seen: set[str] = set()
    at: str | None = response_id
    while at is not None and at not in seen and len(chain) < MAX_ANCESTORS:
        found = store.get(at)
        if found is None or found.account != account:
            break
        seen.add(at)
        chain.append(found)
        at = found.previous_response_id
    return [item for response in reversed(chain) for item in (*response.input, *response.output)]


def _limit(text: str | None) -> int:
    least, default, greatest = _PAGE
    if not text:
        return default
    try:
        limit = int(text)
    except ValueError:
        limit = 0
    if not least <= limit <= greatest:
        raise invalid(
            f"Invalid value for 'limit': '{text}'. It must be between {least} and {greatest}.",
            param="limit",
            code="invalid_value",
        )
    return limit


class Cancellation(msgspec.Struct, frozen=True):
    """What cancelling amounts to: `body` to answer with, or, for one still running upstream, whom to ask."""

    body: dict[str, Any] | None = None
    runtime_key: str = ""
    upstream_id: str | None = None


def cancel(store: ResponseStore, response_id: str, account: str) -> Cancellation:
    """`POST /v1/responses/{id}/cancel`: only background responses can be; a finished one is answered as it is."""
    found = _find(store, response_id, account)
    if found.body.get("background") is not True:
        raise invalid("Cannot cancel a synchronous response.", code="cannot_cancel_synchronous_response")
    if found.status in _TERMINAL:
        return Cancellation(found.body)
    if found.upstream_id is None:
        cancelled = msgspec.structs.replace(found, body={**found.body, "status": "cancelled"})
        store.put(cancelled)
        return Cancellation(cancelled.body)
    return Cancellation(runtime_key=found.runtime_key, upstream_id=found.upstream_id)
