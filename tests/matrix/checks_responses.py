"""The Responses surface: state (MP-21) and Codex's tools (MP-22), over every upstream protocol."""

from __future__ import annotations

import json
from typing import Any

from tests.fake_upstream import Text, ToolCall

from .bench import Bench, Reply
from .cases import Cell
from .checks import proves
from .dialects import Json
from .gateway import RunningGateway

RUN: Json = {
    "type": "function",
    "name": "run",
    "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}},
    "strict": False,
}


def texts_behind(bench: Bench, reply: Reply) -> list[str]:
    """Every text the upstream had before it, its own stored history included."""
    last = reply.upstream[-1]
    said = reply.asked.texts
    previous = last.body.get("previous_response_id") if last.protocol == "openai-responses" else None
    if previous:
        items = bench.up.upstream.store.history(previous) or []
        said = [*_texts(items), *said]
    return said


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        mine = [value["text"]] if isinstance(value.get("text"), str) else []
        return mine + [t for k, v in value.items() if k != "text" for t in _texts(v)]
    if isinstance(value, list):
        return [t for v in value for t in _texts(v)]
    return []


def say(text: str, **more: Any) -> Json:
    """A request with one user text."""
    return {"input": [{"role": "user", "content": [{"type": "input_text", "text": text}]}], **more}


def state(bench: Bench, cell: Cell, method: str, path: str, running: RunningGateway | None = None) -> Reply:
    """A request on stored responses."""
    gateway = running or bench.gateway()
    return bench.post("openai-responses", path, b"", stream=False, same=cell.same, running=gateway, method=method)


@proves("MP-21")
def conversations_go_on_by_id(bench: Bench, cell: Cell) -> None:
    """Three turns, each naming the one before; a submit that is tried again; the stored object, its items."""
    bench.script(Text("Answer one."))
    first = bench.ask(cell, say("Question one.")).answer()
    assert first.id.startswith("resp_")
    bench.script(Text("Answer two."), times=2)
    second = bench.ask(cell, say("Question two.", previous_response_id=first.id))
    again = bench.ask(cell, say("Question two.", previous_response_id=first.id))
    for reply in (second, again):
        assert reply.answer().text == "Answer two."
        assert texts_behind(bench, reply) == ["Question one.", "Answer one.", "Question two."]
    bench.script(Text("Answer three."))
    third = bench.ask(cell, say("Question three.", previous_response_id=second.answer().id))
    assert texts_behind(bench, third)[-3:] == ["Question two.", "Answer two.", "Question three."]
    assert texts_behind(bench, third)[0] == "Question one."
    bench.legal()
    got = state(bench, cell, "GET", f"/v1/responses/{first.id}")
    assert got.status == 200, got.body
    assert got.json["id"] == first.id
    assert got.json["status"] == "completed"
    assert _texts(got.json["output"]) == ["Answer one."]
    items = state(bench, cell, "GET", f"/v1/responses/{second.answer().id}/input_items?order=asc").json
    assert items["object"] == "list"
    assert _texts(items["data"])[-1] == "Question two."
    gone = state(bench, cell, "DELETE", f"/v1/responses/{first.id}")
    assert gone.status == 200
    assert gone.json["deleted"] is True
    missing = state(bench, cell, "GET", f"/v1/responses/{first.id}")
    assert missing.status == 404
    missing.failure()


@proves("MP-21")
def unknown_ids_are_the_vendors_404(bench: Bench, cell: Cell) -> None:
    """`previous_response_not_found`, and no upstream is asked."""
    reply = bench.ask(cell, say("Hi.", previous_response_id="resp_" + "0" * 48))
    assert reply.status in (400, 404)
    assert reply.json["error"]["code"] == "previous_response_not_found"
    assert reply.upstream == []
    reply.failure()
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/input_items")):
        missing = state(bench, cell, method, f"/v1/responses/resp_{'0' * 48}{path}")
        assert missing.status == 404, (method, path, missing.body)
        assert "error" in missing.json


@proves("MP-21")
def tool_loops_go_on_by_id(bench: Bench, cell: Cell) -> None:
    """Only the call's output is sent; the call is in the store."""
    bench.script(Text("Looking."), ToolCall("run", '{"cmd": "ls"}'))
    first = bench.ask(cell, say("List.", tools=[RUN])).answer()
    assert [c.name for c in first.calls] == ["run"]
    bench.script(Text("Two files."))
    output = {"type": "function_call_output", "call_id": first.calls[0].id, "output": "a b"}
    reply = bench.ask(cell, {"input": [output], "previous_response_id": first.id, "tools": [RUN]})
    assert reply.answer().text == "Two files."
    bench.legal()
    if not cell.same:
        seen = reply.asked
        assert [c.name for c in seen.calls] == ["run"]
        assert [r.id for r in seen.results] == [c.id for c in seen.calls]


