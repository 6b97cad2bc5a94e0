"""What goes upstream besides tools: MP-17 to MP-20, MP-30."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.fake_upstream import Text, Thinking, ToolCall
from tests.fake_upstream.script import Step

from .bench import Bench, Reply
from .cases import PROTOCOL, Cell
from .checks import proves
from .checks_answers import replay
from .checks_tools import TOOLS, history
from .dialects import Ask, Call, Json, Media, Result, Say, Turn, assistant, user
from .gateway import PROVIDER, target
from .upstream_view import Seen

# --- MP-17

EMPTY: dict[str, tuple[Json, ...]] = {
    "openai-chat": (
        {
            "messages": [
                {"role": "system", "content": ""},
                {"role": "user", "content": "Rome?"},
                {"role": "assistant", "content": ""},
                {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "Well?"}]},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "run", "arguments": ""}}],
                },
                {"role": "tool", "tool_call_id": "c1", "content": ""},
            ],
            "tools": [],
            "stop": None,
            "tool_choice": None,
            "temperature": None,
        },
    ),
    "openai-responses": (
        {
            "instructions": "",
            "input": [
                {"role": "developer", "content": []},
                {"role": "user", "content": "Rome?"},
                {"type": "message", "role": "assistant", "content": []},
                {"role": "user", "content": [{"type": "input_text", "text": ""}, {"type": "input_text", "text": "?"}]},
                {"type": "reasoning", "id": "rs_1", "summary": [], "content": None, "encrypted_content": None},
                {"type": "function_call", "call_id": "c1", "name": "run", "arguments": ""},
                {"type": "function_call_output", "call_id": "c1", "output": ""},
            ],
            "tools": [],
            "include": None,
            "previous_response_id": None,
        },
    ),
    "anthropic-messages": (
        {
            "system": "",
            "max_tokens": 50,
            "messages": [
                {"role": "user", "content": "Rome?"},
                {"role": "assistant", "content": []},
                {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "Well?"}]},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "run", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1"}]},
            ],
            "tools": [],
            "stop_sequences": None,
            "metadata": None,
        },
        {
            "system": [],
            "max_tokens": 50,
            "messages": [
                {"role": "user", "content": "Rome?"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "run", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": []}]},
                {"role": "system", "content": []},
            ],
        },
    ),
    "gemini": (
        {
            "systemInstruction": {"parts": [{"text": ""}]},
            "contents": [
                {"role": "user", "parts": [{"text": "Rome?"}]},
                {"role": "model", "parts": []},
                {"role": "user", "parts": [{"text": ""}, {"text": "Well?"}]},
                {"role": "model", "parts": [{"functionCall": {"name": "run", "id": "c1"}}]},
                {"role": "user", "parts": [{"functionResponse": {"name": "run", "id": "c1", "response": {}}}]},
            ],
            "tools": [],
            "toolConfig": None,
            "generationConfig": {},
        },
    ),
}


@proves("MP-17")
def empty_content_is_accepted_and_left_out(bench: Bench, cell: Cell) -> None:
    """Empty system, empty turns, results without content, null and []: legal for the target, without empty texts."""
    for body in EMPTY[cell.inbound]:
        bench.reset()
        if cell.same:
            bench.up.do(lambda: setattr(bench.up.upstream, "strict", False))
        bench.script(Text("fine"))
        reply = bench.ask(cell, dict(body))
        assert reply.answer().text == "fine"
        bench.legal()
        if cell.same:
            assert history(cell.outbound, reply.upstream[-1].body) == history(cell.inbound, body)
            continue
        seen = reply.asked
        for turn in seen.turns:
            if not any(isinstance(p, Result) for p in turn.parts):
                assert turn.parts, f"an empty turn: {seen.turns}"
                assert all(p.text for p in turn.parts if isinstance(p, Say)), f"an empty text: {seen.turns}"
        assert [c.name for c in seen.calls] == ["run"]
        assert len(seen.results) == 1


@proves("MP-17")
def an_empty_answer_is_no_block(bench: Bench, cell: Cell) -> None:
    """An upstream that opens a text and says nothing: no empty block for the client, and a call behind it is kept."""
    bench.script(Text("", pieces=("",)), ToolCall("run", "{}"))
    reply = bench.ask(cell, Ask(tools=TOOLS))
    answer = reply.answer()
    assert answer.text == ""
    assert [c.name for c in answer.calls] == ["run"]
    if not cell.same:
        assert "text" not in answer.order
        if cell.inbound == "anthropic-messages":
            assert b'"type":"text"' not in reply.body
    bench.script(Text(""))
    assert bench.ask(cell, Ask()).answer().text == ""


# --- MP-18

SYSTEMS: dict[str, tuple[Json, ...]] = {
    "openai-chat": (
        {
            "messages": [
                {"role": "system", "content": "Rule one."},
                {"role": "developer", "content": [{"type": "text", "text": "Rule two."}]},
                {"role": "user", "content": "Hi."},
                {"role": "system", "content": "Rule three."},
                {"role": "user", "content": "Go."},
            ]
        },
    ),
    "openai-responses": (
        {
            "instructions": "Rule one.",
            "input": [
                {"role": "developer", "content": [{"type": "input_text", "text": "Rule two."}]},
                {"role": "user", "content": "Hi."},
                {"role": "system", "content": "Rule three."},
                {"role": "user", "content": "Go."},
            ],
        },
    ),
    "anthropic-messages": (
        {
            "max_tokens": 50,
            "system": [{"type": "text", "text": "Rule one."}, {"type": "text", "text": "Rule two."}],
            "messages": [
                {"role": "user", "content": "Hi."},
                {"role": "system", "content": "Rule three."},
                {"role": "user", "content": "Go."},
            ],
        },
        {
            "max_tokens": 50,
            "system": "Rule one.",
            "messages": [
                {"role": "system", "content": "Rule two."},
                {"role": "user", "content": "Hi."},
                {"role": "system", "content": [{"type": "text", "text": "Rule three."}]},
                {"role": "user", "content": "Go."},
            ],
        },
    ),
    "gemini": (
        {
            "systemInstruction": {"parts": [{"text": "Rule one."}, {"text": "Rule two."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "Hi."}]},
                {"role": "user", "parts": [{"text": "Rule three."}]},
                {"role": "user", "parts": [{"text": "Go."}]},
            ],
        },
    ),
}


@proves("MP-18")
def system_text_keeps_its_order(bench: Bench, cell: Cell) -> None:
    """Leading ones become the target's system text, later ones stay where they were; the history is legal."""
    for body in SYSTEMS[cell.inbound]:
        bench.reset()
        bench.script(Text("fine"))
        reply = bench.ask(cell, dict(body))
        reply.answer()
        bench.legal()
        seen = reply.asked
        said = "\n".join(seen.texts)
        at = [said.index(t) for t in ("Rule one.", "Rule two.", "Hi.", "Rule three.", "Go.")]
        assert at == sorted(at), f"the order is lost: {seen.turns}"
        assert said.count("Rule") == 3
        leading = "\n".join(p.text for p in _leading_system(seen))
        assert "Rule one." in leading
        assert "Rule two." in leading
        assert "Hi." not in leading
        if cell.same:
            # `developer` is OpenAI's own word: the profile of a server that merely speaks its dialect says `system`.
            sent = json.dumps(reply.upstream[-1].body).replace('"developer"', '"system"')
            kept = json.dumps(body).replace('"developer"', '"system"')
            assert history(cell.outbound, json.loads(sent)) == history(cell.inbound, json.loads(kept))


