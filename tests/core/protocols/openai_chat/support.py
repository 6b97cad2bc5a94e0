"""What the tests of this codec share: a scope with counted ids, streams as frames, chunks in short form."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

from llmswitch_core.canonical.events import StreamEvent
from llmswitch_core.canonical.model import Conversation, Protocol, Text, Tool, Turn
from llmswitch_core.protocols.contract import Notes, RequestHead, Scope, WireTarget
from llmswitch_core.protocols.openai_chat import OpenAIChat
from llmswitch_core.protocols.sse import DONE, SseParser, data_frame

CODEC = OpenAIChat()
HEAD = RequestHead("POST", "/v1/chat/completions", {}, {})


def conversation(*turns: Turn, protocol: Protocol = Protocol.OPENAI_CHAT, **members: Any) -> Conversation:
    """A conversation of these turns, or of one user turn."""
    return Conversation(
        protocol=protocol,
        model="some-model",
        turns=list(turns) or [Turn("user", [Text("hi")])],
        **members,
    )


def scope(
    request: Conversation | None = None,
    *,
    tools: Sequence[Tool] = (),
    include_usage: bool = False,
    request_wire: Any = None,
    model: str | None = None,
) -> Scope:
    """A scope whose ids count from 0."""
    numbers = itertools.count()
    request = request or conversation(tools=list(tools), include_usage=include_usage)
    return Scope(
        lambda prefix: f"{prefix}{next(numbers):024x}",
        1_700_000_000,
        request,
        Notes(),
        model=model,
        request_wire=request_wire,
    )


def read(**body: Any) -> Conversation:
    """The request body with these members, read."""
    body.setdefault("model", "some-model")
    body.setdefault("messages", [{"role": "user", "content": "hi"}])
    return CODEC.read_request(HEAD, body)


def written(
    request: Conversation, *, same_vendor: bool = False, stream: bool = False, **features: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """The upstream body and the notes as a dict of field -> how."""
    notes = Notes()
    target = WireTarget("target-model", stream, same_vendor, features)
    wire = CODEC.write_request(request, target, notes)
    json.dumps(wire.body)  # a body that is no JSON fails here
    return wire.body, dict(notes.items())


def chunk(delta: dict[str, Any] | None = None, finish: Any = None, **members: Any) -> dict[str, Any]:
    """A chunk with one choice; `delta` None gives `choices: []`."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 5,
        "model": "m-1",
        "choices": choices,
        **members,
    }


def stream(*payloads: Any, done: bool = True) -> bytes:
    """Payloads (objects, or bytes as they are) as an SSE stream."""
    frames = [
        data_frame(item if isinstance(item, bytes) else json.dumps(item, ensure_ascii=True).encode())
        for item in payloads
    ]
    return b"".join(frames) + (DONE if done else b"")


def events(raw: bytes, in_scope: Scope | None = None, sizes: Iterable[int] = ()) -> list[StreamEvent]:
    """What the stream reader makes of these bytes, cut at `sizes`."""
    reader = CODEC.stream_reader(in_scope or scope())
    parser = SseParser()
    out: list[StreamEvent] = []
    position = 0
    for size in sizes:
        for frame in parser.feed(raw[position : position + size]):
            out += reader.feed(frame)
        position += size
    for frame in [*parser.feed(raw[position:]), *parser.flush()]:
        out += reader.feed(frame)
    return [*out, *reader.end()]


def payloads(raw: bytes) -> list[Any]:
    """The decoded data of every frame; `[DONE]` stays a string."""
    return ["[DONE]" if frame.data == b"[DONE]" else json.loads(frame.data) for frame in SseParser().feed(raw)]


def deltas(raw: bytes) -> list[dict[str, Any]]:
    """The deltas of all chunks that have a choice."""
    return [item["choices"][0]["delta"] for item in payloads(raw) if isinstance(item, dict) and item.get("choices")]
