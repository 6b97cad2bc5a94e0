"""Laws of the codec over generated conversations and answers, and over hostile input."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.events import Failed, Finish, StreamEvent
from llmswitch_core.canonical.fold import fold, unfold
from llmswitch_core.canonical.model import (
    Answer,
    CacheControl,
    Conversation,
    CustomTool,
    FinishReason,
    FunctionTool,
    Media,
    Opaque,
    OutputFormat,
    Part,
    Protocol,
    Reasoning,
    Refusal,
    Sampling,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
    Usage,
)

from .support import CODEC, HEAD, chunk, events, scope, stream, written

law = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
words = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
ids = st.one_of(words, st.text(st.sampled_from("ab:./_-é"), min_size=1, max_size=9))
"""Short enough to be escaped reversibly; longer ones are hashed (canonical/ids.py has its own laws)."""
json_texts = st.dictionaries(words, st.one_of(texts, st.integers(), st.none()), max_size=3).map(json.dumps)
caches = st.one_of(st.none(), st.builds(CacheControl, ttl=st.sampled_from([None, "5m", "1h"])))
base64s = st.sampled_from(["QUJD", "REVG", "R0g="])

media = st.one_of(
    st.builds(
        Media,
        kind=st.just("image"),
        media_type=st.sampled_from(["image/png", "image/webp"]),
        data=base64s,
        detail=st.sampled_from([None, "low"]),
        cache=caches,
    ),
    st.builds(Media, kind=st.just("image"), url=st.just("https://x/y.png")),
    st.builds(
        Media,
        kind=st.just("document"),
        media_type=st.just("application/pdf"),
        data=base64s,
        name=words.map(lambda w: f"{w}.pdf"),
    ),
    st.builds(Media, kind=st.just("document"), file_id=words, name=st.one_of(st.none(), words)),
    st.builds(Media, kind=st.just("audio"), media_type=st.sampled_from(["audio/wav", "audio/mpeg"]), data=base64s),
    st.builds(Media, kind=st.just("video"), url=st.just("https://x/y.mp4")),
)
text_parts = st.builds(Text, text=texts, cache=caches)
opaque = st.builds(
    Opaque, protocol=st.just(Protocol.OPENAI_CHAT), label=st.just("novel"), wire=st.just({"type": "novel", "x": [1]})
)
signed = st.one_of(
    st.builds(Thinking, text=texts, signature=words, origin=st.just(Protocol.ANTHROPIC_MESSAGES)),
    st.builds(Thinking, redacted=words, origin=st.just(Protocol.ANTHROPIC_MESSAGES)),
    st.builds(
        Thinking,
        text=texts,
        signature=words,
        summary=st.just(True),
        id=words,
        origin=st.just(Protocol.OPENAI_RESPONSES),
    ),
    st.builds(Thinking, text=texts, signature=words, origin=st.just(Protocol.GEMINI)),
)
# One message carries either plain thinking, which has one member, or signed pieces, which have their own list.
thinking = st.one_of(
    st.just([]), st.builds(Thinking, text=texts).map(lambda part: [part]), st.lists(signed, min_size=1, max_size=2)
)


@st.composite
def exchanges(draw: st.DrawFn) -> list[Turn]:
    """An assistant turn with calls, and the turn of their results."""
    calls = [
        ToolCall(
            id=call_id,
            name=draw(words),
            arguments=draw(texts) if kind == "custom" else draw(json_texts),
            kind=kind,
            signature=draw(st.one_of(st.none(), words)),
        )
        for call_id in draw(st.lists(ids, min_size=1, max_size=3, unique=True))
        for kind in [draw(st.sampled_from(["function", "custom"]))]
    ]
    said: list[Part] = [*draw(thinking), *draw(st.lists(text_parts, max_size=2)), *calls]
    results: list[Part] = [
        ToolResult(call.id, list(draw(st.lists(text_parts, max_size=2))), kind=call.kind) for call in calls
    ]
    return [Turn("assistant", said), Turn("user", results)]


plain_turns = st.one_of(
    st.builds(Turn, st.just("user"), st.lists(st.one_of(text_parts, media, opaque), min_size=1, max_size=3)),
    st.builds(
        Turn,
        st.just("system"),
        st.lists(text_parts, min_size=1, max_size=2),
        developer=st.booleans(),
        name=st.one_of(st.none(), words),
    ),
    st.tuples(thinking, st.lists(text_parts, min_size=1, max_size=2)).map(
        lambda pair: Turn("assistant", [*pair[0], *pair[1]])
    ),
    texts.map(lambda text: Turn("assistant", [Refusal(text)])),
).map(lambda turn: [turn])


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    groups = draw(st.lists(st.one_of(plain_turns, exchanges()), min_size=1, max_size=6))
    names = draw(st.lists(words, max_size=3, unique=True))
    tools = [
        draw(
            st.one_of(
                st.builds(
                    FunctionTool,
                    st.just(name),
                    st.one_of(st.none(), texts),
                    st.sampled_from([None, {"type": "object", "properties": {}}]),
                    st.one_of(st.none(), st.booleans()),
                    cache=caches,
                ),
                st.builds(
                    CustomTool,
                    st.just(name),
                    st.one_of(st.none(), texts),
                    st.sampled_from([None, {"type": "text"}, {"type": "grammar", "syntax": "lark", "definition": "x"}]),
                ),
            )
        )
        for name in names
    ]
    choices: list[Any] = [None]
    if tools:
        kind = "custom" if isinstance(tools[0], CustomTool) else "function"
        choices += [ToolChoice("auto"), ToolChoice("required"), ToolChoice("named", names[0], kind=kind)]
        choices += [ToolChoice("auto", allowed=tuple(names))]
    return Conversation(
        protocol=Protocol.OPENAI_CHAT,
        model="target-model",
        turns=[turn for group in groups for turn in group],
        tools=tools,
        tool_choice=draw(st.sampled_from(choices)),
        parallel_tool_calls=draw(st.sampled_from([None, True, False])) if tools else None,
        sampling=draw(
            st.builds(
                Sampling,
                max_output_tokens=st.one_of(st.none(), st.integers(1, 10**6)),
                temperature=st.one_of(st.none(), st.floats(0, 2)),
                top_k=st.one_of(st.none(), st.integers(1, 100)),
                stop=st.one_of(st.none(), st.lists(words, min_size=1, max_size=3)),
                n=st.sampled_from([None, 1, 2]),
                seed=st.one_of(st.none(), st.integers(0, 2**53)),
            )
        ),
        reasoning=draw(
            st.sampled_from([None, Reasoning(mode="on", effort="xhigh"), Reasoning(mode="off", effort="none")])
        ),
        output=draw(
            st.sampled_from(
                [None, OutputFormat("json"), OutputFormat("json_schema", {"type": "object"}, "A", strict=True)]
            )
        ),
        user=draw(st.one_of(st.none(), words)),
        store=draw(st.sampled_from([None, True, False])),
        metadata=draw(st.sampled_from([None, {"a": "b"}])),
        extensions=draw(st.sampled_from([{}, {"prediction": {"type": "content"}}, {"safety_identifier": "s"}])),
    )


def _neutral(conversation: Conversation) -> Conversation:
    """The parts of a conversation that this wire can tell apart."""
    tree = copy.deepcopy(conversation)
    if tree.user is None:
        tree.user = tree.extensions.get("safety_identifier")
    merged: list[Turn] = []
    for turn in tree.turns:
        results = turn.role == "user" and all(isinstance(part, ToolResult) for part in turn.parts)
        last = merged[-1] if merged else None
        if results and last is not None and last.role == "user" and all(isinstance(p, ToolResult) for p in last.parts):
            last.parts += turn.parts
        else:
            merged.append(turn)
    tree.turns = merged
    return tree


@law
@given(conversations())
def test_a_conversation_written_and_read_again_is_the_same(conversation: Conversation) -> None:
    body, notes = written(conversation, developer_role=True)
    wire = json.loads(json.dumps(body))
    assert _neutral(CODEC.read_request(HEAD, wire)) == _neutral(conversation)
    assert notes == {}


@law
@given(conversations())
def test_mp19_a_longer_history_has_the_shorter_one_as_its_prefix(conversation: Conversation) -> None:
    longer = copy.deepcopy(conversation)
    longer.turns.append(Turn("user", [Text("more")]))
    short, long = written(conversation)[0]["messages"], written(longer)[0]["messages"]
    assert long[: len(short)] == short


@law
@given(conversations())
def test_mp04_every_written_history_is_legal(conversation: Conversation) -> None:
    conversation.protocol = Protocol.ANTHROPIC_MESSAGES
    for message in conversation.turns:
        for part in list(message.parts):
            if isinstance(part, Media) and (part.file_id or part.kind == "video"):
                message.parts.remove(part)
    conversation.sampling.n = None
    waiting: list[str] = []
    for message in written(conversation)[0]["messages"]:
        if message["role"] == "tool":
            assert message["tool_call_id"] == waiting.pop(0)
            continue
        assert not waiting
        waiting = [call["id"] for call in message.get("tool_calls", [])]
        assert message["content"] or waiting
        assert message["role"] in {"system", "user", "assistant"}


# --- answers -------------------------------------------------------------------------------------------

answer_parts = st.lists(
    st.one_of(
        texts.map(lambda text: [Text(text)]),
        texts.map(lambda text: [Thinking(text)]),
        signed.map(lambda part: [part]),
        st.lists(
            st.builds(ToolCall, id=words, name=words, arguments=json_texts, signature=st.one_of(st.none(), words)),
            min_size=1,
            max_size=3,
            unique_by=lambda call: call.id,
        ),
        st.just([Media("image", media_type="image/png", data="QUJD")]),
    ),
    max_size=5,
).map(lambda groups: [part for group in groups for part in group])


def _would_join(part: Any, last: Any) -> bool:
    if isinstance(part, Thinking) and isinstance(last, Thinking):
        return not (_has_token(part) and _has_token(last))
    return isinstance(part, Text) and isinstance(last, Text)


def _has_token(part: Thinking) -> bool:
    return part.signature is not None or part.redacted is not None


def _ordered(parts: list[Any]) -> list[Any]:
    """Parts with ids of their own, no two plain parts of one kind in a row (this wire joins those)."""
    out: list[Any] = []
    seen: set[str] = set()
    for part in parts:
        last = out[-1] if out else None
        if isinstance(part, ToolCall):
            if part.id in seen:
                continue
            seen.add(part.id)
        elif _would_join(part, last):
            continue
        out.append(part)
    return out


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    parts = _ordered(draw(answer_parts))
    called = any(isinstance(part, ToolCall) for part in parts)
    reason = draw(st.sampled_from([FinishReason.LENGTH, FinishReason.TOOL_CALLS if called else FinishReason.STOP]))
    counts = st.integers(0, 10**6)
    usage = draw(st.one_of(st.none(), st.builds(Usage, counts, counts, counts, counts, counts)))
    return Answer(
        id="chatcmpl-1", model="m-1", parts=list(parts), finish=reason, usage=usage, created=3, service_tier="default"
    )


def _judged(answer: Answer) -> Answer:
    """An answer without the upstream's own spelling of things."""
    usage = msgspec.structs.replace(answer.usage, wire=None) if answer.usage is not None else None
    return msgspec.structs.replace(answer, finish_wire=None, usage=usage)


