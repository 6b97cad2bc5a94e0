"""The Anthropic Messages protocol (M): requests, answers, streams, errors and token counts, both directions.

In here is everything the wire of `POST /v1/messages` and `/v1/messages/count_tokens` means, by role: `request_reader`
and `request_writer` (with content, tools, turns and settings beside them), `stream_reader` and `stream_writer`,
`answer`, `errors`, `counting`; `models` says what a target can take by its name, `signatures` how foreign reasoning
travels in thinking blocks. It must not know routing, vendors' quirks beyond Anthropic's own rules, or I/O.

Features a compat profile may set for a Messages target, with their defaults: `default_max_tokens` (32000),
`count_tokens` (true), `auto_cache` (false: a foreign client's request gets no cache breakpoints), `hosted_tools`
(true | false | labels | "drop"), `strict_tools` (false), `thinking_disable` (true: the model takes `thinking:
disabled`), and every field of `models.Abilities`: `thinking_style`, `efforts`, `sampling`, `single_sampler`,
`structured_outputs`, `mid_system`, `unsigned_thinking`, `max_output_tokens`, whose defaults come from the model's
version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.events import StreamEvent
from llmswitch_core.canonical.model import Answer, Conversation, JsonValue, Protocol
from llmswitch_core.protocols.anthropic_messages import answer as _answer
from llmswitch_core.protocols.anthropic_messages import counting as _counting
from llmswitch_core.protocols.anthropic_messages import errors as _errors
from llmswitch_core.protocols.anthropic_messages import request_reader as _request_reader
from llmswitch_core.protocols.anthropic_messages import request_writer as _request_writer
from llmswitch_core.protocols.anthropic_messages import stream_reader as _stream_reader
from llmswitch_core.protocols.anthropic_messages.stream_reader import MessagesStreamReader
from llmswitch_core.protocols.anthropic_messages.stream_writer import MessagesStreamWriter
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

__all__ = ["AnthropicMessages"]


class AnthropicMessages:
    """The codec; `protocols.contract.Codec` says what each member does. Stateless."""

    protocol = Protocol.ANTHROPIC_MESSAGES

    def read_request(self, head: RequestHead, body: Mapping[str, JsonValue]) -> Conversation:
        return _request_reader.read_request(head, body)

    def stream_writer(self, scope: Scope) -> StreamWriter:
        return MessagesStreamWriter(scope)

    def write_answer(self, answer: Answer, scope: Scope) -> bytes:
        return _answer.write_answer(answer, scope)

    def write_error(self, error: GatewayError, request_id: str) -> ErrorReply:
        return _errors.write_error(error, request_id)

    def write_request(self, conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest:
        return _request_writer.write_request(conversation, target, notes)

    def stream_reader(self, scope: Scope) -> StreamReader:
        return MessagesStreamReader(scope)

    def read_answer(self, body: Mapping[str, JsonValue], scope: Scope) -> Iterable[StreamEvent]:
        return _stream_reader.read_answer(body, scope)

    def read_error(self, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
        return _errors.read_error(status, headers, body)

    def count_request(self, conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest | None:
        return _counting.count_request(conversation, target, notes)

    def read_count(self, body: Mapping[str, JsonValue]) -> int:
        return _counting.read_count(body)

    def write_count(self, tokens: int, estimated: bool) -> bytes:
        return _counting.write_count(tokens, estimated)
