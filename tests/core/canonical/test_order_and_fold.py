"""One open part at a time (MP-09, MP-03), and the fold of a stream (pattern 1 of protocols.md)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.events import (
    ArgumentsDelta,
    Finish,
    PartStart,
    PartStop,
    Start,
    StreamEvent,
    TextDelta,
    UsageSeen,
)
from llmswitch_core.canonical.fold import fold, unfold
from llmswitch_core.canonical.model import (
    Answer,
    FinishReason,
    Opaque,
    Protocol,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from llmswitch_core.canonical.order import Sequencer

short = st.text(max_size=8)
parts = st.lists(
    st.builds(Text, text=short)
    | st.builds(Thinking, text=short, signature=st.none() | short, summary=st.booleans())
    | st.builds(ToolCall, id=short, name=st.text(min_size=1, max_size=8), arguments=short)
    | st.builds(Refusal, text=short)
    | st.builds(Opaque, protocol=st.just(Protocol.GEMINI), label=short, wire=st.just({"a": 1})),
    max_size=6,
)


@given(parts)
def test_fold_undoes_unfold(some: list[object]) -> None:
    answer = Answer("id", "m", some, FinishReason.STOP, usage=Usage(input=3, output=4))  # type: ignore[arg-type]
    assert fold(unfold(answer)) == answer


@st.composite
def interleaved(draw: st.DrawFn) -> tuple[list[StreamEvent], int]:
    """Parallel tool calls whose deltas interleave in any order."""
    count = draw(st.integers(1, 5))
    events: list[StreamEvent] = [PartStart(i, "tool_call", id=f"c{i}", name=f"t{i}") for i in range(count)]
    body: list[StreamEvent] = []
    for index in range(count):
        deltas = [ArgumentsDelta(index, piece) for piece in draw(st.lists(short, max_size=4))]
        body.extend([*deltas, PartStop(index)])
    order = draw(st.permutations(range(len(body))))
    queues: dict[int, list[StreamEvent]] = {i: [e for e in body if e.index == i] for i in range(count)}  # type: ignore[union-attr]
    for position in order:
        index = body[position].index  # type: ignore[union-attr]
        events.append(queues[index].pop(0))
    return [Start("id", "m"), *events, Finish(FinishReason.TOOL_CALLS)], count


@given(interleaved())
def test_mp03_sequenced_calls_fold_to_the_same_answer(case: tuple[list[StreamEvent], int]) -> None:
    events, _ = case
    sequencer = Sequencer()
    sequenced = [out for event in events for out in sequencer.feed(event)]
    assert fold(sequenced) == fold(events)


@given(interleaved())
def test_mp09_never_two_parts_open_and_each_started_and_stopped_once(case: tuple[list[StreamEvent], int]) -> None:
    events, count = case
    sequencer = Sequencer()
    open_part: int | None = None
    stopped: list[int] = []
    for event in [out for fed in events for out in sequencer.feed(fed)]:
        if isinstance(event, PartStart):
            assert open_part is None
            open_part = event.index
        elif isinstance(event, ArgumentsDelta):
            assert event.index == open_part
        elif isinstance(event, PartStop):
            assert event.index == open_part
            open_part = None
            stopped.append(event.index)
    assert open_part is None
    assert stopped == list(range(count))


def test_mp09_a_finish_closes_what_the_upstream_left_open() -> None:
    sequencer = Sequencer()
    events = [PartStart(0, "text"), TextDelta(0, "a"), Finish(FinishReason.STOP)]
    out = [made for event in events for made in sequencer.feed(event)]
    assert out == [PartStart(0, "text"), TextDelta(0, "a"), PartStop(0), Finish(FinishReason.STOP)]


def test_mp14_an_answer_without_a_finish_is_no_answer() -> None:
    with pytest.raises(GatewayError) as caught:
        fold([Start("id", "m"), PartStart(0, "text"), TextDelta(0, "half")])
    assert caught.value.code == "truncated_stream"


def test_mp12_the_last_usage_counts() -> None:
    events: list[StreamEvent] = [
        Start("id", "m", usage=Usage(input=1)),
        UsageSeen(Usage(input=1, output=5)),
        UsageSeen(Usage(input=2, output=9)),
        Finish(FinishReason.STOP),
    ]
    assert fold(events).usage == Usage(input=2, output=9)
