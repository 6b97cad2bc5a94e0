"""The four codecs by protocol name: the only place that lists them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.protocols.anthropic_messages import AnthropicMessages
from llmswitch_core.protocols.contract import Codec
from llmswitch_core.protocols.gemini import Gemini
from llmswitch_core.protocols.openai_chat import OpenAIChat
from llmswitch_core.protocols.openai_responses import OpenAIResponses

CODECS: Final[Mapping[Protocol, Codec]] = MappingProxyType(
    {
        Protocol.OPENAI_CHAT: OpenAIChat(),
        Protocol.OPENAI_RESPONSES: OpenAIResponses(),
        Protocol.ANTHROPIC_MESSAGES: AnthropicMessages(),
        Protocol.GEMINI: Gemini(),
    }
)
