"""Generated conversations over every pair: no introduced violation, one meaning in both modes, any cut the same bytes.

Requests: turns, parallel calls answered in any order or not at all, thoughts, images, odd Unicode. Answers: any
sequence of the fake's steps. No sockets: pipeline and strict upstream are called as functions.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmswitch_core.canonical.fold import fold
from llmswitch_core.canonical.model import Answer, Protocol, Text, Thinking, ToolCall
from llmswitch_core.hub.invariants import introduced, of_conversation
from llmswitch_core.protocols.contract import Notes, RequestHead, Scope
from llmswitch_core.protocols.registry import CODECS
from llmswitch_core.protocols.sse import SseParser
from tests.fake_upstream import Finish, Framing, Parallel, Refusal, Script, Usage
from tests.fake_upstream import Text as Says
from tests.fake_upstream import Thinking as Thinks
from tests.fake_upstream import ToolCall as Calls
from tests.fake_upstream.script import Step

from . import grammar, upstream_view
from .cases import ALL, Cell
from .checks_requests import PIXEL
from .dialects import Ask, Call, Media, Part, Result, Say, Think, Tool, Turn, request, user
from .gateway import target
from .inprocess import InProcess, Passed

INSIDE = InProcess()
TOOLS = (Tool("get_weather"), Tool("run"), Tool("get_time"))
NAMES = [tool.name for tool in TOOLS]
MODEST = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

# Whole characters only: half ones have a case of their own (MP-31).
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30).filter(
    lambda t: t.strip() == t
) | st.sampled_from(
    [
        "naïve 東京 🌍",
        "a\u2028b\u2029c",
        "\ufeffx",
        '{"a": [1, 2]}',
        "data: [DONE]",
        "e\u0301 \U0001f469\u200d\U0001f680",
        "\\ud83d",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
arguments = st.dictionaries(texts, values, max_size=3).map(lambda d: json.dumps(d, ensure_ascii=False))
image = st.just(Media("image", "image/png", data=PIXEL))


@st.composite
def conversations(draw: st.DrawFn) -> Ask:
    """User turns, each followed by an answer, some of them tool loops; it ends with the user's word."""
    turns: list[Turn] = []
    number = 0
    if draw(st.booleans()):
        turns.append(Turn("system", (Say(draw(texts)),)))
    for _ in range(draw(st.integers(0, 4))):
        turns.append(user(*draw(st.lists(texts | image, min_size=1, max_size=3))))
        spoken: list[Part] = []
        if draw(st.booleans()):
            spoken.append(Think(draw(texts)))
        if draw(st.booleans()):
            spoken.append(Say(draw(texts)))
        calls = []
        for _ in range(draw(st.integers(0, 3))):
            number += 1
            calls.append(Call(f"call_{number}", draw(st.sampled_from(NAMES)), draw(arguments)))
        if not calls and not any(isinstance(p, Say) for p in spoken):
            spoken.append(Say("Yes."))
        turns.append(Turn("assistant", (*spoken, *calls)))
        if calls:
            answered = draw(st.permutations(calls))[: draw(st.integers(0, len(calls)))]
            results = tuple(
                Result(c.id, tuple(Say(t) for t in draw(st.lists(texts, min_size=1, max_size=2))), name=c.name)
                for c in answered
            )
            if results:
                turns.append(Turn("user", results))
            if draw(st.booleans()):
                turns.append(Turn("assistant", (Say(draw(texts)),)))
    turns.append(user(draw(texts)))
    return Ask(tuple(turns), tools=TOOLS)


pieces_of_answers = st.one_of(
    texts.map(lambda t: Says(t, size=3)),
    texts.map(lambda t: Thinks(t, size=4)),
    st.builds(Calls, st.sampled_from(NAMES), arguments, chunks=st.sampled_from(["split", "whole", "done_only"])),
    st.lists(st.builds(Calls, st.sampled_from(NAMES), arguments), min_size=2, max_size=3).flatmap(
        lambda calls: st.booleans().map(lambda mixed: Parallel(tuple(calls), mixed))
    ),
)
answers = st.lists(pieces_of_answers, min_size=1, max_size=4).flatmap(
    lambda steps: st.sampled_from([(), (Finish("length"),), (Refusal("No."),)]).map(
        lambda end: (
            *steps,
            *(end if not any(isinstance(s, Calls | Parallel) for s in steps) else ()),
            Usage(9, 8, 7, 0, 5),
        )
    )
)


def broken_pairing(protocol: str, path: str, query: dict[str, str], body: Any) -> tuple[str, ...]:
    """The gateway's own count of pairing violations in a body."""
    return of_conversation(CODECS[Protocol(protocol)].read_request(RequestHead("POST", path, query, {}), body))


