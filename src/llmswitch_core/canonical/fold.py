"""The fold of an answer's events, and its inverse: one answer, two shapes (patterns to design against, no. 1)."""

from __future__ import annotations

from collections.abc import Iterable

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
from llmswitch_core.canonical.model import (
    Answer,
    JsonValue,
    Part,
    Protocol,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    Usage,
)


class _Open:
    """A part while its deltas come in."""

    __slots__ = ("citations", "signature", "start", "text", "wire")

    def __init__(self, start: PartStart) -> None:
        self.start = start
        self.text: list[str] = []
        self.signature = start.signature
        self.citations: list[JsonValue] = []
        self.wire: JsonValue = None

    def part(self) -> Part:
        start = self.start
        text = "".join(self.text)
        if start.kind == "whole" and start.part is not None:
            return start.part
        if start.kind == "tool_call":
            return ToolCall(
                id=start.id,
                name=start.name,
                arguments=text,
                kind=start.call_kind,
                namespace=start.namespace,
                signature=self.signature,
                item_id=start.item_id,
            )
        if start.kind == "thinking":
            return Thinking(
                text=text,
                signature=self.signature,
                summary=start.summary,
                id=start.item_id,
                origin=start.origin,
                wire=self.wire,
            )
        if start.kind == "refusal":
            return Refusal(text)
        return Text(text, citations=self.citations or None, signature=self.signature)


class Folder:
    """Accumulates events one by one; `answer()` is valid once `finished` is true."""

    __slots__ = ("_answer", "_parts", "failure")

    def __init__(self) -> None:
        self._answer = Answer(id="", model="", parts=[], finish=None)
        self._parts: dict[int, _Open] = {}
        self.failure: GatewayError | None = None

    def add(self, event: StreamEvent) -> None:
        """Take one event in; parts that were never started are an error of the reader and are ignored by none."""
        if isinstance(event, (TextDelta, ArgumentsDelta)):
            self._parts[event.index].text.append(event.text)
        elif isinstance(event, PartStart):
            self._parts[event.index] = _Open(event)
        elif isinstance(event, PartStop):
            self._parts[event.index].wire = event.wire
        elif isinstance(event, SignatureDelta):
            self._parts[event.index].signature = event.signature
        elif isinstance(event, CitationDelta):
            self._parts[event.index].citations.append(event.citation)
        elif isinstance(event, Start):
            self._start(event)
        elif isinstance(event, UsageSeen):
            self._answer.usage = event.usage
        elif isinstance(event, Finish):
            self._answer.finish = event.reason
            self._answer.finish_wire = event.wire
            self._answer.stop_sequence = event.stop_sequence
        elif isinstance(event, Failed):
            self.failure = event.error

    @property
    def finished(self) -> bool:
        return self._answer.finish is not None or self.failure is not None

    @property
    def usage(self) -> Usage | None:
        return self._answer.usage

    def answer(self) -> Answer:
        """The whole answer. Raises the GatewayError of a failed one, or `truncated_stream` if it never finished."""
        if self.failure is not None:
            raise self.failure
        if self._answer.finish is None:
            raise GatewayError(
                ErrorKind.UPSTREAM,
                "truncated_stream",
                "The upstream's answer ended before it was complete.",
                next_step="Retry the request.",
                layer=Layer.UPSTREAM,
            )
        return self.partial()

    def partial(self) -> Answer:
        """What has been said so far, complete or not."""
        self._answer.parts = [self._parts[index].part() for index in sorted(self._parts)]
        return self._answer

    def _start(self, event: Start) -> None:
        self._answer.id = event.id
        self._answer.model = event.model
        self._answer.created = event.created
        self._answer.service_tier = event.service_tier
        if event.usage is not None:
            self._answer.usage = event.usage


def fold(events: Iterable[StreamEvent]) -> Answer:
    """The answer a stream of events amounts to. Raises GatewayError for a failed or unfinished stream."""
    folder = Folder()
    for event in events:
        folder.add(event)
    return folder.answer()


def unfold(answer: Answer) -> list[StreamEvent]:
    """An answer as the shortest stream of events that folds to it."""
    out: list[StreamEvent] = [
        Start(
            answer.id,
            answer.model,
            usage=answer.usage,
            created=answer.created,
            service_tier=answer.service_tier,
        )
    ]
    for index, part in enumerate(answer.parts):
        out.extend(unfold_part(index, part))
    if answer.usage is not None:
        out.append(UsageSeen(answer.usage))
    if answer.finish is not None:
        out.append(Finish(answer.finish, wire=answer.finish_wire, stop_sequence=answer.stop_sequence))
    return out


def unfold_part(index: int, part: Part, citation_protocol: Protocol = Protocol.OPENAI_CHAT) -> list[StreamEvent]:
    """One part as start, deltas, stop."""
    if isinstance(part, ToolCall):
        start = PartStart(
            index,
            "tool_call",
            id=part.id,
            name=part.name,
            call_kind=part.kind,
            namespace=part.namespace,
            item_id=part.item_id,
            signature=part.signature,
        )
        return [start, ArgumentsDelta(index, part.arguments), PartStop(index)]
    if isinstance(part, Thinking) and part.redacted is None:
        start = PartStart(index, "thinking", item_id=part.id, summary=part.summary, origin=part.origin)
        body: list[StreamEvent] = [TextDelta(index, part.text)] if part.text else []
        if part.signature is not None:
            body.append(SignatureDelta(index, part.signature))
        return [start, *body, PartStop(index, wire=part.wire)]
    if isinstance(part, Text):
        deltas: list[StreamEvent] = [TextDelta(index, part.text)] if part.text else []
        deltas += [CitationDelta(index, citation, citation_protocol) for citation in part.citations or ()]
        if part.signature is not None:
            deltas.append(SignatureDelta(index, part.signature))
        return [PartStart(index, "text"), *deltas, PartStop(index)]
    if isinstance(part, Refusal):
        return [PartStart(index, "refusal"), TextDelta(index, part.text), PartStop(index)]
    return [PartStart(index, "whole", part=part), PartStop(index)]
