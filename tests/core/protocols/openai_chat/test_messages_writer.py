"""Turns -> messages: order, results, thinking, media, and nothing empty."""

from __future__ import annotations

from typing import Any

import pytest

from llmswitch_core.canonical.custom import wrap_input
from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import (
    CacheControl,
    Media,
    Opaque,
    Protocol,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)

from .support import conversation, written

M = Protocol.ANTHROPIC_MESSAGES
PNG = Media("image", media_type="image/png", data="QUJD")
PNG_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}


def messages(*turns: Turn, protocol: Protocol = M, **features: Any) -> tuple[list[dict[str, Any]], dict[str, str]]:
    body, notes = written(conversation(*turns, protocol=protocol), **features)
    return body["messages"], notes


def user(*parts: Any) -> Turn:
    return Turn("user", list(parts))


def assistant(*parts: Any) -> Turn:
    return Turn("assistant", list(parts))


CALL = ToolCall("c1", "f", "{}")


def test_mp18_leading_system_turns_are_one_message_and_later_ones_keep_their_place() -> None:
    got, _ = messages(
        Turn("system", [Text("a"), Text("b")]),
        Turn("system", [Text("c")], developer=True),
        user(Text("hi")),
        Turn("system", [Text("mid")]),
        user(Text("ho")),
    )
    assert got == [
        {"role": "system", "content": "a\n\nb\n\nc"},
        {"role": "user", "content": "hi"},
        {"role": "system", "content": "mid"},
        {"role": "user", "content": "ho"},
    ]


def test_mp18_developer_is_sent_only_where_the_target_knows_it() -> None:
    turns = [Turn("system", [Text("a")]), Turn("system", [Text("b")], developer=True)]
    got, _ = messages(*turns, developer_role=True)
    assert [message["role"] for message in got] == ["system", "developer"]


def test_mp18_a_late_system_message_becomes_a_users_where_the_target_demands_it() -> None:
    got, notes = messages(user(Text("hi")), Turn("system", [Text("mid")]), mid_system=False)
    assert got[1] == {"role": "user", "content": "mid"}
    assert notes == {"system": "mapped"}


def test_mp05_results_are_split_and_precede_what_the_user_says() -> None:
    got, _ = messages(
        assistant(CALL, ToolCall("c2", "g", "[]")),
        user(ToolResult("c1", [Text("one")]), ToolResult("c2", []), Text("go on")),
    )
    assert got[1:] == [
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": ""},
        {"role": "user", "content": "go on"},
    ]


def test_mp17_empty_turns_and_texts_are_not_sent() -> None:
    got, notes = messages(
        Turn("system", []),
        user(Text("")),
        assistant(),
        assistant(Text("")),
        user(Text("hi")),
        Turn("system", [Text("")]),
    )
    assert got == [{"role": "user", "content": "hi"}]
    assert notes == {}


def test_mp04_assistant_turns_in_a_row_are_one_message_so_that_results_follow_their_calls() -> None:
    got, _ = messages(assistant(CALL), assistant(Text("a")), user(ToolResult("c1", [Text("r")])))
    assert [message["role"] for message in got] == ["assistant", "tool"]
    assert (got[0]["content"], len(got[0]["tool_calls"])) == ("a", 1)


def test_mp06_ids_go_out_portable() -> None:
    got, _ = messages(assistant(ToolCall("functions.exec:0", "f", "{}")), user(ToolResult("functions.exec:0", [])))
    assert got[0]["tool_calls"][0]["id"] == got[1]["tool_call_id"] == "rcx_functions_2eexec_3a0"


def test_mp01_calls_without_arguments_have_an_empty_object() -> None:
    got, _ = messages(assistant(ToolCall("c1", "f", "")))
    assert got[0]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_mp22_custom_calls_are_wrapped_unless_the_target_knows_them() -> None:
    turn = assistant(ToolCall("c1", "p", "free\ntext", kind="custom"))
    got, _ = messages(turn)
    assert got[0]["tool_calls"][0]["function"] == {"name": "p", "arguments": wrap_input("free\ntext")}
    got, _ = messages(turn, custom_tools=True)
    assert got[0]["tool_calls"][0] == {"id": "c1", "type": "custom", "custom": {"name": "p", "input": "free\ntext"}}


# --- thinking ------------------------------------------------------------------------------------------

