"""What the tests of this folder share: heads, scopes, and the ways between events, bytes and answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from llmswitch_core.canonical.events import StreamEvent
from llmswitch_core.canonical.fold import fold, unfold
from llmswitch_core.canonical.model import Answer, Conversation, Protocol, Text, Turn
from llmswitch_core.protocols.contract import Notes, RequestHead, Scope, WireRequest, WireTarget
from llmswitch_core.protocols.gemini import Gemini
from llmswitch_core.protocols.sse import SseParser

CLIENTS = Path(__file__).parents[3] / "data" / "clients"
GEMINI = Gemini()


def head(path: str = "/v1beta/models/gemini-2.5-flash:generateContent", **query: str) -> RequestHead:
    return RequestHead("POST", path, query, {})


def read(body: dict[str, Any], path: str = "/v1beta/models/gemini-2.5-flash:generateContent") -> Conversation:
    return GEMINI.read_request(head(path), body)


def says(*parts: Any, role: str = "user") -> dict[str, Any]:
    return {"role": role, "parts": list(parts)}


def conversation(*turns: Turn, protocol: Protocol = Protocol.ANTHROPIC_MESSAGES, **fields: Any) -> Conversation:
    return Conversation(protocol, "client-model", list(turns) or [Turn("user", [Text("hi")])], **fields)


def write(
    talk: Conversation, model: str = "gemini-2.5-flash", notes: Notes | None = None, **features: Any
) -> WireRequest:
    target = WireTarget(model, stream=False, same_vendor=False, features=features)
    return GEMINI.write_request(talk, target, Notes() if notes is None else notes)


def scope(talk: Conversation | None = None, model: str | None = None) -> Scope:
    numbers = count(1)
    return Scope(
        lambda prefix: f"{prefix}{next(numbers):024d}",
        1_790_000_000,
        conversation(protocol=Protocol.GEMINI) if talk is None else talk,
        Notes(),
        model=model,
    )


def streamed(events: Iterable[StreamEvent], within: Scope | None = None) -> bytes:
    writer = GEMINI.stream_writer(scope() if within is None else within)
    return b"".join(writer.write(event) for event in events)


def payloads(data: bytes) -> list[Any]:
    """The JSON of every `data:` frame."""
    parser = SseParser()
    return [json.loads(frame.data) for frame in (*parser.feed(data), *parser.flush())]


def sse(*chunks: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in chunks)


def events_of(data: bytes, within: Scope | None = None, sizes: Sequence[int] = ()) -> list[StreamEvent]:
    """Bytes in any chunking, through the SSE parser and the reader, to the end of the stream."""
    reader = GEMINI.stream_reader(scope() if within is None else within)
    parser = SseParser()
    out: list[StreamEvent] = []
    position = 0
    for size in sizes:
        for frame in parser.feed(data[position : position + size]):
            out.extend(reader.feed(frame))
        position += size
    for frame in (*parser.feed(data[position:]), *parser.flush()):
        out.extend(reader.feed(frame))
    return [*out, *reader.end()]


def chunk(*parts: Any, finish: str | None = None, usage: dict[str, int] | None = None, **more: Any) -> dict[str, Any]:
    """A GenerateContentResponse as the vendor streams it."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **more}
    if finish is not None:
        candidate["finishReason"] = finish
    body: dict[str, Any] = {"candidates": [candidate], "modelVersion": "gemini-x", "responseId": "r1"}
    if usage is not None:
        body["usageMetadata"] = usage
    return body


def answer_bytes(answer: Answer) -> bytes:
    return streamed(unfold(answer))


def reread(answer: Answer) -> Answer:
    return fold(events_of(answer_bytes(answer)))
