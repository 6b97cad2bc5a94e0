"""An upstream's generateContent answer, streamed or whole -> canonical events. One machine for both.

Theory of operation. Every frame is a partial GenerateContentResponse; Gemini neither numbers nor closes its parts,
so the machine does: text (or thought) parts that follow each other are one part, anything else closes it. There is
no terminal marker: a stream is complete if a finish reason (or a block reason) was seen before it ended, else it was
cut. The finish is therefore held until the end, so that usage and parts after it are not lost.

| wire                                        | what happens                                               |
|---------------------------------------------|------------------------------------------------------------|
| first frame                                 | Start with responseId, modelVersion and its usage          |
| part `text`                                 | TextDelta of the open text part, or a new one              |
| part `text` + `thought: true`               | the same for a thinking part                               |
| part `functionCall`                         | a whole tool call: start, one ArgumentsDelta, stop         |
| `thoughtSignature` on text or thought       | SignatureDelta, which closes that part                     |
| `thoughtSignature` on a call                | on its PartStart (and, see `_carry`, on the thought before it) |
| part `inlineData`                           | a whole Media part                                         |
| any other part                              | a whole Opaque part                                        |
| `groundingMetadata`, `citationMetadata` …   | CitationDelta of the open text part                        |
| `finishReason`, `promptFeedback.blockReason`| remembered; `finishMessage` becomes a refusal              |
| `usageMetadata`                             | remembered; UsageSeen before the end                       |
| `error`                                     | Failed                                                     |

Frames that only carry text and calls are decoded into typed structs; everything else takes the way of trees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from llmswitch_core.canonical import ids, jsonio
from llmswitch_core.canonical.custom import unwrap_input
from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
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
from llmswitch_core.canonical.model import JsonValue, Opaque, Part, Protocol
from llmswitch_core.canonical.names import WireNames
from llmswitch_core.protocols.contract import Scope, SseFrame
from llmswitch_core.protocols.gemini.errors import error_of
from llmswitch_core.protocols.gemini.media import media_of
from llmswitch_core.protocols.gemini.partial_call import PartialCall
from llmswitch_core.protocols.gemini.tables import finish_of, usage_of
from llmswitch_core.protocols.gemini.wire import camel_keys


class _Call(msgspec.Struct):
    name: str
    args: dict[str, Any] | None = None
    id: str | None = None
    partialArgs: Any = None  # noqa: N815
    willContinue: bool | None = None  # noqa: N815


class _Part(msgspec.Struct):
    text: str | None = None
    thought: bool | None = None
    thoughtSignature: str | None = None  # noqa: N815
    functionCall: _Call | None = None  # noqa: N815


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct):
    content: _Content | None = None
    finishReason: str | None = None  # noqa: N815
    finishMessage: str | None = None  # noqa: N815
    index: int | None = None
    groundingMetadata: Any = None  # noqa: N815
    citationMetadata: Any = None  # noqa: N815
    urlContextMetadata: Any = None  # noqa: N815
    logprobsResult: Any = None  # noqa: N815


class _Chunk(msgspec.Struct):
    """One frame; member names are the wire's own."""

    candidates: list[_Candidate] | None = None
    usageMetadata: dict[str, Any] | None = None  # noqa: N815
    promptFeedback: Any = None  # noqa: N815
    modelVersion: str | None = None  # noqa: N815
    responseId: str | None = None  # noqa: N815
    error: Any = None


_DECODER: Final = msgspec.json.Decoder(_Chunk)
_METADATA: Final = ("groundingMetadata", "citationMetadata", "urlContextMetadata")
_OTHER_SPELLING: Final = (b'"finish_reason"', b'"usage_metadata"')


class GeminiStreamReader:
    """One upstream attempt's stream."""

    __slots__ = ("_machine",)

    def __init__(self, scope: Scope) -> None:
        self._machine = _Machine(scope)

    def feed(self, frame: SseFrame) -> Sequence[StreamEvent]:
        machine = self._machine
        if machine.done:
            return ()
        data = frame.data
        if not data or data == b"[DONE]":
            return ()
        try:
            chunk = _DECODER.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return machine.take_bytes(data)
        if any(word in data for word in _OTHER_SPELLING) or not _is_plain(chunk):
            return machine.take_bytes(data)
        return machine.take(chunk)

    def end(self) -> Sequence[StreamEvent]:
        return self._machine.end()


