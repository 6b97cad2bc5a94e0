"""The recorded requests of the real agents, read by the codecs and classified: their daily work, and no accidents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmswitch_core.canonical.model import Conversation, Protocol
from llmswitch_core.protocols.contract import RequestHead
from llmswitch_core.protocols.registry import CODECS
from llmswitch_core.router.classify import classify
from llmswitch_core.router.contract import ROUTES, ClassifierSettings, Features
from llmswitch_core.router.conversation_key import ConversationKey, conversation_key
from llmswitch_core.router.features import features_of

CLIENTS = Path(__file__).parents[2] / "data" / "clients"
_PATHS = (
    ("/chat/completions", Protocol.OPENAI_CHAT),
    ("/responses", Protocol.OPENAI_RESPONSES),
    ("/messages", Protocol.ANTHROPIC_MESSAGES),
    ("enerateContent", Protocol.GEMINI),
)


def recorded(client: str, number: str) -> tuple[Conversation, dict[str, str]]:
    row = next(
        row
        for row in json.loads((CLIENTS / client / "index.json").read_text(encoding="utf-8"))
        if row["file"] == f"{number}.json"
    )
    headers = {name.lower(): value for name, value in row["headers"]}
    body = json.loads((CLIENTS / client / f"{number}.json").read_text(encoding="utf-8"))
    protocol = next(protocol for part, protocol in _PATHS if part in row["path"])
    head = RequestHead(row["method"], row["path"], row["query"], headers)
    return CODECS[protocol].read_request(head, body), headers


def features(client: str, number: str) -> Features:
    return features_of(recorded(client, number)[0])


@pytest.mark.parametrize(
    ("client", "number", "route"),
    [
        ("claude", "001", "default"),  # a new question; thinking is adaptive as always
        ("claude", "002", "tools"),  # Bash: echo
        ("claude", "003", "default"),  # a haiku that has tools is no side request
        ("claude", "005", "thinking"),  # Sonnet 4.5 is asked with a hard budget
        ("claude", "006", "tools"),  # … and answers tools in the same conversation
        ("claude", "015", "coding"),  # Read, Bash and Write answered, Write last
        ("claude", "017", "tools"),  # Agent
        ("claude", "024", "web_search"),  # forced hosted web_search from haiku
        ("claude", "025", "web_search"),  # WebSearch answered
        ("claude", "027", "vision"),  # Read gave an image
        ("codex", "001", "default"),
        ("codex", "010", "tools"),  # apply_patch and exec_command: echo answered, the latter last
        ("codex", "011", "vision"),  # an image in the question
        ("codex", "012", "tools"),  # the image is history now
        ("codex", "013", "default"),  # a second question
        ("codex", "015", "tools"),
        ("gemini", "001", "background"),  # which model to use? asked of flash-lite
        ("gemini", "002", "thinking"),  # thinkingLevel HIGH
        ("gemini", "009", "coding"),  # write_file answered last
        ("gemini", "003", "tools"),
    ],
)
def test_recorded_requests_go_where_they_belong(client: str, number: str, route: str) -> None:
    chosen, reasons = classify(features(client, number), ClassifierSettings(), ROUTES)
    assert chosen == route, reasons


def test_the_users_words_are_found_between_what_clients_add() -> None:
    question = "Run the shell command echo hello-from-tool and tell me its output"
    assert features("claude", "001").latest_text == question
    assert features("gemini", "002").latest_text == question
    assert features("claude", "005").latest_text == "Run echo"
    assert features("codex", "013").latest_text == "And once more"
    assert features("codex", "014").latest_text == "Run echo"


def test_no_recorded_request_is_long_context_or_breaks_the_estimate() -> None:
    for client in ("claude", "codex", "gemini"):
        for row in json.loads((CLIENTS / client / "index.json").read_text(encoding="utf-8")):
            if row["file"] is None:
                continue
            found = features(client, row["file"][:3])
            assert 0 < found.estimated_tokens < 20_000


def key(client: str, number: str, **changes: Any) -> ConversationKey:
    conversation, headers = recorded(client, number)
    arguments = {"account": "a", "api_key": "k", "request_id": number, "secret": b"s" * 32}
    return conversation_key(conversation, headers, **(arguments | changes))


def test_both_steps_of_a_tool_loop_are_one_conversation() -> None:
    for client, first, second, source in (
        ("claude", "001", "002", "client-session"),
        ("codex", "014", "015", "client-session"),
        ("gemini", "002", "003", "content"),
        ("anthropic-js", "001", "002", "content"),
    ):
        assert key(client, first) == key(client, second), client
        assert key(client, first).source == source, client


def test_claude_codes_session_is_found_in_the_body_where_the_header_is_stripped() -> None:
    conversation, _ = recorded("claude", "001")
    found = conversation_key(conversation, {}, account="a", api_key="k", request_id="r", secret=b"s")
    assert found.source == "body"
