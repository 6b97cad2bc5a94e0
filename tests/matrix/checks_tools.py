"""Tool calls and results: MP-01 to MP-06, MP-22 to MP-24."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.fake_upstream import Framing, Parallel, Script, Text, ToolCall

from .bench import Bench, Reply
from .cases import Cell
from .checks import proves
from .dialects import Ask, Call, Json, Result, Say, Tool, Turn, assistant, request, user
from .gateway import target
from .sdk import Answer

ARGUMENTS = '{"city": "Zürich \\"Nord\\"", "n": 1e2, "deep": {"a": [1, 2.50, null]}, "e": "\\u00e9🌍"}'
WEATHER = Tool("get_weather")
TOOLS = (WEATHER, Tool("get_time"), Tool("run"))
LEGAL_ID = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
TEXT_ARGUMENTS = ("openai-chat", "openai-responses")
"""Protocols whose arguments are text in every mode; M's are text in streams."""


def shown_raw(protocol: str, stream: bool) -> bool:
    """Does this wire carry argument text, which must not be changed at all?"""
    return protocol in TEXT_ARGUMENTS or (protocol == "anthropic-messages" and stream)


def raw_arguments(reply: Reply, answer: Answer) -> list[str | None]:
    """The argument text of each call as the client saw it."""
    if reply.stream:
        return [arguments for _, _, arguments in reply.trace().calls]
    return [call.raw for call in answer.calls]


@proves("MP-01")
def arguments_are_exact(bench: Bench, cell: Cell) -> None:
    """However the upstream cuts or delays them."""
    for chunks in ("split", "whole", "start_event", "done_only"):
        bench.script(Text("Looking."), ToolCall("get_weather", ARGUMENTS, chunks=chunks))  # type: ignore[arg-type]
        reply = bench.ask(cell, Ask(tools=TOOLS))
        answer = reply.answer()
        assert [(c.name, c.arguments) for c in answer.calls] == [("get_weather", json.loads(ARGUMENTS))], chunks
        exact = shown_raw(cell.inbound, cell.stream) and shown_raw(cell.outbound, cell.stream)
        if exact and not (chunks == "start_event" and cell.outbound == "anthropic-messages"):
            assert raw_arguments(reply, answer) == [ARGUMENTS], chunks
    bench.legal()


@proves("MP-01")
def empty_arguments_are_an_empty_object(bench: Bench, cell: Cell) -> None:
    """No argument bytes at all, and the call is still a call."""
    bench.script(ToolCall("get_weather", chunks="empty"))
    reply = bench.ask(cell, Ask(tools=TOOLS))
    assert [(c.name, c.arguments) for c in reply.answer().calls] == [("get_weather", {})]


@proves("MP-02")
def late_names_start_once(bench: Bench, cell: Cell) -> None:
    """The name comes after the id, with another call in between."""
    calls = (
        ToolCall("get_weather", '{"city": "Rom"}', chunks="late_name"),
        ToolCall("get_time", '{"city": "Bern"}', chunks="late_name"),
    )
    bench.script(Text("Let me see."), Parallel(calls, interleave=True))
    reply = bench.ask(cell, Ask(tools=TOOLS))
    if cell.stream:
        trace = reply.trace()
        assert [name for _, name, _ in trace.calls] == ["get_weather", "get_time"]
        for frame in trace.frames if not cell.same else []:
            assert '"name":""' not in frame.data, "a start with an empty name"
    answer = reply.answer()
    assert [(c.name, c.arguments) for c in answer.calls] == [
        ("get_weather", {"city": "Rom"}),
        ("get_time", {"city": "Bern"}),
    ]
    assert len({c.id for c in answer.calls}) == 2 or cell.inbound == "gemini"


@proves("MP-02")
def missing_ids_are_made(bench: Bench, cell: Cell) -> None:
    """An upstream that gives its call an empty id."""
    bench.script(ToolCall("get_weather", '{"city": "Rom"}', id=""))
    answer = bench.ask(cell, Ask(tools=TOOLS)).answer()
    assert [(c.name, c.arguments) for c in answer.calls] == [("get_weather", {"city": "Rom"})]
    if not cell.same and cell.inbound != "gemini":
        assert LEGAL_ID.match(answer.calls[0].id)


