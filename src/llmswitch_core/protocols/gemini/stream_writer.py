"""Canonical events -> a Gemini client's stream, as SSE or as the JSON array of a request without `alt=sse`.

Theory of operation. Every frame is a whole GenerateContentResponse with the parts that are new. Parts go out in
index order, one at a time. Never an SSE comment: Google's JavaScript SDK cannot parse one.

| event                        | frame                                                                  |
|------------------------------|------------------------------------------------------------------------|
| Start, UsageSeen             | none; remembered                                                       |
| TextDelta                    | one frame with the text (thought: true for thinking)                   |
| SignatureDelta               | an empty text part with the thoughtSignature                           |
| tool call                    | nothing until PartStop, then the whole functionCall                    |
| whole part                   | its wire part                                                          |
| CitationDelta of G           | a frame with the candidate's grounding or citation metadata            |
| Finish                       | one frame with finishReason and usageMetadata                          |
| Failed                       | `{"error": …}`                                                         |
| keepalive                    | an empty text part: google-genai and Gemini CLI take it for nothing    |

Why the keepalive is an empty text part and not `"candidates": []`: google-genai's chats refuse to remember an answer
in which any chunk has no content, while Gemini CLI skips parts with empty text.

Why an SSE stream's error is written twice, as `data:` and bare: google-genai (Python) raises on either; the
JavaScript SDK (Gemini CLI) does not look into `data:` for errors and would take the stream's end for a clean one
after a tool result, but refuses to end on the bare line. To every SSE parser the bare line is a field without
meaning.
"""

from __future__ import annotations

import re
from typing import Final

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
from llmswitch_core.canonical.model import FinishReason, JsonValue, Media, Opaque, Part, Protocol, Thinking, Usage
from llmswitch_core.canonical.order import Sequencer
from llmswitch_core.protocols.contract import Notes, Scope
from llmswitch_core.protocols.gemini.errors import error_object
from llmswitch_core.protocols.gemini.media import media_part
from llmswitch_core.protocols.gemini.tables import finish_word, usage_wire
from llmswitch_core.protocols.losses import of
from llmswitch_core.protocols.sse import data_frame

_HEAD: Final = b'{"candidates":[{"content":{"parts":['
_TAIL: Final = b'],"role":"model"},"index":0}]'
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]+={0,2}\Z")
_LINE_ENDS: Final = bytes.maketrans(b"\r\n", b"  ")
MALFORMED_MESSAGE: Final = "The model called {name} with arguments that are no JSON object."


class GeminiStreamWriter:
    """One client's stream; survives failover."""

    __slots__ = (
        "_arguments",
        "_call",
        "_finished",
        "_framing",
        "_malformed",
        "_notes",
        "_order",
        "_scope",
        "_started",
        "_suffix",
        "_thought",
        "_usage",
    )

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._notes = scope.notes
        self._framing = ArrayFraming() if scope.conversation.framing == "json-array" else SseFraming()
        self._order = Sequencer()
        self._started = False
        self._finished = False
        self._usage: Usage | None = None
        self._suffix = _TAIL + b"}"
        """Ends a frame: the content's end, and model and id once they are known."""
        self._thought = False
        self._call: PartStart | None = None
        self._arguments: list[str] = []
        self._malformed: str | None = None

    def write(self, event: StreamEvent) -> bytes:
        if self._finished:
            return b""
        ready = self._order.feed(event)
        if len(ready) == 1:
            return self._one(ready[0])
        return b"".join([self._one(item) for item in ready])

    def keepalive(self) -> bytes:
        return b"" if self._finished else self._part(b'{"text":""}')

    def fail(self, error: GatewayError) -> bytes:
        if self._finished:
            return b""
        self._finished = True
        status = 503 if error.status == 529 else error.status
        return self._framing.error(jsonio.encode({"error": error_object(error, status)}))

    def _one(self, event: StreamEvent) -> bytes:
        if isinstance(event, TextDelta):
            return self._text(event)
        if isinstance(event, ArgumentsDelta):
            self._arguments.append(event.text)
            return b""
        if isinstance(event, PartStart):
            return self._open(event)
        if isinstance(event, PartStop):
            return self._call_frame() if self._call is not None else b""
        if isinstance(event, SignatureDelta):
            return self._signature(event.signature)
        if isinstance(event, UsageSeen):
            self._usage = event.usage
        elif isinstance(event, Start):
            self._start(event)
        elif isinstance(event, Finish):
            return self._finish(event)
        elif isinstance(event, CitationDelta):
            return self._citation(event)
        elif isinstance(event, Failed):
            return self.fail(event.error)
        return b""

    def _text(self, event: TextDelta) -> bytes:
        if event.logprobs is not None and not event.text:
            if self._scope.conversation.protocol is Protocol.GEMINI and isinstance(event.logprobs, dict):
                return self._candidate({"logprobsResult": event.logprobs})
            return b""
        if not event.text:
            return b""
        text = jsonio.encode(event.text)
        return self._part(b'{"text":' + text + (b',"thought":true}' if self._thought else b"}"))

    def _part(self, part: bytes) -> bytes:
        return self._framing.frame(_HEAD + part + self._suffix)

    def _start(self, event: Start) -> None:
        if event.usage is not None:
            self._usage = event.usage
        if self._started:
            return
        self._started = True
        self._suffix = _TAIL + b"," + _members(self._scope.model or event.model, event.id) + b"}"

    def _open(self, event: PartStart) -> bytes:
        self._thought = event.kind == "thinking"
        if event.kind == "tool_call":
            self._call = event
            self._arguments = []
        elif event.kind == "whole" and event.part is not None:
            part = whole_part(event.part, self._notes)
            return b"" if part is None else self._part(jsonio.encode(part))
        return b""

    def _signature(self, signature: str) -> bytes:
        if self._call is not None:
            self._call = _with_signature(self._call, signature)
            return b""
        token = sendable(signature, self._notes)
        if token is None:
            return b""
        part = {"text": "", "thought": True} if self._thought else {"text": ""}
        return self._part(jsonio.encode({**part, "thoughtSignature": token}))

    def _call_frame(self) -> bytes:
        call, self._call = self._call, None
        if call is None:
            return b""
        part = call_part(call, "".join(self._arguments), self._notes)
        if part is None:
            self._malformed = MALFORMED_MESSAGE.format(name=call.name)
            return b""
        return self._part(part)

    def _citation(self, event: CitationDelta) -> bytes:
        if event.protocol is Protocol.GEMINI and isinstance(event.citation, dict):
            return self._candidate(event.citation)
        self._notes.dropped("text.citations")
        return b""

    def _candidate(self, extra: dict[str, JsonValue]) -> bytes:
        """A frame with an empty text and further members of the candidate."""
        return self._framing.frame(
            b'{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"index":0,'
            + jsonio.encode(extra)[1:-1]
            + b"}]"
            + self._suffix[len(_TAIL) :]
        )

    def _finish(self, event: Finish) -> bytes:
        self._finished = True
        candidate = finish_members(event.reason, event.wire, self._malformed)
        filtered = event.reason is FinishReason.CONTENT_FILTER
        content = b"" if filtered else b'"content":{"parts":[{"text":""}],"role":"model"},'
        frame = b'{"candidates":[{' + content + jsonio.encode(candidate)[1:-1] + b',"index":0}]'
        if self._usage is not None:
            frame += b',"usageMetadata":' + jsonio.encode(usage_wire(self._usage))
        return self._framing.frame(frame + self._suffix[len(_TAIL) :]) + self._framing.end()


