"""anthropic-messages answers: the message, and its event stream.

Knows that wire format (anthropic.types): one message_start, blocks opened and closed one at a time, a ping
after the first block opens, cumulative usage on message_delta.
"""

from __future__ import annotations

import json
from typing import Any

from . import errors
from .render import Context, Renderer, argument_pieces
from .script import ErrorIn200, MidStreamError, Refusal, Text, Thinking, ToolCall, pieces

FINISH = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool": "tool_use",
    "refusal": "refusal",
    "content_filter": "refusal",
    "prompt_blocked": "refusal",
    "pause": "pause_turn",
    "stop_sequence": "stop_sequence",
    "context": "model_context_window_exceeded",
    "malformed": "end_turn",
}


class MessagesRenderer(Renderer):
    """Content blocks in order; `open` is the index of the block that still takes deltas."""

    protocol = "anthropic-messages"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.id = ctx.ids.new("msg_m")
        self.blocks: list[dict[str, Any]] = []
        self.open: int | None = None
        self.pinged = False
        self.explanation: str | None = None
        self.omit = (ctx.body.get("thinking") or {}).get("display") == "omitted"

    def start(self) -> None:
        message = self._message()
        message["content"] = []
        message["stop_reason"] = None
        message["stop_sequence"] = None
        message["stop_details"] = None
        message["usage"]["output_tokens"] = 1
        message["usage"].pop("output_tokens_details", None)
        self.emit({"type": "message_start", "message": message}, "message_start")

    def text(self, step: Text) -> None:
        if self.open is None or self.blocks[self.open]["type"] != "text" or step.new_block:
            self._open({"type": "text", "text": ""})
        self.blocks[-1]["text"] += step.text
        for piece in step.pieces or pieces(step.text, step.size):
            self._delta({"type": "text_delta", "text": piece})

    def thinking(self, step: Thinking) -> None:
        self.close()
        if step.redacted is not None:
            data = step.redacted or self.ids.sign("anthropic", "redacted")
            self._open({"type": "redacted_thinking", "data": data})
            self.close()
            return
        text = "" if self.omit else step.text
        signature = self.ids.sign("anthropic", text) if step.signature is None else step.signature
        self._open({"type": "thinking", "thinking": "", "signature": ""})
        for piece in pieces(text, step.size):
            self._delta({"type": "thinking_delta", "thinking": piece})
        if signature:
            self._delta({"type": "signature_delta", "signature": signature})
        self.blocks[-1].update(thinking=text, signature=signature)
        self.close()

    def refusal(self, step: Refusal) -> None:
        self.explanation = step.text

    def calls(self, calls: tuple[ToolCall, ...], *, interleave: bool) -> None:
        for call in calls:
            self._call(call)

    def _call(self, call: ToolCall) -> None:
        self.close()
        arguments = "" if call.chunks == "empty" else call.arguments
        parsed = json.loads(arguments) if arguments.strip() else {}
        block: dict[str, Any] = {
            "type": "tool_use",
            "id": call.id if call.id is not None else self.ids.new("toolu"),
            "name": call.name,
            "input": {},
            "caller": {"type": "direct"},
        }
        early = call.chunks == "start_event"
        self._open({**block, "input": parsed if early else {}})
        if not early:
            self._delta({"type": "input_json_delta", "partial_json": ""})
            late = [arguments] if call.chunks == "done_only" else argument_pieces(call, arguments)
            for piece in late:
                self._delta({"type": "input_json_delta", "partial_json": piece})
        self.blocks[-1]["input"] = parsed
        self.close()

    def close(self) -> None:
        if self.open is not None:
            self.emit({"type": "content_block_stop", "index": self.open}, "content_block_stop")
            self.open = None

    def end(self) -> None:
        self.emit(
            {
                "type": "message_delta",
                "delta": {
                    "stop_reason": self._reason(),
                    "stop_sequence": self.finish.stop_sequence,
                    "stop_details": self._details(),
                },
                "usage": self._delta_usage(),
            },
            "message_delta",
        )
        self.emit({"type": "message_stop"}, "message_stop", terminal=True)

    def fail(self, step: ErrorIn200 | MidStreamError) -> None:
        self.error_body = errors.anthropic(step.status, step.message, step.type, None)
        self.emit(self.error_body, "error")

    def ping(self) -> None:
        self.emit({"type": "ping"}, "ping")

    def _open(self, block: dict[str, Any]) -> None:
        self.close()
        self.open = len(self.blocks)
        self.blocks.append(dict(block))
        self.emit(
            {"type": "content_block_start", "index": self.open, "content_block": dict(block)},
            "content_block_start",
        )
        if not self.pinged:
            self.pinged = True
            self.ping()

    def _delta(self, delta: dict[str, Any]) -> None:
        self.emit({"type": "content_block_delta", "index": self.open, "delta": delta}, "content_block_delta")

    def _reason(self) -> str:
        return self.finish.raw or FINISH[self.finish.reason]

    def _details(self) -> dict[str, Any] | None:
        if self.explanation is None:
            return None
        return {"type": "refusal", "category": None, "explanation": self.explanation}

    def _delta_usage(self) -> dict[str, Any]:
        u = self.usage
        usage: dict[str, Any] = {
            "input_tokens": u.input,
            "cache_creation_input_tokens": u.cache_write,
            "cache_read_input_tokens": u.cache_read,
            "output_tokens": u.output + u.reasoning,
        }
        if u.reasoning:
            usage["output_tokens_details"] = {"thinking_tokens": u.reasoning}
        return usage

    def _message(self) -> dict[str, Any]:
        return {
            "model": self.ctx.model,
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "content": self.blocks,
            "stop_reason": self._reason(),
            "stop_sequence": self.finish.stop_sequence,
            "stop_details": self._details(),
            "usage": {
                **self._delta_usage(),
                "cache_creation": {
                    "ephemeral_5m_input_tokens": self.usage.cache_write,
                    "ephemeral_1h_input_tokens": 0,
                },
                "service_tier": "standard",
                "inference_geo": "not_available",
            },
        }

    @property
    def body(self) -> dict[str, Any]:
        return self._message()
