"""Bytes that must survive, and bytes that must not kill: MP-27 and MP-31."""

from __future__ import annotations

import json

from tests.fake_upstream import Framing, Script, Text, ToolCall

from .bench import Bench
from .cases import Cell
from .checks import proves
from .checks_tools import TOOLS, history, wire
from .dialects import Ask, Call, Result, Say, assistant, user

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
    bench.script(Script.of(Text("fine"), framing=Framing(extra={"x_more": {"n": 1}})))
    reply = bench.ask(cell, Ask())
    reply.answer()
    frames = reply.body.count(b'"x_more":{"n":1}')
    assert frames >= (2 if cell.stream else 1)


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
