"""Parts -> content blocks of a request.

Knows the block shapes and which parts have none; which turn a part belongs to is turns_writer.py's business. A part
that came from the Messages protocol goes back as it was; of everybody else's parts the notes say what stayed behind.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.custom import wrap_input
from llmswitch_core.canonical.errors import GatewayError, invalid
from llmswitch_core.canonical.ids import portable
from llmswitch_core.canonical.model import (
    CacheControl,
    JsonValue,
    Media,
    Opaque,
    Part,
    Protocol,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    tag_of,
)
from llmswitch_core.canonical.names import WireNames
from llmswitch_core.protocols.anthropic_messages.models import Abilities
from llmswitch_core.protocols.anthropic_messages.values import cache_wire
from llmswitch_core.protocols.contract import Notes
from llmswitch_core.protocols.losses import Loss, Place, of

Block = dict[str, JsonValue]

CITATION_TYPES: Final = frozenset(
    {
        "char_location",
        "page_location",
        "content_block_location",
        "search_result_location",
        "web_search_result_location",
    }
)
_STANDARD_ALPHABET: Final = str.maketrans("-_", "+/")
FAILED_WITHOUT_TEXT: Final = "The tool call failed and gave no output."


def whole_thoughts(parts: Sequence[Part]) -> list[Part]:
    """Parts with each thought in one piece. A Gemini client replays a streamed thought in the pieces it came in, the
    signature on the last of them, perhaps an empty one; Anthropic signs the whole.
    """
    out: list[Part] = []
    for part in parts:
        before = out[-1] if out else None
        if (
            isinstance(part, Thinking)
            and isinstance(before, Thinking)
            and before.signature is None
            and before.redacted is None
            and before.origin is part.origin
        ):
            out[-1] = msgspec.structs.replace(part, text=before.text + part.text)
        else:
            out.append(part)
    return out


class ContentWriter:
    """Blocks for one request of a client that speaks `inbound`."""

    __slots__ = ("_abilities", "_inbound", "_names", "_native", "_notes")

    def __init__(self, names: WireNames, abilities: Abilities, inbound: Protocol, notes: Notes) -> None:
        self._names = names
        self._abilities = abilities
        self._inbound = inbound
        self._native = inbound is Protocol.ANTHROPIC_MESSAGES
        self._notes = notes

    def texts(self, parts: Sequence[Part]) -> list[Block]:
        """Blocks of a system prompt or message, which takes text (and a Messages client's own directives) only."""
        out: list[Block] = []
        for part in parts:
            if isinstance(part, Text | Refusal):
                out.extend(self._text(part))
            elif isinstance(part, Opaque) and part.protocol is Protocol.ANTHROPIC_MESSAGES:
                out.append(part.wire)
            else:
                self._notes.dropped(_misplaced("system", part))
        return out

    def assistant(self, parts: Sequence[Part]) -> list[Block]:
        """Blocks of an assistant message."""
        out: list[Block] = []
        for part in whole_thoughts(parts) if self._inbound is Protocol.GEMINI else parts:
            if isinstance(part, Text | Refusal):
                out.extend(self._text(part))
            elif isinstance(part, Thinking):
                out.extend(self._thinking(part))
            elif isinstance(part, ToolCall):
                out.append(self._tool_use(part))
            elif isinstance(part, Opaque):
                out.extend(self._opaque(part))
            else:
                # The wire has no images or results in assistant messages.
                self._notes.dropped(_misplaced("assistant", part))
        return out

    def user(self, parts: Sequence[Part]) -> list[Block]:
        """Blocks of a user message."""
        out: list[Block] = []
        for part in parts:
            if isinstance(part, ToolResult):
                out.append(self._tool_result(part))
            elif isinstance(part, Thinking | ToolCall):
                self._notes.dropped(_misplaced("user", part))
            else:
                out.extend(self._shown(part))
        return out

    def _shown(self, part: Part) -> list[Block]:
        if isinstance(part, Text | Refusal):
            return self._text(part)
        if isinstance(part, Media):
            return [self._media(part)]
        if isinstance(part, Opaque):
            return self._opaque(part)
        return []

    def _text(self, part: Text | Refusal) -> list[Block]:
        text = part.text
        # The API refuses empty text blocks, and blocks of nothing but white space.
        if not text or (not self._native and text.isspace()):
            return []
        block: Block = {"type": "text", "text": text}
        if isinstance(part, Refusal):
            return [block]
        if part.citations:
            own = [item for item in part.citations if is_citation(item)]
            if own:
                block["citations"] = own
            if len(own) < len(part.citations):
                self._notes.dropped("text.citations")
        if part.signature is not None:
            self._notes.dropped("text.signature")
        return [_cached(block, part.cache)]

    def _thinking(self, part: Thinking) -> list[Block]:
        own = part.origin is Protocol.ANTHROPIC_MESSAGES
        if part.redacted is not None:
            if own:
                return [{"type": "redacted_thinking", "data": part.redacted}]
            self._notes.dropped("thinking.redacted")
            return []
        # A Gemini client has one slot for every vendor's token, so its tokens all look like Gemini's; governance has
        # let only those through that this target's vendor issued.
        lodged = part.origin is self._inbound and self._inbound is Protocol.GEMINI
        if (own or lodged) and part.signature:
            # google-genai sends bytes back in the URL-safe alphabet; Anthropic's signatures are in the standard one.
            signature = part.signature.translate(_STANDARD_ALPHABET) if lodged else part.signature
            return [{"type": "thinking", "thinking": part.text, "signature": signature}]
        if part.signature:
            self._notes.dropped("thinking.signature")
        if self._abilities.unsigned_thinking and part.text:
            return [{"type": "thinking", "thinking": part.text, "signature": ""}]
        if part.text:
            self._notes.dropped("thinking")
        return []

    def _tool_use(self, part: ToolCall) -> Block:
        arguments = wrap_input(part.arguments) if part.kind == "custom" else part.arguments
        value, valid = arguments_object(arguments)
        if not valid:
            self._notes.repaired("tool_call.arguments")
        block: Block = {
            "type": "tool_use",
            "id": portable(part.id),
            "name": self._names.wire(part.name, part.namespace),
            "input": value,
        }
        return _cached({**block, **(part.options or {})} if self._native else block, part.cache)

    def _tool_result(self, part: ToolResult) -> Block:
        block: Block = {"type": "tool_result", "tool_use_id": portable(part.call_id)}
        content = [block for item in part.content for block in self._shown(item)]
        if not content and part.structured is not None:
            content = [{"type": "text", "text": jsonio.encode(part.structured).decode()}]
        if not content and part.is_error and not self._native:
            # The API refuses an error result without content.
            content = [{"type": "text", "text": FAILED_WITHOUT_TEXT}]
        if len(content) == 1 and content[0].keys() == {"type", "text"}:
            block["content"] = content[0]["text"]
        elif content:
            block["content"] = content
        if part.is_error:
            block["is_error"] = True
        return _cached({**block, **(part.options or {})} if self._native else block, part.cache)

    def _opaque(self, part: Opaque) -> list[Block]:
        if part.protocol is Protocol.ANTHROPIC_MESSAGES:
            return [part.wire]
        self._notes.dropped(of("opaque", part.label))
        return []

    def _media(self, part: Media) -> Block:
        if part.kind in ("audio", "video"):
            raise invalid(
                f"The Messages protocol takes no {part.kind}.",
                code=f"unsupported_{part.kind}",
                param="messages",
                next_step=f"Send the request without {part.kind}, or to a model that takes it.",
            )
        options = part.options or {}
        if self._native and isinstance(options.get("search_result"), dict):
            return _cached(dict(options["search_result"]), part.cache)
        if not self._native:
            for name in options:
                self._notes.dropped(of("media", name))
            if part.detail is not None:
                self._notes.dropped("media.detail")
        block: Block = {"type": _block_type(part), "source": self._source(part)}
        if block["type"] == "document" and part.name:
            block["title"] = part.name
        if self._native:
            block.update({name: value for name, value in options.items() if name != "search_result"})
        return _cached(block, part.cache)

    def _source(self, part: Media) -> Block:
        if part.text is not None:
            return {"type": "text", "media_type": "text/plain", "data": part.text}
        if part.data is not None:
            return self._inline(part, part.data)
        if part.url is not None:
            inline = _data_url(part.url)
            if inline is not None:
                return self._inline(msgspec.structs.replace(part, media_type=inline[0]), inline[1])
            if not part.url.startswith(("http://", "https://")):
                raise _unsupported_media(f"a document or image at {part.url.partition(':')[0]}:")
            return {"type": "url", "url": part.url}
        if part.file_id is not None and self._native:
            return {"type": "file", "file_id": part.file_id}
        # A file id is known to the vendor that issued it and to nobody else.
        raise _unsupported_media("a file id of another vendor")

    def _inline(self, part: Media, data: str) -> Block:
        media_type = part.media_type or ("image/png" if part.kind == "image" else "application/pdf")
        if self._native or media_type in _INLINE_TYPES:
            return {"type": "base64", "media_type": media_type, "data": data}
        if media_type.startswith("text/") or media_type in _TEXT_TYPES:
            text = _decoded(data)
            if text is not None:
                self._notes.mapped("media.document")
                return {"type": "text", "media_type": "text/plain", "data": text}
        raise _unsupported_media(f"inline data of type {media_type}")


_INLINE_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})
_TEXT_TYPES: Final = frozenset({"application/json", "application/xml", "application/javascript", "application/x-yaml"})


