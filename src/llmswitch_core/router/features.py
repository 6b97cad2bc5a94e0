"""One pass over a Conversation: the facts classification and selection look at.

Linear in the number of parts, with constant work per part (lengths, not contents), except for the latest turn,
whose text is read up to a limit. It knows what agents' requests look like; it must not know routes or targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from llmswitch_core.canonical.model import (
    Conversation,
    CustomTool,
    FunctionTool,
    HostedTool,
    JsonValue,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from llmswitch_core.router.contract import Features
from llmswitch_core.router.tool_categories import Category, ToolCategories
from llmswitch_core.router.user_text import LATEST_TEXT_LIMIT, strip_client_blocks

BYTES_PER_TOKEN: Final = 4
"""UTF-8 bytes per token. English prose and code lie between 3.2 and 4.8, Chinese and Japanese between 2.5 and 4.5."""

ESTIMATE_MARGIN: Final = 0.35
"""Relative error of `estimate_tokens` to reckon with on prose and code; base64 or minified data may be off twofold."""

_TURN_TOKENS: Final = 4
"""What a turn's frame (role, separators) costs, as in OpenAI's published counting recipe."""

_SIGNATURE_BYTES_PER_TOKEN: Final = 8
"""Encrypted reasoning counts less than text of its length: base64 around encryption around text."""

_MEDIA_TOKENS: Final[dict[str, tuple[int, int]]] = {
    "image": (1_200, 0),
    "document": (1_500, 25),
    "audio": (500, 250),
    "video": (3_000, 250),
}
"""kind -> (least tokens, base64 characters per token above that; 0 = flat). A vendor's tile arithmetic needs pixels."""

_HIGH_EFFORTS: Final = frozenset({"high", "xhigh", "max"})
_NO_EFFORTS: Final = frozenset({"none", "minimal", "low", "medium"})

DEFAULT_CATEGORIES: Final = ToolCategories()


def features_of(conversation: Conversation, categories: ToolCategories = DEFAULT_CATEGORIES) -> Features:
    """The features of `conversation`. `categories` judges the latest tool call."""
    turns = conversation.turns
    latest_from = _latest_start(turns)
    tokens, has_media = _sizes(turns)
    text, media, result = _latest(turns[latest_from:])
    last_tool, category = _last_tool(turns, latest_from, result, categories)
    choice = conversation.tool_choice
    return Features(
        model=conversation.model,
        estimated_tokens=tokens + _tool_tokens(conversation.tools),
        latest_text=text,
        latest_media=media,
        has_media=has_media,
        tool_names=tuple(tool.name for tool in conversation.tools if not isinstance(tool, HostedTool)),
        last_tool=last_tool,
        last_tool_category=category,
        hosted_tools=tuple(tool.label for tool in conversation.tools if isinstance(tool, HostedTool)),
        thinking=asks_to_think(conversation.reasoning),
        has_tools=bool(conversation.tools),
        forced_tool=choice.name if choice is not None and choice.mode == "named" else None,
    )


def estimate_tokens(conversation: Conversation) -> int:
    """Input tokens of the whole request without tokenising, within about `ESTIMATE_MARGIN`."""
    return _sizes(conversation.turns)[0] + _tool_tokens(conversation.tools)


def asks_to_think(reasoning: Reasoning | None) -> bool:
    """Whether the client asks for more thinking than its everyday default.

    Claude Code sends adaptive thinking and Codex effort `medium` with every request, so neither counts: a hard budget,
    an effort of `high` or more, or thinking switched on without either does (Gemini CLI asks for that on its own).
    """
    if reasoning is None or reasoning.mode == "off":
        return False
    if reasoning.effort in _HIGH_EFFORTS:
        return True
    if reasoning.budget_tokens is not None and reasoning.budget_tokens > 0:
        return True
    return reasoning.mode == "on" and reasoning.effort not in _NO_EFFORTS


# --- sizes ---------------------------------------------------------------------------------------------


