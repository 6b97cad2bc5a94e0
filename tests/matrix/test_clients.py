"""Every recorded request of a real client passes through every upstream protocol, and nothing is broken on the way."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest
from websockets.sync.client import connect

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.invariants import introduced, of_conversation
from llmswitch_core.protocols.contract import RequestHead
from llmswitch_core.protocols.registry import CODECS
from tests.fake_upstream import RecordedRequest, Text, ToolCall

from .bench import Bench, Reply
from .carrying import REFUSED_RECORDINGS, notes_of
from .cases import LETTERS, PROTOCOL
from .dialects import Json
from .gateway import target
from .recorded import Recorded, all_recorded

PLAIN = [r for r in all_recorded() if not r.websocket and "previous_response_id" not in r.body]


def violations(protocol: str, path: str, query: Json, body: Json) -> tuple[str, ...]:
    """The pairing violations of a body, by the gateway's own count."""
    head = RequestHead("POST", path, query, {})
    return of_conversation(CODECS[Protocol(protocol)].read_request(head, body))


def nothing_introduced(recorded: Recorded, asked: RecordedRequest) -> None:
    """The upstream body, read again, breaks nothing that the client's own did not."""
    before = violations(recorded.protocol, recorded.path, recorded.query, recorded.body)
    after = violations(asked.protocol, asked.path, asked.query, asked.body)
    assert introduced(before, after) == ()


def send(bench: Bench, recorded: Recorded, outbound: str, body: Json | None = None) -> Reply:
    """The recorded request, addressed to the upstream of that protocol."""
    model = target(outbound)
    said = dict(recorded.body if body is None else body)
    path = re.sub(r"models/[^:/]+:", f"models/{model}:", recorded.path)
    if recorded.protocol != "gemini":
        said["model"] = model
    if recorded.query:
        path += "?" + urlencode(recorded.query)
    return bench.post(
        recorded.protocol,
        path,
        json.dumps(said, ensure_ascii=False).encode(),
        stream=recorded.stream,
        same=recorded.protocol == outbound,
        running=bench.gateway(),
        headers=recorded.headers,
    )


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("recorded", PLAIN, ids=lambda r: r.name)
def test_recorded_bodies_pass(recorded: Recorded, letter: str, bench: Bench) -> None:
    """Status 200, legal for the strict upstream, no introduced violation, an answer that the client's SDK reads."""
    outbound = PROTOCOL[letter]
    if recorded.letter == letter:
        # The recorded signatures are of another mock; the same protocol carries them as they are.
        bench.up.do(lambda: setattr(bench.up.upstream, "trusted_signatures", ("",)))
    bench.script(Text("fine"))
    reply = send(bench, recorded, outbound)
    refused = REFUSED_RECORDINGS.get((recorded.name, letter))
    if refused is not None:
        assert reply.status == 400
        assert refused in reply.body.decode()
        assert reply.upstream == []
        reply.failure()
        return
    assert reply.status == 200, reply.body[:600]
    bench.legal()

    assert set(reply.notes) <= notes_of(recorded.letter, letter), reply.notes
    if recorded.counts:
        number = reply.json.get("input_tokens") or reply.json.get("totalTokens")
        assert isinstance(number, int)
        return
    assert reply.answer().text == "fine"
    assert len(reply.upstream) == 1
    nothing_introduced(recorded, reply.upstream[0])


@pytest.mark.parametrize("letter", LETTERS)
def test_a_recorded_continuation_passes(letter: str, bench: Bench) -> None:
    """openai-python's two requests, the second of which names the first's answer and its call."""
    first, second = (r for r in all_recorded() if r.name in ("openai-python/006", "openai-python/007"))
    outbound = PROTOCOL[letter]
    bench.script(ToolCall("get_weather", '{"city": "Oslo"}', id=second.body["input"][0]["call_id"]))
    answer = send(bench, first, outbound).answer()
    bench.script(Text("5 degrees"))
    reply = send(bench, second, outbound, {**second.body, "previous_response_id": answer.id})
    assert reply.answer().text == "5 degrees"
    bench.legal()


@pytest.mark.parametrize("letter", LETTERS)
def test_recorded_websocket_frames_pass(letter: str, bench: Bench) -> None:
    """Codex over its WebSocket: a frame that only prepares, and two that go on from the one before it."""
    frames = [r for r in all_recorded() if r.websocket]
    assert len(frames) == 3
    outbound = PROTOCOL[letter]
    gateway = bench.gateway()
    output = next(i for i in frames[2].body["input"] if i["type"].endswith("_output"))
    names = [t.get("name") for t in frames[1].body["tools"] if t["type"] == "function"]
    bench.script(ToolCall(str(names[0]), "{}", id=output["call_id"]))
    bench.script(Text("fine"))
    headers = {"authorization": "Bearer client-key", **frames[0].headers}
    kept = {k: v for k, v in headers.items() if not k.startswith("sec-") and k not in ("upgrade", "connection")}
    with connect(f"ws://127.0.0.1:{gateway.port}/v1/responses", additional_headers=kept) as socket:
        latest = ""
        for frame in frames:
            body = {**frame.body, "model": target(outbound)}
            if "previous_response_id" in body:
                body["previous_response_id"] = latest
            socket.send(json.dumps(body))
            final = None
            while final is None:
                event = json.loads(socket.recv(timeout=20))
                assert event["type"] not in ("error", "response.failed"), event
                if event["type"] in ("response.completed", "response.incomplete"):
                    final = event["response"]
            latest = final["id"]
    bench.legal()
    assert len(bench.up.requests) == 2, "the frame that only prepares asked an upstream"
    said = json.dumps(bench.up.requests[-1].body, ensure_ascii=False)
    assert output["call_id"] in said
    texts = [p["text"] for i in frames[1].body["input"] for p in i.get("content") or [] if "text" in p]
    assert json.dumps(texts[-1], ensure_ascii=False)[1:-1] in said, "the earlier frame's input is gone"
    assert final["output"][-1]["content"][0]["text"] == "fine"
