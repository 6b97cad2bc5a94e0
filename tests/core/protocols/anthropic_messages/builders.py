"""What the tests of this codec share: scopes, targets, frames and a check of the stream grammar."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmswitch_core.canonical.events import StreamEvent
from llmswitch_core.canonical.model import Conversation, Protocol, Text, Tool, Turn
from llmswitch_core.protocols.anthropic_messages import AnthropicMessages
from llmswitch_core.protocols.contract import Notes, RequestHead, Scope, SseFrame, WireRequest, WireTarget
from llmswitch_core.protocols.sse import SseParser

M = Protocol.ANTHROPIC_MESSAGES
C = Protocol.OPENAI_CHAT
R = Protocol.OPENAI_RESPONSES
G = Protocol.GEMINI
CODEC = AnthropicMessages()
CLIENTS = Path(__file__).parents[3] / "data" / "clients"


def bodies() -> list[tuple[str, dict[str, Any]]]:
    """Every recorded Messages request: name and body."""
    names = ("claude", "anthropic-python", "anthropic-js")
    paths = [path for name in names for path in sorted((CLIENTS / name).glob("0*.json"))]
    return [(f"{path.parent.name}/{path.name}", json.loads(path.read_text("utf-8"))) for path in paths]


def head(**headers: str) -> RequestHead:
    return RequestHead("POST", "/v1/messages", {}, {name.replace("_", "-"): value for name, value in headers.items()})


def read(**members: Any) -> Conversation:
    """A request with these members; model, max_tokens and one user message are filled in."""
    body = {"model": "claude-opus-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}], **members}
    return CODEC.read_request(head(), body)


def conversation(*turns: Turn, protocol: Protocol = C, **members: Any) -> Conversation:
    return Conversation(protocol=protocol, model="m", turns=list(turns) or [Turn("user", [Text("hi")])], **members)


def target(model: str = "claude-opus-5-5", *, stream: bool = False, **features: Any) -> WireTarget:
    return WireTarget(model, stream, same_vendor=False, features=features)


def write(subject: Conversation, model: str = "claude-opus-5-5", **features: Any) -> tuple[WireRequest, Notes]:
    notes = Notes()
    return CODEC.write_request(subject, target(model, **features), notes), notes


def body_of(subject: Conversation, model: str = "claude-opus-5-5", **features: Any) -> dict[str, Any]:
    return write(subject, model, **features)[0].body


def scope(tools: Sequence[Tool] = (), model: str | None = None) -> Scope:
    numbers = itertools.count(1)
    return Scope(
        new_id=lambda prefix: f"{prefix}{next(numbers):024x}",
        created=1_700_000_000,
        conversation=Conversation(protocol=M, model="asked", turns=[], tools=list(tools)),
        notes=Notes(),
        model=model,
    )


def wire(*events: Mapping[str, Any]) -> list[SseFrame]:
    """Wire events as frames."""
    return [SseFrame(str(event.get("type", "")), json.dumps(event).encode(), b"") for event in events]


def heard(frames: Iterable[SseFrame], within: Scope | None = None, *, end: bool = True) -> list[StreamEvent]:
    """What the stream reader makes of frames."""
    reader = CODEC.stream_reader(within or scope())
    out = [event for frame in frames for event in reader.feed(frame)]
    return [*out, *reader.end()] if end else out


def said(events: Iterable[StreamEvent], within: Scope | None = None) -> bytes:
    """What the stream writer makes of events."""
    writer = CODEC.stream_writer(within or scope())
    return b"".join(writer.write(event) for event in events)


def frames(data: bytes, size: int | None = None) -> list[SseFrame]:
    """Bytes split into frames, fed in chunks of `size`."""
    parser = SseParser()
    step = size or max(len(data), 1)
    out: list[SseFrame] = []
    for begin in range(0, len(data), step):
        out.extend(parser.feed(data[begin : begin + step]))
    return [*out, *parser.flush()]


def payloads(data: bytes) -> list[dict[str, Any]]:
    """Decoded payloads; event names must repeat their type (MP-10)."""
    out = []
    for frame in frames(data):
        payload = json.loads(frame.data)
        assert frame.event == payload["type"]
        out.append(payload)
    return out


DELTAS_OF = {
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
    "server_tool_use": {"input_json_delta"},
}


def assert_grammar(data: bytes, *, complete: bool = True) -> list[dict[str, Any]]:
    """MP-09: one message_start, blocks one after the other with deltas of their type, one end, then nothing."""
    events = [event for event in payloads(data) if event["type"] != "ping"]
    assert events[0]["type"] == "message_start"
    open_block: tuple[int, str] | None = None
    expected = 0
    ended = 0
    for event in events[1:]:
        kind = event["type"]
        assert ended < 2, "something follows message_stop"
        if kind == "content_block_start":
            assert open_block is None
            assert event["index"] == expected
            open_block = (expected, event["content_block"]["type"])
            expected += 1
        elif kind == "content_block_delta":
            assert open_block is not None
            assert event["index"] == open_block[0]
            assert event["delta"]["type"] in DELTAS_OF[open_block[1]]
        elif kind == "content_block_stop":
            assert open_block is not None
            assert event["index"] == open_block[0]
            open_block = None
        elif kind == "message_delta":
            assert open_block is None
            assert ended == 0
            ended = 1
        elif kind == "message_stop":
            assert ended == 1
            ended = 2
        elif kind == "error":
            ended = 2
        else:
            raise AssertionError(kind)
    assert ended == (2 if complete else 0)
    return events
