"""Upstream events -> canonical events: the state machine of `POST /responses` answers.

Theory of operation. An answer is a list of output items; each item opens, grows and is done, and so do the content
parts inside it. A message's content parts, a reasoning item and a call each become one canonical part; every other
item (hosted tools, compaction …) becomes one `whole` part when it is done. What an event says about its place
(`output_index`, `item_id`, `content_index`) is used if it is there, else the item opened last is meant: llama.cpp
sends neither. Text is emitted once: from deltas, or, for what never got one, from the first event that has it whole
(`*.done`, the item, the final response). Items the final response lists and the stream never showed are emitted then.

| wire event | handler |
|---|---|
| response.created / queued / in_progress | `_lifecycle`: Start, once |
| response.output_item.added / .done | `_added` / `_done` |
| response.content_part.added / .done | `_content_added` / `_content_done` |
| response.output_text.delta / .done, response.refusal.delta / .done | `_text_delta` / `_text_done` |
| response.output_text.annotation.added | `_annotation` |
| response.reasoning_summary_text.delta / .done | `_summary_delta` / `_summary_done` |
| response.reasoning_text.delta / .done (llama.cpp and vLLM: response.reasoning.*) | `_raw_delta` / `_raw_done` |
| response.function_call_arguments.*, response.custom_tool_call_input.* | `_arguments_delta` / `_arguments_done` |
| response.completed / incomplete | `_completed`: what was missed, UsageSeen, Finish |
| response.failed / cancelled, error, any frame with an `error` | Failed |
| everything else (progress of hosted tools, keepalives) | Ping |

The end without response.completed is a truncated stream, `[DONE]` or not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.events import Failed, Finish, Ping, Start, StreamEvent, UsageSeen
from llmswitch_core.canonical.model import FinishReason, JsonValue
from llmswitch_core.protocols.contract import Scope, SseFrame
from llmswitch_core.protocols.openai_responses.errors import error_of
from llmswitch_core.protocols.openai_responses.fields import count
from llmswitch_core.protocols.openai_responses.frames import Delta, text_of, tolerant_delta
from llmswitch_core.protocols.openai_responses.item_machine import DELTAS, EVENTS, ItemMachine
from llmswitch_core.protocols.openai_responses.usage import read_incomplete, read_usage

_DELTA: Final = msgspec.json.Decoder(Delta)
_PING: Final = (Ping(),)


class ResponsesReader:
    """StreamReader of this protocol. `response` is the upstream's last lifecycle object, for whoever keeps state."""

    def __init__(self, scope: Scope) -> None:
        self._items = ItemMachine(scope.conversation.tools)
        self._started = False
        self._over = False
        self.response: dict[str, Any] | None = None

    # frames -------------------------------------------------------------------------------------------

    def feed(self, frame: SseFrame) -> Sequence[StreamEvent]:
        if self._over:
            return ()
        data = frame.data
        if b".delta" in data[:80] or frame.event.endswith(".delta"):
            try:
                delta = _DELTA.decode(data)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                pass  # an odd type somewhere: the tolerant way below
            else:
                hot = DELTAS.get(delta.type)
                return _PING if hot is None else self._begin(hot(self._items, delta))
        if data.strip() == b"[DONE]":
            return self.end()
        try:
            event = jsonio.decode(data) if data.strip() else {}
        except ValueError:
            return self._fail(_bad_frame(data))
        return self.event(event, frame.event) if isinstance(event, dict) else self._fail(_bad_frame(data))

    def event(self, event: dict[str, Any], name: str = "") -> Sequence[StreamEvent]:
        """One decoded event; `name` stands in for a missing `type`."""
        if self._over:
            return ()
        try:
            return self._event(event, name)
        except GatewayError as error:
            return self._fail(error)

    def _event(self, event: dict[str, Any], name: str) -> Sequence[StreamEvent]:
        kind = event.get("type")
        if not isinstance(kind, str) or not kind:
            kind = name
        lifecycle = _LIFECYCLE.get(kind)
        if lifecycle is not None:
            return lifecycle(self, event)
        handler = EVENTS.get(kind)
        if handler is not None:
            return self._begin(handler(self._items, event) or _PING)
        hot = DELTAS.get(kind)
        if hot is not None:
            return self._begin(hot(self._items, tolerant_delta(event, kind)) or _PING)
        if event.get("error"):
            return self._failed(event)
        return _PING if self._started or kind else ()

    def end(self) -> Sequence[StreamEvent]:
        if self._over:
            return ()
        return self._fail(
            GatewayError(
                ErrorKind.UPSTREAM,
                "truncated_stream",
                "The upstream's answer ended before it was complete.",
                next_step="Retry the request.",
                layer=Layer.UPSTREAM,
            )
        )

    def _fail(self, error: GatewayError) -> Sequence[StreamEvent]:
        self._over = True
        return (Failed(error),)

    def _begin(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        """`events`, with a Start in front if the upstream left out response.created."""
        if self._started:
            return events
        self._started = True
        return (Start("", ""), *events)

    # lifecycle --------------------------------------------------------------------------------------------

    def _lifecycle(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        response = event.get("response")
        if isinstance(response, dict):
            self.response = response
            if _error_in(response) is not None:
                return self._failed(event)
        if self._started:
            return _PING
        self._started = True
        return (_start(response if isinstance(response, dict) else {}),)

    def _completed(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        response = event.get("response")
        response = response if isinstance(response, dict) else {}
        status = response.get("status")
        if status in ("failed", "cancelled") or _error_in(response) is not None:
            return self._failed(event)
        out: list[StreamEvent] = []
        if not self._started:
            self._started = True
            out.append(_start(response))
        output = response.get("output")
        self._items.reconcile(
            [item for item in output if isinstance(item, dict)] if isinstance(output, list) else [], out
        )
        # Some servers leave the final output empty although they streamed it.
        self.response = response if output else {**response, "output": self._items.finished}
        usage = read_usage(response.get("usage"))
        if usage is not None:
            out.append(UsageSeen(usage))
        if event.get("type") == "response.incomplete" or status == "incomplete":
            reason, wire = read_incomplete(response)
            out.append(Finish(reason, wire))
        else:
            out.append(Finish(self._reason(), "completed"))
        self._over = True
        return out

    def _reason(self) -> FinishReason:
        if self._items.called:
            return FinishReason.TOOL_CALLS
        return FinishReason.REFUSAL if self._items.refused else FinishReason.STOP

    def _failed(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        response = event.get("response")
        source: JsonValue = event
        out: list[StreamEvent] = []
        if isinstance(response, dict):
            self.response = response
            source = {"error": _error_in(response) or {"message": f"The response is {response.get('status')}."}}
            usage = read_usage(response.get("usage"))
            if usage is not None:
                out.append(UsageSeen(usage))
        error = error_of(source, None)
        if error is None:
            error = GatewayError(
                ErrorKind.UPSTREAM, "upstream_error", "The upstream reported a failure.", layer=Layer.UPSTREAM
            )
        out.extend(self._fail(error))
        return out


_LIFECYCLE: Final[dict[str, Callable[[ResponsesReader, dict[str, Any]], Sequence[StreamEvent]]]] = {
    "response.created": ResponsesReader._lifecycle,
    "response.queued": ResponsesReader._lifecycle,
    "response.in_progress": ResponsesReader._lifecycle,
    "response.completed": ResponsesReader._completed,
    "response.incomplete": ResponsesReader._completed,
    "response.failed": ResponsesReader._failed,
    "response.cancelled": ResponsesReader._failed,
    "error": ResponsesReader._failed,
}


def _start(response: dict[str, Any]) -> Start:
    created, tier = response.get("created_at"), response.get("service_tier")
    return Start(
        id=text_of(response.get("id")) or "",
        model=text_of(response.get("model")) or "",
        created=count(created) or None,
        service_tier=tier if isinstance(tier, str) else None,
    )


def _error_in(response: dict[str, Any]) -> JsonValue:
    error = response.get("error")
    return error if isinstance(error, dict | str) and error else None


def _bad_frame(data: bytes) -> GatewayError:
    shown = data[:200].decode("utf-8", "replace")
    return GatewayError(
        ErrorKind.UPSTREAM,
        "bad_frame",
        f"The upstream sent an event that is no JSON object: {shown}",
        next_step="Retry the request.",
        layer=Layer.UPSTREAM,
    )
