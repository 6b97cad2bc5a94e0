"""Whole answers: the fold and unfold of the stream, through the same two machines.

`write_answer` runs the answer's events through the stream writer and keeps its last `response`; `read_answer` feeds
the body to the stream reader as a final response whose items were never streamed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.events import Failed, Start, StreamEvent
from llmswitch_core.canonical.fold import unfold
from llmswitch_core.canonical.model import Answer, JsonValue
from llmswitch_core.protocols.contract import Scope
from llmswitch_core.protocols.openai_responses.errors import error_of
from llmswitch_core.protocols.openai_responses.stream_reader import ResponsesReader
from llmswitch_core.protocols.openai_responses.stream_writer import ResponsesWriter


def answer_body(answer: Answer, scope: Scope) -> dict[str, JsonValue]:
    """The `response` object of a whole answer, as a tree."""
    writer = ResponsesWriter(scope)
    for event in unfold(answer):
        writer.write(event)
    if writer.response is None:
        raise GatewayError(
            ErrorKind.INTERNAL, "unfinished_answer", "The answer to be written has no end.", layer=Layer.SHARED_MODULE
        )
    return writer.response


def write_answer(answer: Answer, scope: Scope) -> bytes:
    """The non-streamed body."""
    return jsonio.encode(answer_body(answer, scope))


def read_answer(body: Mapping[str, JsonValue], scope: Scope) -> Iterable[StreamEvent]:
    """A 200 body as events; an error in disguise, a failed or an unfinished response is `Failed`."""
    response = dict(body)
    if "output" not in response and "status" not in response:
        error = error_of(response, None)
        return (Failed(error if error is not None else _no_response()),)
    status = response.get("status")
    if status in ("queued", "in_progress"):
        return (*_opened(response, scope), Failed(_no_response()))
    name = "response.incomplete" if status == "incomplete" else "response.completed"
    return tuple(ResponsesReader(scope).event({"type": name, "response": response}))


def _opened(response: dict[str, JsonValue], scope: Scope) -> Iterable[StreamEvent]:
    events = ResponsesReader(scope).event({"type": "response.created", "response": response})
    return [event for event in events if isinstance(event, Start)]


def _no_response() -> GatewayError:
    return GatewayError(
        ErrorKind.UPSTREAM,
        "not_a_response",
        "The upstream's answer is not a finished response.",
        next_step="Check that the provider's protocol is openai-responses.",
        layer=Layer.UPSTREAM,
    )
