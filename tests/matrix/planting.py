"""Tools for planting bugs: change events, conversations, bodies or bytes on their way, whatever the protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
import pytest

from llmswitch_core.canonical.events import StreamEvent
from llmswitch_core.canonical.model import Conversation, Part
from llmswitch_core.protocols.anthropic_messages import AnthropicMessages
from llmswitch_core.protocols.anthropic_messages.stream_reader import MessagesStreamReader
from llmswitch_core.protocols.gemini import Gemini
from llmswitch_core.protocols.gemini.stream_reader import GeminiStreamReader
from llmswitch_core.protocols.openai_chat import OpenAIChat
from llmswitch_core.protocols.openai_chat.stream_reader import ChatStreamReader
from llmswitch_core.protocols.openai_responses import OpenAIResponses
from llmswitch_core.protocols.openai_responses.stream_reader import ResponsesReader

Patch = pytest.MonkeyPatch

CODECS: Final = (OpenAIChat, OpenAIResponses, AnthropicMessages, Gemini)
READERS: Final = (ChatStreamReader, ResponsesReader, MessagesStreamReader, GeminiStreamReader)


def change_events(patch: Patch, change: Callable[[StreamEvent], Iterable[StreamEvent]]) -> None:
    """Every event that any upstream's answer gives, streamed or whole, goes through `change`."""
    for reader in READERS:
        for name in ("feed", "end"):
            _change_method(patch, reader, name, change)
    for codec in CODECS:
        _change_method(patch, codec, "read_answer", change)


def _change_method(patch: Patch, owner: Any, name: str, change: Callable[[StreamEvent], Iterable[StreamEvent]]) -> None:
    real = getattr(owner, name)

    def changed(self: Any, *arguments: Any) -> list[StreamEvent]:
        return [out for event in real(self, *arguments) for out in change(event)]

    patch.setattr(owner, name, changed)


def change_conversation(patch: Patch, change: Callable[[Conversation], Conversation]) -> None:
    """What any request writer is given goes through `change`."""
    for codec in CODECS:
        real = codec.write_request

        def changed(self: Any, conversation: Conversation, *rest: Any, real: Any = real) -> Any:
            return real(self, change(conversation), *rest)

        patch.setattr(codec, "write_request", changed)


def change_parts(patch: Patch, change: Callable[[Part], Part]) -> None:
    """Every part of every turn that goes upstream across protocols."""

    def all_parts(conversation: Conversation) -> Conversation:
        turns = [msgspec.structs.replace(t, parts=[change(p) for p in t.parts]) for t in conversation.turns]
        return msgspec.structs.replace(conversation, turns=turns)

    change_conversation(patch, all_parts)


def change_body(patch: Patch, codec: Any, change: Callable[[dict[str, Any]], None]) -> None:
    """The body a request writer made."""
    real = codec.write_request

    def changed(self: Any, *arguments: Any) -> Any:
        wire = real(self, *arguments)
        change(wire.body)
        return wire

    patch.setattr(codec, "write_request", changed)


def change_bytes(patch: Patch, owner: Any, name: str, change: Callable[[bytes], bytes]) -> None:
    """The bytes a method returns."""
    real = getattr(owner, name)
    patch.setattr(owner, name, lambda self, *arguments: change(real(self, *arguments)))