@proves("MP-21")
def store_false_is_honoured(bench: Bench, cell: Cell) -> None:
    """Nothing is kept: neither by the gateway nor for a later turn."""
    bench.script(Text("Forget me."))
    first = bench.ask(cell, say("Hi.", store=False)).answer()
    assert state(bench, cell, "GET", f"/v1/responses/{first.id}").status == 404
    reply = bench.ask(cell, say("And?", previous_response_id=first.id))
    assert reply.status in (400, 404)
    reply.failure()


@proves("MP-21")
def state_survives_a_restart(bench: Bench, cell: Cell) -> None:
    """Another process of the gateway over the same file."""
    directory = bench.directory()
    with bench.start(directory) as running:
        bench.script(Text("Answer one."))
        first = bench.ask(cell, say("Question one."), running=running).answer()
    with bench.start(directory) as running:
        bench.script(Text("Answer two."))
        reply = bench.ask(cell, say("Question two.", previous_response_id=first.id), running=running)
        assert reply.answer().text == "Answer two."
        assert texts_behind(bench, reply) == ["Question one.", "Answer one.", "Question two."]
    bench.legal()


# --- MP-22

GRAMMAR = 'start: "*** Begin Patch" LF hunk+ "*** End Patch"\nhunk: /.+/ LF\nLF: "\\n"\n'
PATCH: Json = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Edits files.",
    "format": {"type": "grammar", "syntax": "lark", "definition": GRAMMAR},
}
SEARCH: Json = {
    "type": "tool_search",
    "execution": "client",
    "description": "Finds tools.",
    "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
}
GROUP: Json = {
    "type": "namespace",
    "name": "collaboration",
    "description": "Work with others.",
    "tools": [
        {
            "type": "function",
            "name": "send_message",
            "description": "Says it.",
            "parameters": {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]},
            "strict": False,
        }
    ],
}
DIFF = '*** Begin Patch\n*** Update File: a.py\n+print("héllo 🌍")\\n\n*** End Patch'


def codex(prompt: str, tools: list[Json], *, added: bool = False, more: tuple[Json, ...] = ()) -> Json:
    """A request in one of Codex's shapes: tools at the top, or brought along by an input item."""
    items: list[Json] = [{"role": "user", "content": [{"type": "input_text", "text": prompt}]}, *more]
    if added:
        return {"input": [{"type": "additional_tools", "role": "developer", "tools": tools}, *items], "store": False}
    return {"input": items, "tools": tools, "store": False}


@proves("MP-22")
def freeform_tools_come_back_as_themselves(bench: Bench, cell: Cell) -> None:
    """The free text arrives unchanged, the item is a custom_tool_call; its output goes back in the next turn."""
    for added in (False, True):
        bench.reset()
        prompt = f"[[call apply_patch {DIFF}]]"
        reply = bench.ask(cell, codex(prompt, [PATCH, RUN], added=added))
        answer = reply.answer()
        bench.legal()
        assert [(c.kind, c.name, c.raw) for c in answer.calls] == [("custom", "apply_patch", DIFF)]
        if cell.stream:
            assert [(n, a) for _, n, a in reply.trace().calls] == [("apply_patch", DIFF)]
        call = answer.call_parts[0]
        output = {"type": "custom_tool_call_output", "call_id": call["call_id"], "output": "Done!"}
        again = bench.ask(cell, codex(prompt, [PATCH, RUN], added=added, more=(call, output)))
        assert again.answer().text == "tool said: Done!"
        bench.legal()


@proves("MP-22")
def namespaces_come_back(bench: Bench, cell: Cell) -> None:
    """A grouped tool is called by its own name, in its own group."""
    for added in (False, True):
        bench.reset()
        prompt = '[[call collaboration.send_message {"to": "Ann"}]]'
        reply = bench.ask(cell, codex(prompt, [GROUP, RUN], added=added))
        answer = reply.answer()
        bench.legal()
        made = [(c.name, c.namespace, c.arguments) for c in answer.calls]
        assert made == [("send_message", "collaboration", {"to": "Ann"})]
        call = answer.call_parts[0]
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "sent"}
        again = bench.ask(cell, codex(prompt, [GROUP, RUN], added=added, more=(call, output)))
        assert again.answer().text == "tool said: sent"
        bench.legal()


@proves("MP-22")
def tool_search_comes_back(bench: Bench, cell: Cell) -> None:
    """Client-executed search: a tool_search_call, and the tools it finds can be called in the next turn."""
    prompt = '[[call tool_search {"query": "mail"}]] [[then]] [[call run {"cmd": "x"}]]'
    reply = bench.ask(cell, codex(prompt, [SEARCH]))
    answer = reply.answer()
    bench.legal()
    (call,) = answer.call_parts
    assert call["type"] == "tool_search_call", call
    arguments = call["arguments"]
    assert (json.loads(arguments) if isinstance(arguments, str) else arguments) == {"query": "mail"}
    output = {
        "type": "tool_search_output",
        "call_id": call["call_id"],
        "execution": "client",
        "status": "completed",
        "tools": [RUN],
    }
    again = bench.ask(cell, codex(prompt, [SEARCH], more=(call, output)))
    found = again.answer()
    bench.legal()
    assert [(c.name, c.arguments) for c in found.calls] == [("run", {"cmd": "x"})] or cell.same
