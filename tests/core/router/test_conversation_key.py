from __future__ import annotations

import re
from typing import Any

import pytest

from llmswitch_core.canonical.model import CacheControl, Conversation, Media, Text, Turn
from llmswitch_core.router.conversation_key import SESSION_HEADERS, ConversationKey, conversation_key

from .builders import assistant, conversation, system, user

SECRET = b"a gateway's own secret"


def key(asked: Conversation | None = None, headers: dict[str, str] | None = None, **changes: Any) -> ConversationKey:
    arguments: dict[str, Any] = {"account": "alice", "api_key": "sk-1", "request_id": "req-1", "secret": SECRET}
    return conversation_key(asked or conversation(user("hello")), headers or {}, **(arguments | changes))


def test_sources_are_tried_from_the_most_explicit_to_the_least() -> None:
    body = conversation(user("hi"), session="s", cache_key="c", extensions={"conversation": "conv"})
    headers = {"x-routecodex-conversation": "own", "session-id": "client"}
    assert key(body, headers, explicit="own").source == "header"
    assert key(body, headers).source == "header"
    assert key(body, {"session-id": "client"}).source == "client-session"
    assert key(body, previous_root="resp_1").source == "body"
    assert key(conversation(user("hi"), cache_key="c")).source == "body"
    assert key(conversation(user("hi"), extensions={"conversation": {"id": "conv"}})).source == "body"
    assert key(previous_root="resp_1").source == "previous-response"
    assert key().source == "content"
    assert key(conversation()).source == "request"


def test_a_header_given_twice_over_is_one_key() -> None:
    assert key(explicit="own") == key(headers={"x-routecodex-conversation": "own"})


@pytest.mark.parametrize("name", SESSION_HEADERS)
def test_the_clients_session_headers_are_known(name: str) -> None:
    first, second = key(headers={name: "one"}), key(headers={name: "two"})
    assert first.source == "client-session"
    assert first != second
    assert first == key(conversation(user("quite another text")), {name: "one"})


def test_a_growing_conversation_keeps_its_key() -> None:
    opening = [system("rules"), user("hello")]
    first = key(conversation(*opening))
    later = key(conversation(*opening, assistant("hi"), user("more"), system("reminder")), request_id="req-2")
    assert first == later


def test_a_moving_cache_breakpoint_does_not_change_the_key() -> None:
    marked = Turn("user", [Text("hello", cache=CacheControl())])
    assert key(conversation(marked)) == key(conversation(user("hello")))


@pytest.mark.parametrize(
    "changes",
    [{"account": "bob"}, {"api_key": "sk-2"}, {"secret": b"another"}],
)
def test_other_people_and_gateways_get_other_keys(changes: dict[str, Any]) -> None:
    assert key(**changes) != key()


def test_one_session_id_of_two_accounts_is_two_conversations() -> None:
    assert key(explicit="same", account="alice") != key(explicit="same", account="bob")


def test_different_openings_are_different_conversations() -> None:
    image = Media("image", "image/png", data="AAAA")
    keys = [
        key(conversation(*turns)).key
        for turns in (
            (user("hello"),),
            (user("hello "),),
            (user("hel", "lo"),),
            (user("", "hello"),),
            (system("hello"), user("")),
            (system("a"), user("hello")),
            (user("hello", image),),
            (user("hello", Media("image", "image/png", data="AAAB")),),
        )
    ]
    assert len(set(keys)) == len(keys)


def test_a_source_cannot_imitate_another() -> None:
    assert key(explicit="x").key != key(headers={"session-id": "x"}).key
    assert key(conversation(), request_id="x").key != key(previous_root="x").key


def test_nothing_of_the_client_can_be_read_from_a_key() -> None:
    for made in (key(explicit="my-session"), key(conversation(user("my text"))), key(conversation(), request_id="r")):
        assert re.fullmatch(r"[0-9a-f]{32}", made.key)


def test_secrets_of_any_length_and_odd_text_work() -> None:
    assert key(secret=b"x" * 200).key != key(secret=b"x" * 201).key
    assert key(secret=b"").key
    assert key(conversation(user("cut \ud83d"))).source == "content"


def test_empty_and_wrongly_typed_ids_are_no_ids() -> None:
    odd = conversation(user("hi"), session="", extensions={"conversation": 5, "session_id": {"id": 7}})
    assert key(odd, {"session-id": ""}, explicit="").source == "content"
