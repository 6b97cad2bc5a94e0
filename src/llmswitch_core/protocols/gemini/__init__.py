"""The Gemini generateContent protocol (G): its requests, answers, streams, errors and token counts.

In here: what Google's public API and Vertex put on the wire. Not in here: any other protocol, routing, credentials,
one upstream's quirks (compat). `Gemini` is the door; the rest is reached through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.events import StreamEvent
from llmswitch_core.canonical.model import Answer, Conversation, JsonValue, Protocol
from llmswitch_core.protocols.contract import (
    ErrorReply,
    Notes,
    RequestHead,
    Scope,
    StreamReader,
    StreamWriter,
    WireRequest,
    WireTarget,
)
from llmswitch_core.protocols.gemini import counting, errors, request_reader, request_writer
from llmswitch_core.protocols.gemini.answer_writer import write_answer
from llmswitch_core.protocols.gemini.stream_reader import GeminiStreamReader, read_answer
from llmswitch_core.protocols.gemini.stream_writer import GeminiStreamWriter

__all__ = ["Gemini"]


class Gemini:
    """The codec; satisfies `protocols.contract.Codec`."""

    protocol = Protocol.GEMINI

    def read_request(self, head: RequestHead, body: Mapping[str, JsonValue]) -> Conversation:
        return request_reader.read_request(head, body)

    def stream_writer(self, scope: Scope) -> StreamWriter:
        return GeminiStreamWriter(scope)

    def write_answer(self, answer: Answer, scope: Scope) -> bytes:
        return write_answer(answer, scope)

    def write_error(self, error: GatewayError, request_id: str) -> ErrorReply:
        return errors.write_error(error, request_id)

    def write_request(self, conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest:
        return request_writer.write_request(conversation, target, notes)

    def stream_reader(self, scope: Scope) -> StreamReader:
        return GeminiStreamReader(scope)

    def read_answer(self, body: Mapping[str, JsonValue], scope: Scope) -> Iterable[StreamEvent]:
        return read_answer(body, scope)

    def read_error(self, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
        return errors.read_error(status, headers, body)

    def count_request(self, conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest | None:
        return request_writer.count_request(conversation, target, notes)

    def read_count(self, body: Mapping[str, JsonValue]) -> int:
        return counting.read_count(body)

    def write_count(self, tokens: int, estimated: bool) -> bytes:
        return counting.write_count(tokens, estimated)
