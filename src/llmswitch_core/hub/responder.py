"""The way back: one attempt's upstream bytes in, client bytes out, judged on the way.

Theory of operation. The upstream answers as SSE or as one JSON body, the client wants one or the other: four
combinations over one vocabulary of events. Frames are read into canonical events always, for judging; the bytes that go
out are the upstream's own frames where nothing has to be edited, else what the client's writer makes of the events.

Until the first content event everything is held back, so that an attempt that fails can be replaced without a trace.
Keepalives the gateway wrote meanwhile may have opened the client's stream with ids of the gateway's own; then the
frames of this attempt are written, not forwarded. This file knows no protocol by name beyond two small tables of what
forwarding must mend, and nothing of attempts, targets or time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.events import (
    ArgumentsDelta,
    Failed,
    Finish,
    StreamEvent,
    TextDelta,
    UsageSeen,
    is_content,
)
from llmswitch_core.canonical.fold import Folder
from llmswitch_core.canonical.model import JsonValue, Protocol
from llmswitch_core.compat.contract import CompatContext, CompatProfile
from llmswitch_core.hub.exchange import AttemptOutcome, Exchange, Plan
from llmswitch_core.hub.harvest import Harvest
from llmswitch_core.hub.invariants import AnswerJudge
from llmswitch_core.hub.trail import Trail
from llmswitch_core.protocols.contract import Codec, Scope, SseFrame, StreamReader
from llmswitch_core.protocols.openai_responses import ResponsesWriter
from llmswitch_core.protocols.sse import DONE, SseParser

MAX_BODY: Final = 64 * 1024 * 1024
"""Bytes a non-streamed answer may have."""


class Responder:
    """One attempt's way back. `feed` and `end` never raise; what went wrong is in `failure`."""

    __slots__ = (
        "_buffer",
        "_context",
        "_exchange",
        "_folder",
        "_forward",
        "_harvest",
        "_held_events",
        "_held_frames",
        "_inbound",
        "_inspects",
        "_judge",
        "_outbound",
        "_parser",
        "_plan",
        "_profile",
        "_reader",
        "_scope",
        "_size",
        "_sse",
        "_terminal",
        "_whole",
        "_write",
        "content",
        "failure",
        "finished",
        "judged",
    )

    def __init__(
        self,
        exchange: Exchange,
        plan: Plan,
        inbound: Codec,
        outbound: Codec,
        profile: CompatProfile,
        scope: Scope,
        sse: bool,
        forward: bool,
    ) -> None:
        self._exchange = exchange
        self._plan = plan
        self._inbound = inbound
        self._outbound = outbound
        self._profile = profile
        self._scope = scope
        self._inspects = profile.edits_answers or profile.checks_answers
        self._sse = sse
        self._forward = forward
        self._context = compat_context(exchange, plan)
        self._parser: SseParser
        self._reader: StreamReader
        if sse:
            self._parser = SseParser()
            self._reader = outbound.stream_reader(scope)
        self._judge = AnswerJudge()
        self._whole = not exchange.stream
        self._folder = Folder() if self._whole and not forward else None
        self._harvest = Harvest(exchange, plan)
        self._held_events: list[StreamEvent] = []
        self._held_frames: list[SseFrame] = []
        self._buffer: list[bytes] = []
        self._size = 0
        self._terminal = False
        self._write: Callable[[StreamEvent], bytes] = _unopened
        self.failure: GatewayError | None = None
        self.judged = False
        self.content = False
        self.finished = False

    # --- bytes in, bytes out -------------------------------------------------------------------------------

    def feed(self, chunk: bytes) -> bytes:
        """Client bytes this chunk of the upstream's answer gives; b"" while held back, or after a failure."""
        if self.failure is not None:
            return b""
        if not self._sse:
            self._collect(chunk)
            return b""
        try:
            return self._frames(self._parser.feed(chunk))
        except GatewayError as error:
            self.failure = error
        except Exception as error:  # a fault of ours must reach the client as one, not kill the connection
            self.failure = _own_fault(error)
        return b""

    def end(self) -> bytes:
        """The upstream is done. For a client that does not stream: the whole answer."""
        if self.failure is not None:
            return b""
        try:
            if self._sse:
                out = self._frames(self._parser.flush())
                return out + self._finish_stream() if self.failure is None else out
            return self._whole_body()
        except GatewayError as error:
            self.failure = error
        except Exception as error:
            self.failure = _own_fault(error)
        return b""

    def outcome(self) -> AttemptOutcome:
        """What this attempt came to, and what it leaves behind."""
        return self._harvest.outcome(self.failure, self._judge)

    # --- streams -------------------------------------------------------------------------------------------

    def _frames(self, frames: Sequence[SseFrame]) -> bytes:
        out: list[bytes] = []
        trail = self._exchange.trail
        if trail is not None and trail.inserted:
            frames = [trail.moved(frame) for frame in frames]
        sent: SseFrame | None = None
        read, see = self._reader.feed, self._judge.see
        for frame in frames:
            if self.finished:
                break  # an upstream that ends twice, or talks on after its end
            if self._inspects and frame.data[:1] == b"{":
                frame = self._inspected(frame)
                if self.failure is not None:
                    break
            events = read(frame)
            if len(events) == 1 and self.content:
                event = events[0]
                if type(event) in _DELTAS:
                    # Nine frames of ten: one more piece of an open part.
                    see(event)
                    out.append(frame.raw if self._forward else self._write(event))
                    sent = frame
                    continue
            if events:
                self.judged = True
            if self._take(events, frame, out):
                break
            sent = frame
        trail = self._exchange.trail
        if trail is not None and sent is not None:
            trail.last = sent
        return b"".join(out)

    def _inspected(self, frame: SseFrame) -> SseFrame:
        """The frame as the profile's rules leave it; sets `failure` where they know it for an error."""
        tree = jsonio.decode(frame.data)
        if not isinstance(tree, dict):
            return frame
        self.failure = self._profile.failure(tree, self._context)
        if not self._profile.edits_answers:
            return frame
        return SseFrame(frame.event, jsonio.encode(self._profile.answer(tree, self._context)), frame.raw)

    def _take(self, events: Sequence[StreamEvent], frame: SseFrame | None, out: list[bytes]) -> bool:
        """Judge and pass on what one frame gave; True when the answer failed."""
        for event in events:
            if isinstance(event, Failed):
                self.failure = event.error
                return True
            self._judge.see(event)
            self._harvest.see(event)
            if self._whole:
                if self._folder is not None:
                    self._folder.add(event)
            elif not self.content and is_content(event):
                self._release(out, frame)
            if isinstance(event, Finish):
                self._terminal = True
        if not self._whole:
            self._emit(events, frame, out)
        return False

    def _release(self, out: list[bytes], now: SseFrame | None) -> None:
        """The first content is here: this attempt wins, what was held goes out first."""
        self.content = True
        if self._exchange.opened:
            # Several choices can only be forwarded; they weigh more than a keepalive's id.
            traceless = self._inbound.protocol in _KEEPALIVE_LEAVES_NO_TRACE or many_choices(self._exchange)
            self._forward = self._forward and traceless
        if self._forward:
            out.extend(frame.raw for frame in self._held_frames)
            first = self._held_frames[0] if self._held_frames else now
            self._exchange.trail = Trail(self._inbound.protocol, first) if first is not None else None
        else:
            self._write = self._writer_write()
            out.extend(map(self._write, self._held_events))
        self._held_frames = []
        self._held_events = []

    def _emit(self, events: Sequence[StreamEvent], frame: SseFrame | None, out: list[bytes]) -> None:
        if not self.content:
            self._held_events.extend(events)
            if frame is not None and not (self._forward and self._unasked(events, frame)):
                self._held_frames.append(frame)
            return
        if self._forward:
            if frame is None:
                out.append(_END_MARKER.get(self._inbound.protocol, b"") if self._terminal else b"")
            elif not self._unasked(events, frame):
                out.append(frame.raw)
        else:
            out.extend(map(self._write, events))
        if self._terminal:
            self._conclude(frame)

    def _conclude(self, frame: SseFrame | None) -> None:
        """The terminal event went out: what the client now holds is kept."""
        self.finished = True
        writer = self._exchange.writer
        if isinstance(writer, ResponsesWriter) and not self._forward:
            self._harvest.response(writer.response)
        elif self._forward and frame is not None and frame.data:
            self._harvest.final_frame(frame)

    def _unasked(self, events: Sequence[StreamEvent], frame: SseFrame) -> bool:
        rule = _UNASKED.get(self._inbound.protocol)
        return rule is not None and rule(self._exchange, events, frame)

    def _finish_stream(self) -> bytes:
        events = self._reader.end()
        out: list[bytes] = []
        if events:
            self._take(events, None, out)
        if self.failure is None and not self._terminal:
            self.failure = truncated()
        if self._whole and self.failure is None:
            return self._render()
        return b"".join(out)

    def _writer_write(self) -> Callable[[StreamEvent], bytes]:
        exchange = self._exchange
        if exchange.writer is None:
            exchange.writer = self._inbound.stream_writer(self._scope)
        return exchange.writer.write

    # --- whole bodies --------------------------------------------------------------------------------------

    def _collect(self, chunk: bytes) -> None:
        self._buffer.append(chunk)
        self._size += len(chunk)
        if self._size > MAX_BODY:
            self._buffer.clear()
            self.failure = GatewayError(
                ErrorKind.UPSTREAM,
                "answer_too_large",
                f"The upstream's answer has more than {MAX_BODY} bytes.",
                layer=Layer.UPSTREAM,
            )

    def _whole_body(self) -> bytes:
        body = b"".join(self._buffer)
        self._buffer.clear()
        tree = self._decoded(body)
        self.judged = True
        hidden = self._profile.failure(tree, self._context)
        if hidden is not None:
            self.failure = hidden
            return b""
        if self._profile.edits_answers:
            tree = self._profile.answer(tree, self._context)
        out: list[bytes] = []
        events = list(self._outbound.read_answer(tree, self._scope))
        failed = next((event for event in events if isinstance(event, Failed)), None)
        if failed is not None:
            # Nothing of a whole body has gone out yet: the attempt can still be replaced.
            for event in events:
                self._harvest.see(event)
            self.failure = failed.error
            return b""
        for event in events:
            self._take((event,), None, out)
        if not self._terminal:
            self.failure = truncated()
            return b""
        if self._forward:
            self._harvest.response(tree)
        if not self._whole:
            return b"".join(out)
        return self._forwarded(body) if self._forward else self._render()

    def _decoded(self, body: bytes) -> dict[str, Any]:
        try:
            tree = jsonio.decode(body)
        except ValueError as error:
            raise GatewayError(
                ErrorKind.UPSTREAM,
                "bad_upstream_body",
                f"The upstream's answer is no JSON: {error}",
                next_step="Retry the request; if it repeats, check the provider's baseUrl and protocol.",
                layer=Layer.UPSTREAM,
            ) from error
        if isinstance(tree, list) and len(tree) == 1 and isinstance(tree[0], dict):
            tree = tree[0]
        if not isinstance(tree, dict):
            raise GatewayError(
                ErrorKind.UPSTREAM,
                "bad_upstream_body",
                "The upstream's answer is JSON, but no object.",
                next_step="Check the provider's baseUrl and protocol.",
                layer=Layer.UPSTREAM,
            )
        return tree

    def _forwarded(self, body: bytes) -> bytes:
        self.content = self.finished = True
        return body

    def _render(self) -> bytes:
        assert self._folder is not None  # noqa: S101 - narrows the type; only called where a folder exists
        body = self._inbound.write_answer(self._folder.answer(), self._scope)
        self._harvest.rendered(body)
        self.content = self.finished = True
        return body


