"""OpenAI Responses: the wire of Codex and of the OpenAI SDKs' `responses`.

In here: requests (`request_reader`, `request_writer`, `items`, `item_writer`, `content`, `tools`, `client_tools`),
answers (`stream_reader`, `stream_writer`, `output_items`, `response_body`, `answer`), `usage`, `errors`, the
envelopes for foreign `tokens`, and `websocket` framing. What may not happen in here: routing, quirks of one
vendor (compat), keeping responses (hub/responses_state.py), I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.events import StreamEvent
from llmswitch_core.canonical.model import Answer, Conversation, JsonValue, Protocol
from llmswitch_core.protocols.contract import ErrorReply, Notes, RequestHead, Scope, WireRequest, WireTarget
from llmswitch_core.protocols.openai_responses import answer as _answer
from llmswitch_core.protocols.openai_responses import errors as _errors
from llmswitch_core.protocols.openai_responses import request_reader as _request_reader
from llmswitch_core.protocols.openai_responses import request_writer as _request_writer
from llmswitch_core.protocols.openai_responses.fields import count
from llmswitch_core.protocols.openai_responses.stream_reader import ResponsesReader
from llmswitch_core.protocols.openai_responses.stream_writer import ResponsesWriter

__all__ = ["OpenAIResponses", "ResponsesReader", "ResponsesWriter"]


class OpenAIResponses:
    """The codec (`protocols.contract.Codec`)."""

    protocol = Protocol.OPENAI_RESPONSES

    def read_request(self, head: RequestHead, body: Mapping[str, JsonValue]) -> Conversation:
        return _request_reader.read_request(body)

    def stream_writer(self, scope: Scope) -> ResponsesWriter:
        return ResponsesWriter(scope)

    def write_answer(self, answer: Answer, scope: Scope) -> bytes:
        return _answer.write_answer(answer, scope)

    def write_error(self, error: GatewayError, request_id: str) -> ErrorReply:
        return _errors.write_error(error, request_id)

    def write_request(self, conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest:
        return _request_writer.write_request(conversation, target, notes)

    def stream_reader(self, scope: Scope) -> ResponsesReader:
        return ResponsesReader(scope)

    def read_answer(self, body: Mapping[str, JsonValue], scope: Scope) -> Iterable[StreamEvent]:
        return _answer.read_answer(body, scope)

    def read_error(self, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
        return _errors.read_error(status, headers, body)

    def count_request(self, conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest | None:
        return _request_writer.count_request(conversation, target, notes)

    def read_count(self, body: Mapping[str, JsonValue]) -> int:
        return count(body.get("input_tokens"))

    def write_count(self, tokens: int, estimated: bool) -> bytes:
        """`/v1/responses/input_tokens`; an estimate is flagged by the host's header, the body has no place for it."""
        return jsonio.encode({"object": "response.input_tokens", "input_tokens": tokens})
