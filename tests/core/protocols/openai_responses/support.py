"""What the tests of this codec share: a scope with counted ids, streams as frames and back."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from llmswitch_core.canonical.events import StreamEvent
from llmswitch_core.canonical.model import Conversation, Protocol, Text, Tool, Turn
from llmswitch_core.protocols.contract import Notes, RequestHead, Scope, SseFrame, WireTarget
from llmswitch_core.protocols.openai_responses import OpenAIResponses
from llmswitch_core.protocols.sse import SseParser

CODEC = OpenAIResponses()
HEAD = RequestHead("POST", "/v1/responses", {}, {})
CLIENTS = Path(__file__).parents[3] / "data" / "clients"


def conversation(*turns: Turn, protocol: Protocol = Protocol.OPENAI_RESPONSES, **members: Any) -> Conversation:
    """A conversation of these turns, or of one user turn."""
    return Conversation(protocol, "some-model", list(turns) or [Turn("user", [Text("hi")])], **members)


def scope(
    request: Conversation | None = None,
    *,
    tools: Sequence[Tool] = (),
    request_wire: Any = None,
    model: str | None = None,
    done_marker: bool = False,
) -> Scope:
    """A scope whose ids count from 0."""
    numbers = itertools.count()
    return Scope(
        lambda prefix: f"{prefix}{next(numbers):024x}",
        1_700_000_000,
        request or conversation(tools=list(tools)),
        Notes(),
        model=model,
        request_wire=request_wire,
        done_marker=done_marker,
    )


def read(**body: Any) -> Conversation:
    """The request body with these members, read."""
    body.setdefault("model", "some-model")
    body.setdefault("input", "hi")
    return CODEC.read_request(HEAD, body)


def written(request: Conversation, *, stream: bool = False, **features: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """The upstream body and the notes as field -> how."""
    notes = Notes()
    wire = CODEC.write_request(request, WireTarget("target-model", stream, False, features), notes)
    json.dumps(wire.body)  # a body that is no JSON fails here
    return wire.body, dict(notes.items())


def client_body(path: str) -> dict[str, Any]:
    """A real client's request body; WebSocket frames without what only the frame says."""
    body: dict[str, Any] = json.loads((CLIENTS / path).read_text(encoding="utf-8"))
    body.pop("type", None)
    body.pop("generate", None)
    return body


def frames(*events: dict[str, Any]) -> list[SseFrame]:
    """Upstream events as frames."""
    return [SseFrame(str(event.get("type", "")), json.dumps(event).encode(), b"") for event in events]


def feed(reader: Any, *events: dict[str, Any]) -> list[StreamEvent]:
    """Everything the reader says to these upstream events and to the end behind them."""
    out = [one for frame in frames(*events) for one in reader.feed(frame)]
    return [*out, *reader.end()]


def stream(writer: Any, events: Iterable[StreamEvent]) -> bytes:
    """All bytes the writer gives for these events."""
    return b"".join(writer.write(event) for event in events)


def wire_events(data: bytes) -> list[dict[str, Any]]:
    """The JSON events in a byte stream; each frame's `event:` line must agree with its `type`."""
    out = []
    for frame in SseParser().feed(data):
        if frame.data != b"[DONE]":
            event = json.loads(frame.data)
            assert frame.event == event["type"]
            out.append(event)
    return out


def completed(*output: dict[str, Any], status: str = "completed", **members: Any) -> dict[str, Any]:
    """The last event of a stream."""
    response = {
        "id": "resp_1",
        "object": "response",
        "status": status,
        "model": "m-1",
        "output": list(output),
        **members,
    }
    return {"type": f"response.{status}", "response": response}


CREATED: dict[str, Any] = {
    "type": "response.created",
    "response": {"id": "resp_1", "object": "response", "created_at": 5, "status": "in_progress", "model": "m-1"},
}