def many_choices(exchange: Exchange) -> bool:
    """The client asked for several answers at once, which only the upstream's own bytes can carry."""
    return (exchange.conversation.sampling.n or 1) > 1


def compat_context(exchange: Exchange, plan: Plan) -> CompatContext:
    """What a profile's answer rules may look at."""
    target = plan.target
    assert target is not None  # noqa: S101 - a plan that is sent has a target
    return CompatContext(
        model=target.model,
        inbound=exchange.inbound.protocol,
        outbound=target.protocol,
        stream=exchange.stream if plan.upstream is None else plan.upstream.stream,
        options=target.options,
    )


def truncated() -> GatewayError:
    """The upstream's stream stopped before its end (MP-14)."""
    return GatewayError(
        ErrorKind.UPSTREAM,
        "truncated_stream",
        "The upstream's answer was cut off before its end.",
        next_step="Retry the request.",
        layer=Layer.UPSTREAM,
    )


def _unopened(event: StreamEvent) -> bytes:
    raise GatewayError(ErrorKind.INTERNAL, "write_before_release", "An answer was written before its first content.")


def _own_fault(error: Exception) -> GatewayError:
    failure = GatewayError(
        ErrorKind.INTERNAL,
        "internal_error",
        f"The gateway failed to translate the answer ({type(error).__name__}: {error}).",
        next_step="Report it with the x-routecodex-request-id of this answer.",
        layer=Layer.SHARED_MODULE,
    )
    failure.__cause__ = error
    return failure


