"""openai-responses answers: the response object and its event stream.

Knows that wire format (openai.types.responses): every event has a sequence_number, every item is added,
filled and done at its output_index, the terminal event carries the whole response.
"""

from __future__ import annotations

import json
from typing import Any

from . import errors
from .render import Context, Event, Renderer, argument_pieces
from .script import ErrorIn200, MidStreamError, Refusal, Text, Thinking, ToolCall, pieces

# finish -> (status, incomplete reason)
FINISH: dict[str, tuple[str, str | None]] = {
    "stop": ("completed", None),
    "length": ("incomplete", "max_output_tokens"),
    "tool": ("completed", None),
    "refusal": ("completed", None),
    "content_filter": ("incomplete", "content_filter"),
    "prompt_blocked": ("incomplete", "content_filter"),
    "pause": ("completed", None),
    "stop_sequence": ("completed", None),
    "context": ("incomplete", "max_output_tokens"),
    "malformed": ("completed", None),
}
_ECHOED: dict[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
# error status -> the code of a failed response
_FAILED_CODES = {429: "rate_limit_exceeded", 400: "invalid_prompt"}


class ResponsesRenderer(Renderer):
    """Output items in order; `message` is the index of the message item still open."""

    protocol = "openai-responses"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.id = ctx.ids.new("resp")
        self.items: list[dict[str, Any]] = []
        self.message: int | None = None
        self.part: int | None = None
        self.sequence = 0
        include = ctx.body.get("include") or []
        self.encrypted = "reasoning.encrypted_content" in include

    def start(self) -> None:
        self._event("response.created", response=self._response("in_progress"))
        self._event("response.in_progress", response=self._response("in_progress"))

    # --- text and refusals: parts of a message item

    def text(self, step: Text) -> None:
        item, index = self._open_part("output_text", fresh=step.new_block)
        part = item["content"][-1]
        part["text"] += step.text
        for piece in step.pieces or pieces(step.text, step.size):
            self._padded(
                "response.output_text.delta",
                item_id=item["id"],
                output_index=index,
                content_index=self.part,
                delta=piece,
                logprobs=[],
            )

    def refusal(self, step: Refusal) -> None:
        item, index = self._open_part("refusal", fresh=False)
        item["content"][-1]["refusal"] += step.text
        for piece in pieces(step.text, 12):
            self._padded(
                "response.refusal.delta",
                item_id=item["id"],
                output_index=index,
                content_index=self.part,
                delta=piece,
            )

    def _open_part(self, kind: str, *, fresh: bool) -> tuple[dict[str, Any], int]:
        if fresh:
            self.close()
        if self.message is None:
            self.message = self._add(
                {"id": self.ids.new("msg_r"), "type": "message", "status": "in_progress", "content": []},
                role="assistant",
            )
        item = self.items[self.message]
        if self.part is not None and item["content"][self.part]["type"] == kind:
            return item, self.message
        self._close_part()
        self.part = len(item["content"])
        part: dict[str, Any] = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
        if kind == "refusal":
            part = {"type": "refusal", "refusal": ""}
        self._event(
            "response.content_part.added",
            item_id=item["id"],
            output_index=self.message,
            content_index=self.part,
            part=dict(part),
        )
        item["content"].append(part)
        return item, self.message

    def _close_part(self) -> None:
        if self.message is None or self.part is None:
            return
        item = self.items[self.message]
        part = item["content"][self.part]
        where = {"item_id": item["id"], "output_index": self.message, "content_index": self.part}
        if part["type"] == "output_text":
            self._event("response.output_text.done", **where, text=part["text"], logprobs=[])
        else:
            self._event("response.refusal.done", **where, refusal=part["refusal"])
        self._event("response.content_part.done", **where, part=dict(part))
        self.part = None

    def close(self) -> None:
        if self.message is None:
            return
        self._close_part()
        index, self.message = self.message, None
        self._done(index)

    # --- reasoning

    def thinking(self, step: Thinking) -> None:
        self.close()
        text = "" if step.redacted is not None else step.text
        item: dict[str, Any] = {"id": self.ids.new("rs"), "type": "reasoning", "summary": []}
        index = self._add(item)
        item = self.items[index]
        where = {"item_id": item["id"], "output_index": index}
        if step.raw and text:
            self._raw_reasoning(where, text, step.size)
            item["content"] = [{"type": "reasoning_text", "text": text}]
        elif text:
            self._summary(where, text, step.size)
            item["summary"] = [{"type": "summary_text", "text": text}]
        signature = step.redacted or step.signature
        if self.encrypted and signature != "":
            item["encrypted_content"] = signature or self.ids.sign("openai", text)
        self._event("response.output_item.done", output_index=index, item=dict(item))

    def _summary(self, where: dict[str, Any], text: str, size: int) -> None:
        at = {**where, "summary_index": 0}
        self._event("response.reasoning_summary_part.added", **at, part={"type": "summary_text", "text": ""})
        for piece in pieces(text, size):
            self._padded("response.reasoning_summary_text.delta", **at, delta=piece)
        self._event("response.reasoning_summary_text.done", **at, text=text)
        self._event("response.reasoning_summary_part.done", **at, part={"type": "summary_text", "text": text})

    def _raw_reasoning(self, where: dict[str, Any], text: str, size: int) -> None:
        at = {**where, "content_index": 0}
        self._event("response.content_part.added", **at, part={"type": "reasoning_text", "text": ""})
        for piece in pieces(text, size):
            self._padded("response.reasoning_text.delta", **at, delta=piece)
        self._event("response.reasoning_text.done", **at, text=text)
        self._event("response.content_part.done", **at, part={"type": "reasoning_text", "text": text})

    # --- calls

    def calls(self, calls: tuple[ToolCall, ...], *, interleave: bool) -> None:
        self.close()
        if not interleave:
            for call in calls:
                index = self._open_call(call)
                for piece in self._deltas(call):
                    self._call_delta(index, call, piece)
                self._close_call(index, call)
            return
        opened = [(self._open_call(call), call, self._deltas(call)) for call in calls]
        while any(queue for _, _, queue in opened):
            for index, call, queue in opened:
                if queue:
                    self._call_delta(index, call, queue.pop(0))
        for index, call, _ in opened:
            self._close_call(index, call)

    @staticmethod
    def _arguments(call: ToolCall) -> str:
        if call.chunks == "empty":
            return "" if call.kind == "custom" else "{}"
        return call.arguments

    def _deltas(self, call: ToolCall) -> list[str]:
        return [] if call.kind == "tool_search" else argument_pieces(call, self._arguments(call))

    def _open_call(self, call: ToolCall) -> int:
        early = self._arguments(call) if call.chunks == "start_event" else ""
        call_id = call.id if call.id is not None else self.ids.new("call")
        item: dict[str, Any]
        if call.kind == "custom":
            item = {"id": self.ids.new("ctc"), "type": "custom_tool_call", "status": "in_progress"}
            item.update(call_id=call_id, input=early, name=call.name)
        elif call.kind == "tool_search":
            item = {"id": self.ids.new("tsc"), "type": "tool_search_call", "execution": "client"}
            item.update(call_id=call_id, status="in_progress", arguments={})
        else:
            item = {"id": self.ids.new("fc"), "type": "function_call", "status": "in_progress"}
            item.update(arguments=early, call_id=call_id, name=call.name)
        if call.namespace is not None:
            item["namespace"] = call.namespace
        return self._add(item)

    def _call_delta(self, index: int, call: ToolCall, piece: str) -> None:
        family = "custom_tool_call_input" if call.kind == "custom" else "function_call_arguments"
        self._padded(f"response.{family}.delta", item_id=self.items[index]["id"], output_index=index, delta=piece)

    def _close_call(self, index: int, call: ToolCall) -> None:
        item = self.items[index]
        whole = self._arguments(call)
        where = {"item_id": item["id"], "output_index": index}
        if call.kind == "custom":
            item["input"] = whole
            self._event("response.custom_tool_call_input.done", **where, input=whole)
        elif call.kind == "tool_search":
            item["arguments"] = _json(whole)
        else:
            item["arguments"] = whole
            self._event("response.function_call_arguments.done", **where, arguments=whole)
        self._done(index)

    # --- ends

    def end(self) -> None:
        status = self._status()[0]
        self._event(f"response.{status}", response=self._response(status), terminal=True)
        if self.ctx.framing.done_on_responses:
            self.ops.append(Event("[DONE]", None))

    def fail(self, step: ErrorIn200 | MidStreamError) -> None:
        code = step.code or _FAILED_CODES.get(step.status, "server_error")
        if isinstance(step, ErrorIn200):
            self.error_body = errors.openai(step.status, step.message, step.type, step.code)
        if step.style == "error":
            shape = errors.openai(step.status, step.message, step.type, step.code)["error"]
            self._event("error", code=shape["code"] or shape["type"], message=step.message, param=None)
            return
        if isinstance(step, ErrorIn200):
            self.start()
        failed = self._response("failed")
        failed["error"] = {"code": code, "message": step.message}
        self._event("response.failed", response=failed, terminal=True)

    def _status(self) -> tuple[str, str | None]:
        if self.finish.raw:
            return "incomplete", self.finish.raw
        return FINISH[self.finish.reason]

    def _add(self, item: dict[str, Any], **more: Any) -> int:
        item = {**item, **more}
        self.items.append(item)
        index = len(self.items) - 1
        shown = {k: list(v) if isinstance(v, list) else v for k, v in item.items()}
        self._event("response.output_item.added", output_index=index, item=shown)
        return index

    def _done(self, index: int) -> None:
        item = self.items[index]
        last = index == len(self.items) - 1
        cut_short = self._status()[0] == "incomplete" and last and item["type"] == "message"
        item["status"] = "incomplete" if cut_short else "completed"
        self._event("response.output_item.done", output_index=index, item=dict(item))

    def _event(self, kind: str, *, terminal: bool = False, **fields: Any) -> None:
        data = {"type": kind, "sequence_number": self.sequence, **fields}
        self.sequence += 1
        self.emit(data, kind, terminal=terminal)

    def _padded(self, kind: str, **fields: Any) -> None:
        if self.ctx.framing.obfuscation:
            fields["obfuscation"] = self.ids.new("pad")
        self._event(kind, **fields)

    def _response(self, status: str) -> dict[str, Any]:
        body = self.ctx.body
        ended = status not in ("in_progress", "queued")
        reason = self._status()[1] if status == "incomplete" else None
        response: dict[str, Any] = {
            "id": self.id,
            "object": "response",
            "created_at": self.ctx.created,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": reason} if reason else None,
            "model": self.ctx.model,
            "output": [dict(i) for i in self.items] if ended else [],
            "reasoning": {"effort": None, "summary": None, **(body.get("reasoning") or {})},
            "text": {"format": {"type": "text"}, "verbosity": "medium", **(body.get("text") or {})},
            "usage": self._usage() if ended and status != "failed" else None,
        }
        if ended:
            response["completed_at"] = self.ctx.created + 1 if status == "completed" else None
        for key, default in _ECHOED.items():
            value = body.get(key)
            response[key] = default if value is None else value
        if response["service_tier"] == "auto":
            response["service_tier"] = "default"
        return response

    def _usage(self) -> dict[str, Any]:
        u = self.usage
        prompt = u.input + u.cache_read + u.cache_write
        out = u.output + u.reasoning
        return {
            "input_tokens": prompt,
            "input_tokens_details": {"cached_tokens": u.cache_read, "cache_write_tokens": u.cache_write},
            "output_tokens": out,
            "output_tokens_details": {"reasoning_tokens": u.reasoning},
            "total_tokens": prompt + out,
        }

    @property
    def body(self) -> dict[str, Any]:
        return self._response(self._status()[0])

    def failed_body(self, step: MidStreamError) -> dict[str, Any]:
        """The non-streamed form of a failure after content: a response of status failed."""
        failed = self._response("failed")
        failed["error"] = {
            "code": step.code or _FAILED_CODES.get(step.status, "server_error"),
            "message": step.message,
        }
        return failed


def _json(text: str) -> Any:
    return json.loads(text) if text.strip() else {}
