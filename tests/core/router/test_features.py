from __future__ import annotations

import sys

import pytest

from llmswitch_core.canonical.model import (
    Conversation,
    FunctionTool,
    HostedTool,
    Media,
    Opaque,
    Protocol,
    Reasoning,
    Thinking,
    ToolChoice,
    ToolResult,
    Turn,
)
from llmswitch_core.router.features import asks_to_think, estimate_tokens, features_of
from llmswitch_core.router.user_text import LATEST_TEXT_LIMIT, strip_client_blocks

from .builders import assistant, call, conversation, result, system, user

IMAGE = Media("image", "image/png", data="iVBORw0KGgo=")


def test_the_latest_text_is_what_the_user_typed_after_the_last_answer() -> None:
    features = features_of(
        conversation(system("rules"), user("old"), assistant("answer"), user("new"), system("more rules"), user("and"))
    )
    assert features.latest_text == "new\nand"


def test_client_wrappers_are_not_the_users_words() -> None:
    text = (
        "<system-reminder>\nsearch the web\n</system-reminder>Fix the bug"
        "<environment_context>\n<cwd>/x</cwd>\n</environment_context> please"
    )
    features = features_of(conversation(user(text, "<session_context>\ntoday\n</session_context>", "Run it")))
    assert features.latest_text == "Fix the bug please\nRun it"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a <system-reminder>b</system-reminder> c", "a  c"),
        ("a <system-reminder>never closed", "a "),
        ("<system-reminder>1</system-reminder>x<system-reminder>2</system-reminder>", "x"),
        ("<system-reminders>mine</system-reminders>", "<system-reminders>mine</system-reminders>"),
        ('<hook_context name="x">h</hook_context>y', "y"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("1 < 2", "1 < 2"),
        ("</system-reminder>x", "</system-reminder>x"),
    ],
)
def test_blocks_are_stripped_whole_and_nothing_else(text: str, kept: str) -> None:
    assert strip_client_blocks(text) == kept


def test_tool_results_are_no_user_text_but_their_media_counts() -> None:
    features = features_of(
        conversation(user("look"), assistant(call("Read")), user(result("search the web", IMAGE), "Tool loaded."))
    )
    assert features.latest_text == "Tool loaded."
    assert features.latest_media == ("image",)
    assert features.has_media


def test_old_media_is_known_but_not_latest() -> None:
    features = features_of(conversation(user("look", IMAGE), assistant("seen"), user("go on")))
    assert features.latest_media == ()
    assert features.has_media


def test_the_last_tool_is_the_one_the_last_result_answers() -> None:
    features = features_of(
        conversation(
            user("go"),
            assistant(call("WebSearch", id="old")),
            user(result("x", id="old")),
            assistant(call("Edit", id="a"), call("Read", id="b")),
            user(result("x", id="a"), result("y", id="b")),
        )
    )
    assert (features.last_tool, features.last_tool_category) == ("Read", "search")


def test_calls_split_over_assistant_turns_are_found() -> None:
    features = features_of(
        conversation(
            user("go"),
            assistant(call("Edit", id="a")),
            assistant(call("Read", id="b")),
            user(result("x", id="b")),
            user(result("y", id="a")),
        )
    )
    assert (features.last_tool, features.last_tool_category) == ("Edit", "coding")


def test_a_result_whose_call_is_elsewhere_still_counts_as_a_tool_turn() -> None:
    unnamed = features_of(conversation(user(result("x", id="gone"))))
    named = features_of(conversation(user(result("x", id="gone", name="web_fetch"))))
    assert (unnamed.last_tool, unnamed.last_tool_category) == ("", "other")
    assert (named.last_tool, named.last_tool_category) == ("web_fetch", "web")


def test_a_new_question_after_tools_has_no_last_tool() -> None:
    features = features_of(
        conversation(user("go"), assistant(call("Edit")), user(result("ok")), assistant("done"), user("thanks"))
    )
    assert features.last_tool is None
    assert features.last_tool_category is None


def test_tools_are_told_by_name_and_hosted_ones_by_label() -> None:
    features = features_of(
        conversation(
            user("go"),
            tools=[FunctionTool("Read"), HostedTool("web_search", Protocol.OPENAI_RESPONSES, {"type": "web_search"})],
            tool_choice=ToolChoice("named", "web_search", kind="hosted"),
        )
    )
    assert features.tool_names == ("Read",)
    assert features.hosted_tools == ("web_search",)
    assert features.forced_tool == "web_search"
    assert features.has_tools


