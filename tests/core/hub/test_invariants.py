"""The invariants themselves: each violation is seen, and only what the gateway adds counts."""

from __future__ import annotations

import pytest

from llmswitch_core.canonical.events import ArgumentsDelta, Finish, PartStart, PartStop, Start, StreamEvent, TextDelta
from llmswitch_core.canonical.model import Conversation, FinishReason, Protocol, Text, ToolCall, ToolResult, Turn
from llmswitch_core.hub.invariants import AnswerJudge, introduced, of_conversation


def conversation(*turns: Turn) -> Conversation:
    return Conversation(Protocol.OPENAI_CHAT, "m", list(turns))


def call(call_id: str, name: str = "t", arguments: str = "{}") -> Turn:
    return Turn("assistant", [ToolCall(call_id, name, arguments)])


def result(call_id: str) -> Turn:
    return Turn("user", [ToolResult(call_id, [])])


@pytest.mark.parametrize(
    ("turns", "found"),
    [
        ([call("a"), result("a")], ()),
        ([result("a")], ("orphan_result:t1",)),
        ([call("a"), result("a"), result("a")], ("duplicate_result:t1",)),
        ([call("a"), Turn("assistant", [Text("x")])], ("unanswered_call:t1",)),
        ([call("a")], ("unanswered_call:t1",)),
        ([call("a"), result("a"), call("a"), result("a")], ("duplicate_call:t1",)),
        ([call("a", name=""), result("a")], ("call_without_name:t1",)),
        ([call("a", arguments="{"), result("a")], ("bad_arguments:t1",)),
        ([call("a", arguments=""), result("a")], ()),
    ],
)
def test_each_violation_of_pairing_is_seen(turns: list[Turn], found: tuple[str, ...]) -> None:
    assert of_conversation(conversation(*turns)) == found


def test_ids_are_renamed_so_that_only_structure_is_compared() -> None:
    left = of_conversation(conversation(result("call_1")))
    right = of_conversation(conversation(result("toolu_zz")))
    assert introduced(left, right) == ()


def test_a_clients_own_broken_history_does_not_count_but_one_more_does() -> None:
    before = ("orphan_result:t1",)
    assert introduced(before, before) == ()
    assert introduced(before, (*before, "orphan_result:t2")) == ("orphan_result:t2",)


@pytest.mark.parametrize(
    ("events", "violation"),
    [
        ([TextDelta(0, "x")], "delta_outside_part"),
        ([PartStart(0, "text"), PartStart(0, "text")], "part_started_twice"),
        ([PartStop(3)], "stop_without_start"),
        ([PartStart(0, "text"), Finish(FinishReason.STOP)], "finish_with_open_part"),
        ([Finish(FinishReason.STOP), TextDelta(0, "x")], "event_after_end"),
        ([Finish(FinishReason.TOOL_CALLS)], "finish_reason_contradicts_calls"),
        ([PartStart(0, "tool_call", id="a", name="")], "call_without_name"),
    ],
)
def test_mp09_each_breach_of_the_stream_grammar_is_seen(events: list[StreamEvent], violation: str) -> None:
    judge = AnswerJudge()
    for event in [Start("id", "m"), *events]:
        judge.see(event)
    assert judge.violations == [violation]


def test_a_right_answer_has_no_violation() -> None:
    judge = AnswerJudge()
    for event in (
        Start("id", "m"),
        PartStart(0, "text"),
        PartStart(1, "tool_call", id="a", name="t"),
        TextDelta(0, "x"),
        ArgumentsDelta(1, "{}"),
        PartStop(1),
        PartStop(0),
        Finish(FinishReason.TOOL_CALLS),
    ):
        judge.see(event)
    assert judge.violations == []
    assert judge.calls == 1
