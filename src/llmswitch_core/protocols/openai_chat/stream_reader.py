"""Upstream chunks -> canonical events: one state machine for streams and for whole answers.

Theory of operation. This wire has no part boundaries: text, thinking and refusal follow from which member a delta
fills, so a change of member ends one part and starts the next; tool calls are open side by side (call_assembly.py) and
all parts still open are stopped when the answer is complete. The finish reason is kept until the stream is over,
because usage may come behind it.

    wire                                          handler                       canonical
    first chunk                                   _chunk                        Start
    delta.content (string, part list)             _content                      text: PartStart, TextDelta
    delta.reasoning_content | reasoning           LinearParts                   thinking: PartStart, TextDelta
    delta.reasoning_details                       LinearParts                     thinking with origin and signature
    delta.refusal                                 _delta                        refusal: PartStart, TextDelta
    delta.tool_calls, delta.function_call         CallAssembly                  tool_call: PartStart, ArgumentsDelta
    delta.annotations                             _annotations                  CitationDelta
    delta.images, delta.audio                     _delta                        whole: PartStart, PartStop
    usage (chunk or choice)                       _chunk                        UsageSeen
    finish_reason                                 _choice                       kept
    data: [DONE], end of stream                   end                           PartStop…, Finish | Failed(truncated)
    error member, event: error                    feed                          Failed
    what is no JSON object                        feed                          Failed(bad_frame)

Choices other than index 0 (n > 1) are not judged. Nothing an upstream sends raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.events import (
    CitationDelta,
    Failed,
    Finish,
    Start,
    StreamEvent,
    TextDelta,
    UsageSeen,
)
from llmswitch_core.canonical.model import FinishReason, JsonValue, Opaque, Part, Protocol
from llmswitch_core.canonical.names import WireNames
from llmswitch_core.protocols.contract import Scope, SseFrame
from llmswitch_core.protocols.openai_chat import errors, finish
from llmswitch_core.protocols.openai_chat import reasoning_details as details
from llmswitch_core.protocols.openai_chat.call_assembly import CallAssembly
from llmswitch_core.protocols.openai_chat.chunks import (
    Choice,
    Chunk,
    Delta,
    chunk_of,
    decode_chunk,
    is_first,
    number_calls,
    tokens_of,
)
from llmswitch_core.protocols.openai_chat.linear_parts import LinearParts
from llmswitch_core.protocols.openai_chat.media import read_image
from llmswitch_core.protocols.openai_chat.messages_reader import thinking_text
from llmswitch_core.protocols.openai_chat.usage import read_usage

_DONE: Final = b"[DONE]"


class ChatStreamReader:
    """Reads one upstream answer. State: which linear part is open, the calls, the kept finish reason."""

    __slots__ = (
        *("_calls", "_done", "_finish", "_parts", "_refused", "_scope"),
        *("_spoke", "_started", "_stop", "_stops"),
    )

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._parts = LinearParts()
        self._calls = CallAssembly(WireNames(scope.conversation.tools), scope.new_id, self._parts.take_number)
        self._stops = scope.conversation.sampling.stop or ()
        self._started = False
        self._spoke = False
        self._refused = False
        self._finish: str | None = None
        self._stop: str | None = None
        self._done = False

    # the contract ------------------------------------------------------------------------------------

    def feed(self, frame: SseFrame) -> Sequence[StreamEvent]:
        """Events this frame completes."""
        if self._done:
            return ()
        data = frame.data
        try:
            chunk = decode_chunk(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._odd(frame)
        if chunk.error or frame.event == "error" or chunk.object == "error":
            return self._error(data)
        choices = chunk.choices
        number = self._parts.number
        if number is not None and choices and len(choices) == 1 and chunk.usage is None:
            # The way nine chunks of ten take: more text of the part that is open.
            choice = choices[0]
            delta = choice.delta
            if (
                delta is not None
                and self._parts.kind == "text"
                and type(delta.content) is str
                and choice.finish_reason is None
                and choice.index == 0
                and delta.tool_calls is None
                and delta.reasoning_content is None
                and delta.reasoning is None
                and delta.reasoning_details is None
                and delta.refusal is None
                and delta.annotations is None
                and delta.function_call is None
                and delta.images is None
                and delta.audio is None
                and choice.error is None
                and choice.usage is None
            ):
                if not delta.content:
                    return ()
                logprobs = choice.logprobs
                return (TextDelta(number, delta.content, None if logprobs is None else tokens_of(logprobs)),)
        out: list[StreamEvent] = []
        self._chunk(chunk, out)
        return out

    def end(self) -> Sequence[StreamEvent]:
        """The kept finish, or the failure of a stream that never had one."""
        if self._done:
            return ()
        self._done = True
        if self._finish is None:
            failure = errors.upstream_failure(
                "truncated_stream",
                "The upstream's stream ended without a finish reason.",
                "Retry the request.",
            )
            return (Failed(failure),)
        if self._finish.lower() in finish.FAILURES:
            return (Failed(self._broken_off(self._finish)),)
        out: list[StreamEvent] = []
        self._parts.close(out)
        self._calls.close(out)
        reason = finish.reason_of(self._finish, called=self._calls.any, refused=self._refused and not self._spoke)
        if self._stop is not None and reason is FinishReason.STOP:
            reason = FinishReason.STOP_SEQUENCE
        out.append(Finish(reason, wire=self._finish, stop_sequence=self._stop))
        return out

    def whole(self, body: Mapping[str, JsonValue]) -> Sequence[StreamEvent]:
        """A non-streamed answer as the same events. Its end is the end of the HTTP body, so a missing finish reason
        is no truncation here; a body without any choice is a failure in disguise (MP-16)."""
        if errors.is_error(body):
            return self._fail(errors.read_error_payload(dict(body)))
        chunk = chunk_of(body)
        choices = chunk.choices or []
        if not any(choice.message is not None or choice.delta is not None for choice in choices):
            return self._fail(
                errors.upstream_failure(
                    "empty_answer", "The upstream answered without any choice.", "Retry the request."
                )
            )
        for choice in choices:
            number_calls(choice.message)
        out: list[StreamEvent] = []
        self._chunk(chunk, out)
        if not self._done:
            self._finish = self._finish or "stop"
            out.extend(self.end())
        return out

    # frames ------------------------------------------------------------------------------------------

    def _odd(self, frame: SseFrame) -> Sequence[StreamEvent]:
        """A frame the typed decoder refuses: the end marker, odd shapes, lone surrogates, or garbage."""
        data = frame.data.strip()
        if data.startswith(_DONE):
            return self.end()
        if not data:
            return ()
        try:
            tree = jsonio.decode(data)
        except ValueError:
            tree = None
        if frame.event == "error" or errors.is_error(tree):
            return self._fail(errors.read_error_payload(tree))
        if not isinstance(tree, dict):
            return self._fail(
                errors.upstream_failure(
                    "bad_frame", "The upstream sent an event that is no JSON object.", "Retry the request."
                )
            )
        out: list[StreamEvent] = []
        self._chunk(chunk_of(tree), out)
        return out

    def _error(self, data: bytes) -> Sequence[StreamEvent]:
        try:
            tree = jsonio.decode(data)
        except ValueError:
            tree = None
        usage = tree.get("usage") if isinstance(tree, dict) else None
        seen = (UsageSeen(read_usage(usage)),) if isinstance(usage, dict) else ()
        return (*seen, *self._fail(errors.read_error_payload(tree)))

    def _fail(self, failure: GatewayError) -> Sequence[StreamEvent]:
        self._done = True
        return (Failed(failure),)

    def _broken_off(self, word: str) -> GatewayError:
        return errors.upstream_failure(
            "answer_broken_off", f"The upstream broke its answer off ({word}).", "Retry the request."
        )

    # chunks ------------------------------------------------------------------------------------------

    def _chunk(self, chunk: Chunk, out: list[StreamEvent]) -> None:
        if not self._started:
            if not chunk.choices and chunk.usage is None and not chunk.id:
                return  # a peer's ping or preamble (Azure's prompt filter results come without id and model)
            self._started = True
            out.append(self._start(chunk))
        for choice in chunk.choices or ():
            if is_first(choice.index):
                self._choice(choice, out)
            if self._done:
                return
        if isinstance(chunk.usage, dict):
            out.append(UsageSeen(read_usage(chunk.usage)))

    def _start(self, chunk: Chunk) -> Start:
        created = chunk.created
        return Start(
            id=chunk.id if isinstance(chunk.id, str) and chunk.id else self._scope.new_id("chatcmpl-"),
            model=chunk.model if isinstance(chunk.model, str) else "",
            created=int(created) if isinstance(created, int | float) and 0 <= created < 2**53 else None,
            service_tier=chunk.service_tier if isinstance(chunk.service_tier, str) else None,
        )

    def _choice(self, choice: Choice, out: list[StreamEvent]) -> None:
        if choice.error:
            out.extend(self._fail(errors.read_error_payload({"error": choice.error})))
            return
        delta = choice.delta if choice.delta is not None else choice.message
        if delta is not None:
            self._delta(delta, tokens_of(choice.logprobs), out)
        if isinstance(choice.usage, dict):
            out.append(UsageSeen(read_usage(choice.usage)))
        word = finish.word_of(choice.finish_reason)
        if word is not None:
            self._finish = word
            if isinstance(choice.stop_reason, str) and choice.stop_reason in self._stops:
                self._stop = choice.stop_reason

    def _delta(self, delta: Delta, tokens: JsonValue, out: list[StreamEvent]) -> None:
        if isinstance(delta.reasoning_details, list) and delta.reasoning_details:
            self._details(delta, out)
        elif delta.reasoning_content is not None or delta.reasoning is not None:
            self._parts.thinking(thinking_text(delta.reasoning_content) or thinking_text(delta.reasoning), out)
        if delta.content is not None:
            self._content(delta.content, tokens, out)
        if isinstance(delta.refusal, str) and delta.refusal:
            self._refused = True
            out.append(TextDelta(self._parts.open("refusal", out), delta.refusal, tokens))
        if isinstance(delta.annotations, list) and delta.annotations:
            self._annotations(delta.annotations, out)
        for image in delta.images if isinstance(delta.images, list) else ():
            if isinstance(image, dict):
                self._image(image, out)
        if isinstance(delta.audio, dict):
            self._whole(Opaque(Protocol.OPENAI_CHAT, "audio", delta.audio), out)
        for call in delta.tool_calls if isinstance(delta.tool_calls, list) else ():
            if isinstance(call, dict):
                self._parts.close(out)
                self._calls.feed(call, out)
        if isinstance(delta.function_call, dict) and delta.tool_calls is None:
            self._parts.close(out)
            self._calls.feed_legacy(delta.function_call, out)

    # parts -------------------------------------------------------------------------------------------

    def _content(self, content: JsonValue, tokens: JsonValue, out: list[StreamEvent]) -> None:
        if isinstance(content, str):
            if content:
                self._spoke = True
                out.append(TextDelta(self._parts.open("text", out), content, tokens))
            return
        for part in content if isinstance(content, list) else (content,):
            if isinstance(part, str):
                self._content(part, None, out)
            elif isinstance(part, dict):
                self._content_part(part, out)

    def _content_part(self, part: dict[str, Any], out: list[StreamEvent]) -> None:
        kind = part.get("type")
        if kind == "thinking":
            self._parts.thinking(thinking_text(part.get("thinking")), out)
        elif kind == "image_url":
            self._image(part, out)
        elif kind == "refusal" and isinstance(part.get("refusal"), str):
            self._refused = True
            out.append(TextDelta(self._parts.open("refusal", out), part["refusal"]))
        elif isinstance(part.get("text"), str):
            self._content(part["text"], None, out)
        elif isinstance(kind, str):
            self._whole(Opaque(Protocol.OPENAI_CHAT, kind, part), out)

    def _details(self, delta: Delta, out: list[StreamEvent]) -> None:
        """Signed pieces of thinking; text that only the plain member has is taken from there."""
        entries = [entry for entry in delta.reasoning_details if isinstance(entry, dict)]
        if not any(details.text_of_entry(entry) for entry in entries):
            self._parts.thinking(thinking_text(delta.reasoning_content) or thinking_text(delta.reasoning), out)
        for entry in entries:
            signed = details.call_signature(entry)
            if signed is not None:
                self._calls.sign(*signed, out)
            else:
                self._parts.detail(entry, out)

    def _annotations(self, annotations: list[Any], out: list[StreamEvent]) -> None:
        index = self._parts.open("text", out)
        for item in annotations:
            if isinstance(item, dict):  # `index` numbers list entries in a stream and is no part of the citation
                item = {name: value for name, value in item.items() if name != "index"}
            out.append(CitationDelta(index, item, Protocol.OPENAI_CHAT))

    def _image(self, image: dict[str, Any], out: list[StreamEvent]) -> None:
        try:
            self._whole(read_image(image.get("image_url"), "images"), out)
        except GatewayError:
            self._whole(Opaque(Protocol.OPENAI_CHAT, "image_url", image), out)

    def _whole(self, part: Part, out: list[StreamEvent]) -> None:
        self._parts.whole(part, out)
        self._spoke = True