@proves("MP-03")
def parallel_calls_stay_apart(bench: Bench, cell: Cell) -> None:
    """Three calls, two of the same tool, deltas interleaved where the wire permits it."""
    wanted = [("get_weather", {"city": "Rom"}), ("get_weather", {"city": "Oslo"}), ("get_time", {"city": "Rom"})]
    for interleave in (True, False):
        calls = tuple(ToolCall(name, json.dumps(arguments), size=3) for name, arguments in wanted)
        bench.script(Text("All at once."), Parallel(calls, interleave=interleave))
        reply = bench.ask(cell, Ask(tools=TOOLS))
        if cell.stream:
            assert [name for _, name, _ in reply.trace().calls] == [name for name, _ in wanted]
        answer = reply.answer()
        assert [(c.name, c.arguments) for c in answer.calls] == wanted
        ids = [c.id for c in answer.calls]
        assert len(set(ids)) == 3 or cell.pair == "GG", f"ids are not distinct: {ids}"
    bench.legal()


@proves("MP-03")
def the_wish_for_one_call_is_carried(bench: Bench, cell: Cell) -> None:
    """`parallel_tool_calls: false` in its forms; G has no word for it and a note says so."""
    if cell.inbound == "gemini":
        reply = bench.ask(cell, Ask(tools=TOOLS))
        assert reply.asked.parallel is None
        return
    for wish in (False, True):
        bench.script(Text("fine"))
        reply = bench.ask(cell, Ask(tools=TOOLS, parallel=wish))
        reply.answer()
        if cell.outbound == "gemini":
            assert reply.notes.get("parallel_tool_calls") == "dropped" or wish, reply.notes
        else:
            # Parallel calls are every protocol's default, so saying nothing says yes.
            assert reply.asked.parallel is wish or (wish and reply.asked.parallel is None)
    bench.legal()


# --- histories


def loop(*results: Result, calls: tuple[Call, ...] = ()) -> tuple[Turn, ...]:
    """A question, an answer with calls, their results, a closing word."""
    made = calls or (Call("call_a1", "get_weather", '{"city": "Rom"}'), Call("call_b2", "get_time", '{"city": "Rom"}'))
    return (user("How is Rome?"), assistant("Let me look.", *made), user(*results), assistant("Done."), user("Thanks."))


RESULT_A = Result("call_a1", (Say("18 degrees"),), name="get_weather")
RESULT_B = Result("call_b2", (Say("12:00"),), name="get_time", error=True)


@proves("MP-04")
def sound_histories_stay_sound(bench: Bench, cell: Cell) -> None:
    """Ids match, nothing is orphaned or doubled, the texts keep their order."""
    bench.script(Text("fine"))
    ask = Ask(loop(RESULT_A, RESULT_B), tools=TOOLS)
    reply = bench.ask(cell, ask)
    reply.answer()
    bench.legal()
    seen = reply.asked
    assert [c.name for c in seen.calls] == ["get_weather", "get_time"]
    assert [json.loads(c.arguments) for c in seen.calls] == [{"city": "Rom"}, {"city": "Rom"}]
    assert [r.id for r in seen.results] == [c.id for c in seen.calls]
    assert ["18 degrees" in str(r.content) for r in seen.results] == [True, False]
    assert [t for t in seen.texts if t] == ["How is Rome?", "Let me look.", "Done.", "Thanks."]
    assert "unanswered_tool_call" not in reply.notes
    if cell.same:
        assert history(cell.outbound, reply.upstream[-1].body) == history(cell.inbound, wire(cell, ask).body)


def wire(cell: Cell, ask: Ask) -> Any:
    """What the client sent."""
    return request(cell.inbound, ask, target(cell.outbound), stream=cell.stream)


def history(protocol: str, body: Json) -> Any:
    """The member of a body that holds the turns."""
    return body[
        {"openai-chat": "messages", "openai-responses": "input", "gemini": "contents"}.get(protocol, "messages")
    ]


BROKEN = ("unanswered_call", "orphan_result", "response_count", "response_name", "duplicate_result", "call_turn")