def read_answer(body: Mapping[str, JsonValue], scope: Scope) -> Iterable[StreamEvent]:
    """A whole answer as the events its stream would have given."""
    machine = _Machine(scope)
    return [*machine.take_tree(body), *machine.end()]


def _is_plain(chunk: _Chunk) -> bool:
    """True for frames whose parts are all text or complete calls: the typed decoding has seen everything."""
    if chunk.error is not None or chunk.promptFeedback is not None:
        return False
    for candidate in chunk.candidates or ():
        if candidate.content is None or candidate.content.parts is None:
            continue
        for part in candidate.content.parts:
            call = part.functionCall
            if call is None and part.text is None:
                return False
            if call is not None and (part.text is not None or call.partialArgs is not None or call.willContinue):
                return False
    return True


class _Machine:
    """Parts, usage and finish of one answer."""

    __slots__ = (
        "_begun",
        "_blocked",
        "_call",
        "_called",
        "_carry",
        "_finish",
        "_index",
        "_names",
        "_open",
        "_scope",
        "_usage",
        "done",
    )

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._names = WireNames(scope.conversation.tools, letter_first=True)
        self._carry = scope.conversation.protocol is not Protocol.GEMINI
        """The client speaks another protocol: it can bring a signature back on a thought only, so the call's
        signature is told on the thought directly before it as well (without one, the ledger of tokens remembers)."""
        self._begun = False
        self._index = -1
        self._open: Literal["text", "thinking"] | None = None
        self._call: PartialCall | None = None
        self._called = False
        self._finish: str | None = None
        self._blocked = False
        self._usage: dict[str, Any] | None = None
        self.done = False

    # --- frames ---------------------------------------------------------------------------------

    def take_bytes(self, data: bytes) -> Sequence[StreamEvent]:
        try:
            tree = jsonio.decode(data)
        except ValueError:
            tree = None
        if isinstance(tree, list) and len(tree) == 1:
            tree = tree[0]
        if not isinstance(tree, dict):
            return self._fail(_upstream("bad_frame", "The upstream sent a stream event that is no JSON object."))
        return self.take_tree(tree)

    def take_tree(self, tree: Mapping[str, JsonValue]) -> Sequence[StreamEvent]:
        """One response object, in either spelling, with parts of every kind."""
        top = camel_keys(tree)
        inner = top.get("response")
        if isinstance(inner, dict) and "candidates" not in top:
            top = camel_keys(inner)
        if top.get("error") is not None:
            return self._fail(error_of(top, None))
        usage = top.get("usageMetadata")
        out = self._begin(
            _Chunk(
                usageMetadata=usage if isinstance(usage, dict) else None,
                modelVersion=_text(top.get("modelVersion")),
                responseId=_text(top.get("responseId")),
            )
        )
        candidates = top.get("candidates")
        for position, raw in enumerate(candidates if isinstance(candidates, list) else ()):
            candidate = camel_keys(raw) if isinstance(raw, dict) else {}
            if position == 0 and candidate.get("index") in (None, 0, "0"):
                self._candidate_tree(candidate, out)
        feedback = top.get("promptFeedback")
        if isinstance(feedback, dict):
            self._feedback(camel_keys(feedback), out)
        return out

    def take(self, chunk: _Chunk) -> Sequence[StreamEvent]:
        """One plain frame."""
        out = self._begin(chunk)
        for candidate in chunk.candidates or ():
            if candidate.index:
                continue
            if candidate.content is not None:
                for part in candidate.content.parts or ():
                    if part.functionCall is not None:
                        call = part.functionCall
                        self._whole_call(call.name, call.args, call.id, part.thoughtSignature, out)
                    else:
                        self._text(part.text or "", part.thought is True, part.thoughtSignature, out)
            for name in _METADATA:
                metadata = getattr(candidate, name)
                if metadata is not None:
                    self._metadata(name, metadata, out)
            self._logprobs(candidate.logprobsResult, out)
            self._finished(candidate.finishReason, candidate.finishMessage, out)
        return out

    def end(self) -> Sequence[StreamEvent]:
        if self.done:
            return ()
        out: list[StreamEvent] = []
        if self._finish is None:
            return self._fail(_upstream("truncated_stream", "The upstream's answer ended before it was complete."))
        self._finish_partial_call(out)
        self._close(out)
        self._see_usage(out)
        out.append(Finish(finish_of(self._finish, self._called), wire=self._finish))
        self.done = True
        return out

    # --- what a frame says beside its parts ------------------------------------------------------

    def _begin(self, chunk: _Chunk) -> list[StreamEvent]:
        if chunk.usageMetadata is not None:
            self._usage = chunk.usageMetadata
        if self._begun:
            return []
        self._begun = True
        scope = self._scope
        return [
            Start(
                chunk.responseId or scope.new_id("resp_"),
                chunk.modelVersion or scope.conversation.model,
                usage=usage_of(self._usage),
            )
        ]

    def _finished(self, reason: str | None, message: str | None, out: list[StreamEvent]) -> None:
        if not reason or reason == "FINISH_REASON_UNSPECIFIED":
            return
        self._finish = reason
        if message and finish_of(reason, False).value == "content_filter":
            self._refusal(message, out)

    def _feedback(self, feedback: dict[str, JsonValue], out: list[StreamEvent]) -> None:
        """A blocked prompt has no candidates; the block reason is the finish reason."""
        reason = feedback.get("blockReason")
        if not isinstance(reason, str) or not reason or self._finish is not None:
            return
        self._finish = "SAFETY" if reason in ("BLOCKED_REASON_UNSPECIFIED", "OTHER") else reason
        message = feedback.get("blockReasonMessage")
        if isinstance(message, str) and message:
            self._refusal(message, out)

    def _refusal(self, message: str, out: list[StreamEvent]) -> None:
        if self._blocked:
            return
        self._blocked = True
        self._close(out)
        index = self._next()
        out += [PartStart(index, "refusal"), TextDelta(index, message), PartStop(index)]

    def _metadata(self, name: str, metadata: JsonValue, out: list[StreamEvent]) -> None:
        if self._open == "text":
            out.append(CitationDelta(self._index, {name: metadata}, Protocol.GEMINI))
        elif metadata:
            self._scope.notes.dropped("text.citations")

    def _logprobs(self, result: JsonValue, out: list[StreamEvent]) -> None:
        if result is None:
            return
        if self._open == "text" and not self._carry:
            out.append(TextDelta(self._index, "", logprobs=result))
        else:
            self._scope.notes.dropped("logprobs")

    def _see_usage(self, out: list[StreamEvent]) -> None:
        usage = usage_of(self._usage)
        if usage is not None:
            out.append(UsageSeen(usage))

    def _fail(self, error: GatewayError) -> list[StreamEvent]:
        self.done = True
        out: list[StreamEvent] = []
        if self._begun:
            self._see_usage(out)
        return [*out, Failed(error)]

    # --- parts ----------------------------------------------------------------------------------

    def _candidate_tree(self, candidate: dict[str, JsonValue], out: list[StreamEvent]) -> None:
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        for raw in parts if isinstance(parts, list) else ():
            if isinstance(raw, dict):
                self._part_tree(camel_keys(raw), raw, out)
        for name in _METADATA:
            if candidate.get(name) is not None:
                self._metadata(name, candidate[name], out)
        self._logprobs(candidate.get("logprobsResult"), out)
        self._finished(_text(candidate.get("finishReason")), _text(candidate.get("finishMessage")), out)

    def _part_tree(self, part: dict[str, JsonValue], raw: dict[str, JsonValue], out: list[StreamEvent]) -> None:
        signature = _text(part.get("thoughtSignature"))
        call = part.get("functionCall")
        if isinstance(call, dict):
            self._call_tree(camel_keys(call), signature, out)
            return
        text = part.get("text")
        if isinstance(text, str):
            self._text(text, part.get("thought") is True, signature, out)
            return
        known = {key: value for key, value in part.items() if value is not None}
        if set(known) <= {"thought", "thoughtSignature"}:
            self._text("", part.get("thought") is True, signature, out)
            return
        media = media_of(known)
        label = next(key for key in known if key not in ("thought", "thoughtSignature"))
        whole: Part = media if media is not None else Opaque(Protocol.GEMINI, label, raw)
        self._close(out)
        index = self._next()
        out += [PartStart(index, "whole", part=whole), PartStop(index)]

    def _text(self, text: str, thought: bool, signature: str | None, out: list[StreamEvent]) -> None:
        kind: Literal["text", "thinking"] = "thinking" if thought else "text"
        if not text and not signature:
            return
        if not text and self._open is not None and (self._carry or self._open == kind):
            self._sign(signature or "", out)
            return
        if not text and self._carry:
            # A part of nothing but a signature: no other protocol has a place for it, and Gemini does not demand it.
            self._scope.notes.dropped("text.signature")
            return
        if self._open != kind:
            self._start(kind, out)
        if text:
            out.append(TextDelta(self._index, text))
        if signature:
            self._sign(signature, out)

    def _start(self, kind: Literal["text", "thinking"], out: list[StreamEvent]) -> None:
        self._close(out)
        index = self._next()
        origin = Protocol.GEMINI if kind == "thinking" else None
        out.append(PartStart(index, kind, origin=origin))
        self._open = kind

    def _sign(self, signature: str, out: list[StreamEvent]) -> None:
        """A signature is the last word of its part. (On text, a client of another protocol cannot bring it back.)"""
        out.append(SignatureDelta(self._index, signature))
        self._close(out)

    def _call_tree(self, call: dict[str, JsonValue], signature: str | None, out: list[StreamEvent]) -> None:
        name = _text(call.get("name"))
        args = call.get("args")
        arguments = args if isinstance(args, dict) else None
        if call.get("partialArgs") is None and not call.get("willContinue") and self._call is None:
            if name:
                self._whole_call(name, arguments, _text(call.get("id")), signature, out)
            return
        if name and self._call is not None and self._call.name:
            self._finish_partial_call(out)
        if self._call is None:
            self._call = PartialCall(name or "", _text(call.get("id")), signature)
        self._call.add(arguments, call.get("partialArgs"))
        if not call.get("willContinue"):
            self._finish_partial_call(out)

    def _finish_partial_call(self, out: list[StreamEvent]) -> None:
        call, self._call = self._call, None
        if call is not None and call.name:
            self._whole_call(call.name, call.args, call.id, call.signature, out)

    def _whole_call(
        self,
        wire_name: str,
        args: dict[str, Any] | None,
        call_id: str | None,
        signature: str | None,
        out: list[StreamEvent],
    ) -> None:
        if signature and self._carry and self._open == "thinking":
            self._sign(signature, out)
        self._close(out)
        self._called = True
        tool = self._names.original(wire_name)
        arguments = jsonio.encode(args or {}).decode()
        if tool.kind == "custom":
            arguments = unwrap_input(arguments)
        index = self._next()
        out += [
            PartStart(
                index,
                "tool_call",
                id=ids.original(call_id) if call_id else self._scope.new_id("call_"),
                name=tool.name,
                call_kind=tool.kind,
                namespace=tool.namespace,
                signature=signature or None,
            ),
            ArgumentsDelta(index, arguments),
            PartStop(index),
        ]

    def _next(self) -> int:
        self._index += 1
        return self._index

    def _close(self, out: list[StreamEvent]) -> None:
        if self._open is not None:
            out.append(PartStop(self._index))
            self._open = None


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and value else None


def _upstream(code: str, message: str) -> GatewayError:
    return GatewayError(ErrorKind.UPSTREAM, code, message, next_step="Retry the request.", layer=Layer.UPSTREAM)
