"""Canonical events -> the event stream of `POST /responses`.

Theory of operation. The wire nests: the response contains items, a message item contains content parts. Parts are
sequenced first (one open at a time), so `output_index` and `sequence_number` only ever rise. Adjacent text and refusal
parts share one message, which therefore stays open until something else starts or the answer ends; what turns out
to be empty never opens an item (MP-17). The same machine makes the non-streamed answer: it is the last `response`.

| canonical event | wire |
|---|---|
| Start | response.created, response.in_progress |
| text, refusal | output_item.added, content_part.added, output_text.*, content_part.done, output_item.done |
| thinking | output_item.added (reasoning), reasoning_summary_part/_text.* (or reasoning_text.*), output_item.done |
| tool_call | output_item.added, function_call_arguments.* or custom_tool_call_input.*, output_item.done |
| whole | output_item.added, output_item.done |
| Finish | response.completed or response.incomplete |
| Failed | response.failed; `error` if nothing has been opened |

`encrypted_content` carries the token of a reasoning item always, whether or not the client's `include` asks for it:
the token is all that lets a later turn replay the reasoning (also the turn that is expanded from the gateway's own
store), clients that did not ask ignore the member, and the gateway cannot hold it back for them in any other place.
"""

from __future__ import annotations

from collections.abc import Callable
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
from llmswitch_core.canonical.fold import unfold_part
from llmswitch_core.canonical.ids import portable
from llmswitch_core.canonical.model import JsonValue, Media, Opaque, Part, Protocol, Thinking, Usage, tag_of
from llmswitch_core.canonical.order import Sequencer
from llmswitch_core.protocols.contract import Scope
from llmswitch_core.protocols.losses import of
from llmswitch_core.protocols.openai_responses import client_tools, output_items, tokens
from llmswitch_core.protocols.openai_responses.errors import error_object, stream_error
from llmswitch_core.protocols.openai_responses.output_items import Call, Message, Reasoning
from llmswitch_core.protocols.openai_responses.response_body import ResponseBody, changing
from llmswitch_core.protocols.openai_responses.usage import incomplete_reason, write_usage
from llmswitch_core.protocols.sse import DONE, event_frame

_ENCODE: Final = msgspec.json.Encoder().encode
_R: Final = Protocol.OPENAI_RESPONSES