def _usage_unasked(exchange: Exchange, events: Sequence[StreamEvent], frame: SseFrame) -> bool:
    """Chat Completions: the usage chunk was requested by the gateway, not by the client (MP-12)."""
    if exchange.conversation.include_usage or not events:
        return False
    if not any(isinstance(event, UsageSeen) for event in events):
        return False
    tree: JsonValue = jsonio.decode(frame.data)
    return isinstance(tree, dict) and not tree.get("choices")


_DELTAS: Final = frozenset({TextDelta, ArgumentsDelta})
"""Events that only the judge and the client need to see."""

_UNASKED: Final[Mapping[Protocol, Callable[[Exchange, Sequence[StreamEvent], SseFrame], bool]]] = {
    Protocol.OPENAI_CHAT: _usage_unasked,
}
"""Frames that the upstream sent because the gateway asked for more than its client did."""

_END_MARKER: Final[Mapping[Protocol, bytes]] = {Protocol.OPENAI_CHAT: DONE}
"""What a forwarded stream must end with where the upstream left it out (MP-10)."""

_KEEPALIVE_LEAVES_NO_TRACE: Final = frozenset({Protocol.ANTHROPIC_MESSAGES, Protocol.GEMINI})
"""Protocols whose keepalive carries no id or number that the forwarded frames would contradict."""
