"""What goes upstream besides tools: MP-17 to MP-20, MP-27, MP-30, MP-31."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.fake_upstream import Script, Text, Thinking, ToolCall
from tests.fake_upstream.script import Step

from .bench import Bench, Reply
from .cases import PROTOCOL, Cell
from .checks import proves
from .checks_tools import TOOLS, history, wire
from .dialects import Ask, Call, Json, Media, Result, Say, Turn, assistant, request, system, user
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


# --- MP-27

CURIOUS = b'"x_unknown": {"b": 1e5, "a": 1.10, "z": [1,  2], "t": "\\u00e9\\/"}'


@proves("MP-27")
def bytes_and_order_are_kept(bench: Bench, cell: Cell) -> None:
    """Members nobody knows, numbers as they were written, blanks and escapes, the order of keys."""
    bench.up.do(lambda: setattr(bench.up.upstream, "strict", False))
    bench.script(Text("fine"))
    raw = json.dumps(wire(cell, Ask()).body, indent=1).encode()
    raw = raw.rstrip()[:-1].rstrip() + b",\n " + CURIOUS + b"\n}"
    headers = {
        "anthropic-beta": "unheard-of-2030-01-01,other-2031-01-01",
        "anthropic-version": "2023-06-01",
        "openai-beta": "assistants=v9",
        "x-goog-api-client": "test/1",
        "cookie": "secret=1",
        "x-routecodex-conversation": "c-1",
    }
    reply = bench.ask(cell, raw, headers=headers)
    reply.answer()
    sent = reply.upstream[-1]
    assert CURIOUS.split(b": ", 1)[1] in sent.raw, sent.raw
    assert list(sent.body)[-1 if "stream_options" not in list(sent.body)[-1:] else -2] == "x_unknown"
    assert [k for k in sent.body if k != "stream_options"] == [k for k in json.loads(raw) if k != "stream_options"]
    member = {"gemini": "contents", "openai-responses": "input"}.get(cell.inbound, "messages")
    start = raw.index(b'"%s": ' % member.encode())
    kept = raw[raw.index(b"[", start) : raw.index(b"]", start) + 1]
    assert kept in sent.raw, "the history's bytes changed"
    assert sent.header("cookie") is None
    assert sent.header("x-routecodex-conversation") is None
    wanted = {"M": "anthropic-beta", "C": "openai-beta", "R": "openai-beta", "G": "x-goog-api-client"}[cell.pair[0]]
    assert sent.header(wanted) == headers[wanted]
    assert "client-key" not in str(sent.headers)


@proves("MP-27")
def answers_are_forwarded_as_they_came(bench: Bench, cell: Cell) -> None:
    """Unknown members of the answer, its own ids, its own frames."""
    from tests.fake_upstream import Framing

    bench.script(Script.of(Text("fine"), framing=Framing(extra={"x_more": {"n": 1}})))
    reply = bench.ask(cell, Ask())
    reply.answer()
    frames = reply.body.count(b'"x_more":{"n":1}')
    assert frames >= (2 if cell.stream else 1)


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
        from .checks_answers import replay

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


# --- MP-31


def _hostile(cell: Cell, text: str) -> bytes:
    """A request whose user's text is this raw JSON text (without quotes)."""
    mark = "@@text@@"
    raw = json.dumps(wire(cell, Ask((user(mark),))).body)
    return raw.replace(mark, text).encode("utf-8", "surrogatepass")


@proves("MP-31")
def lone_surrogates_do_not_kill(bench: Bench, cell: Cell) -> None:
    """A cut emoji in the request: U+FFFD in translation, the bytes kept in the same protocol."""
    bench.script(Text("fine"))
    reply = bench.ask(cell, _hostile(cell, "cut \\ud83d here"))
    assert reply.answer().text == "fine"
    bench.legal()
    if cell.same:
        assert b"cut \\ud83d here" in reply.upstream[-1].raw
    else:
        assert "cut \ufffd here" in "\n".join(reply.asked.texts)
        reply.upstream[-1].raw.decode("utf-8")


@proves("MP-31")
def surrogates_in_answers_do_not_kill(bench: Bench, cell: Cell) -> None:
    """The model cuts an emoji: a readable answer, valid UTF-8, and not a broken stream."""
    bench.script(Text("a\ud83db", pieces=("a\ud83d", "b")), ToolCall("run", '{"t": "x\\ud83dy"}', chunks="whole"))
    reply = bench.ask(cell, Ask(tools=TOOLS))
    if not cell.same:
        reply.body.decode("utf-8")
    if cell.stream:
        trace = reply.trace()
        assert trace.complete
        assert trace.text.startswith("a")
        assert trace.text.endswith("b")
    if not cell.same and not (cell.stream and cell.inbound == "anthropic-messages"):
        # A streamed escape that is legal JSON but half a character goes out as it came (MP-01): Anthropic's Python SDK
        # refuses it, its JavaScript one does not.
        answer = reply.answer()
        assert [c.name for c in answer.calls] == ["run"]


@proves("MP-31")
def odd_json_is_read(bench: Bench, cell: Cell) -> None:
    """A BOM, duplicate keys (the last counts), `1e5` for a number, huge integers."""
    raw = json.dumps(wire(cell, Ask((user("first"),))).body).encode()
    member = {"gemini": "contents", "openai-responses": "input"}.get(cell.inbound, "messages")
    other = json.dumps(history(cell.inbound, wire(cell, Ask((user("second"),))).body)).encode()
    doubled = raw[:-1] + b', "%s": %s}' % (member.encode(), other)
    bench.script(Text("fine"), times=3)
    reply = bench.ask(cell, doubled)
    assert reply.answer().text == "fine"
    assert reply.asked.texts == ["second"]
    bom = bench.ask(cell, b"\xef\xbb\xbf" + raw)
    assert bom.status in (200, 400)
    if bom.status == 200:
        assert bom.answer().text == "fine"
    limit = {"gemini": b'"maxOutputTokens": 1000', "openai-responses": b'"max_output_tokens": 1000'}
    spelled = limit.get(cell.inbound, b'"max_tokens": 1000')
    assert spelled in raw
    bench.relax("max_tokens", "max_output_tokens")
    floating = bench.ask(cell, raw.replace(spelled, spelled.replace(b"1000", b"1e3")))
    assert floating.answer().text == "fine"
    assert floating.asked.max_tokens == 1000


@proves("MP-31")
def nesting_has_a_limit(bench: Bench, cell: Cell) -> None:
    """Past it: a 400 in the client's envelope, no upstream asked, the gateway alive."""
    for levels in (300, 5000, 200_000):
        deep = b"[" * levels + b"]" * levels
        raw = json.dumps(wire(cell, Ask()).body).encode()[:-1] + b', "x": ' + deep + b"}"
        reply = bench.ask(cell, raw)
        assert reply.status == 400, levels
        assert reply.upstream == []
        reply.failure()
    bench.script(Text("alive"))
    assert bench.ask(cell, Ask()).answer().text == "alive"


@proves("MP-31")
def surrogates_in_tools_and_results(bench: Bench, cell: Cell) -> None:
    """The session is not dead: its history, with the cut emoji in arguments and results, is sent again and again."""
    turns = (
        user("Go."),
        assistant(Call("c1", "run", '{"t": "x\\ud83dy"}')),
        user(Result("c1", (Say("out \ud83d put"),), name="run")),
    )
    for _ in range(2):
        bench.script(Text("fine"))
        reply = bench.ask(cell, Ask(turns, tools=TOOLS))
        assert reply.answer().text == "fine", reply.body
    bench.legal()


__all__ = ["request", "system"]