def _leading_system(seen: Seen) -> list[Say]:
    texts: list[Say] = []
    for turn in seen.turns:
        if turn.role != "system":
            break
        texts.extend(p for p in turn.parts if isinstance(p, Say))
    return texts


# --- MP-19

LONG = {"type": "ephemeral", "ttl": "1h"}
SHORT = {"type": "ephemeral"}


def cached_messages(model: str, turns: int = 1) -> Json:
    """A Messages body with breakpoints wherever the API takes them."""
    body: Json = {
        "model": model,
        "max_tokens": 100,
        "system": [{"type": "text", "text": "Rules."}, {"type": "text", "text": "More rules.", "cache_control": LONG}],
        "tools": [{"name": "run", "input_schema": {"type": "object"}, "cache_control": LONG}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Go.", "cache_control": SHORT}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "run", "input": {"a": 1}}]},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "ok", "cache_control": SHORT}],
            },
        ],
    }
    for n in range(1, turns):
        body["messages"].append({"role": "assistant", "content": f"Answer {n}."})
        body["messages"].append({"role": "user", "content": f"Question {n}."})
    return body


@proves("MP-19")
def breakpoints_arrive_or_are_noted(bench: Bench, cell: Cell) -> None:
    """M to M byte for byte, from turn to turn with an equal prefix; a C client's on parts reach M; else a note."""
    bench.script(Text("fine"), times=4)
    if cell.inbound == "anthropic-messages":
        body = cached_messages(target(cell.outbound))
        first, second = bench.ask(cell, body), bench.ask(cell, cached_messages(target(cell.outbound), turns=3))
        bench.legal()
        if cell.same:
            assert reachable(first) == reachable_of(body)
            prefix = first.upstream[-1].raw.rpartition(b"]")[0]
            shared = prefix[prefix.index(b'"system"') :]
            assert shared in second.upstream[-1].raw, "the prefix of the next turn differs"
        else:
            assert not reachable(first)
            for name in ("text.cache", "tool.cache", "tool_result.cache"):
                assert first.notes.get(name) in ("dropped", "mapped"), f"{name} in {first.notes}"
        top = bench.ask(cell, {**cached_messages(target(cell.outbound)), "cache_control": SHORT, "tools": []})
        if cell.same:
            assert top.upstream[-1].body["cache_control"] == SHORT
        else:
            assert top.notes.get("cache") in ("dropped", "mapped"), top.notes
        return
    if cell.inbound == "openai-chat":
        content = [{"type": "text", "text": "Long.", "cache_control": LONG}, {"type": "text", "text": "Go."}]
        body = {"messages": [{"role": "system", "content": content[:1]}, {"role": "user", "content": content}]}
        reply = bench.ask(cell, body)
        reply.answer()
        bench.legal()
        assert reachable(reply) == [LONG, LONG]
        return
    body = {"input": "Go.", "prompt_cache_key": "k-1", "prompt_cache_retention": "24h"}
    reply = bench.ask(cell, body)
    reply.answer()
    bench.legal()
    assert reply.notes.get("extensions.prompt_cache_retention") == "dropped" or reachable(reply), reply.notes


