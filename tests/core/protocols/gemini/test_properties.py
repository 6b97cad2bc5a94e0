"""Generated conversations and answers: what goes through this codec comes back equal."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.events import Failed, Finish
from llmswitch_core.canonical.fold import fold
from llmswitch_core.canonical.model import (
    Answer,
    Conversation,
    FinishReason,
    FunctionTool,
    Media,
    Opaque,
    OutputFormat,
    Part,
    Protocol,
    Reasoning,
    Sampling,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
    Usage,
)
from llmswitch_core.protocols.contract import Notes, WireTarget

from .support import GEMINI, answer_bytes, conversation, events_of, head, reread, scope, sse

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
TOKEN = st.sampled_from(["QUJD", "U0lHbmF0dXJl", "AA-_"])
NAME = st.sampled_from(["f", "read_file", "shell"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        TEXT, st.booleans(), st.none(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=4,
)
ARGS = st.dictionaries(TEXT, VALUES, max_size=3)
IMAGE = st.builds(Media, st.just("image"), media_type=st.just("image/png"), data=st.sampled_from(["QUJD", "AA+/"]))
FILE = st.builds(Media, st.just("document"), media_type=st.just("application/pdf"), url=st.just("https://x/y.pdf"))
CODE = st.builds(lambda code: Opaque(Protocol.GEMINI, "executableCode", {"executableCode": {"code": code}}), TEXT)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """What the G wire can say, with every call answered."""
    turns = [Turn("system", [Text(draw(TEXT))])] if draw(st.booleans()) else []
    for exchange in range(draw(st.integers(1, 3))):
        user: list[Part] = draw(st.lists(st.one_of(st.builds(Text, TEXT), IMAGE, FILE), min_size=1, max_size=3))
        turns.append(Turn("user", user))
        said: list[Part] = draw(
            st.lists(
                st.one_of(
                    st.builds(Text, TEXT, signature=st.none() | TOKEN),
                    st.builds(Thinking, TEXT, signature=st.none() | TOKEN, origin=st.just(Protocol.GEMINI)),
                    CODE,
                ),
                min_size=1,
                max_size=3,
            )
        )
        names = draw(st.lists(NAME, max_size=3))
        calls = [
            ToolCall(f"c{exchange}.{n}", name, "", signature=draw(st.none() | TOKEN)) for n, name in enumerate(names)
        ]
        for call in calls:
            call.arguments = spelled(draw(ARGS))
        turns.append(Turn("assistant", [*said, *calls]))
        if calls:
            results = []
            for call in calls:
                text = draw(TEXT)
                media = draw(st.lists(IMAGE, max_size=1))
                results.append(ToolResult(call.id, [Text(text), *media], name=call.name, structured={"output": text}))
            turns.append(Turn("user", list(results)))
    return Conversation(
        Protocol.GEMINI,
        "gemini-2.5-flash",
        turns,
        stream=draw(st.booleans()),
        tools=[FunctionTool(name, draw(st.none() | TEXT), {"type": "object"}) for name in ("f", "shell")],
        tool_choice=draw(
            st.sampled_from([None, ToolChoice("auto"), ToolChoice("none"), ToolChoice("named", name="f")])
        ),
        sampling=Sampling(
            max_output_tokens=draw(st.none() | st.integers(1, 9999)),
            temperature=draw(st.none() | st.floats(0, 2)),
            stop=draw(st.none() | st.lists(TEXT, min_size=1, max_size=2)),
        ),
        reasoning=draw(
            st.sampled_from([None, Reasoning(visible=True), Reasoning(mode="on", budget_tokens=1024, visible=False)])
        ),
        output=draw(
            st.sampled_from([None, OutputFormat("json"), OutputFormat("json_schema", schema={"type": "object"})])
        ),
        extensions=draw(st.sampled_from([{}, {"safetySettings": [{"category": "X"}]}])),
    )


def spelled(args: dict[str, Any]) -> str:
    """Arguments as this codec spells them."""
    event = list(
        GEMINI.read_answer(
            json.loads(
                json.dumps(
                    {
                        "candidates": [
                            {
                                "content": {"parts": [{"functionCall": {"name": "f", "args": args}}]},
                                "finishReason": "STOP",
                            }
                        ]
                    }
                )
            ),
            scope(),
        )
    )
    call = fold(event).parts[0]
    assert isinstance(call, ToolCall)
    return call.arguments


@settings(max_examples=60, deadline=None)
@given(conversations())
def test_a_conversation_written_and_read_again_is_the_same(talk: Conversation) -> None:
    notes = Notes()
    sent = GEMINI.write_request(talk, WireTarget(talk.model, talk.stream, True), notes)
    again = GEMINI.read_request(head(f"/v1beta{sent.path}", **sent.query), json.loads(json.dumps(sent.body)))
    assert again == talk
    assert not notes.items()


@settings(max_examples=60, deadline=None)
@given(conversations())
def test_mp04_across_protocols_every_result_follows_its_call_and_counts_match(talk: Conversation) -> None:
    foreign = Conversation(Protocol.ANTHROPIC_MESSAGES, "m", talk.turns, tools=talk.tools)
    contents = GEMINI.write_request(foreign, WireTarget("gemini-3-pro", False, False), Notes()).body["contents"]
    roles = [content["role"] for content in contents]
    assert all(first != second for first, second in pairwise(roles))
    for position, content in enumerate(contents):
        assert content["parts"]
        calls = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
        if calls and position + 1 < len(contents):
            parts = contents[position + 1]["parts"]
            responses = [part["functionResponse"] for part in parts if "functionResponse" in part]
            assert [(call["name"], call["id"]) for call in calls] == [(r["name"], r["id"]) for r in responses]
            assert all("functionResponse" in part for part in parts[: len(calls)])


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Whole answers of which no two neighbouring parts would melt into one on the G wire."""
    parts: list[Part] = []
    kinds = draw(st.lists(st.sampled_from(["text", "thinking", "call", "image", "code"]), max_size=5))
    for number, kind in enumerate(kinds):
        if kind == "text" and not (parts and isinstance(parts[-1], Text)):
            parts.append(Text(draw(TEXT), signature=draw(st.none() | TOKEN)))
        elif kind == "thinking" and not (parts and isinstance(parts[-1], Thinking)):
            parts.append(Thinking(draw(TEXT), signature=draw(st.none() | TOKEN), origin=Protocol.GEMINI))
        elif kind == "call":
            parts.append(ToolCall(f"c{number}", draw(NAME), spelled(draw(ARGS)), signature=draw(st.none() | TOKEN)))
        elif kind == "image":
            parts.append(draw(IMAGE))
        elif kind == "code":
            parts.append(draw(CODE))
    called = any(isinstance(part, ToolCall) for part in parts)
    reason, wire = draw(
        st.sampled_from(
            [
                (FinishReason.TOOL_CALLS if called else FinishReason.STOP, "STOP"),
                (FinishReason.LENGTH, "MAX_TOKENS"),
                (FinishReason.CONTENT_FILTER, "RECITATION"),
                (FinishReason.OTHER, "LANGUAGE"),
            ]
        )
    )
    counts = draw(st.none() | st.tuples(*[st.integers(0, 10**6)] * 4))
    usage = None if counts is None else Usage(counts[0], counts[1] + counts[3], counts[2], 0, counts[3])
    return Answer("r1", "gemini-x", parts, reason, finish_wire=wire, usage=usage)