def _pieces(answer: Answer, size: int) -> list[StreamEvent]:
    """The events of an answer, texts cut into pieces."""
    out: list[StreamEvent] = []
    for event in unfold(answer):
        text = getattr(event, "text", None)
        if not isinstance(text, str):
            out.append(event)
        else:
            out += [msgspec.structs.replace(event, text=text[i : i + size]) for i in range(0, len(text), size)]
    return out


@law
@given(answers(), st.integers(1, 5), st.lists(st.integers(1, 90), max_size=40))
def test_mp11_a_stream_written_and_read_again_folds_to_the_same_answer(
    answer: Answer, size: int, sizes: list[int]
) -> None:
    writer = CODEC.stream_writer(scope(include_usage=True))
    raw = b"".join(writer.write(event) for event in _pieces(answer, size))
    assert _judged(fold(events(raw, sizes=sizes))) == _judged(answer)


@law
@given(answers())
def test_a_whole_answer_is_the_fold_of_its_stream(answer: Answer) -> None:
    whole = fold(CODEC.read_answer(json.loads(CODEC.write_answer(answer, scope())), scope()))
    # A whole message has one member per kind, so order between kinds is not in it; the content is.
    kinds = (Text, Thinking, ToolCall, Media)
    for kind in kinds:
        mine = [part for part in whole.parts if isinstance(part, kind)]
        theirs = [part for part in answer.parts if isinstance(part, kind)]
        if kind is Text:
            assert "".join(p.text for p in mine) == "".join(p.text for p in theirs)
        elif kind is Thinking:
            signatures = [(p.signature, p.redacted) for p in theirs if p.signature or p.redacted]
            assert [(p.signature, p.redacted) for p in mine if p.signature or p.redacted] == signatures
        else:
            assert mine == theirs
    assert (whole.finish, _judged(whole).usage) == (answer.finish, answer.usage)


