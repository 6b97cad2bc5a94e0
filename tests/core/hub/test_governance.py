"""Pairing across protocols (MP-04, MP-05) and tokens with their issuers (MP-07)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import (
    Conversation,
    Issuer,
    Media,
    Protocol,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from llmswitch_core.hub.governance import governed, keep_tokens, pair_tools
from llmswitch_core.hub.invariants import introduced, of_conversation
from llmswitch_core.hub.tokens import TokenLedger, call_signed, issued
from llmswitch_core.protocols.contract import Notes
from llmswitch_core.router.contract import Target


class Memory:
    """A token store in a dict."""

    def __init__(self, *entries: tuple[str, bytes]) -> None:
        self.entries = dict(entries)

    def lookup(self, key: str) -> bytes | None:
        return self.entries.get(key)


def target(vendor: str, protocol: Protocol = Protocol.ANTHROPIC_MESSAGES, alias: str = "main") -> Target:
    return Target(vendor, alias, "model", protocol, "passthrough", vendor)


def call(call_id: str, name: str = "read") -> ToolCall:
    return ToolCall(call_id, name, "{}")


def result(call_id: str, text: str = "ok") -> ToolResult:
    return ToolResult(call_id, [Text(text)])


def results_of(turn: Turn) -> list[str]:
    return [part.call_id for part in turn.parts if isinstance(part, ToolResult)]


def test_mp05_results_spread_over_turns_come_together_in_call_order() -> None:
    turns = [
        Turn("assistant", [call("a"), call("b"), call("c")]),
        Turn("user", [result("c")]),
        Turn("user", [result("a")]),
        Turn("user", [Text("and now?"), result("b")]),
    ]
    paired = pair_tools(turns, Notes())
    assert [turn.role for turn in paired] == ["assistant", "user"]
    assert results_of(paired[1]) == ["a", "b", "c"]
    assert isinstance(paired[1].parts[-1], Text)


def test_mp04_an_unanswered_call_gets_an_error_result_and_a_note() -> None:
    notes = Notes()
    paired = pair_tools([Turn("assistant", [call("a")]), Turn("user", [Text("never mind")])], notes)
    answer = paired[1].parts[0]
    assert isinstance(answer, ToolResult)
    assert answer.is_error
    assert answer.call_id == "a"
    assert ("unanswered_tool_call", "repaired") in notes.items()


def test_mp04_an_orphan_result_becomes_user_text_and_keeps_its_words() -> None:
    notes = Notes()
    paired = pair_tools([Turn("user", [result("ghost", "the words")])], notes)
    assert not results_of(paired[0])
    assert "the words" in [part.text for part in paired[0].parts if isinstance(part, Text)]
    assert ("orphan_tool_result", "repaired") in notes.items()


def test_mp04_a_second_result_for_one_call_is_no_second_result() -> None:
    turns = [Turn("assistant", [call("a")]), Turn("user", [result("a", "first"), result("a", "second")])]
    paired = pair_tools(turns, Notes())
    assert results_of(paired[1]) == ["a"]
    assert any(isinstance(part, Text) and part.text == "second" for part in paired[1].parts)


def test_mp04_calls_at_the_very_end_are_answered_too() -> None:
    paired = pair_tools([Turn("user", [Text("go")]), Turn("assistant", [call("a")])], Notes())
    assert results_of(paired[-1]) == ["a"]


def test_a_system_turn_between_call_and_result_does_not_part_them() -> None:
    turns = [
        Turn("assistant", [call("a")]),
        Turn("system", [Text("be brief")]),
        Turn("user", [result("a")]),
    ]
    paired = pair_tools(turns, Notes())
    assert [turn.role for turn in paired] == ["assistant", "user", "system"]


ids = st.sampled_from(["a", "b", "c", "d"])
assistant_turns = st.lists(st.builds(call, ids) | st.builds(Text, st.just("x")), max_size=4).map(
    lambda parts: Turn("assistant", parts)
)
user_turns = st.lists(st.builds(result, ids) | st.builds(Text, st.just("y")), max_size=4).map(
    lambda parts: Turn("user", parts)
)
histories = st.lists(assistant_turns | user_turns | st.just(Turn("system", [Text("s")])), max_size=10)


@given(histories)
def test_mp04_governance_introduces_no_violation_and_leaves_none_of_pairing(turns: list[Turn]) -> None:
    before = Conversation(Protocol.OPENAI_CHAT, "m", turns)
    frozen = msgspec.json.encode(before)
    after = governed(before, target("anthropic"), TokenLedger(Memory()), Notes())
    assert msgspec.json.encode(before) == frozen, "the client's conversation was changed in place"
    found = of_conversation(after)
    assert found == ()
    assert introduced(of_conversation(before), found) == ()
    for position, turn in enumerate(after.turns):
        assert turn.parts
        calls = [part.id for part in turn.parts if isinstance(part, ToolCall)]
        if calls and (position + 1 == len(after.turns) or after.turns[position + 1].role != "assistant"):
            assert set(calls) <= set(results_of(after.turns[position + 1]))


def test_mp07_a_signature_stays_with_its_issuer() -> None:
    turns = [Turn("assistant", [Thinking("hm", signature="sig-1", origin=Protocol.ANTHROPIC_MESSAGES)])]
    ledger = TokenLedger(Memory(issued("sig-1", Issuer("anthropic", "anthropic.main", "opus"))))
    assert keep_tokens(turns, Protocol.ANTHROPIC_MESSAGES, target("anthropic"), ledger, Notes()) is None


def test_mp07_a_signature_never_reaches_a_foreign_vendor() -> None:
    notes = Notes()
    turns = [Turn("assistant", [Thinking("hm", signature="sig-1"), Text("ok")])]
    ledger = TokenLedger(Memory(issued("sig-1", Issuer("gemini"))))
    kept = keep_tokens(turns, Protocol.ANTHROPIC_MESSAGES, target("anthropic"), ledger, notes)
    assert kept is not None
    assert kept[0].parts == [Thinking("hm"), Text("ok")]
    assert ("thinking.signature", "dropped") in notes.items()


def test_mp07_a_token_nobody_recorded_belongs_to_the_clients_own_vendor() -> None:
    turns = [Turn("assistant", [Thinking("hm", signature="old")])]
    ledger = TokenLedger(Memory())
    assert keep_tokens(turns, Protocol.ANTHROPIC_MESSAGES, target("anthropic"), ledger, Notes()) is None
    assert keep_tokens(turns, Protocol.ANTHROPIC_MESSAGES, target("kimi"), ledger, Notes()) is not None


def test_mp07_redacted_thinking_goes_whole_or_not_at_all() -> None:
    turns = [Turn("assistant", [Thinking(redacted="secret"), Text("ok")])]
    kept = keep_tokens(turns, Protocol.ANTHROPIC_MESSAGES, target("gemini"), TokenLedger(Memory()), Notes())
    assert kept is not None
    assert kept[0].parts == [Text("ok")]


def test_mp07_encrypted_reasoning_goes_back_only_to_the_key_that_made_it() -> None:
    turns = [Turn("assistant", [Thinking("hm", signature="enc")])]
    ledger = TokenLedger(Memory(issued("enc", Issuer("openai", "openai.main"))))
    same = target("openai", Protocol.OPENAI_RESPONSES)
    other = target("openai", Protocol.OPENAI_RESPONSES, alias="second")
    assert keep_tokens(turns, Protocol.OPENAI_RESPONSES, same, ledger, Notes()) is None
    assert keep_tokens(turns, Protocol.OPENAI_RESPONSES, other, ledger, Notes()) is not None


def test_mp07_a_thought_signature_its_client_could_not_carry_comes_back_by_call_id() -> None:
    turns = [Turn("assistant", [call("c1")])]
    ledger = TokenLedger(Memory(call_signed("c1", "thought", Issuer("gemini", "gemini.main"))))
    kept = keep_tokens(turns, Protocol.OPENAI_CHAT, target("gemini", Protocol.GEMINI), ledger, Notes())
    assert kept is not None
    assert kept[0].parts == [ToolCall("c1", "read", "{}", signature="thought")]
    assert keep_tokens(turns, Protocol.OPENAI_CHAT, target("kimi"), ledger, Notes()) is None


def test_mp07_a_signature_sent_back_in_the_other_base64_alphabet_is_the_same_one() -> None:
    turns = [Turn("assistant", [Thinking("hm", signature="a-b_c=")])]
    ledger = TokenLedger(Memory(issued("a+b/c=", Issuer("gemini", "gemini.main"))))
    kept = keep_tokens(turns, Protocol.ANTHROPIC_MESSAGES, target("gemini", Protocol.GEMINI), ledger, Notes())
    assert kept is None


@pytest.mark.parametrize(
    ("protocol", "member", "value"),
    [
        (Protocol.OPENAI_RESPONSES, "background", True),
        (Protocol.OPENAI_RESPONSES, "conversation", "conv_1"),
        (Protocol.OPENAI_RESPONSES, "prompt", {"id": "pmpt_1"}),
        (Protocol.GEMINI, "cachedContent", "cachedContents/1"),
    ],
)
def test_content_by_reference_is_refused_by_name_across_protocols(
    protocol: Protocol, member: str, value: object
) -> None:
    conversation = Conversation(protocol, "m", [Turn("user", [Text("x")])], extensions={member: value})
    with pytest.raises(GatewayError) as caught:
        governed(conversation, target("anthropic"), TokenLedger(Memory()), Notes())
    assert caught.value.status == 400
    assert caught.value.param == member


def test_mp07_an_envelope_of_the_gateways_own_is_never_sent_to_the_vendor() -> None:
    unsigned = [Turn("assistant", [Thinking("hm"), Text("ok")])]
    foreign = [Turn("assistant", [Thinking("hm", signature="g", origin=Protocol.GEMINI), Text("ok")])]
    for turns in (unsigned, foreign):
        kept = keep_tokens(turns, Protocol.ANTHROPIC_MESSAGES, target("anthropic"), TokenLedger(Memory()), Notes())
        assert kept is not None
        assert kept[0].parts == [Thinking("hm"), Text("ok")]


def test_mp07_an_unrecorded_token_belongs_to_the_vendor_of_the_protocol_it_was_spelled_in() -> None:
    turns = [Turn("assistant", [Thinking("hm", signature="g", origin=Protocol.GEMINI)])]
    gemini = target("gemini", Protocol.GEMINI)
    assert keep_tokens(turns, Protocol.ANTHROPIC_MESSAGES, gemini, TokenLedger(Memory()), Notes()) is None


def test_mp06_an_id_a_model_uses_again_in_a_later_turn_stays_with_its_own_result() -> None:
    turns = [
        Turn("assistant", [call("call_0")]),
        Turn("user", [result("call_0", "first")]),
        Turn("assistant", [call("call_0")]),
        Turn("user", [result("call_0", "second")]),
    ]
    before = Conversation(Protocol.OPENAI_CHAT, "m", turns)
    after = governed(before, target("anthropic"), TokenLedger(Memory()), Notes())
    assert results_of(after.turns[1]) == ["call_0"]
    assert results_of(after.turns[3]) == ["call_0-2"]
    answer = after.turns[3].parts[0]
    assert isinstance(answer, ToolResult)
    assert answer.content == [Text("second")]


@pytest.mark.parametrize(
    ("inbound", "media", "vendor", "refused"),
    [
        (
            Protocol.GEMINI,
            Media("image", url="https://generativelanguage.googleapis.com/v1beta/files/a"),
            "openai",
            True,
        ),
        (Protocol.GEMINI, Media("document", url="gs://bucket/a.pdf"), "anthropic", True),
        (Protocol.GEMINI, Media("image", url="https://x.example/a.png"), "openai", False),
        (Protocol.ANTHROPIC_MESSAGES, Media("document", file_id="file_1"), "openai", True),
        (Protocol.OPENAI_RESPONSES, Media("document", file_id="file-1"), "openai", False),
        (Protocol.OPENAI_CHAT, Media("document", file_id="file-1"), "kimi", True),
    ],
)
def test_mp20_a_file_kept_at_one_vendor_is_not_sent_to_another(
    inbound: Protocol, media: Media, vendor: str, refused: bool
) -> None:
    for parts in ([media], [ToolResult("a", [media])]):
        turns = [Turn("assistant", [call("a")]), Turn("user", parts)]
        conversation = Conversation(inbound, "m", turns)
        if not refused:
            governed(conversation, target(vendor), TokenLedger(Memory()), Notes())
            continue
        with pytest.raises(GatewayError) as caught:
            governed(conversation, target(vendor), TokenLedger(Memory()), Notes())
        assert (caught.value.status, caught.value.code) == (400, "unsupported_media_source")