def reachable(reply: Reply) -> list[Any]:
    """Every cache_control that reached the upstream, in order."""
    return reachable_of(reply.upstream[-1].body)


def reachable_of(value: Any) -> list[Any]:
    """Every cache_control in a JSON tree, in order."""
    if isinstance(value, list):
        return [found for inner in value for found in reachable_of(inner)]
    if not isinstance(value, dict):
        return []
    mine = [value["cache_control"]] if "cache_control" in value else []
    return mine + [found for key, inner in value.items() if key != "cache_control" for found in reachable_of(inner)]


# --- MP-20

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(64))).decode()
PAPER = base64.b64encode(b"%PDF-1.7\n" + bytes(range(250, 256)) * 9).decode()
IMAGE = Media("image", "image/png", data=PIXEL)
IMAGE_URL = Media("image", "image/jpeg", url="https://example.com/cat.jpg")
PDF = Media("document", "application/pdf", data=PAPER)


def arrived(reply: Reply) -> list[Media]:
    """Every image and document of the upstream request, those inside results included, in order."""
    found: list[Media] = []
    for turn in reply.asked.turns:
        for part in turn.parts:
            inner = part.content if isinstance(part, Result) else (part,)
            found.extend(p for p in inner if isinstance(p, Media))
    return found


@proves("MP-20")
def images_and_documents_arrive(bench: Bench, cell: Cell) -> None:
    """Base64 and URL, in a user's turn: the same bytes, the same kind, never as text."""
    bench.script(Text("fine"), times=2)
    reply = bench.ask(cell, Ask((user("See:", IMAGE, "and", PDF, "read."),)))
    reply.answer()
    bench.legal()
    got = arrived(reply)
    assert [(m.kind, m.data) for m in got] == [("image", PIXEL), ("document", PAPER)]
    assert [m.media_type for m in got] == ["image/png", "application/pdf"]
    assert "\n".join(reply.asked.texts).count(PIXEL[:20]) == 0
    linked = bench.ask(cell, Ask((user("See:", IMAGE_URL),)))
    linked.answer()
    bench.legal()
    assert [m.url for m in arrived(linked)] == ["https://example.com/cat.jpg"]