# --- hostile input -------------------------------------------------------------------------------------

odd = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.sampled_from(["", "x", "text", "tool"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["type", "text", "id", "name", "function", "x"]), inner, max_size=3),
    ),
    max_leaves=6,
)


def _places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    out = [path] if path else []
    if isinstance(tree, dict):
        for key, value in tree.items():
            out += _places(value, (*path, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            out += _places(value, (*path, index))
    return out


def _replaced(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    tree = copy.deepcopy(tree)
    holder = tree
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return tree


REQUEST: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ"}}]},
        {"role": "user", "content": [{"type": "file", "file": {"file_data": "QQ", "filename": "a.pdf"}}]},
        {
            "role": "assistant",
            "content": "a",
            "reasoning_content": "t",
            "reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "s", "format": "x", "index": 0}],
            "annotations": [],
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "d", "type": "custom", "custom": {"name": "p", "input": "x"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c", "content": "r"},
        {"role": "tool", "tool_call_id": "d", "content": [{"type": "text", "text": "r"}]},
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "r"},
    ],
    "tools": [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
        {"type": "custom", "custom": {"name": "p", "format": {"type": "grammar", "grammar": {"syntax": "lark"}}}},
    ],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "A", "schema": {}}},
    "stream_options": {"include_usage": True},
    "reasoning": {"effort": "low"},
    "thinking": {"type": "enabled"},
    "metadata": {"a": "b"},
    "logit_bias": {"1": 2},
    "stop": ["x"],
    "max_tokens": 5,
}


