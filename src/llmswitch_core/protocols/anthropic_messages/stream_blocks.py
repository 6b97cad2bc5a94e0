"""The content blocks of an upstream stream while they are open: what their deltas mean, part by part.

A block that only Anthropic understands is collected and told whole; the others are told delta by delta.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.custom import InputUnwrapper
from llmswitch_core.canonical.events import ArgumentsDelta, CitationDelta, SignatureDelta, StreamEvent, TextDelta
from llmswitch_core.canonical.model import JsonValue, Opaque, Part, Protocol, Thinking

OWN: Final = Protocol.ANTHROPIC_MESSAGES


class Block:
    """One open content block. `wire` is set for collected blocks, `start_input` for calls."""

    __slots__ = ("argued", "collected", "kind", "part", "start_input", "unwrapper", "wire")

    def __init__(self, part: int, kind: str) -> None:
        self.part = part
        self.kind = kind
        self.argued = False
        self.start_input: JsonValue = None
        self.unwrapper: InputUnwrapper | None = None
        self.wire: dict[str, JsonValue] = {}
        self.collected: list[str] = []


def _text(block: Block, delta: Mapping[str, Any]) -> Sequence[StreamEvent]:
    text = delta.get("text")
    return (TextDelta(block.part, text),) if isinstance(text, str) and text else ()


def _thought(block: Block, delta: Mapping[str, Any]) -> Sequence[StreamEvent]:
    text = delta.get("thinking")
    return (TextDelta(block.part, text),) if isinstance(text, str) and text else ()


def _signature(block: Block, delta: Mapping[str, Any]) -> Sequence[StreamEvent]:
    signature = delta.get("signature")
    return (SignatureDelta(block.part, signature),) if isinstance(signature, str) and signature else ()


def _citation(block: Block, delta: Mapping[str, Any]) -> Sequence[StreamEvent]:
    citation = delta.get("citation")
    return (CitationDelta(block.part, citation, OWN),) if citation is not None else ()


def arguments(block: Block, delta: Mapping[str, Any]) -> Sequence[StreamEvent]:
    """More of a call's input; `block.argued` remembers that there was some."""
    text = delta.get("partial_json")
    if not isinstance(text, str) or not text:
        return ()
    block.argued = True
    if block.unwrapper is not None:
        text = block.unwrapper.feed(text)
        if not text:
            return ()
    return (ArgumentsDelta(block.part, text),)


def collect(block: Block, delta: Mapping[str, Any]) -> None:
    """Deltas of a block that is told whole."""
    if isinstance(delta.get("partial_json"), str):
        block.collected.append(delta["partial_json"])
    for name in ("content", "text"):
        if isinstance(delta.get(name), str):
            earlier = block.wire.get(name)
            block.wire[name] = (earlier if isinstance(earlier, str) else "") + delta[name]
    if delta.get("encrypted_content") is not None:
        block.wire["encrypted_content"] = delta["encrypted_content"]


def str_or_empty(value: JsonValue) -> str:
    """A string, or nothing for any other JSON."""
    return value if isinstance(value, str) else ""


def whole(block: Block) -> Part:
    """The part a collected block amounts to."""
    wire = block.wire
    if block.collected:
        text = "".join(block.collected)
        try:
            wire["input"] = jsonio.decode(text) if text.strip() else wire.get("input") or {}
        except ValueError:
            wire["input"] = {"arguments": text}
    label = str_or_empty(wire.get("type"))
    if label == "redacted_thinking" and isinstance(wire.get("data"), str):
        return Thinking(redacted=wire["data"], origin=OWN)
    return Opaque(OWN, label, wire)


DELTAS: Final[dict[tuple[str, str], Callable[[Block, Mapping[str, Any]], Sequence[StreamEvent]]]] = {
    ("text", "text_delta"): _text,
    ("text", "citations_delta"): _citation,
    ("thinking", "thinking_delta"): _thought,
    ("thinking", "signature_delta"): _signature,
    ("call", "input_json_delta"): arguments,
}
"""Block kind and delta type -> events. A delta of another type than its block's is ignored, as the SDKs do."""