@proves("MP-20")
def images_in_results_are_rehomed(bench: Bench, cell: Cell) -> None:
    """Inside a tool result where the target has a slot, else in the user's turn behind it; results stay answers."""
    bench.script(Text("fine"))
    turns = (
        user("Look."),
        assistant(Call("c1", "run"), Call("c2", "get_time")),
        user(
            Result("c1", (Say("a picture"), IMAGE), name="run"),
            Result("c2", (Say("noon"),), name="get_time"),
        ),
    )
    if cell.inbound == "openai-chat":
        # A C client has no slot either: it sends the picture behind all of its results.
        turns = (*turns[:2], user(Result("c1", (Say("a picture"),)), Result("c2", (Say("noon"),)), IMAGE))
    reply = bench.ask(cell, Ask(turns, tools=TOOLS))
    reply.answer()
    bench.legal()
    assert [m.data for m in arrived(reply)] == [PIXEL]
    seen = reply.asked
    assert [r.id for r in seen.results] == [c.id for c in seen.calls]
    assert "a picture" in str(seen.results[0].content)
    everything = json.dumps(reply.upstream[-1].body)
    assert everything.count(PIXEL[:40]) == 1, "the image was sent twice, or as text"


# --- MP-30


@proves("MP-30")
def a_conversation_changes_its_provider(bench: Bench, cell: Cell) -> None:
    """A tool loop begun on another upstream, of each protocol, goes on over this one."""
    for letter, before in PROTOCOL.items():
        bench.reset()
        steps: tuple[Step, ...] = (Thinking("Hm."), Text("Let me look."), ToolCall("get_weather", '{"city": "Rom"}'))
        bench.script(*steps)
        there = Cell(cell.case, cell.pair[0] + letter, cell.mode)
        ask = Ask(tools=TOOLS, thinking=False)
        first = bench.ask(there, ask, model=target(before)).answer()
        parts = [p for p in replay(first, cell.inbound) if not isinstance(p, Call)]
        calls = [p for p in replay(first, cell.inbound) if isinstance(p, Call)]
        turns: tuple[Turn, ...] = (
            user("Rome?"),
            assistant(*parts, "Let me look.", *calls),
            user(*(Result(c.id, (Say("18 degrees"),), name=c.name) for c in first.calls)),
        )
        provider = PROVIDER[cell.outbound] + "-b"
        bench.script(Text("It is 18."))
        reply = bench.ask(cell, Ask(turns, tools=TOOLS), model=target(cell.outbound, provider=provider))
        assert reply.answer().text == "It is 18."
        bench.legal()
        seen = reply.asked
        assert [c.name for c in seen.calls] == ["get_weather"]
        assert [r.id for r in seen.results] == [c.id for c in seen.calls]
        assert "18 degrees" in str(seen.results[0].content)
        assert "Let me look." in "\n".join(seen.texts)
