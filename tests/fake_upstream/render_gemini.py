"""gemini answers: GenerateContentResponse, whole or as a stream of partial ones.

Knows that wire format (google.genai.types): calls are never split; usage rides on every chunk; the finish
reason stands on the last one; a thought signature rides on the first call after the thought, or on a last
empty text part.
"""

from __future__ import annotations

import json
from typing import Any

from . import errors
from .render import Context, Renderer
from .script import ErrorIn200, MidStreamError, Refusal, Text, Thinking, ToolCall, pieces

FINISH = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool": "STOP",
    "refusal": "SAFETY",
    "content_filter": "SAFETY",
    "prompt_blocked": "",
    "pause": "STOP",
    "stop_sequence": "STOP",
    "context": "MAX_TOKENS",
    "malformed": "MALFORMED_FUNCTION_CALL",
}


class GeminiRenderer(Renderer):
    """Parts in order; `pending` is a signature that has not found its part yet."""

    protocol = "gemini"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.id = ctx.ids.new("gemini")
        self.parts: list[dict[str, Any]] = []
        self.pending: str | None = None
        self.message: str | None = None
        self.call_ids = ctx.model.startswith("gemini-3")

    def start(self) -> None:
        """The first chunk already carries content."""

    def text(self, step: Text) -> None:
        if self.parts and self.parts[-1].keys() == {"text"} and not step.new_block:
            self.parts[-1]["text"] += step.text
        elif step.text:
            self.parts.append({"text": step.text})
        for piece in step.pieces or pieces(step.text, step.size):
            self._chunk([{"text": piece}])

    def thinking(self, step: Thinking) -> None:
        if step.redacted is None and step.text:
            self.parts.append({"text": step.text, "thought": True})
            for piece in pieces(step.text, step.size):
                self._chunk([{"text": piece, "thought": True}])
        issued = self.ids.sign("gemini", step.text) if step.signature is None else step.signature
        self.pending = issued or None

    def refusal(self, step: Refusal) -> None:
        self.message = step.text

    def calls(self, calls: tuple[ToolCall, ...], *, interleave: bool) -> None:
        if self.pending is None and self.call_ids:
            self.pending = self.ids.sign("gemini")
        parts = [self._call(call) for call in calls]
        self.parts.extend(parts)
        self._chunk(parts)

    def _call(self, call: ToolCall) -> dict[str, Any]:
        arguments = "" if call.chunks == "empty" else call.arguments
        body: dict[str, Any] = {"name": call.name}
        if call.id is not None or self.call_ids:
            body["id"] = call.id or self.ids.new("gcall")
        body["args"] = json.loads(arguments) if arguments.strip() else {}
        part: dict[str, Any] = {"functionCall": body}
        if self.pending is not None:
            part["thoughtSignature"] = self.pending
            self.pending = None
        return part

    def close(self) -> None:
        """Nothing is opened on G, so nothing is closed."""

    def end(self) -> None:
        if self.finish.reason == "prompt_blocked" and not self.finish.raw:
            self.emit(self._envelope(None, last=True), terminal=True)
            return
        last: dict[str, Any] = {"text": ""}
        if self.pending is not None:
            last["thoughtSignature"] = self.pending
            self.parts.append(last)
        parts = [] if self.message is not None else [last]
        self.emit(self._envelope(parts, last=True), terminal=True)

    def fail(self, step: ErrorIn200 | MidStreamError) -> None:
        self.error_body = errors.google(step.status, step.message, step.type)
        self.emit(self.error_body)

    def ping(self) -> None:
        """The vendor sends none, and its SDKs break on comments."""

    def _chunk(self, parts: list[dict[str, Any]]) -> None:
        self.emit(self._envelope(parts, last=False))

    def _envelope(self, parts: list[dict[str, Any]] | None, *, last: bool) -> dict[str, Any]:
        body: dict[str, Any] = {}
        if parts is None:
            body["promptFeedback"] = {"blockReason": "PROHIBITED_CONTENT"}
        else:
            candidate: dict[str, Any] = {}
            if parts:
                candidate["content"] = {"parts": parts, "role": "model"}
            if last:
                candidate["finishReason"] = self.finish.raw or FINISH[self.finish.reason]
                if self.message is not None:
                    candidate["finishMessage"] = self.message
                    candidate["safetyRatings"] = [
                        {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}
                    ]
            candidate["index"] = 0
            body["candidates"] = [candidate]
        body["usageMetadata"] = self._usage(last=last)
        body["modelVersion"] = self.ctx.model
        body["responseId"] = self.id
        return body

    def _usage(self, *, last: bool) -> dict[str, Any]:
        u = self.usage
        prompt = u.input + u.cache_read + u.cache_write
        usage: dict[str, Any] = {"promptTokenCount": prompt}
        total = prompt
        if last:
            usage["candidatesTokenCount"] = u.output
            total += u.output + u.reasoning
        usage["totalTokenCount"] = total
        if u.cache_read:
            usage["cachedContentTokenCount"] = u.cache_read
            usage["cacheTokensDetails"] = [{"modality": "TEXT", "tokenCount": u.cache_read}]
        usage["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": prompt}]
        if last and u.reasoning:
            usage["thoughtsTokenCount"] = u.reasoning
        return usage

    @property
    def body(self) -> dict[str, Any]:
        if self.finish.reason == "prompt_blocked" and not self.finish.raw:
            return self._envelope(None, last=True)
        return self._envelope(list(self.parts), last=True)