@settings(law, max_examples=300)
@given(st.sampled_from(_places(REQUEST)), odd)
def test_wrong_types_anywhere_in_a_request_are_taken_or_refused_but_never_crash(path: Any, value: Any) -> None:
    with contextlib.suppress(GatewayError):  # which is the one way to refuse
        written(CODEC.read_request(HEAD, _replaced(REQUEST, path, value)))


FRAMES: list[dict[str, Any]] = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"reasoning_content": "t", "reasoning_details": [{"type": "reasoning.text", "text": "t", "format": "x"}]}),
    chunk({"content": "a", "annotations": [{"type": "url_citation"}]}),
    chunk({"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": "}"}}], "images": [{"image_url": {"url": "u"}}]}),
    chunk({}, "tool_calls", usage={"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}}),
]


@settings(law, max_examples=300)
@given(st.sampled_from(_places(FRAMES)), odd)
def test_wrong_types_anywhere_in_a_stream_end_in_one_finish_or_failure(path: Any, value: Any) -> None:
    got = events(stream(*_replaced(FRAMES, path, value)))
    assert isinstance(got[-1], Finish | Failed)
    assert sum(isinstance(event, Finish | Failed) for event in got) == 1
    writer = CODEC.stream_writer(scope())
    assert b"".join(writer.write(event) for event in got)


WHOLE: dict[str, Any] = {
    "id": "x",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "content": [{"type": "text", "text": "a"}],
                "refusal": "r",
                "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}],
                "function_call": None,
                "audio": {"id": "a"},
            },
        }
    ],
    "usage": {"prompt_tokens": 1},
}


@settings(law, max_examples=200)
@given(st.sampled_from(_places(WHOLE)), odd)
def test_wrong_types_anywhere_in_an_answer_end_in_one_finish_or_failure(path: Any, value: Any) -> None:
    got = list(CODEC.read_answer(_replaced(WHOLE, path, value), scope()))
    assert isinstance(got[-1], Finish | Failed)
    if isinstance(got[-1], Finish):
        assert CODEC.write_answer(fold(got), scope())