@proves("MP-04")
def broken_histories_are_mended_and_told(bench: Bench, cell: Cell) -> None:
    """An unanswered call gets an error result, an orphan becomes text; the same protocol is sent as received."""
    orphan = Result("call_zz", (Say("lost and found"),), name="get_time")
    turns = (
        user("How is Rome?"),
        assistant(Call("call_a1", "get_weather", '{"city": "Rom"}'), Call("call_b2", "get_time", '{"city": "Rom"}')),
        user(RESULT_A),
        assistant("Done."),
        user(orphan),
        assistant("Hm."),
        user("Go on."),
    )
    ask = Ask(turns, tools=TOOLS)
    if cell.same:
        bench.relax(*BROKEN)
    bench.script(Text("fine"))
    reply = bench.ask(cell, ask)
    reply.answer()
    bench.legal()
    if cell.same:
        assert history(cell.outbound, reply.upstream[-1].body) == history(cell.inbound, wire(cell, ask).body)
        assert "unanswered_tool_call" not in reply.notes
        return
    seen = reply.asked
    assert reply.notes.get("unanswered_tool_call") == "repaired", reply.notes
    assert reply.notes.get("orphan_tool_result") == "repaired", reply.notes
    assert [r.id for r in seen.results] == [c.id for c in seen.calls]
    assert "18 degrees" in str(seen.results[0].content)
    assert any("lost and found" in t for t in seen.texts), "the orphan's text is gone"
    if cell.outbound in ("anthropic-messages", "gemini"):
        assert seen.results[1].error
    assert all(turn.parts for turn in seen.turns), "an empty turn"


@proves("MP-05")
def results_come_in_call_order(bench: Bench, cell: Cell) -> None:
    """The client answers in the other order, one turn per result where its protocol splits them."""
    bench.script(Text("fine"))
    ask = Ask(loop(RESULT_B, RESULT_A), tools=TOOLS)
    reply = bench.ask(cell, ask)
    reply.answer()
    bench.legal()
    seen = reply.asked
    ids = [c.id for c in seen.calls]
    if cell.same:
        assert history(cell.outbound, reply.upstream[-1].body) == history(cell.inbound, wire(cell, ask).body)
        return
    assert [r.id for r in seen.results] == ids
    turns = [t for t in seen.turns if any(isinstance(p, Result) for p in t.parts)]
    assert len(turns) == (1 if cell.outbound in ("anthropic-messages", "gemini") else 2)
    at = next(i for i, t in enumerate(seen.turns) if any(isinstance(p, Call) for p in t.parts))
    answers = seen.turns[at + (2 if cell.outbound == "openai-responses" else 1) :][: len(turns)]
    assert answers == turns, "something stands between the calls and their results"


ODD_IDS = ("functions.get_weather:0", "call 1/é", "c" * 90)
"""Kimi's, a nonsense one, and one longer than anybody takes."""


@proves("MP-06")
def odd_ids_survive_the_loop(bench: Bench, cell: Cell) -> None:
    """The client gets a legal id; when it comes back, call and result agree, and equal ids give equal ids."""
    for odd in ODD_IDS:
        seen_ids: list[str] = []
        for _ in range(2):
            bench.reset()
            bench.relax("call_id_length", "call_id")
            bench.script(ToolCall("get_weather", '{"city": "Rom"}', id=odd))
            call = bench.ask(cell, Ask(tools=TOOLS)).answer().calls[0]
            assert call.name == "get_weather"
            if not cell.same and cell.inbound != "gemini":
                assert LEGAL_ID.match(call.id), call.id
            seen_ids.append(call.id)
            if not cell.same:
                bench.relax()
            bench.script(Text("fine"))
            made = Call(call.id, "get_weather", '{"city": "Rom"}')
            answered = Result(call.id, (Say("18"),), name="get_weather")
            reply = bench.ask(cell, Ask((user("Rome?"), assistant(made), user(answered)), tools=TOOLS))
            reply.answer()
            bench.legal()
            asked = reply.asked
            assert [r.id for r in asked.results] == [c.id for c in asked.calls]
            if cell.same:
                assert asked.calls[0].id == odd
            elif cell.outbound != "gemini":
                assert LEGAL_ID.match(asked.calls[0].id), asked.calls[0].id
        assert len(set(seen_ids)) == 1, f"one id, two names: {seen_ids}"


