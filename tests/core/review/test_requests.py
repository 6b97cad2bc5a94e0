"""Requests at the edges: what real clients send rarely and vendors refuse, across every pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.forwarding import forwarded_headers
from llmswitch_core.protocols.contract import RequestHead
from tests.core.hub.support import NAMES, Bench, chunk, frames
from tests.core.review.test_attempts import ANSWERS, Written

C, R, M, G = Protocol.OPENAI_CHAT, Protocol.OPENAI_RESPONSES, Protocol.ANTHROPIC_MESSAGES, Protocol.GEMINI
FOREIGN_OF_GEMINI = ["chat", "responses", "messages"]


def gemini(bench: Bench, target: str, contents: Sequence[Any]) -> dict[str, Any]:
    path = f"/v1beta/models/{target}.main.m:generateContent"
    sent = msgspec.json.decode(bench.sent(G, {"contents": contents}, path=path))
    assert isinstance(sent, dict)
    return sent


@pytest.mark.parametrize("target", FOREIGN_OF_GEMINI)
def test_mp04_a_function_call_in_a_content_without_a_role_is_the_models(target: str) -> None:
    contents = [
        {"role": "user", "parts": [{"text": "x"}]},
        {"parts": [{"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}}]},
        {"role": "user", "parts": [{"functionResponse": {"id": "a", "name": "f", "response": {"output": "done"}}}]},
    ]
    sent = msgspec.json.encode(gemini(Bench(), target, contents))
    assert sent.count(b'"a"') == 2
    assert b"whose call is not in this conversation" not in sent


@pytest.mark.parametrize("target", FOREIGN_OF_GEMINI)
def test_mp04_a_call_in_a_users_turn_is_left_out_and_its_result_is_user_text(target: str) -> None:
    contents = [
        {"role": "user", "parts": [{"text": "x"}, {"functionCall": {"id": "a", "name": "f", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"id": "a", "name": "f", "response": {"output": "done"}}}]},
    ]
    sent = msgspec.json.encode(gemini(Bench(), target, contents))
    assert b"done" in sent
    assert b"tool_call" not in sent.replace(b"tool call", b"")


def test_mp17_system_text_alone_is_input_for_a_responses_upstream() -> None:
    body = {"model": "responses.main.m", "messages": [{"role": "system", "content": "be brief"}]}
    sent = msgspec.json.decode(Bench().sent(C, body))
    assert "instructions" not in sent
    assert [item["role"] for item in sent["input"]] == ["system"]


def test_mp23_no_more_stop_sequences_than_the_vendor_takes() -> None:
    stops = [f"s{number}" for number in range(7)]
    body = {"max_tokens": 5, "stop_sequences": stops, "messages": [{"role": "user", "content": "x"}]}
    chat = msgspec.json.decode(Bench("openai").sent(M, {**body, "model": "chat.main.m"}))
    assert chat["stop"] == stops[:4]
    google = msgspec.json.decode(Bench().sent(M, {**body, "model": "gemini.main.m"}))
    assert google["generationConfig"]["stopSequences"] == stops[:5]


MANY: dict[str, Any] = {"model": "chat.main.m", "n": 2, "messages": [{"role": "user", "content": "x"}]}


@pytest.mark.parametrize("written", [{"model_name": "requested"}, {"answer": [{"action": "remove", "path": "x"}]}])
def test_several_choices_are_refused_where_answers_are_written_anew(written: dict[str, Any]) -> None:
    bench = Bench("own", documents=[Written("own", written)])
    with pytest.raises(GatewayError) as raised:
        bench.plan(bench.admit(C, MANY))
    assert (raised.value.status, raised.value.code) == (400, "unsupported_n")
    assert bench.plan(bench.admit(C, {**MANY, "n": 1})).upstream is not None


def test_several_choices_reach_the_client_although_a_keepalive_came_first() -> None:
    bench = Bench()
    exchange = bench.admit(C, {**MANY, "stream": True})
    plan = bench.plan(exchange)
    bench.pipeline.keepalive(exchange)
    way = bench.way(exchange, plan, "text/event-stream")
    second = {"index": 1, "delta": {"content": "other"}, "finish_reason": None}
    stream = frames(chunk({"content": "one"}), {**chunk({}), "choices": [second]}, chunk({}, "stop"), "[DONE]")
    out = b"".join(way.feed(frame) for frame in stream)
    assert b'"content":"one"' in out
    assert b'"content":"other"' in out


def _chained(profile: str, answer: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The second request of a chain, as the same Responses upstream gets it."""
    bench = Bench(profile)
    exchange = bench.admit(R, {"model": "responses.main.m", "input": "ONE", **more})
    way = bench.way(exchange, bench.plan(exchange), "application/json")
    out = way.feed(msgspec.json.encode(answer)) + way.end()
    stored = way.outcome().delta.response
    assert stored is not None
    bench.responses.put(stored)
    identity = msgspec.json.decode(out)["id"]
    body = {"model": "responses.main.m", "input": "TWO", "previous_response_id": identity, **more}
    sent = msgspec.json.decode(bench.sent(R, body))
    assert isinstance(sent, dict)
    return sent