HISTORY = [
    user(Text("q1")),
    assistant(Thinking("t1"), Text("a1")),
    user(Text("q2")),
    assistant(Thinking("t2"), CALL),
    user(ToolResult("c1", [Text("r")])),
    assistant(Thinking("t3"), Text("a3")),
    user(Text("q3")),
]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("echo", ["t1", "t2", "t3"]), ("after_tool_call", [None, "t2", "t3"]), (None, [None, None, None])],
)
def test_mp08_thinking_goes_back_where_the_target_demands_it(mode: str | None, expected: list[str | None]) -> None:
    got, notes = messages(*HISTORY, reasoning_content=mode)
    assert [m.get("reasoning_content") for m in got if m["role"] == "assistant"] == expected
    assert notes == ({"thinking": "dropped"} if mode is None else {})


def test_mp08_a_placeholder_stands_in_where_the_target_demands_thinking_and_there_is_none() -> None:
    features = {"reasoning_content": "after_tool_call", "reasoning_content_placeholder": "…"}
    got, notes = messages(assistant(CALL), user(ToolResult("c1", [])), assistant(Text("a")), **features)
    assert [m.get("reasoning_content") for m in got] == ["…", None, None]
    assert notes == {"thinking": "repaired"}


def test_mp07_signatures_go_only_where_reasoning_details_are_known() -> None:
    turn = assistant(Thinking("t", signature="S", origin=M), Thinking(redacted="R", origin=M), Text("a"))
    got, notes = messages(turn)
    assert got == [{"role": "assistant", "content": "a"}]
    assert notes == {"thinking": "dropped", "thinking.signature": "dropped", "thinking.redacted": "dropped"}
    got, _ = messages(turn, reasoning_details=True)
    assert got[0]["reasoning_details"] == [
        {"type": "reasoning.text", "text": "t", "signature": "S", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.encrypted", "data": "R", "format": "anthropic-claude-v1", "index": 1},
    ]


def test_mp07_call_signatures_go_only_where_the_target_knows_them() -> None:
    turn = assistant(ToolCall("c1", "f", "{}", signature="S"))
    assert messages(turn)[1] == {"tool_call.signature": "dropped"}
    got, notes = messages(turn, thought_signatures=True)
    assert got[0]["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "S"}}
    assert notes == {}


# --- media ---------------------------------------------------------------------------------------------


def test_mp20_images_of_results_go_into_a_user_message_after_all_results() -> None:
    got, notes = messages(
        assistant(CALL, ToolCall("c2", "g", "{}")),
        user(ToolResult("c1", [PNG]), ToolResult("c2", [Text("two"), PNG]), Text("go on")),
    )
    assert [message["role"] for message in got] == ["assistant", "tool", "tool", "user"]
    assert got[1]["content"] == "The media of this result are in the next user message."
    assert got[2]["content"] == "two"
    assert got[3]["content"] == [
        {"type": "text", "text": "Media of the result of tool call c1:"},
        PNG_PART,
        {"type": "text", "text": "Media of the result of tool call c2:"},
        PNG_PART,
        {"type": "text", "text": "go on"},
    ]
    assert notes == {"tool_result.media": "mapped"}


def test_mp20_images_the_assistant_made_go_into_the_next_user_message() -> None:
    got, notes = messages(assistant(Text("here"), PNG, CALL), user(ToolResult("c1", [Text("r")])))
    assert [message["role"] for message in got] == ["assistant", "tool", "user"]
    assert got[2]["content"] == [{"type": "text", "text": "Media the assistant made:"}, PNG_PART]
    assert notes == {"assistant.media": "mapped"}
    got, _ = messages(assistant(Text("here"), PNG), assistant_images=True)
    assert got == [{"role": "assistant", "content": "here", "images": [PNG_PART]}]


@pytest.mark.parametrize(
    ("media", "features", "part", "noted"),
    [
        (
            Media("image", url="https://x/y", detail="low"),
            {},
            {"type": "image_url", "image_url": {"url": "https://x/y", "detail": "low"}},
            {},
        ),
        (
            Media("document", media_type="application/pdf", data="REVG", name="a.pdf"),
            {},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,REVG"}},
            {},
        ),
        (
            Media("document", media_type="application/pdf", data="REVG"),
            {"file_parts": False},
            {"type": "text", "text": "[Attached document that cannot be shown here: application/pdf]"},
            {"media.document": "dropped"},
        ),
        (
            Media("document", url="https://x/y.pdf"),
            {},
            {"type": "text", "text": "[Attached document: https://x/y.pdf]"},
            {"media.url": "mapped"},
        ),
        (
            Media("document", url="https://x/y.pdf"),
            {"file_url": True},
            {"type": "file", "file": {"filename": "document.pdf", "file_data": "https://x/y.pdf"}},
            {},
        ),
        (
            Media("document", text="plain", options={"title": "T"}),
            {},
            {"type": "text", "text": "plain"},
            {"media.title": "dropped"},
        ),
        (
            Media("audio", media_type="audio/mpeg", data="SktM"),
            {},
            {"type": "input_audio", "input_audio": {"data": "SktM", "format": "mp3"}},
            {},
        ),
        (
            Media("video", url="https://x/y.mp4"),
            {"video": True},
            {"type": "video_url", "video_url": {"url": "https://x/y.mp4"}},
            {},
        ),
    ],
)
def test_mp20_media_in_the_form_the_target_takes(
    media: Media, features: dict[str, Any], part: dict[str, Any], noted: dict[str, str]
) -> None:
    got, notes = messages(user(PNG, media), **features)
    assert got[0]["content"][1] == part
    assert notes == noted


@pytest.mark.parametrize(
    ("media", "code"),
    [
        (Media("image", file_id="file_1"), "unsupported_image"),
        (Media("document", file_id="file_1"), "unsupported_document"),
        (Media("audio", media_type="audio/flac", data="x"), "unsupported_audio"),
        (Media("video", url="https://x/y.mp4"), "unsupported_video"),
    ],
)
def test_mp20_media_without_any_form_are_refused(media: Media, code: str) -> None:
    with pytest.raises(GatewayError) as caught:
        messages(user(media))
    assert (caught.value.code, caught.value.status) == (code, 400)


# --- the rest ------------------------------------------------------------------------------------------


def test_mp19_cache_breakpoints_are_carried_or_noted() -> None:
    turns = [
        Turn("system", [Text("s", cache=CacheControl())]),
        assistant(CALL),
        user(ToolResult("c1", [Text("r")], cache=CacheControl(ttl="1h"))),
    ]
    got, notes = messages(*turns, cache_control=True)
    assert got[0]["content"] == [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]
    assert got[2]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert notes == {}
    assert messages(*turns)[1] == {"text.cache": "dropped", "tool_result.cache": "dropped"}
    got, notes = messages(*turns, cache_control="prompt_cache_breakpoint")
    assert got[0]["content"][0]["prompt_cache_breakpoint"] == {"mode": "explicit"}
    assert notes["text.cache"] == "mapped"


def test_foreign_opaque_parts_are_dropped_but_never_leave_a_result_empty() -> None:
    reference = Opaque(M, "tool_reference", {"type": "tool_reference", "tool_name": "x"})
    got, notes = messages(
        user(Opaque(M, "search_result", {}), Text("hi")), assistant(CALL), user(ToolResult("c1", [reference]))
    )
    assert got[0] == {"role": "user", "content": "hi"}
    assert got[2]["content"] == '{"type":"tool_reference","tool_name":"x"}'
    assert notes == {"opaque.search_result": "dropped", "opaque.tool_reference": "mapped"}


def test_structured_results_are_json_text_and_error_flags_are_noted() -> None:
    got, notes = messages(assistant(CALL), user(ToolResult("c1", [], structured={"a": 1}, is_error=True)))
    assert got[1]["content"] == '{"a":1}'
    assert notes == {"tool_result.is_error": "dropped"}


def test_refusals_are_text_for_unknown_vendors() -> None:
    got, notes = messages(assistant(Refusal("no")))
    assert (got, notes) == ([{"role": "assistant", "content": "no"}], {"refusal": "mapped"})
    got, _ = messages(assistant(Refusal("no")), refusal=True)
    assert got == [{"role": "assistant", "content": None, "refusal": "no"}]


def test_several_texts_are_a_string_unless_the_target_takes_lists() -> None:
    turns = [user(Text("a"), Text("b")), assistant(Text("c"), Text("d"))]
    assert [m["content"] for m in messages(*turns)[0]] == ["a\n\nb", "cd"]
    got, _ = messages(*turns, text_parts=True)
    assert [len(m["content"]) for m in got] == [2, 2]
