"""Responses state over an injected store (MP-21)."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.hub import responses_state as state
from llmswitch_core.hub.responses_state import ConnectionStore
from tests.core.protocols.openai_responses.support import CODEC, HEAD

numbers = itertools.count()


def new_id(prefix: str) -> str:
    return f"{prefix}{next(numbers):024x}"


def say(text: str, **members: Any) -> dict[str, Any]:
    return {
        "id": f"msg_{text}",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text}],
        **members,
    }


def add(
    store: ConnectionStore, name: str, given: Any, *output: Any, previous: str | None = None, **members: Any
) -> Any:
    """Record one response of account `me`."""
    request: dict[str, Any] = {"input": given, **members.pop("request", {})}
    if previous is not None:
        request["previous_response_id"] = previous
    body = {"id": name, "object": "response", "status": "completed", "output": list(output), **members.pop("body", {})}
    kept = state.to_store(request=request, response=body, account="me", created=1, new_id=new_id, **members)
    assert kept is not None
    state.keep(store, kept)
    return kept


@pytest.fixture
def store() -> ConnectionStore:
    return ConnectionStore()


def texts(items: list[dict[str, Any]]) -> list[str]:
    return [item["content"][0]["text"] for item in items]


def test_mp21_the_history_is_all_inputs_and_outputs_in_order(store: ConnectionStore) -> None:
    add(store, "resp_1", "one", say("two"))
    add(
        store,
        "resp_2",
        [{"role": "user", "content": "three"}],
        say("four"),
        previous="resp_1",
        runtime_key="p.k",
        provider_key="p.k.m",
        upstream_id="resp_up",
    )
    history = state.expand(store, "resp_2", "me")
    assert texts(history.items) == ["one", "two", "three", "four"]
    assert (history.provider_key, history.runtime_key, history.upstream_id, history.root) == (
        "p.k.m",
        "p.k",
        "resp_up",
        "resp_1",
    )
    assert "id" not in history.items[0]  # invented by the gateway, unknown upstream
    assert history.items[1]["id"] == "msg_two"


def test_mp21_instructions_are_not_inherited(store: ConnectionStore) -> None:
    add(store, "resp_1", "one", say("two"), request={"instructions": "be brief"}, body={"instructions": "be brief"})
    body, _ = state.expand_request(store, {"model": "m", "input": "three", "previous_response_id": "resp_1"}, "me")
    assert "instructions" not in body
    assert "be brief" not in str(body["input"])


def test_mp21_a_tool_continuation_is_a_legal_request(store: ConnectionStore) -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"}
    add(store, "resp_1", "weather?", call)
    given = {
        "model": "m",
        "previous_response_id": "resp_1",
        "input": [{"type": "function_call_output", "call_id": "c1", "output": "5C"}],
    }
    first, _ = state.expand_request(store, given, "me")
    again, _ = state.expand_request(store, given, "me")
    assert first == again  # a retried submit
    request = CODEC.read_request(HEAD, first)
    assert [turn.role for turn in request.turns] == ["user", "assistant", "user"]
    assert request.previous_response_id is None


def test_mp21_a_retried_submit_replaces_its_own_record(store: ConnectionStore) -> None:
    add(store, "resp_1", "one", say("two"))
    add(store, "resp_1", "one", say("two again"))
    assert texts(state.expand(store, "resp_1", "me").items) == ["one", "two again"]


@pytest.mark.parametrize(("name", "account"), [("resp_9", "me"), ("resp_1", "you")])
def test_mp21_unknown_ids_and_other_accounts_ids_do_not_exist(store: ConnectionStore, name: str, account: str) -> None:
    add(store, "resp_1", "one", say("two"))
    with pytest.raises(GatewayError) as caught:
        state.expand(store, name, account)
    error = caught.value
    assert (error.kind, error.status, error.code, error.param) == (
        ErrorKind.NOT_FOUND,
        404,
        "previous_response_not_found",
        "previous_response_id",
    )
    assert error.message == f"Previous response with id '{name}' not found."
    for operation in (state.retrieve, state.delete, state.cancel):
        with pytest.raises(GatewayError) as other:
            operation(store, name, account)
        assert other.value.status == 404
    with pytest.raises(GatewayError):
        state.input_items(store, name, account, {})


def test_mp21_a_history_with_a_hole_is_no_history(store: ConnectionStore) -> None:
    add(store, "resp_1", "one", say("two"))
    add(store, "resp_2", "three", say("four"), previous="resp_1")
    assert state.delete(store, "resp_1", "me") == {"id": "resp_1", "object": "response", "deleted": True}
    with pytest.raises(GatewayError, match="'resp_1' not found"):
        state.expand(store, "resp_2", "me")
    assert state.retrieve(store, "resp_2", "me")["id"] == "resp_2"


def test_mp21_store_false_is_not_kept_but_by_its_connection() -> None:
    behind, front = ConnectionStore(), None
    front = ConnectionStore(behind)
    add(front, "resp_1", "one", say("two"), request={"store": False})
    add(front, "resp_2", "three", say("four"), previous="resp_1")
    assert behind.get("resp_1") is None
    assert behind.get("resp_2") is not None
    assert texts(state.expand(front, "resp_2", "me").items) == ["one", "two", "three", "four"]

    class Persistent:
        """Any store but a connection's."""

        def __init__(self) -> None:
            self.kept: list[str] = []

        def get(self, response_id: str) -> None: ...
        def put(self, response: state.StoredResponse) -> None:
            self.kept.append(response.id)

        def delete(self, response_id: str) -> None: ...
        def response_of_item(self, item_id: str, account: str) -> None: ...

    persistent = Persistent()
    for name, stored in (("resp_3", False), ("resp_4", True)):
        kept = state.to_store(request={"store": stored}, response={"id": name}, account="me", created=1, new_id=new_id)
        assert kept is not None
        assert state.keep(persistent, kept) is stored
    assert persistent.kept == ["resp_4"]


