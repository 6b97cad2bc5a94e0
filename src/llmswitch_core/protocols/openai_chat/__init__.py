"""OpenAI Chat Completions, and the dialects its many relatives speak.

What happens in here: `messages` and settings to a Conversation and back, chunks and whole answers to canonical events
and back, OpenAI's error envelope. What may not: any other protocol, any vendor's name in a branch (what a target can
take is told by features, see features.py), sockets, clocks.

The door is `OpenAIChat`; everything else is this room's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from llmswitch_core.canonical import jsonio
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
from llmswitch_core.protocols.openai_chat import answer as answers
from llmswitch_core.protocols.openai_chat import errors, request_reader, request_writer
from llmswitch_core.protocols.openai_chat.stream_reader import ChatStreamReader
from llmswitch_core.protocols.openai_chat.stream_writer import ChatStreamWriter

__all__ = ["OpenAIChat"]


class OpenAIChat:
    """The codec of openai-chat (protocols/contract.py `Codec`)."""

    protocol = Protocol.OPENAI_CHAT

    def read_request(self, head: RequestHead, body: Mapping[str, JsonValue]) -> Conversation:
        return request_reader.read_request(head, body)

    def stream_writer(self, scope: Scope) -> StreamWriter:
        return ChatStreamWriter(scope)

    def write_answer(self, answer: Answer, scope: Scope) -> bytes:
        return answers.write_answer(answer, scope)

    def write_error(self, error: GatewayError, request_id: str) -> ErrorReply:
        return errors.write_error(error, request_id)

    def write_request(self, conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest:
        return request_writer.write_request(conversation, target, notes)

    def stream_reader(self, scope: Scope) -> StreamReader:
        return ChatStreamReader(scope)

    def read_answer(self, body: Mapping[str, JsonValue], scope: Scope) -> Iterable[StreamEvent]:
        return answers.read_answer(body, scope)

    def read_error(self, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
        return errors.read_error(status, headers, body)

    def count_request(self, conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest | None:
        """None: this protocol has no token counting call."""
        return None

    def read_count(self, body: Mapping[str, JsonValue]) -> int:
        """The prompt tokens of a usage object, the only count this protocol knows; 0 if there is none."""
        usage = body.get("usage")
        tokens = usage.get("prompt_tokens") if isinstance(usage, dict) else None
        return tokens if isinstance(tokens, int) else 0

    def write_count(self, tokens: int, estimated: bool) -> bytes:
        """A usage object and whether its number is an estimate."""
        return jsonio.encode({"usage": {"prompt_tokens": tokens}, "estimated": estimated})
