"""The Responses WebSocket: text frames in, text frames out. Pure; the host owns the socket.

Each request is one text frame `{"type": "response.create", …body}`; `generate: false` only prepares a response the
next request can refer to. Answers are the events of the HTTP stream, one per text frame, without SSE framing. A
failure that over HTTP would be a status is an `error` frame with `status` and the error object (openai SDK,
ResponseWsError; Codex tells such errors apart by it).
"""

from __future__ import annotations

from typing import Any

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import GatewayError, invalid
from llmswitch_core.canonical.events import Finish, Start, UsageSeen
from llmswitch_core.canonical.model import FinishReason, Usage
from llmswitch_core.protocols.contract import Scope
from llmswitch_core.protocols.openai_responses.errors import error_object, error_of, write_error
from llmswitch_core.protocols.openai_responses.stream_writer import ResponsesWriter
from llmswitch_core.protocols.sse import SseParser

_FRAME_ONLY = frozenset({"type", "generate", "stream_id"})


class ClientFrame(msgspec.Struct, frozen=True):
    """One `response.create`: the body as over HTTP (always streaming), and what only the frame says."""

    body: dict[str, Any]
    generate: bool = True
    stream_id: str | None = None
    """The lane the client wants the answer's events marked with."""


def read_frame(data: bytes | str) -> ClientFrame:
    """A client's text frame. Raises GatewayError(invalid_request) for anything but `response.create`."""
    try:
        tree = jsonio.decode(data)
    except ValueError as error:
        raise invalid(f"The frame is no JSON: {error}", code="invalid_json") from error
    if not isinstance(tree, dict):
        raise invalid("A frame must be a JSON object.", code="invalid_type")
    kind = tree.get("type")
    if kind != "response.create":
        raise invalid(
            f"Unknown frame type {kind!r}.",
            param="type",
            code="unsupported_frame",
            next_step="Send a frame of type response.create.",
        )
    body = {name: value for name, value in tree.items() if name not in _FRAME_ONLY}
    body["stream"] = True
    lane = tree.get("stream_id")
    return ClientFrame(body, tree.get("generate") is not False, lane if isinstance(lane, str) else None)


def ws_frames(data: bytes, stream_id: str | None = None) -> list[bytes]:
    """The text frames for bytes of an event stream that end at an event's end (as stream writers give them).

    `[DONE]` has no frame; an `error` event takes the frame's form of it.
    """
    parser = SseParser()
    frames = [*parser.feed(data), *parser.flush()]
    return [_frame(frame.data, stream_id) for frame in frames if frame.data.strip() and frame.data.strip() != b"[DONE]"]


def _frame(payload: bytes, stream_id: str | None) -> bytes:
    if payload.startswith(b'{"type":"error"'):
        error = error_of(jsonio.decode(payload), None)
        if error is not None:
            return error_frame(error, stream_id)
    if stream_id is None or not payload.startswith(b"{"):
        return payload
    return b'{"stream_id":%b,%b' % (jsonio.encode(stream_id), payload[1:])


def error_frame(error: GatewayError, stream_id: str | None = None) -> bytes:
    """A failure before any event of the answer: what would have been the HTTP error."""
    reply = write_error(error, "")
    frame: dict[str, Any] = {"type": "error", "status": reply.status, "error": error_object(error)}
    if reply.headers:
        # Codex has looked in either place, depending on its version.
        frame["headers"] = frame["error"]["headers"] = reply.headers
    if stream_id is not None:
        frame["stream_id"] = stream_id
    return jsonio.encode(frame)


def prepared(scope: Scope) -> tuple[bytes, dict[str, Any]]:
    """The answer to `generate: false`: its event stream, and the (empty, completed) response to be recorded."""
    writer = ResponsesWriter(scope)
    events = (Start("", scope.model or scope.conversation.model), UsageSeen(Usage()), Finish(FinishReason.STOP))
    data = b"".join(writer.write(event) for event in events)
    return data, writer.response or {}