def bare(answer: Answer) -> Answer:
    """Without the vendor's own usage object, which only one side has."""
    if answer.usage is not None:
        u = answer.usage
        answer.usage = Usage(u.input, u.output, u.cache_read, u.cache_write, u.reasoning)
    return answer


@settings(max_examples=60, deadline=None)
@given(answers())
def test_an_answer_streamed_and_read_again_is_the_same(answer: Answer) -> None:
    assert bare(reread(answer)) == answer


@settings(max_examples=60, deadline=None)
@given(answers())
def test_a_whole_answer_is_the_fold_of_its_stream(answer: Answer) -> None:
    whole = fold(GEMINI.read_answer(json.loads(GEMINI.write_answer(answer, scope())), scope()))
    assert whole == reread(answer)


@settings(max_examples=60, deadline=None)
@given(answers(), st.lists(st.integers(1, 40), max_size=60))
def test_mp11_any_chunking_gives_the_same_events(answer: Answer, sizes: list[int]) -> None:
    data = answer_bytes(answer)
    assert events_of(data, sizes=sizes) == events_of(data)
    crlf = data.replace(b"\n", b"\r\n")
    assert events_of(crlf, sizes=sizes) == events_of(data)


@settings(max_examples=40, deadline=None)
@given(answers(), st.integers(0, 400))
def test_mp14_a_stream_cut_anywhere_never_ends_clean(answer: Answer, kept: int) -> None:
    data = answer_bytes(answer)
    finish = data.rindex(b"data: ")
    last = events_of(data[: min(kept, finish)])[-1]
    assert isinstance(last, Failed)
    assert not any(isinstance(event, Finish) for event in events_of(data[:finish]))


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "candidates", "content", "parts", "text", "functionCall", "name", "args", "finishReason", "error",
                    "usageMetadata", "promptFeedback", "blockReason", "inlineData", "data", "partialArgs", "contents",
                    "role", "functionResponse", "response", "tools", "functionDeclarations", "parameters", "type",
                    "toolConfig", "generationConfig", "thinkingConfig", "systemInstruction", "thought", "properties",
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(JUNK)
def test_no_upstream_answer_raises(tree: Any) -> None:
    events = events_of(sse(tree), scope(conversation()))
    assert isinstance(events[-1], Failed | Finish)
    if isinstance(tree, dict):
        assert isinstance(list(GEMINI.read_answer(tree, scope()))[-1], Failed | Finish)
        GEMINI.read_error(500, {}, json.dumps(tree).encode())


@settings(max_examples=150, deadline=None)
@given(JUNK)
def test_a_hostile_request_is_read_or_refused_with_a_400(tree: Any) -> None:
    body = tree if isinstance(tree, dict) else {"contents": tree}
    try:
        talk = GEMINI.read_request(head(), body)
    except GatewayError as error:
        refused = error.status
    else:
        refused = None
    assert refused in (None, 400)
    if refused is not None:
        return
    for schema in ("parameters", "parametersJsonSchema"):
        GEMINI.write_request(talk, WireTarget("m", False, True, {"tool_schema": schema}), Notes())