@proves("MP-06")
def legal_ids_are_left_alone(bench: Bench, cell: Cell) -> None:
    """What every protocol takes is not touched, there and back."""
    bench.script(ToolCall("get_weather", '{"city": "Rom"}', id="call_AbC-123_x"))
    call = bench.ask(cell, Ask(tools=TOOLS)).answer().calls[0]
    assert call.id == "call_AbC-123_x"
    bench.script(Text("fine"))
    turns = (
        user("Rome?"),
        assistant(Call(call.id, call.name, '{"city": "Rom"}')),
        user(Result(call.id, (Say("18"),), name=call.name)),
    )
    asked = bench.ask(cell, Ask(turns, tools=TOOLS)).asked
    assert [c.id for c in asked.calls] == ["call_AbC-123_x"]
    assert [r.id for r in asked.results] == ["call_AbC-123_x"]
    bench.legal()


LONG = "mcp__a_server_with_quite_a_long_name__and_a_tool_with_an_even_longer_name_than_that"
NAMES = {
    "openai-chat": ("0_starts_with_a_digit", "plain-name"),
    "openai-responses": (LONG, "0_digit"),
    "anthropic-messages": (LONG, "0_digit"),
    "gemini": ("ns:tool.name", "plain-name"),
}


@proves("MP-06")
def odd_names_survive_the_loop(bench: Bench, cell: Cell) -> None:
    """A name the target does not take is sent as another one and comes back as itself."""
    for name in NAMES[cell.inbound]:
        bench.reset()
        tools = (Tool(name), Tool("other"))
        bench.script(Text("fine"))
        ask = Ask(loop(Result("call_a1", (Say("1"),), name=name), calls=(Call("call_a1", name),)), tools=tools)
        reply = bench.ask(cell, ask)
        reply.answer()
        bench.legal()
        sent = next(iter(reply.asked.tools))
        assert [c.name for c in reply.asked.calls] == [sent]
        if cell.same:
            assert sent == name
        bench.script(ToolCall(sent, '{"city": "Rom"}'))
        assert [c.name for c in bench.ask(cell, ask).answer().calls] == [name]


# --- choices, hosted tools, schemas


@proves("MP-23")
def choices_are_carried(bench: Bench, cell: Cell) -> None:
    """auto, none, required and a name, as the target spells them."""
    for choice in ("auto", "required", "get_time", "none"):
        bench.script(Text("fine"))
        reply = bench.ask(cell, Ask(tools=TOOLS, choice=choice))
        reply.answer()
        seen = reply.asked
        if choice == "none":
            assert seen.choice == "none" or not seen.tools
        elif choice == "auto":
            assert seen.choice in ("auto", None)
        else:
            assert seen.choice == choice
    bench.legal()


@proves("MP-23")
def a_choice_never_names_an_absent_tool(bench: Bench, cell: Cell) -> None:
    """Named, but not offered: refused by name, or let go with a note. The same protocol is sent as received."""
    bench.relax("tool_choice")
    bench.script(Text("fine"))
    reply = bench.ask(cell, Ask(tools=(WEATHER,), choice="absent_tool"))
    if cell.same:
        assert reply.asked.choice == "absent_tool"
    elif reply.status == 200:
        assert reply.asked.choice != "absent_tool"
        assert "tool_choice" in reply.notes, reply.notes
    else:
        assert reply.status == 400
        assert not reply.upstream
        assert "absent_tool" in reply.body.decode()


@proves("MP-23")
def thinking_and_a_forced_tool_do_not_meet(bench: Bench, cell: Cell) -> None:
    """M refuses both together: across protocols one gives way, and a note names it."""
    bench.script(Text("fine"))
    if cell.pair == "MM":
        bench.relax("thinking_tool_choice")
    reply = bench.ask(cell, Ask(tools=TOOLS, choice="get_time", thinking=True))
    reply.answer()
    bench.legal()
    assert reply.asked.choice in ("get_time", "auto", "required", None)


HOSTED: dict[str, tuple[Json, ...]] = {
    "openai-chat": (),
    "openai-responses": (
        {"type": "image_generation"},
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
        {"type": "mcp", "server_label": "docs", "server_url": "https://mcp.example.com"},
    ),
    "anthropic-messages": ({"type": "mcp_toolset", "mcp_server_name": "docs"},),
    "gemini": ({"googleMaps": {}}, {"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/x"]}}),
}


