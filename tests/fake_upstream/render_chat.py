"""openai-chat answers: chat.completion and chat.completion.chunk.

Knows that wire format (openai.types.chat) and its close relatives' habits (reasoning_content).
"""

from __future__ import annotations

from typing import Any

from . import errors
from .render import Context, Event, Renderer, argument_pieces
from .script import ErrorIn200, MidStreamError, Refusal, Text, Thinking, ToolCall, pieces

FINISH = {
    "stop": "stop",
    "length": "length",
    "tool": "tool_calls",
    "refusal": "stop",
    "content_filter": "content_filter",
    "prompt_blocked": "content_filter",
    "pause": "stop",
    "stop_sequence": "stop",
    "context": "length",
    "malformed": "stop",
}


class ChatRenderer(Renderer):
    """One choice, its deltas and the usage chunk if it was asked for."""

    protocol = "openai-chat"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.id = ctx.ids.new("chat")
        self.content: list[str] = []
        self.reasoning: list[str] = []
        self.refused: list[str] = []
        self.tool_calls: list[dict[str, Any]] = []
        options = ctx.body.get("stream_options") or {}
        self.include_usage = bool(options.get("include_usage"))

    def start(self) -> None:
        self._chunk({"role": "assistant", "content": "", "refusal": None})

    def text(self, step: Text) -> None:
        self.content.append(step.text)
        for piece in step.pieces or pieces(step.text, step.size):
            self._chunk({"content": piece})

    def thinking(self, step: Thinking) -> None:
        if step.redacted is not None:
            return
        self.reasoning.append(step.text)
        for piece in pieces(step.text, step.size):
            self._chunk({self.ctx.framing.reasoning_field: piece})

    def refusal(self, step: Refusal) -> None:
        self.refused.append(step.text)
        for piece in pieces(step.text, 12):
            self._chunk({"refusal": piece})

    def calls(self, calls: tuple[ToolCall, ...], *, interleave: bool) -> None:
        opened = [self._open(call) for call in calls]
        queues = [deltas for _, _, deltas in opened]
        if not interleave:
            for first, deltas in zip([f for f, _, _ in opened], queues, strict=True):
                for delta in [*first, *deltas]:
                    self._chunk({"tool_calls": [delta]})
            return
        for first, _, _ in opened:
            for delta in first:
                self._chunk({"tool_calls": [delta]})
        while any(queues):
            for queue in queues:
                if queue:
                    self._chunk({"tool_calls": [queue.pop(0)]})

    def _open(self, call: ToolCall) -> tuple[list[dict[str, Any]], dict[str, Any], list[dict[str, Any]]]:
        """The opening deltas, the whole call, and the argument deltas of a call."""
        index = len(self.tool_calls)
        call_id = call.id if call.id is not None else self.ids.new("call")
        arguments = "" if call.chunks == "empty" else call.arguments
        if call.kind == "custom":
            whole = {"id": call_id, "type": "custom", "custom": {"name": call.name, "input": arguments}}
            box, key = "custom", "input"
        else:
            whole = {
                "id": call_id,
                "type": "function",
                "function": {"name": call.name, "arguments": arguments},
            }
            box, key = "function", "arguments"
        self.tool_calls.append(whole)
        at_once = call.chunks in ("whole", "start_event")
        opening: dict[str, Any] = {
            "index": index,
            "id": call_id,
            "type": whole["type"],
            box: {"name": call.name, key: arguments if at_once else ""},
        }
        firsts = [opening]
        if call.chunks == "late_name":
            del opening[box]["name"]
            firsts.append({"index": index, box: {"name": call.name}})
        if call.chunks == "done_only":
            rest = [arguments]
        else:
            rest = [] if at_once else argument_pieces(call, arguments)
        return firsts, whole, [{"index": index, box: {key: piece}} for piece in rest]

    def close(self) -> None:
        """Nothing is opened on C, so nothing is closed."""

    def end(self) -> None:
        chunk = self._envelope([self._choice({}, self._reason())])
        if self.include_usage:
            chunk["usage"] = self._usage() if self.ctx.framing.usage_on_finish else None
        self.emit(chunk)
        if self.include_usage and not self.ctx.framing.usage_on_finish:
            self.emit({**self._envelope([]), "usage": self._usage()})
        self._done()

    def fail(self, step: ErrorIn200 | MidStreamError) -> None:
        self.error_body = errors.openai(step.status, step.message, step.type, step.code)
        self.emit(self.error_body)
        self._done()

    def _done(self) -> None:
        for _ in range({"once": 1, "missing": 0, "double": 2}[self.ctx.framing.terminal]):
            self.ops.append(Event("[DONE]", None, terminal=True))

    def _reason(self) -> str:
        return self.finish.raw or FINISH[self.finish.reason]

    def _envelope(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.ctx.created,
            "model": self.ctx.model,
            "service_tier": "default",
            "system_fingerprint": "fp_50cad350e4",
            "choices": choices,
        }

    @staticmethod
    def _choice(delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
        return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}

    def _chunk(self, delta: dict[str, Any]) -> None:
        chunk = self._envelope([self._choice(delta, None)])
        if self.include_usage:
            chunk["usage"] = None
        if self.ctx.framing.obfuscation:
            chunk["obfuscation"] = self.ids.new("pad")
        self.emit(chunk)

    def _usage(self) -> dict[str, Any]:
        u = self.usage
        prompt = u.input + u.cache_read + u.cache_write
        completion = u.output + u.reasoning
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {
                "cached_tokens": u.cache_read,
                "audio_tokens": 0,
                "cache_write_tokens": u.cache_write,
            },
            "completion_tokens_details": {
                "reasoning_tokens": u.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

    @property
    def body(self) -> dict[str, Any]:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": "".join(self.content) if self.content else None,
            "refusal": "".join(self.refused) if self.refused else None,
            "annotations": [],
        }
        if self.reasoning:
            message[self.ctx.framing.reasoning_field] = "".join(self.reasoning)
        if self.tool_calls:
            message["tool_calls"] = self.tool_calls
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": self.ctx.created,
            "model": self.ctx.model,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": self._reason()}],
            "usage": self._usage(),
            "service_tier": "default",
            "system_fingerprint": "fp_50cad350e4",
        }