def test_a_connections_memory_is_bounded() -> None:
    store = ConnectionStore(limit=3)
    for number in range(10):
        add(store, f"resp_{number}", "x")
    assert [store.get(f"resp_{number}") is not None for number in range(10)] == [False] * 7 + [True] * 3


def test_items_the_client_repeats_are_sent_once(store: ConnectionStore) -> None:
    add(store, "resp_1", "one", say("two"))
    body, _ = state.expand_request(
        store, {"input": [say("two"), {"role": "user", "content": "three"}], "previous_response_id": "resp_1"}, "me"
    )
    assert texts(body["input"]) == ["one", "two", "three"]


def test_item_references_are_resolved(store: ConnectionStore) -> None:
    add(store, "resp_1", "one", say("two"))
    given = [
        {"role": "user", "content": "one"},
        {"type": "item_reference", "id": "msg_two"},
        {"role": "user", "content": "three"},
    ]
    body, _ = state.expand_request(store, {"input": given}, "me")
    assert texts(body["input"]) == ["one", "two", "three"]
    for account, reference in (("you", "msg_two"), ("me", "msg_x")):
        with pytest.raises(GatewayError) as caught:
            state.expand_request(store, {"input": [{"type": "item_reference", "id": reference}]}, account)
        assert (caught.value.status, caught.value.param) == (404, "input[0]")


def test_a_chain_that_bites_its_tail_is_refused(store: ConnectionStore) -> None:
    add(store, "resp_1", "x", previous="resp_2")
    add(store, "resp_2", "y", previous="resp_1")
    with pytest.raises(GatewayError) as caught:
        state.expand(store, "resp_1", "me")
    assert caught.value.code == "conversation_too_long"
    assert state.input_items(store, "resp_1", "me", {})["data"]


def test_retrieve_gives_the_final_object(store: ConnectionStore) -> None:
    add(store, "resp_1", "one", say("two"), body={"usage": {"total_tokens": 3}})
    assert state.retrieve(store, "resp_1", "me")["usage"] == {"total_tokens": 3}


def test_mp21_input_items_are_pages(store: ConnectionStore) -> None:
    add(store, "resp_1", [{"role": "user", "content": str(n)} for n in range(5)], say("a"))
    add(store, "resp_2", "last", say("b"), previous="resp_1")
    page = state.input_items(store, "resp_2", "me", {"order": "asc", "limit": "3"})
    assert texts(page["data"]) == ["0", "1", "2"]
    assert (page["object"], page["has_more"], page["first_id"], page["last_id"]) == (
        "list",
        True,
        page["data"][0]["id"],
        page["data"][2]["id"],
    )
    rest = state.input_items(store, "resp_2", "me", {"order": "asc", "after": page["last_id"]})
    assert texts(rest["data"]) == ["3", "4", "a", "last"]
    assert rest["has_more"] is False
    assert texts(state.input_items(store, "resp_2", "me", {"limit": "1"})["data"]) == ["last"]  # newest first
    assert all(item["id"] for item in page["data"])


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"order": "up"}, {"after": "nowhere"}]
)
def test_odd_pages_are_a_400(store: ConnectionStore, query: dict[str, str]) -> None:
    add(store, "resp_1", "one")
    with pytest.raises(GatewayError) as caught:
        state.input_items(store, "resp_1", "me", query)
    assert (caught.value.status, caught.value.param) == (400, next(iter(query)))


def test_only_background_responses_can_be_cancelled(store: ConnectionStore) -> None:
    add(store, "resp_1", "one")
    with pytest.raises(GatewayError, match="Cannot cancel a synchronous response"):
        state.cancel(store, "resp_1", "me")
    add(store, "resp_2", "two", body={"background": True})
    done = state.cancel(store, "resp_2", "me").body
    assert done is not None
    assert done["status"] == "completed"
    add(
        store,
        "resp_3",
        "three",
        body={"background": True, "status": "queued"},
        upstream_id="resp_up",
        runtime_key="p.k",
    )
    forward = state.cancel(store, "resp_3", "me")
    assert (forward.body, forward.upstream_id, forward.runtime_key) == (None, "resp_up", "p.k")
    add(store, "resp_4", "four", body={"background": True, "status": "queued"})
    assert state.retrieve(store, "resp_4", "me")["status"] == "queued"
    assert state.cancel(store, "resp_4", "me").body == state.retrieve(store, "resp_4", "me")
    assert state.retrieve(store, "resp_4", "me")["status"] == "cancelled"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(st.text(max_size=3), max_size=3), st.lists(st.text(max_size=3), max_size=2)),
        min_size=1,
        max_size=6,
    )
)
def test_mp21_a_chain_expands_to_what_was_said(rounds: list[tuple[list[str], list[str]]]) -> None:
    store = ConnectionStore()
    expected: list[str] = []
    previous: str | None = None
    for number, (given_texts, said) in enumerate(rounds):
        name = f"resp_{number}"
        add(
            store, name, [{"role": "user", "content": text} for text in given_texts], *map(say, said), previous=previous
        )
        expected += given_texts + said
        previous = name
    assert previous is not None
    history = state.expand(store, previous, "me")
    assert texts(history.items) == expected