class ResponsesWriter:
    """StreamWriter of this protocol. `response` is the final object once the stream has ended."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._order = Sequencer()
        self._sequence = 0
        self._body: ResponseBody | None = None
        self._output: list[dict[str, Any]] = []
        self._usage: Usage | None = None
        self._typed = client_tools.typed_names(scope.conversation.tools)
        self._message: Message | None = None
        """The message item that is open, between its parts too."""
        self._open: Message | Reasoning | Call | None = None
        """What deltas of the open part go to."""
        self._skipped = False
        self._refused = False
        self._next_index = 0
        self._over = False
        self.response: dict[str, JsonValue] | None = None

    # StreamWriter ---------------------------------------------------------------------------------------

    def write(self, event: StreamEvent) -> bytes:
        if self._over:
            return b""
        out: list[bytes] = []
        for one in self._order.feed(event):
            handler = _WRITERS.get(type(one))
            if handler is not None:
                handler(self, one, out)
        return b"".join(out)

    def keepalive(self) -> bytes:
        if self._over:
            return b""
        out: list[bytes] = []
        if self._body is None:
            self._start(Start("", ""), out)
        else:
            self._lifecycle("response.in_progress", changing("in_progress", (), None), out)
        return b"".join(out)

    def fail(self, error: GatewayError) -> bytes:
        return self.write(Failed(error))

    # lifecycle --------------------------------------------------------------------------------------------

    def _start(self, event: Start, out: list[bytes]) -> None:
        if event.usage is not None:
            self._usage = event.usage
        if self._body is not None:
            return
        scope = self._scope
        self._body = ResponseBody(
            scope,
            event.id if event.id.startswith("resp") else scope.new_id("resp_"),
            scope.model or event.model or scope.conversation.model,
            event.created if event.created is not None else scope.created,
            event.service_tier,
        )
        for name in ("response.created", "response.in_progress"):
            self._lifecycle(name, changing("in_progress", (), None), out)

    def _lifecycle(self, name: str, members: dict[str, Any], out: list[bytes]) -> None:
        if self._body is None:
            return
        payload = b'{"type":"%b","response":%b,"sequence_number":%d}'
        out.append(event_frame(name.encode(), payload % (name.encode(), self._body.encode(members), self._tick())))

    def _tick(self) -> int:
        number = self._sequence
        self._sequence += 1
        return number

    def _emit(self, name: str, members: dict[str, Any], out: list[bytes]) -> None:
        event = {"type": name, **members, "sequence_number": self._tick()}
        out.append(event_frame(name.encode(), jsonio.encode(event)))

    def _finish(self, event: Finish, out: list[bytes]) -> None:
        self._start(Start("", ""), out)
        reason = incomplete_reason(event.reason, event.wire, self._refused)
        status = "completed" if reason is None else "incomplete"
        self._close_message(out, status)
        self._end(
            f"response.{status}",
            changing(
                status,
                self._output,
                write_usage(self._usage),
                incomplete=reason,
                completed_at=self._scope.created if reason is None else None,
            ),
            out,
        )
        if self._scope.done_marker:
            out.append(DONE)

    def _failed(self, event: Failed, out: list[bytes]) -> None:
        if self._body is None:
            wire = error_object(event.error)
            self._over = True
            self._emit("error", {name: wire[name] for name in ("code", "message", "param")}, out)
            return
        usage = write_usage(self._usage)
        self._end("response.failed", changing("failed", self._output, usage, error=stream_error(event.error)), out)

    def _end(self, name: str, members: dict[str, Any], out: list[bytes]) -> None:
        self._lifecycle(name, members, out)
        self._over = True
        if self._body is not None:
            self.response = self._body.whole(members)

    def _seen(self, event: UsageSeen, out: list[bytes]) -> None:
        self._usage = event.usage

    # items --------------------------------------------------------------------------------------------------

    def _index(self) -> int:
        index, self._next_index = self._next_index, self._next_index + 1
        return index

    def _add(self, index: int, item: dict[str, Any], out: list[bytes]) -> None:
        self._emit("response.output_item.added", {"output_index": index, "item": item}, out)

    def _complete(self, index: int, item: dict[str, Any], out: list[bytes]) -> None:
        self._output.append(item)
        self._emit("response.output_item.done", {"output_index": index, "item": item}, out)

    def _item_id(self, given: str | None, prefix: str) -> str:
        """The upstream's own item id where it has the form this wire's clients expect."""
        return given if given and given.startswith(prefix) and len(given) <= 64 else self._scope.new_id(prefix)

    def _part_start(self, event: PartStart, out: list[bytes]) -> None:
        self._start(Start("", ""), out)
        if event.kind in ("text", "refusal"):
            self._open_text(event, out)
            return
        if event.kind == "whole":
            self._whole(event.part, out)
            return
        self._close_message(out, "completed")
        if event.kind == "thinking":
            raw = event.origin is _R and not event.summary
            self._open = Reasoning(self._item_id(event.item_id, "rs_"), event.origin, raw)
        elif event.kind == "tool_call":
            self._open_call(event, out)

    def _part_stop(self, event: PartStop, out: list[bytes]) -> None:
        opened, self._open = self._open, None
        if isinstance(opened, Message):
            if event.wire is not None:
                opened.take(event.wire)
            self._stop_text(opened, out)
        elif isinstance(opened, Reasoning):
            self._stop_reasoning(opened, event.wire, out)
        elif isinstance(opened, Call):
            self._stop_call(opened, out)

    # text and refusals ---------------------------------------------------------------------------------------

    def _open_text(self, event: PartStart, out: list[bytes]) -> None:
        message = self._message
        if message is not None and event.item_id and message.origin_id and message.origin_id != event.item_id:
            self._close_message(out, "completed")
            message = None
        if message is None:
            message = self._message = Message(self._item_id(event.item_id, "msg_"), event.item_id)
        message.expect(event.kind == "refusal", event.signature)
        self._open = message

    def _text(self, event: TextDelta, out: list[bytes]) -> None:
        opened = self._open
        if isinstance(opened, Message):
            if not event.text:
                return
            if opened.prefix is None:
                self._begin_content(opened, out)
            opened.text.append(event.text)
            if event.logprobs:
                opened.logprobs.extend(event.logprobs)
                self._emit(
                    "response.output_text.delta",
                    {**opened.place(), "delta": event.text, "logprobs": event.logprobs},
                    out,
                )
                return
            self._hot(opened.prefix, event.text, out)
        elif isinstance(opened, Reasoning) and event.text:
            if opened.prefix is None:
                self._begin_reasoning(opened, out)
            opened.text.append(event.text)
            self._hot(opened.prefix, event.text, out)

    def _hot(self, prefix: bytes | None, text: str, out: list[bytes]) -> None:
        """A delta frame: the encoded prefix, the text, the number. No tree is built."""
        try:
            encoded = _ENCODE(text)
        except UnicodeEncodeError:
            encoded = jsonio.encode(text)
        out.append(b'%b%b,"sequence_number":%d}\n\n' % (prefix or b"", encoded, self._tick()))

    def _begin_content(self, message: Message, out: list[bytes]) -> None:
        if message.index < 0:
            message.index = self._index()
            self._add(message.index, message.item("in_progress", []), out)
        part = output_items.content_part(message.refusal, "", [], [])
        self._emit("response.content_part.added", {**message.place(), "part": part}, out)
        name = "response.refusal.delta" if message.refusal else "response.output_text.delta"
        extra: dict[str, Any] = {} if message.refusal else {"logprobs": []}
        message.prefix = output_items.delta_prefix(name, {**message.place(), **extra})
        self._refused = self._refused or message.refusal

    def _stop_text(self, message: Message, out: list[bytes]) -> None:
        if message.prefix is None and not message.annotations:
            self._sign(message.signature, out)
            return
        if message.prefix is None:
            self._begin_content(message, out)
        text = "".join(message.text)
        part = output_items.content_part(message.refusal, text, message.annotations, message.logprobs)
        if message.refusal:
            self._emit("response.refusal.done", {**message.place(), "refusal": text}, out)
        else:
            done = {**message.place(), "text": text, "logprobs": message.logprobs}
            self._emit("response.output_text.done", done, out)
        self._emit("response.content_part.done", {**message.place(), "part": part}, out)
        message.parts.append(part)
        self._sign(message.signature, out)

    def _close_message(self, out: list[bytes], status: str) -> None:
        message, self._message = self._message, None
        if message is not None and message.index >= 0:
            self._complete(message.index, message.item(status, message.parts), out)

    def _citation(self, event: CitationDelta, out: list[bytes]) -> None:
        opened = self._open
        if not isinstance(opened, Message):
            return
        annotation = output_items.annotation(event.citation, sum(map(len, opened.text)))
        if annotation is None:
            self._scope.notes.dropped("text.citations")
            return
        if opened.prefix is None:
            self._begin_content(opened, out)
        opened.annotations.append(annotation)
        place = {**opened.place(), "annotation_index": len(opened.annotations) - 1, "annotation": annotation}
        self._emit("response.output_text.annotation.added", place, out)

    # reasoning ---------------------------------------------------------------------------------------------------

    def _begin_reasoning(self, item: Reasoning, out: list[bytes]) -> None:
        item.index = self._index()
        self._add(item.index, item.item(None), out)
        if not item.raw:
            place = {**item.place(), "part": {"type": "summary_text", "text": ""}}
            self._emit("response.reasoning_summary_part.added", place, out)
        item.prefix = output_items.delta_prefix(f"response.{item.event}.delta", item.place())

    def _stop_reasoning(self, item: Reasoning, wire: JsonValue, out: list[bytes]) -> None:
        own = wire if isinstance(wire, dict) and wire.get("type") == "reasoning" and item.origin is _R else None
        if item.prefix is None and item.token is None and own is None:
            return
        if item.prefix is None:
            item.index = self._index()
            self._add(item.index, item.item(None), out)
        else:
            text = "".join(item.text)
            self._emit(f"response.{item.event}.done", {**item.place(), "text": text}, out)
            if not item.raw:
                part = {"type": "summary_text", "text": text}
                self._emit("response.reasoning_summary_part.done", {**item.place(), "part": part}, out)
        self._complete(item.index, item.item(own), out)

    def _signature(self, event: SignatureDelta, out: list[bytes]) -> None:
        opened = self._open
        if isinstance(opened, Reasoning):
            opened.token = event.signature
        elif isinstance(opened, Message | Call):
            opened.signature = event.signature

    def _sign(self, signature: str | None, out: list[bytes]) -> None:
        """A signature for the part just ended, as a reasoning item of its own (tokens.py)."""
        if signature:
            self._close_message(out, "completed")
            self._token_item(signature, "previous", out)

    def _token_item(self, token: str, slot: tokens.Slot, out: list[bytes]) -> None:
        # Gemini is the one protocol that signs calls and text.
        item = output_items.token_item(self._scope.new_id("rs_"), token, Protocol.GEMINI, slot)
        index = self._index()
        self._add(index, item, out)
        self._complete(index, item, out)

    # calls and whole items ---------------------------------------------------------------------------------------

    def _open_call(self, event: PartStart, out: list[bytes]) -> None:
        if event.signature:
            self._token_item(event.signature, "next", out)
        typed = self._typed.get(event.name) if event.namespace is None and event.call_kind == "function" else None
        prefix = typed.id_prefix if typed is not None else "ctc_" if event.call_kind == "custom" else "fc_"
        call = Call(
            self._index(),
            self._item_id(event.item_id, prefix),
            portable(event.id) if event.id else self._scope.new_id("call_"),
            event,
            typed,
        )
        self._open = call
        self._add(call.index, call.item("in_progress"), out)
        if typed is None:
            call.prefix = output_items.delta_prefix(f"response.{call.event}.delta", call.place())

    def _arguments(self, event: ArgumentsDelta, out: list[bytes]) -> None:
        call = self._open
        if isinstance(call, Call) and event.text:
            call.arguments.append(event.text)
            if call.typed is None:
                self._hot(call.prefix, event.text, out)

    def _stop_call(self, call: Call, out: list[bytes]) -> None:
        if not call.arguments and not call.custom:
            # A call without arguments is `{}` on this wire: its clients parse the text.
            self._arguments_of(call, "{}", out)
        if call.typed is None:
            key = "input" if call.custom else "arguments"
            self._emit(f"response.{call.event}.done", {**call.place(), key: "".join(call.arguments)}, out)
        self._complete(call.index, call.item("completed"), out)
        if call.signature:
            self._token_item(call.signature, "previous", out)

    def _arguments_of(self, call: Call, text: str, out: list[bytes]) -> None:
        call.arguments.append(text)
        if call.typed is None:
            self._hot(call.prefix, text, out)

    def _whole(self, part: Part | None, out: list[bytes]) -> None:
        item: dict[str, Any] | None = None
        if isinstance(part, Opaque):
            if part.protocol is _R and isinstance(part.wire, dict):
                item = {**part.wire, "id": part.wire.get("id") or self._scope.new_id("item_")}
            else:
                self._scope.notes.dropped(of("opaque", part.label))
        elif isinstance(part, Thinking) and part.redacted is not None:
            origin = part.origin or Protocol.ANTHROPIC_MESSAGES
            item = output_items.token_item(self._scope.new_id("rs_"), part.redacted, origin, "redacted")
        elif isinstance(part, Media):
            item = output_items.image_item(self._scope.new_id("ig_"), part)
            if item is None:
                self._scope.notes.dropped("assistant.media")
        elif part is not None:
            self._unfolded(part, out)
        if item is not None:
            self._close_message(out, "completed")
            index = self._index()
            self._add(index, item, out)
            self._complete(index, item, out)

    def _unfolded(self, part: Part, out: list[bytes]) -> None:
        """A text, thinking or call that came whole, through the same handlers as its deltas would."""
        for event in unfold_part(0, part):
            if isinstance(event, PartStart) and event.kind == "whole":
                self._scope.notes.dropped(of("assistant", tag_of(part)))
                return
            handler = _WRITERS.get(type(event))
            if handler is not None:
                handler(self, event, out)


_WRITERS: Final[dict[type, Callable[[ResponsesWriter, Any, list[bytes]], None]]] = {
    Start: ResponsesWriter._start,
    PartStart: ResponsesWriter._part_start,
    PartStop: ResponsesWriter._part_stop,
    TextDelta: ResponsesWriter._text,
    ArgumentsDelta: ResponsesWriter._arguments,
    SignatureDelta: ResponsesWriter._signature,
    CitationDelta: ResponsesWriter._citation,
    UsageSeen: ResponsesWriter._seen,
    Finish: ResponsesWriter._finish,
    Failed: ResponsesWriter._failed,
}