@pytest.mark.parametrize(
    ("reasoning", "asked"),
    [
        (None, False),
        (Reasoning(mode="adaptive"), False),
        (Reasoning(effort="medium"), False),
        (Reasoning(mode="adaptive", effort="medium"), False),
        (Reasoning(mode="on", effort="low"), False),
        (Reasoning(budget_tokens=-1), False),
        (Reasoning(budget_tokens=0), False),
        (Reasoning(mode="off", budget_tokens=5000), False),
        (Reasoning(mode="on"), True),
        (Reasoning(mode="on", budget_tokens=31_999), True),
        (Reasoning(effort="xhigh"), True),
        (Reasoning(mode="adaptive", effort="max"), True),
    ],
)
def test_only_more_than_an_agents_everyday_thinking_counts(reasoning: Reasoning | None, asked: bool) -> None:
    assert asks_to_think(reasoning) is asked


# --- token estimate ------------------------------------------------------------------------------------


def test_the_estimate_is_a_quarter_of_the_bytes() -> None:
    assert estimate_tokens(conversation(user("a" * 4000))) == pytest.approx(1000, abs=8)
    assert estimate_tokens(conversation(user("漢" * 4000))) == pytest.approx(3000, abs=8)


def test_everything_sent_counts() -> None:
    plain = estimate_tokens(conversation(user("hi")))
    for more in (
        conversation(user("hi", IMAGE)),
        conversation(user("hi", Media("document", "application/pdf", data="A" * 400_000))),
        conversation(user("hi"), assistant(Thinking("thought " * 40))),
        conversation(user("hi"), assistant(call("Write", '{"content":"' + "x" * 400 + '"}'))),
        conversation(user("hi", result("y" * 400))),
        conversation(user("hi", ToolResult("c", [], structured={"output": "z" * 400}))),
        conversation(user("hi", Opaque(Protocol.OPENAI_RESPONSES, "x", {"a": "b" * 400}))),
        conversation(user("hi"), tools=[FunctionTool("t", "d" * 400, {"type": "object"})]),
        conversation(user("hi"), tools=[HostedTool("x", Protocol.GEMINI, {"a": "b" * 400})]),
        conversation(system("s" * 400), user("hi")),
    ):
        assert estimate_tokens(more) >= plain + 45
        assert features_of(more).estimated_tokens == estimate_tokens(more)


def test_lone_surrogates_and_unencodable_values_do_not_break_the_estimate() -> None:
    odd = conversation(user("cut \ud83d emoji"), tools=[FunctionTool("t", "\udc00", {"a": "\ud800"})])
    assert estimate_tokens(odd) > 0
    assert features_of(odd).latest_text == "cut \ud83d emoji"


def test_the_text_looked_at_is_bounded() -> None:
    long = features_of(conversation(user("x" * 50_000, "y" * 50_000)))
    assert len(long.latest_text) <= LATEST_TEXT_LIMIT


# --- growth --------------------------------------------------------------------------------------------


def _history(turns: int) -> list[Turn]:
    history = []
    for number in range(0, turns, 2):
        history += [
            assistant("thinking " + "x" * 800, call("Bash", '{"command":"rg x"}', id=f"c{number}")),
            user(result("found " + "y" * 800, id=f"c{number}")),
        ]
    return history


def _calls_made(made: Conversation) -> int:
    """Function calls (Python's and C's) that one `features_of` makes: work that does not depend on the machine."""
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        features_of(made)
    finally:
        sys.setprofile(None)
    return count


def test_mp28_work_grows_linearly_with_the_history() -> None:
    hundred, two_hundred, four_hundred = (
        _calls_made(conversation(user("start"), *_history(turns))) for turns in (100, 200, 400)
    )
    assert two_hundred > hundred
    assert (four_hundred - two_hundred) == pytest.approx(2 * (two_hundred - hundred), rel=0.02)


def test_mp28_a_long_text_costs_no_more_work_than_a_short_one() -> None:
    short, long = (
        _calls_made(conversation(user("start"), assistant("x" * length), user("go on"))) for length in (400, 400_000)
    )
    assert long == short