@proves("MP-23")
def hosted_tools_without_an_equal_are_refused(bench: Bench, cell: Cell) -> None:
    """A 400 that names the tool, before any upstream is asked; the same protocol is sent as received."""
    for tool in HOSTED[cell.inbound]:
        bench.script(Text("fine"))
        body = dict(wire(cell, Ask()).body)
        body["tools"] = [tool]
        before = len(bench.up.requests)
        reply = bench.ask(cell, body)
        if cell.same:
            assert reply.upstream[-1].body["tools"] == [tool]
            continue
        assert reply.status == 400, (tool, reply.status, reply.body[:300])
        assert len(bench.up.requests) == before, "an upstream was asked"
        reply.failure()
        name = str(tool.get("type") or next(iter(tool))).removesuffix("_toolset")
        said = reply.body.decode().lower().replace("_", "")
        assert name.lower().replace("_", "") in said, reply.body
        bench.reset()


@proves("MP-23")
def stop_sequences_are_kept(bench: Bench, cell: Cell) -> None:
    """Where the target has a member for them; R has none, and a note says so."""
    if cell.inbound == "openai-responses":
        return
    bench.script(Text("fine"))
    reply = bench.ask(cell, Ask(stop=("END", "\n\n")))
    reply.answer()
    if cell.outbound == "openai-responses":
        assert reply.notes.get("sampling.stop") == "dropped", reply.notes
        return
    assert reply.asked.stop in (["END", "\n\n"], ["END"])
    assert "END" in reply.asked.stop
    bench.legal()


RICH: Json = {
    "$defs": {"place": {"type": "object", "properties": {"name": {"type": "string", "const": "Rom"}}}},
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "place": {"$ref": "#/$defs/place"},
        "unit": {"oneOf": [{"type": "string"}, {"type": "null"}]},
        "n": {"type": ["integer", "null"], "exclusiveMinimum": 0},
        "tags": {"type": "array", "uniqueItems": True, "items": {"type": "string"}},
        "mode": {"const": "fast"},
    },
    "required": ["place"],
}


@proves("MP-24")
def schemas_are_sent_whole(bench: Bench, cell: Cell) -> None:
    """`parametersJsonSchema` takes JSON Schema as it is."""
    bench.script(Text("fine"))
    reply = bench.ask(cell, Ask(tools=(Tool("plan", RICH),)))
    reply.answer()
    bench.legal()
    declared = reply.upstream[-1].body["tools"][0]["functionDeclarations"][0]
    assert declared["parametersJsonSchema"] == RICH
    assert "parameters" not in declared


@proves("MP-24")
def schemas_are_lowered_where_the_target_says_so(bench: Bench, cell: Cell) -> None:
    """The older `parameters` knows no $ref, const, type lists or uniqueItems: the strict upstream refuses them."""
    bench.script(Text("fine"))
    if cell.same:
        body = dict(wire(cell, Ask()).body)
        lowered = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}
        body["tools"] = [{"functionDeclarations": [{"name": "plan", "parameters": lowered}]}]
        reply = bench.ask(cell, body)
        assert reply.upstream[-1].body["tools"] == body["tools"]
        return
    reply = bench.ask(cell, Ask(tools=(Tool("plan", RICH),)), model="lowered.gemini-2.5-flash")
    reply.answer()
    bench.legal()
    declared = reply.upstream[-1].body["tools"][0]["functionDeclarations"][0]
    assert "parametersJsonSchema" not in declared
    sent = declared["parameters"]
    assert list(sent["properties"]) == list(RICH["properties"])
    assert "name" in sent["properties"]["place"]["properties"], "the $ref was not put in its place"
    assert sent["required"] == ["place"]


@proves("MP-24")
def results_are_no_schemas(bench: Bench, cell: Cell) -> None:
    """A tool's answer that looks like a schema is left alone."""
    answer = json.dumps({"$ref": "#/x", "const": 1, "type": ["a"], "uniqueItems": True})
    bench.script(Text("fine"))
    turns = (
        user("Go."),
        assistant(Call("call_a1", "plan")),
        user(Result("call_a1", (Say(answer),), name="plan")),
    )
    reply = bench.ask(cell, Ask(turns, tools=(Tool("plan", RICH),)))
    reply.answer()
    bench.legal()
    said = reply.asked.results[0].content[0]
    assert isinstance(said, Say)
    assert json.loads(said.text) == json.loads(answer)


__all__ = ["ARGUMENTS", "TOOLS", "Framing", "Script", "history", "loop", "wire"]