def test_mp21_a_server_that_says_it_stores_is_asked_by_reference() -> None:
    sent = _chained("passthrough", ANSWERS[R])
    assert sent["previous_response_id"] == "resp_1"
    assert sent["input"] == "TWO"


@pytest.mark.parametrize("profile", ["openrouter", "llamacpp"])
def test_mp21_a_server_that_keeps_nothing_gets_the_history_itself(profile: str) -> None:
    sent = _chained(profile, ANSWERS[R], store=True)
    assert "previous_response_id" not in sent
    assert sent["store"] is False
    assert [item["role"] for item in sent["input"]] == ["user", "assistant", "user"]


def test_mp21_a_server_that_does_not_say_whether_it_stores_gets_the_history_itself() -> None:
    sent = _chained("passthrough", {name: value for name, value in ANSWERS[R].items() if name != "store"})
    assert "previous_response_id" not in sent
    assert len(sent["input"]) == 3


def test_mp27_codex_turn_state_goes_back_to_the_server_that_gave_it() -> None:
    head = RequestHead("POST", "/v1/responses", {}, {"x-codex-turn-state": "opaque", "cookie": "no"})
    assert forwarded_headers(R, head) == {"x-codex-turn-state": "opaque"}


@pytest.mark.parametrize("name", NAMES.values())
def test_mp06_ids_past_64_characters_stay_paired(name: str) -> None:
    long = "x" * 100
    call = {"id": long, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": long, "content": "r"},
    ]
    sent = Bench().sent(C, {"model": f"{name}.main.m", "messages": messages})
    if name == "chat":
        assert sent.count(long.encode()) == 2
        return
    assert long.encode() not in sent
    identity = next(word for word in sent.split(b'"') if word.startswith(b"rcxh_"))
    assert len(identity) <= 64
    assert sent.count(identity) == 2


@pytest.mark.parametrize("identity", ["call_1", "functions.f:0", "g" * 80])
def test_mp07_a_signature_finds_its_call_by_whatever_id_the_client_was_given(identity: str) -> None:
    bench = Bench()
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    body: dict[str, Any] = {"model": "gemini.main.m", "tools": [tool], "messages": [{"role": "user", "content": "x"}]}
    exchange = bench.admit(C, body)
    way = bench.way(exchange, bench.plan(exchange), "application/json")
    part = {"functionCall": {"name": "f", "args": {}, "id": identity}, "thoughtSignature": "c2lnbmF0dXJl"}
    answer = {"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}]}
    said = msgspec.json.decode(way.feed(msgspec.json.encode(answer)) + way.end())["choices"][0]["message"]
    bench.tokens.entries.update(way.outcome().delta.tokens)
    call = {name: said["tool_calls"][0][name] for name in ("id", "type", "function")}
    history = [{"role": "assistant", "content": None, "tool_calls": [call]}]
    result = {"role": "tool", "tool_call_id": call["id"], "content": "r"}
    sent = bench.sent(C, {**body, "messages": [*body["messages"], *history, result]})
    assert b'"thoughtSignature":"c2lnbmF0dXJl"' in sent


@pytest.mark.parametrize("name", ["responses", "messages", "gemini"])
@pytest.mark.parametrize(
    "broken",
    [
        [{"role": "tool", "tool_call_id": "nobody", "content": "orphan"}],
        [turn for _ in range(2) for turn in ({"role": "user", "content": "go"}, "c0", "r0")],
    ],
    ids=["orphan", "repeated id"],
)
def test_mp04_a_repair_makes_no_new_violation_of_an_old_one_behind_it(name: str, broken: list[Any]) -> None:
    def calls(identity: str, arguments: str) -> dict[str, Any]:
        function = {"name": "f", "arguments": arguments}
        return {"role": "assistant", "tool_calls": [{"id": identity, "type": "function", "function": function}]}

    known = {"c0": calls("c0", "{}"), "r0": {"role": "tool", "tool_call_id": "c0", "content": "r"}}
    messages = [
        *(known[turn] if isinstance(turn, str) else turn for turn in broken),
        {"role": "user", "content": "x"},
        calls("c1", "no json"),
        {"role": "tool", "tool_call_id": "c1", "content": "bad arguments"},
    ]
    sent = Bench().sent(C, {"model": f"{name}.main.m", "messages": messages})
    assert b"bad arguments" in sent