@pytest.mark.parametrize("pair", ALL)
@MODEST
@given(ask=conversations())
def test_generated_conversations_stay_sound(pair: str, ask: Ask) -> None:
    """Across protocols the strict upstream finds nothing at all; in the same protocol nothing that was not there."""
    cell = Cell("generated", pair, "whole")
    INSIDE.reset()
    passed = INSIDE.ask(cell, ask)
    asked = passed.reply.upstream[0]
    sent = request(cell.inbound, ask, target(cell.outbound), stream=False)
    before = broken_pairing(cell.inbound, sent.path, sent.query, sent.body)
    assert introduced(before, broken_pairing(cell.outbound, asked.path, asked.query, asked.body)) == ()
    if cell.same:
        assert asked.body == {**sent.body, **({} if cell.inbound == "gemini" else {"model": asked.model})}
        return
    assert [(v.rule, v.message) for v in asked.violations] == []
    seen = upstream_view.read(cell.outbound, asked.body)
    assert [(c.name, json.loads(c.arguments)) for c in seen.calls] == [
        (c.name, json.loads(c.arguments)) for t in ask.turns for c in t.parts if isinstance(c, Call)
    ]
    assert [r.id for r in seen.results] == [c.id for c in seen.calls]
    said = "\n".join(seen.texts)
    at = -1
    for turn in ask.turns:
        for part in turn.parts:
            if isinstance(part, Say) and turn.role != "system":
                at = said.find(part.text, at + 1 if at < 0 else at)
                assert at >= 0, f"{part.text!r} is lost, or out of its order"
    given_images = sum(isinstance(p, Media) for t in ask.turns for p in t.parts)
    assert len(seen.parts(Media)) == given_images


def read_back(passed: Passed) -> Answer:
    """What the gateway's own reader makes of the client's bytes: one meaning, whatever the mode."""
    reply = passed.reply
    codec = CODECS[Protocol(reply.protocol)]
    numbers = iter(range(10_000))
    scope = Scope(lambda prefix: f"{prefix}{next(numbers)}", 1, passed.exchange.conversation, Notes())
    if not reply.stream:
        return fold(codec.read_answer(json.loads(reply.body), scope))
    parser, reader = SseParser(), codec.stream_reader(scope)
    frames = [*parser.feed(reply.body), *parser.flush()]
    return fold([*(e for frame in frames for e in reader.feed(frame)), *reader.end()])


def meaning(answer: Answer) -> dict[str, Any]:
    """Texts, thoughts, calls, finish and usage; ids and the places of blocks may differ between modes."""
    return {
        "text": "".join(p.text for p in answer.parts if isinstance(p, Text)),
        "thinking": "".join(p.text for p in answer.parts if isinstance(p, Thinking)),
        "calls": [(p.name, json.loads(p.arguments or "{}")) for p in answer.parts if isinstance(p, ToolCall)],
        "finish": answer.finish,
        "usage": answer.usage and (answer.usage.input, answer.usage.output, answer.usage.cache_read),
    }


@pytest.mark.parametrize("pair", ALL)
@MODEST
@given(steps=answers)
def test_stream_and_whole_mean_the_same(pair: str, steps: tuple[Step, ...]) -> None:
    """The fold of the stream is the answer; the stream keeps its grammar; nothing is introduced."""
    meanings = []
    for mode in ("stream", "whole"):
        INSIDE.reset()
        INSIDE.fake.script(Script(steps))
        cell = Cell("generated", pair, mode)  # type: ignore[arg-type]
        passed = INSIDE.ask(cell, Ask(tools=TOOLS))
        assert passed.failure is None, passed.failure
        assert passed.outcome is not None
        assert passed.outcome.introduced == ()
        if mode == "stream":
            trace = grammar.check(cell.inbound, passed.reply.body, forwarded=cell.same)
            assert trace.complete
            said = "".join(s.text for s in steps if isinstance(s, Says))
            # M and G have no refusal part: its words are the last of the text.
            assert trace.text in (said, said + "".join(s.text for s in steps if isinstance(s, Refusal)))
        meanings.append(meaning(read_back(passed)))
    assert meanings[0] == meanings[1]
    assert meanings[0]["thinking"] == "".join(s.text for s in steps if isinstance(s, Thinks))


@pytest.mark.parametrize("pair", ALL)
@MODEST
@given(steps=answers, seed=st.integers(0, 10_000), crlf=st.booleans(), bom=st.booleans())
def test_any_cut_gives_the_same_bytes(pair: str, steps: tuple[Step, ...], seed: int, crlf: bool, bom: bool) -> None:
    """In one piece, byte by byte, and cut at random."""
    cell = Cell("generated", pair, "stream")
    framing = Framing(newline="\r\n" if crlf else "\n", bom=bom)
    bodies = set()
    for cuts in (None, range(1, 100_000), random.Random(seed)):
        INSIDE.reset()
        INSIDE.fake.script(Script(steps, framing))
        passed = INSIDE.ask(cell, Ask(tools=TOOLS), cuts=cuts)
        assert passed.failure is None, passed.failure
        bodies.add(passed.reply.body)
    assert len(bodies) == 1