def _sizes(turns: Iterable[Turn]) -> tuple[int, bool]:
    """(tokens of all turns, whether any media is in them)."""
    size = 0
    tokens = 0
    has_media = False
    for turn in turns:
        tokens += _TURN_TOKENS
        for part in turn.parts:
            if isinstance(part, ToolResult):
                size += len(part.call_id)
                if not part.content and part.structured is not None:
                    size += _json_bytes(part.structured)
                for inner in part.content:
                    has_media = has_media or isinstance(inner, Media)
                    if isinstance(inner, Text):
                        size += _utf8_bytes(inner.text)
                    else:
                        tokens += _part_tokens(inner)
            elif isinstance(part, Text):
                size += _utf8_bytes(part.text)
            elif isinstance(part, ToolCall):
                size += len(part.name) + len(part.id) + _utf8_bytes(part.arguments)
            else:
                has_media = has_media or isinstance(part, Media)
                tokens += _part_tokens(part)
    return tokens + -(-size // BYTES_PER_TOKEN), has_media


def _part_tokens(part: Part) -> int:
    if isinstance(part, Media):
        least, per_token = _MEDIA_TOKENS[part.kind]
        text = _utf8_bytes(part.text) // BYTES_PER_TOKEN if part.text else 0
        return text or max(least, len(part.data or "") // per_token if per_token else 0)
    if isinstance(part, Thinking):
        opaque = len(part.signature or "") + len(part.redacted or "")
        return _utf8_bytes(part.text) // BYTES_PER_TOKEN + opaque // _SIGNATURE_BYTES_PER_TOKEN
    if isinstance(part, Opaque):
        return _json_bytes(part.wire) // BYTES_PER_TOKEN
    if isinstance(part, (Text, Refusal)):
        return _utf8_bytes(part.text) // BYTES_PER_TOKEN
    return 0


def _tool_tokens(tools: Iterable[Tool]) -> int:
    size = 0
    for tool in tools:
        if isinstance(tool, FunctionTool):
            size += len(tool.name) + _utf8_bytes(tool.description or "") + _json_bytes(tool.parameters)
        elif isinstance(tool, CustomTool):
            size += len(tool.name) + _utf8_bytes(tool.description or "") + _json_bytes(tool.format)
        else:
            size += _json_bytes(tool.wire)
    return -(-size // BYTES_PER_TOKEN)


def _utf8_bytes(text: str) -> int:
    """Length in UTF-8; constant time for ASCII, which CPython knows of a string without looking at it."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _json_bytes(value: JsonValue) -> int:
    if value is None:
        return 0
    try:
        return len(msgspec.json.encode(value))
    except (UnicodeEncodeError, msgspec.MsgspecError, TypeError):
        return len(repr(value))


# --- the latest turn -----------------------------------------------------------------------------------


def _latest_start(turns: Sequence[Turn]) -> int:
    """Index of the first turn after the last assistant turn: clients split one turn of theirs into several."""
    for index in range(len(turns) - 1, -1, -1):
        if turns[index].role == "assistant":
            return index + 1
    return 0


def _latest(turns: Iterable[Turn]) -> tuple[str, tuple[str, ...], ToolResult | None]:
    """(the user's own words, kinds of media in order of appearance, the last tool result)."""
    texts: list[str] = []
    room = LATEST_TEXT_LIMIT
    media: dict[str, None] = {}
    last: ToolResult | None = None
    for turn in turns:
        if turn.role != "user":
            continue
        for part in turn.parts:
            if isinstance(part, ToolResult):
                last = part
                media.update((inner.kind, None) for inner in part.content if isinstance(inner, Media))
            elif isinstance(part, Media):
                media[part.kind] = None
            elif isinstance(part, Text) and room > 0:
                own = strip_client_blocks(part.text).strip()[:room]
                if own:
                    texts.append(own)
                    room -= len(own) + 1
    return "\n".join(texts), tuple(media), last


def _last_tool(
    turns: Sequence[Turn], latest_from: int, result: ToolResult | None, categories: ToolCategories
) -> tuple[str | None, Category | None]:
    """Name and category of the call the last tool result answers; the call is in the assistant turns right before."""
    if result is None:
        return None, None
    index = latest_from - 1
    while index >= 0 and turns[index].role == "assistant":
        for part in reversed(turns[index].parts):
            if isinstance(part, ToolCall) and part.id == result.call_id:
                return part.name, categories.of_call(part.name, part.arguments)
        index -= 1
    # The call is not in the request: continued from `previous_response_id`, or an orphan.
    name = result.name or ""
    category: Category = categories.of_name(name) or "other"
    return name, category
