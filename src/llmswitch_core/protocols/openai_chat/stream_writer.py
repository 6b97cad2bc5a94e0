"""Canonical events -> chunks for the client.

Theory of operation. The first chunk has the role and nothing else; then one chunk per event; the finish chunk, the
usage chunk if the client asked for one, and `[DONE]` go out together. Text, the hot path, is a fixed prefix, the
encoded string and a fixed suffix. Parts need no order here: every tool call has its own index. An error is a `data:`
line with an `error` object and no `[DONE]` behind it: the vendor's SDKs raise on it.

    canonical                              wire
    Start                                  delta {role: assistant, content: null}
    TextDelta (text, thinking, refusal)    delta {content} | {reasoning_content} | {refusal}
    PartStart tool_call                    delta {tool_calls: [{index, id, type, function {name, arguments: ""}}]}
    ArgumentsDelta                         delta {tool_calls: [{index, function {arguments}}]}
    PartStart of thinking with an origin   delta {reasoning_details}: whose thinking follows
    PartStop of thinking with a signature  delta {reasoning_details}: the whole text and its signature, once
    PartStart whole                        delta {images} | {audio} | {reasoning_details}
    UsageSeen                              kept
    Finish                                 finish_reason, [usage chunk], [DONE]
    Failed                                 [usage chunk], {error}
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.events import (
    ArgumentsDelta,
    CitationDelta,
    Failed,
    Finish,
    PartStart,
    PartStop,
    SignatureDelta,
    Start,
    StreamEvent,
    TextDelta,
    UsageSeen,
)
from llmswitch_core.canonical.ids import portable
from llmswitch_core.canonical.model import JsonValue, Protocol, Thinking, Usage
from llmswitch_core.protocols.contract import Scope
from llmswitch_core.protocols.openai_chat import answer_parts, errors, finish
from llmswitch_core.protocols.openai_chat.reasoning_details import announcement, entries
from llmswitch_core.protocols.openai_chat.usage import write_usage
from llmswitch_core.protocols.sse import DONE, data_frame

_ENCODE: Final = msgspec.json.Encoder().encode
_MEMBER_OF_KIND: Final = {"text": b"content", "thinking": b"reasoning_content", "refusal": b"refusal"}


class ChatStreamWriter:
    """Writes one client stream. State: the envelope, which member each open part fills, call indices."""

    __slots__ = (
        *("_announced", "_boxes", "_call_indices", "_counts", "_done", "_finish_head", "_head", "_legacy", "_opened"),
        *("_prefixes", "_refused", "_scope", "_start", "_suffix", "_tail", "_thinking", "_usage"),
    )

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._legacy = answer_parts.is_legacy(scope)
        self._start: Start | None = None
        self._opened = False
        self._done = False
        self._head = b""
        self._tail = b""
        self._suffix = b""
        self._finish_head = b""
        self._prefixes: dict[int, bytes] = {}
        self._boxes: dict[int, bytes] = {}
        self._call_indices: dict[int, int] = {}
        self._thinking: dict[int, Thinking] = {}
        self._announced: dict[int, dict[str, Any]] = {}
        self._counts = {"reasoning_details": 0, "images": 0, "annotations": 0}
        self._refused = False
        self._usage: Usage | None = None

    # the contract ------------------------------------------------------------------------------------

    def write(self, event: StreamEvent) -> bytes:
        """Frames for this event, possibly none."""
        if self._done:
            return b""
        if isinstance(event, TextDelta):
            return self._text(event)
        if isinstance(event, ArgumentsDelta):
            return self._arguments(event)
        if isinstance(event, PartStart):
            return self._part_start(event)
        if isinstance(event, PartStop):
            return self._part_stop(event)
        if isinstance(event, UsageSeen):
            self._usage = event.usage
            return b""
        if isinstance(event, Start):
            return self._begin(event)
        if isinstance(event, SignatureDelta):
            return self._signature(event)
        if isinstance(event, CitationDelta):
            return self._citation(event)
        if isinstance(event, Finish):
            return self._end(event)
        if isinstance(event, Failed):
            return self.fail(event.error)
        return b""

    def keepalive(self) -> bytes:
        """A chunk with an empty delta, which no client counts as content; the first one opens the stream."""
        if self._done:
            return b""
        if not self._opened:
            return self._open()
        return self._chunk({})

    def fail(self, error: GatewayError) -> bytes:
        """Usage if it is known and wanted, then the error object, and no `[DONE]`."""
        if self._done:
            return b""
        self._done = True
        return self._usage_chunk() + data_frame(errors.error_payload(error))

    # opening -----------------------------------------------------------------------------------------

    def _begin(self, start: Start) -> bytes:
        if start.usage is not None:
            self._usage = start.usage
        if self._opened:
            return b""
        self._start = start
        return self._open()

    def _open(self) -> bytes:
        self._opened = True
        start, scope = self._start, self._scope
        envelope: dict[str, Any] = {
            "id": start.id if start is not None and start.id else scope.new_id("chatcmpl-"),
            "object": "chat.completion.chunk",
            "created": start.created if start is not None and start.created is not None else scope.created,
            "model": scope.model or (start.model if start is not None else "") or scope.conversation.model,
        }
        if start is not None and start.service_tier is not None:
            envelope["service_tier"] = start.service_tier
        usage = b',"usage":null' if scope.conversation.include_usage else b""
        self._head = b"data: " + jsonio.encode(envelope)[:-1]
        self._tail = usage + b"}\n\n"
        self._finish_head = self._head + b',"choices":[{"index":0,"delta":'
        self._suffix = b'},"logprobs":null,"finish_reason":null}]' + self._tail
        return self._chunk({"role": "assistant", "content": None})

    def _chunk(self, delta: dict[str, JsonValue]) -> bytes:
        opener = b"" if self._opened else self._open()
        return opener + self._finish_head + jsonio.encode(delta)[:-1] + self._suffix

    # parts -------------------------------------------------------------------------------------------

    def _part_start(self, event: PartStart) -> bytes:
        opener = b"" if self._opened else self._open()
        kind = event.kind
        if kind == "tool_call":
            return opener + self._call_start(event)
        if kind == "whole":
            if event.part is None:
                return opener
            delta = self._number(answer_parts.whole_part(event.part, self._scope.notes))
            return opener + (self._chunk(delta) if delta else b"")
        self._prefixes[event.index] = self._finish_head + b'{"' + _MEMBER_OF_KIND[kind] + b'":'
        if kind == "refusal":
            self._refused = True
        if kind == "thinking" and event.origin is not None:
            return opener + self._thinking_start(event, event.origin)
        return opener

    def _thinking_start(self, event: PartStart, origin: Protocol) -> bytes:
        """Thinking that may be signed: announce whose it is, and keep its text for the entry that signs it."""
        self._thinking[event.index] = Thinking(
            signature=event.signature, summary=event.summary, id=event.item_id, origin=origin
        )
        entry = announcement(origin, event.item_id)
        if entry is None:
            return b""
        delta = self._number({"reasoning_details": [entry]})
        self._announced[event.index] = entry
        return self._chunk(delta)

    def _text(self, event: TextDelta) -> bytes:
        if not event.text:
            return b""
        try:
            text = _ENCODE(event.text)
        except UnicodeEncodeError:
            text = jsonio.encode(event.text)
        thinking = self._thinking.get(event.index)
        if thinking is not None:
            thinking.text += event.text
        prefix = self._prefixes[event.index]
        if event.logprobs is None:
            return prefix + text + self._suffix
        member = "refusal" if prefix.endswith(b'"refusal":') else "content"
        logprobs = jsonio.encode(answer_parts.logprobs_of(event.logprobs, member))
        return prefix + text + b'},"logprobs":' + logprobs + b',"finish_reason":null}]' + self._tail

    def _call_start(self, event: PartStart) -> bytes:
        index = len(self._call_indices)
        self._call_indices[event.index] = index
        if self._legacy:
            if index > 0:
                self._scope.notes.dropped("parallel_tool_calls")
                return b""
            self._boxes[event.index] = self._finish_head + b'{"function_call":{"arguments":'
            return self._chunk({"function_call": {"name": event.name, "arguments": ""}})
        custom = event.call_kind == "custom"
        box, text = (b"custom", b"input") if custom else (b"function", b"arguments")
        self._boxes[event.index] = b'%s{"tool_calls":[{"index":%d,"%s":{"%s":' % (
            self._finish_head,
            index,
            box,
            text,
        )
        call: dict[str, Any] = {
            "index": index,
            "id": portable(event.id),
            "type": event.call_kind,
            box.decode(): {"name": answer_parts.flat_name(event.name, event.namespace), text.decode(): ""},
        }
        if event.signature is not None:
            call["extra_content"] = answer_parts.google_extra(event.signature)
        return self._chunk({"tool_calls": [call]})

    def _arguments(self, event: ArgumentsDelta) -> bytes:
        box = self._boxes.get(event.index)
        if box is None or not event.text:
            return b""
        try:
            text = _ENCODE(event.text)
        except UnicodeEncodeError:
            text = jsonio.encode(event.text)
        return box + text + (b"}" if self._legacy else b"}}]") + self._suffix

    def _signature(self, event: SignatureDelta) -> bytes:
        thinking = self._thinking.get(event.index)
        if thinking is not None:
            thinking.signature = event.signature
        elif event.index in self._call_indices and not self._legacy:
            extra = answer_parts.google_extra(event.signature)
            return self._chunk({"tool_calls": [{"index": self._call_indices[event.index], "extra_content": extra}]})
        else:
            self._scope.notes.dropped("text.signature")
        return b""

    def _part_stop(self, event: PartStop) -> bytes:
        """The signed entry. SDKs join the strings of entries with one index, so what was announced is not repeated."""
        thinking = self._thinking.pop(event.index, None)
        if thinking is None:
            return b""
        if thinking.origin is Protocol.OPENAI_CHAT and thinking.wire is None:
            thinking.wire = event.wire
        signing = entries(thinking)
        announced = self._announced.pop(event.index, None)
        if not signing:
            return b""
        if announced is None or announced["type"] != signing[0]["type"]:
            return self._chunk(self._number({"reasoning_details": signing}))
        first = {name: value for name, value in signing[0].items() if name == "type" or name not in announced}
        first["index"] = announced["index"]
        rest = self._number({"reasoning_details": signing[1:]})["reasoning_details"]
        return self._chunk({"reasoning_details": [first, *rest]})

    def _number(self, delta: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """The SDKs merge list entries by their `index` and refuse those without, so every entry gets its own."""
        for name, value in delta.items():
            if name in self._counts:
                for entry in value:
                    entry["index"] = self._counts[name]
                    self._counts[name] += 1
        return delta

    def _citation(self, event: CitationDelta) -> bytes:
        annotation = answer_parts.annotation(event.citation)
        if annotation is None:
            self._scope.notes.dropped("text.citations")
            return b""
        return self._chunk(self._number({"annotations": [dict(annotation)]}))

    # the end -----------------------------------------------------------------------------------------

    def _end(self, event: Finish) -> bytes:
        opener = b"" if self._opened else self._open()
        self._done = True
        word = finish.finish_word(
            event.reason,
            event.wire,
            called=bool(self._call_indices),
            refused=self._refused,
            legacy=self._legacy,
        )
        last = b'{},"logprobs":null,"finish_reason":' + jsonio.encode(word) + b"}]"
        return opener + self._finish_head + last + self._tail + self._usage_chunk() + DONE

    def _usage_chunk(self) -> bytes:
        if self._usage is None or not self._opened or not self._scope.conversation.include_usage:
            return b""
        usage = jsonio.encode(write_usage(self._usage))
        return self._head + b',"choices":[],"usage":' + usage + b"}\n\n"
