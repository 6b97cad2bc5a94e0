"""The recorded requests of Claude Code and of Anthropic's SDKs, read and written again (MP-27's canonical half)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmswitch_core.canonical.model import HostedTool, Opaque, Text, ToolResult
from llmswitch_core.protocols.contract import Notes
from tests.core.protocols.anthropic_messages.builders import CODEC, bodies, conversation, head, target

BODIES = bodies()


def by_name(name: str) -> dict[str, Any]:
    return next(body for known, body in BODIES if known == name)


def blocks(content: Any) -> list[dict[str, Any]]:
    """Content in its long form; `is_error: false` says nothing."""
    listed = [{"type": "text", "text": content}] if isinstance(content, str) else content
    out = []
    for block in listed:
        if block["type"] == "tool_result":
            block = {**block, "content": blocks(block.get("content") or [])}
            if block.get("is_error") is False:
                del block["is_error"]
        out.append(block)
    return out


def normal(body: dict[str, Any]) -> dict[str, Any]:
    out = {name: value for name, value in body.items() if value not in ([], None, False)}
    out["messages"] = [{**message, "content": blocks(message["content"])} for message in body["messages"]]
    if "system" in out:
        out["system"] = blocks(out["system"])
    return out


@pytest.mark.parametrize(("name", "body"), BODIES, ids=[name for name, _ in BODIES])
def test_mp27_a_recorded_request_survives_the_canonical_model(name: str, body: dict[str, Any]) -> None:
    original = json.dumps(body)
    subject = CODEC.read_request(head(), body)
    notes = Notes()
    written = CODEC.write_request(
        subject, target(body["model"], stream=bool(body.get("stream")), mid_system="role"), notes
    )
    if "max_tokens" not in body:
        assert written.body.pop("max_tokens") == 32000
    expected = normal(body)
    if "claude" not in body["model"]:
        # gpt-5.5 behind this protocol thinks by budget.
        assert written.body.pop("thinking")["type"] == "enabled"
        assert dict(notes.items()) == {"reasoning.effort": "mapped"}
        expected.pop("thinking")
        expected.pop("output_config")
    else:
        assert notes.items() == ()
    assert normal(written.body) == expected
    assert json.dumps(body) == original, "the codec changed what it was given"


def test_the_session_is_read_from_the_user_id_and_from_the_header() -> None:
    body = by_name("claude/001.json")
    assert CODEC.read_request(head(), body).session == "00000000-0000-4000-8000-000000000001"
    del body["metadata"]
    assert CODEC.read_request(head(x_claude_code_session_id="S"), body).session == "S"
    body["metadata"] = {"user_id": "user_abc_account_1_session_42"}
    assert CODEC.read_request(head(), body).session == "42"


def test_mp18_a_system_message_without_content_keeps_its_output_config() -> None:
    body = by_name("claude/013.json")
    subject = CODEC.read_request(head(), body)
    assert [turn.role for turn in subject.turns] == ["system", "user", "system"]
    options = subject.turns[2].parts
    assert isinstance(options[0], Opaque)
    assert options[0].wire == {"output_config": {"effort": "medium"}}


def test_tool_references_stay_inside_their_result() -> None:
    subject = CODEC.read_request(head(), by_name("claude/026.json"))
    results = [part for turn in subject.turns for part in turn.parts if isinstance(part, ToolResult)]
    assert [type(part) for part in results[0].content] == [Opaque]


def test_a_forced_server_tool_is_a_hosted_choice() -> None:
    subject = CODEC.read_request(head(), by_name("claude/024.json"))
    assert isinstance(subject.tools[0], HostedTool)
    assert subject.tools[0].label == "web_search"
    assert subject.tool_choice is not None
    assert (subject.tool_choice.mode, subject.tool_choice.kind) == ("named", "hosted")


def test_mp19_the_prefix_is_byte_stable_from_turn_to_turn() -> None:
    """A longer history begins with the very bytes of the shorter one, so that the upstream's cache hits."""
    subject = CODEC.read_request(head(), by_name("claude/030.json"))
    earlier: bytes | None = None
    for count in range(2, len(subject.turns) + 1):
        part = conversation(*subject.turns[:count], protocol=subject.protocol, tools=subject.tools)
        body = CODEC.write_request(part, target(), Notes()).body
        now = json.dumps({name: body[name] for name in ("system", "tools", "messages")}).encode()
        if earlier is not None:
            assert now.startswith(earlier.removesuffix(b"]}")), count
        earlier = now
    assert earlier is not None
    assert any(isinstance(part, Text) for part in subject.turns[0].parts)
