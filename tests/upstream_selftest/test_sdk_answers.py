"""The vendors' SDKs read the fake upstream's answers: what was scripted is what they see, streamed or not."""

from __future__ import annotations

import pytest
from tests.fake_upstream import (
    Delivery,
    FakeUpstream,
    Finish,
    Framing,
    Parallel,
    Refusal,
    Script,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from tests.upstream_selftest.sdk import PROTOCOLS, ask

both = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
each = pytest.mark.parametrize("protocol", PROTOCOLS)

LONG = 'Grüße, 世界! 🙂 \u2028 and a "quoted" \\ line\nnext'
FINISHES = {
    "openai-chat": {
        "stop": "stop",
        "length": "length",
        "content_filter": "content_filter",
        "tool": "tool_calls",
    },
    "openai-responses": {
        "stop": "completed",
        "length": "max_output_tokens",
        "content_filter": "content_filter",
        "tool": "completed",
    },
    "anthropic-messages": {
        "stop": "end_turn",
        "length": "max_tokens",
        "content_filter": "refusal",
        "tool": "tool_use",
        "pause": "pause_turn",
    },
    "gemini": {
        "stop": "STOP",
        "length": "MAX_TOKENS",
        "content_filter": "SAFETY",
        "malformed": "MALFORMED_FUNCTION_CALL",
    },
}


@each
@both
async def test_text_arrives_whole(protocol: str, stream: bool) -> None:
    async with FakeUpstream() as up:
        up.script(Text(LONG))
        seen = await ask(protocol, up.url, stream=stream)
        assert seen.text == LONG
        assert up.last.outcome == "complete"
        assert up.last.stream is stream
        assert up.violations == []


@each
@both
async def test_usage_counts_are_the_scripted_ones(protocol: str, stream: bool) -> None:
    async with FakeUpstream() as up:
        up.script(Text("x"), Usage(input=100, output=7, cache_read=40, cache_write=5, reasoning=3))
        seen = await ask(protocol, up.url, stream=stream)
        assert seen.usage == (145, 40, 10, 3)


@each
@both
async def test_thinking_precedes_text(protocol: str, stream: bool) -> None:
    async with FakeUpstream() as up:
        up.script(Thinking("let me see, step by step"), Text("done"))
        seen = await ask(protocol, up.url, stream=stream)
        assert (seen.thinking, seen.text) == ("let me see, step by step", "done")


@each
@both
@pytest.mark.parametrize("chunks", ["split", "whole", "start_event", "done_only", "late_name", "empty"])
async def test_a_tool_call_has_exactly_its_arguments(protocol: str, stream: bool, chunks: str) -> None:
    call = ToolCall("get_weather", '{"city": "Os\u200blo 🙂", "n": [1, {"a": null}]}', chunks=chunks)
    async with FakeUpstream() as up:
        up.script(call)
        seen = await ask(protocol, up.url, stream=stream, tools=("get_weather",))
        expected = {} if chunks == "empty" else {"city": "Os\u200blo 🙂", "n": [1, {"a": None}]}
        assert seen.calls == [("get_weather", expected)]
        if protocol in ("openai-chat", "anthropic-messages"):
            assert seen.finish == FINISHES[protocol]["tool"]


@each
@both
@pytest.mark.parametrize("interleave", [False, True])
async def test_parallel_calls_keep_order_and_arguments(protocol: str, stream: bool, interleave: bool) -> None:
    calls = tuple(ToolCall(f"t{n}", f'{{"city":"{"x" * (9 * n)}{n}"}}') for n in range(4))
    async with FakeUpstream() as up:
        up.script(Text("I'll call four."), Parallel(calls, interleave=interleave))
        seen = await ask(protocol, up.url, stream=stream, tools=tuple(c.name for c in calls))
        assert seen.text == "I'll call four."
        assert seen.calls == [(f"t{n}", {"city": "x" * (9 * n) + str(n)}) for n in range(4)]


@each
@both
async def test_a_refusal_is_told(protocol: str, stream: bool) -> None:
    async with FakeUpstream() as up:
        up.script(Refusal("No, I will not."))
        seen = await ask(protocol, up.url, stream=stream)
        assert seen.text == ""
        if protocol == "gemini":
            assert seen.finish == "SAFETY"  # the SDK drops finishMessage for the Gemini API
        else:
            assert seen.refusal == "No, I will not."


@both
@pytest.mark.parametrize(("protocol", "reason", "told"), [(p, r, t) for p, m in FINISHES.items() for r, t in m.items()])
async def test_finish_reasons(protocol: str, reason: str, told: str, stream: bool) -> None:
    async with FakeUpstream() as up:
        up.script(Text("x"), Finish(reason))
        assert (await ask(protocol, up.url, stream=stream)).finish == told


@both
async def test_gemini_blocks_a_prompt_without_candidates(stream: bool) -> None:
    async with FakeUpstream() as up:
        up.script(Text("never said"), Finish("prompt_blocked"))
        seen = await ask("gemini", up.url, stream=stream)
        assert seen.raw[-1].prompt_feedback.block_reason.value == "PROHIBITED_CONTENT"
        assert not seen.raw[-1].candidates


@each
@pytest.mark.parametrize(
    "delivery",
    [
        Delivery("one"),
        Delivery("bytes", size=1),
        Delivery("bytes", size=3),
        Delivery("seeded", seed=1),
        Delivery("seeded", seed=2, pause=0),
        Delivery(transfer="close"),
        Delivery(transfer="length"),
        Delivery(connection="close"),
        Delivery(encoding="gzip"),
        Delivery("seeded", encoding="deflate"),
        Delivery("bytes", size=5, encoding="gzip"),
    ],
    ids=lambda d: f"{d.chunking}{d.size}-{d.seed}-{d.encoding}-{d.transfer}-{d.connection}",
)
async def test_every_delivery_reads_the_same(protocol: str, delivery: Delivery) -> None:
    async with FakeUpstream(delivery=delivery) as up:
        up.script(Thinking("hmm"), Text(LONG), ToolCall("t0", '{"city":"🙂"}'))
        seen = await ask(protocol, up.url, stream=True, tools=("t0",))
        assert (seen.thinking, seen.text, seen.calls) == ("hmm", LONG, [("t0", {"city": "🙂"})])


@pytest.mark.parametrize("protocol", ["openai-chat", "openai-responses", "anthropic-messages"])
@pytest.mark.parametrize(
    "framing",
    [
        Framing(newline="\r\n"),
        Framing(newline="\r"),
        Framing(space=False),
        Framing(multiline=True),
        Framing(newline="\r\n", space=False, multiline=True),
        Framing(extra={"x_unknown": {"a": [1]}}),
        Framing(obfuscation=True),
    ],
)
async def test_every_framing_reads_the_same(protocol: str, framing: Framing) -> None:
    async with FakeUpstream(delivery=Delivery("seeded", seed=3)) as up:
        up.script(Script.of(Text(LONG), ToolCall("t0", '{"city":"🙂"}'), framing=framing))
        seen = await ask(protocol, up.url, stream=True, tools=("t0",))
        assert (seen.text, seen.calls) == (LONG, [("t0", {"city": "🙂"})])


async def test_equal_seeds_give_equal_bytes() -> None:
    answers = []
    for _ in range(2):
        async with FakeUpstream(seed=7) as up:
            up.script(Thinking("t"), ToolCall("t0", "{}"))
            answers.append((await ask("anthropic-messages", up.url, stream=True, tools=("t0",))).raw.to_json())
    assert answers[0] == answers[1]