class SseFraming:
    """`data:` frames; nothing marks the end."""

    __slots__ = ()

    def frame(self, payload: bytes) -> bytes:
        return data_frame(payload)

    def error(self, payload: bytes) -> bytes:
        return data_frame(payload) + payload + b"\n"

    def end(self) -> bytes:
        return b""


class ArrayFraming:
    """One JSON array, an element per frame, as streamGenerateContent sends it without `alt=sse`."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = False

    def frame(self, payload: bytes) -> bytes:
        lead = b",\r\n" if self._begun else b"["
        self._begun = True
        return lead + payload

    def error(self, payload: bytes) -> bytes:
        return self.frame(payload) + self.end()

    def end(self) -> bytes:
        """Closes the array; `[]` if nothing was ever written."""
        return b"]" if self._begun else b"[]"


def _members(model: str, response_id: str) -> bytes:
    return jsonio.encode({"modelVersion": model, "responseId": response_id})[1:-1]


def _with_signature(call: PartStart, signature: str) -> PartStart:
    return PartStart(
        call.index,
        call.kind,
        id=call.id,
        name=call.name,
        call_kind=call.call_kind,
        namespace=call.namespace,
        item_id=call.item_id,
        signature=signature,
    )


def sendable(signature: str, notes: Notes) -> str | None:
    """A signature as thoughtSignature, which is base64 on this wire: SDKs fail on anything else."""
    if _BASE64.match(signature) and len(signature.rstrip("=")) % 4 != 1:
        return signature
    notes.dropped("thinking.signature")
    return None


def call_part(call: PartStart, arguments: str, notes: Notes) -> bytes | None:
    """The encoded functionCall part with the arguments' own JSON text; None if that is no JSON object."""
    text = arguments.strip()
    if call.call_kind == "custom":
        args = jsonio.encode({"input": arguments})
    elif not text:
        args = b"{}"
    else:
        try:
            tree = jsonio.decode(text)
        except ValueError:
            return None
        if not isinstance(tree, dict):
            return None
        args = text.encode("utf-8", "replace").translate(_LINE_ENDS)
    body = {"name": call.name} if not call.id else {"id": portable(call.id), "name": call.name}
    part = b'{"functionCall":' + jsonio.encode(body)[:-1] + b',"args":' + args + b"}"
    token = sendable(call.signature, notes) if call.signature else None
    return part + (b"}" if token is None else b',"thoughtSignature":' + jsonio.encode(token) + b"}")


def whole_part(part: Part, notes: Notes) -> dict[str, JsonValue] | None:
    """The wire form of a part that came whole; None (and a note) for what only another protocol understands."""
    if isinstance(part, Media):
        return media_part(part, Protocol.GEMINI)
    if isinstance(part, Opaque) and part.protocol is Protocol.GEMINI and isinstance(part.wire, dict):
        return part.wire
    if isinstance(part, Opaque):
        notes.dropped(of("opaque", part.label))
    elif isinstance(part, Thinking) and part.redacted is not None:
        notes.dropped("thinking.redacted")
    return None


def finish_members(reason: FinishReason, wire: str | None, malformed: str | None) -> dict[str, JsonValue]:
    """finishReason and, where there is one, finishMessage. An answer that was cut says so rather than `malformed`."""
    if malformed is not None and reason is not FinishReason.LENGTH:
        return {"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": malformed}
    return {"finishReason": finish_word(reason, wire)}
