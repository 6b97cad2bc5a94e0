"""From steps to events: what the four renderers share.

Knows the order of a script and when it is truncated; the subclasses know a wire format each. A renderer
yields operations: events, and the control steps that stand between them, in place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .ids import Ids
from .script import (
    Comment,
    Cut,
    ErrorIn200,
    Finish,
    Framing,
    Garbage,
    Gate,
    Hang,
    MidStreamError,
    Parallel,
    Ping,
    RawEvent,
    Refusal,
    Slow,
    Step,
    Text,
    Thinking,
    ToolCall,
    Usage,
)

Control = Cut | Slow | Gate | Hang | Garbage | Comment


@dataclass
class Event:
    """One SSE event: JSON data (or text as it is, such as [DONE]) and its name where the protocol has one."""

    data: Any
    name: str | None = None
    terminal: bool = False


Op = Event | Control


@dataclass
class Context:
    """What a renderer may know: the request, the ids, the clock's reading."""

    body: dict[str, Any]
    model: str
    ids: Ids
    framing: Framing
    created: int
    raw_size: int = 0
    extra: dict[str, Any] = field(default_factory=dict)


def default_finish(steps: tuple[Step, ...]) -> Finish:
    """A call ends a turn as `tool`, a refusal as `refusal`, everything else as `stop`."""
    if any(isinstance(s, ToolCall | Parallel) for s in steps):
        return Finish("tool")
    if any(isinstance(s, Refusal) for s in steps):
        return Finish("refusal")
    return Finish("stop")


def default_usage(steps: tuple[Step, ...], raw_size: int) -> Usage:
    """An estimate of four bytes a token, as nothing was scripted."""
    said = sum(len(s.text) for s in steps if isinstance(s, Text | Refusal))
    for step in steps:
        for call in step.calls if isinstance(step, Parallel) else (step,):
            said += len(call.arguments) if isinstance(call, ToolCall) else 0
    thought = sum(len(s.text) for s in steps if isinstance(s, Thinking))
    return Usage(input=max(1, raw_size // 4), output=max(1, said // 4), reasoning=-(-thought // 4))


class Renderer:
    """One answer in one protocol: run the steps, then read `ops` (streamed) or `body` (not)."""

    protocol = ""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.ids = ctx.ids
        self.ops: list[Op] = []
        self.started = False
        self.error_body: dict[str, Any] | None = None
        self.truncated = False
        self.usage = Usage()
        self.finish = Finish()

    def run(self, steps: tuple[Step, ...]) -> Renderer:
        """Render every step; stop where the script cuts, hangs or fails."""
        self.usage = next((s for s in steps if isinstance(s, Usage)), None) or default_usage(steps, self.ctx.raw_size)
        self.finish = next((s for s in steps if isinstance(s, Finish)), None) or default_finish(steps)
        for step in steps:
            if isinstance(step, ErrorIn200 | MidStreamError):
                self.fail(step)
                self.truncated = True
                return self
            if isinstance(step, Usage | Finish):
                continue
            if isinstance(step, Text | Thinking | ToolCall | Parallel | Refusal):
                self._begin()
                self._say(step)
                continue
            if self._control(step):
                self.truncated = True
                return self
        self._begin()
        self.close()
        self.end()
        return self

    def _begin(self) -> None:
        if not self.started:
            self.started = True
            self.start()

    def _say(self, step: Text | Thinking | ToolCall | Parallel | Refusal) -> None:
        if isinstance(step, Text):
            self.text(step)
        elif isinstance(step, Thinking):
            self.thinking(step)
        elif isinstance(step, Refusal):
            self.refusal(step)
        elif isinstance(step, ToolCall):
            self.calls((step,), interleave=False)
        else:
            self.calls(step.calls, interleave=step.interleave)

    def _control(self, step: Step) -> bool:
        """Place a control step; true when nothing can follow it."""
        if isinstance(step, RawEvent):
            self.ops.append(Event(step.data, step.event))
        elif isinstance(step, Ping):
            self.ping()
        elif isinstance(step, Slow | Gate):
            if step.where == "here":
                self.ops.append(step)
        elif isinstance(step, Hang):
            if step.where == "here":
                self.ops.append(step)
                return True
        elif isinstance(step, Cut):
            if step.after_events is None and step.after_bytes is None and not step.before_head:
                self.ops.append(step)
                return True
        elif isinstance(step, Garbage | Comment):
            self.ops.append(step)
        return False

    def emit(self, data: dict[str, Any], name: str | None = None, *, terminal: bool = False) -> None:
        """Append one event; the framing's unknown fields join it."""
        if self.ctx.framing.extra:
            data = {**data, **self.ctx.framing.extra}
        repeat = 2 if terminal and self.ctx.framing.terminal == "double" else 1
        if terminal and self.ctx.framing.terminal == "missing":
            repeat = 0
        for _ in range(repeat):
            self.ops.append(Event(data, name, terminal))

    # the wire format, by protocol
    def start(self) -> None:
        raise NotImplementedError

    def text(self, step: Text) -> None:
        raise NotImplementedError

    def thinking(self, step: Thinking) -> None:
        raise NotImplementedError

    def refusal(self, step: Refusal) -> None:
        raise NotImplementedError

    def calls(self, calls: tuple[ToolCall, ...], *, interleave: bool) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def end(self) -> None:
        raise NotImplementedError

    def fail(self, step: ErrorIn200 | MidStreamError) -> None:
        raise NotImplementedError

    def ping(self) -> None:
        self.ops.append(Comment("ping"))

    @property
    def body(self) -> dict[str, Any]:
        raise NotImplementedError

    @property
    def json_body(self) -> dict[str, Any]:
        """The non-streamed answer: an error in a 200, or the whole body with the framing's extras."""
        if self.error_body is not None:
            return self.error_body
        return {**self.body, **self.ctx.framing.extra}


def dumps(value: Any) -> bytes:
    """Compact UTF-8 JSON; text with lone surrogates is escaped, since UTF-8 cannot carry them."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def argument_pieces(call: ToolCall, arguments: str) -> list[str]:
    """The deltas of the arguments in the call's chunk mode; none for start_event, empty and done_only."""
    if call.chunks in ("start_event", "done_only", "empty") or not arguments:
        return []
    if call.chunks == "whole":
        return [arguments]
    return [arguments[i : i + call.size] for i in range(0, len(arguments), call.size)]