def _unsupported_media(what: str) -> GatewayError:
    return invalid(
        f"The Messages protocol cannot carry {what}.",
        code="unsupported_media",
        param="messages",
        next_step="Send PNG, JPEG, GIF, WebP, PDF or plain text, inline or at an http(s) address.",
    )


def _data_url(url: str) -> tuple[str, str] | None:
    """Media type and base64 data of a data URL that has both."""
    if not url.startswith("data:"):
        return None
    described, comma, data = url[5:].partition(",")
    media_type, *parameters = described.split(";")
    return (media_type or "text/plain", data) if comma and "base64" in parameters else None


def _decoded(data: str) -> str | None:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def _block_type(part: Media) -> str:
    return "image" if part.kind == "image" else "document"


def is_citation(value: JsonValue) -> bool:
    """True for a citation object of this protocol."""
    kind = value.get("type") if isinstance(value, dict) else None
    return isinstance(kind, str) and kind in CITATION_TYPES


def arguments_object(arguments: str) -> tuple[dict[str, JsonValue], bool]:
    """The `input` object for a call's JSON text, and whether the text was one.

    `input` must be an object; text that is none is kept under the key `arguments`, so that nothing is lost.
    """
    if not arguments.strip():
        return {}, True
    try:
        value = jsonio.decode(arguments)
    except ValueError:
        return {"arguments": arguments}, False
    return (value, True) if isinstance(value, dict) else ({"arguments": value}, False)


def _cached(block: Block, cache: CacheControl | None) -> Block:
    if cache is not None:
        block["cache_control"] = cache_wire(cache)
    return block


def _misplaced(role: Place, part: Part) -> Loss:
    return of("opaque", part.label) if isinstance(part, Opaque) else of(role, tag_of(part))
