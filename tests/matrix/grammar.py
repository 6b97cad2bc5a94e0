"""Raw stream grammar per client protocol: what the bytes must look like, whoever wrote them (MP-09, MP-10, MP-14).

`check` parses the bytes by itself, asserts the protocol's rules, and returns what the frames say in plain words. It
must know nothing of the gateway: its sources are the SSE specification and the vendors' streaming references.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Frame:
    """One server-sent event."""

    event: str
    data: str
    names: tuple[str, ...]
    """The field names of its lines, in order; "" is a comment."""


@dataclass
class Trace:
    """What a stream said, according to its frames alone."""

    frames: list[Frame]
    text: str = ""
    thinking: str = ""
    refusal: str = ""
    signatures: list[str] = field(default_factory=list)
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    """(id, name, raw argument text) in the order of their starts."""
    finishes: list[str] = field(default_factory=list)
    usages: list[Json] = field(default_factory=list)
    error: Json | None = None
    complete: bool = False
    """The protocol's own terminal event came, and no error."""


def frames(body: bytes) -> list[Frame]:
    """The frames of a stream, strictly: UTF-8, blank-line terminated, nothing left over."""
    text = body.decode("utf-8")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    assert "\r" not in text, "a lone CR in the stream"
    assert text == "" or text.endswith("\n\n"), f"the stream does not end with a blank line: {text[-80:]!r}"
    found: list[Frame] = []
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line]
        if not lines:
            continue
        event, data, names = "", [], []
        for line in lines:
            name, colon, value = line.partition(":")
            assert colon or name in ("data", "event", "id", "retry"), f"a line that is no field: {line[:80]!r}"
            names.append(name)
            value = value.removeprefix(" ")
            if name == "event":
                event = value
            elif name == "data":
                data.append(value)
        found.append(Frame(event, "\n".join(data), tuple(names)))
    return found


def check(protocol: str, body: bytes, *, forwarded: bool = False) -> Trace:
    """The stream's trace; AssertionError names the rule that a frame breaks.

    `forwarded`: the frames may be an upstream's own of the same protocol, which keep its comments and spellings.
    """
    found = frames(_without_bare_error(body) if protocol == "gemini" else body)
    trace = Trace(found)
    if not forwarded:
        assert all(set(f.names) <= {"event", "data"} for f in found), "comments or foreign fields in our own stream"
    _RULES[protocol](trace, [f for f in found if "data" in f.names], forwarded)
    return trace


def _without_bare_error(body: bytes) -> bytes:
    """G: Google's JavaScript SDK sees a failure only in a bare JSON line, so one may repeat the error frame's data."""
    head, found, last = body.rpartition(b"\n\n")
    if not found or not last.startswith(b'{"error":'):
        return body
    assert last.endswith(b"\n"), "the bare error line has no end"
    assert head.endswith(b"data: " + last[:-1]), "the bare error line says something else than the frame before it"
    return head + b"\n\n"


def _json(frame: Frame) -> Json:
    value = json.loads(frame.data)
    assert isinstance(value, dict), f"a data line that is no object: {frame.data[:80]}"
    return value


# --- C


def _chat(trace: Trace, found: list[Frame], forwarded: bool) -> None:
    assert all(f.event == "" for f in found), "C has no event: lines"
    done = [i for i, f in enumerate(found) if f.data == "[DONE]"]
    if done and not forwarded:
        assert len(done) == 1, "[DONE] more than once"
    calls: dict[int, list[str]] = {}
    first = True
    ids: set[str] = set()
    for frame in found:
        if frame.data == "[DONE]":
            continue
        chunk = _json(frame)
        if chunk.get("error"):
            trace.error = chunk["error"]
            assert not done or forwarded, "[DONE] after an error looks like a clean end"
            continue
        assert trace.error is None or forwarded, "content after an error"
        assert chunk.get("object") == "chat.completion.chunk", "object must be chat.completion.chunk"
        ids.add(chunk["id"])
        if chunk.get("usage"):
            trace.usages.append(chunk["usage"])
        assert len(chunk["choices"]) <= 1, "one choice at most"
        for choice in chunk["choices"]:
            delta = choice.get("delta") or {}
            if first:
                assert delta.get("role") == "assistant", "the first chunk carries the role"
                first = False
            if not trace.finishes:
                _chat_delta(trace, delta, calls)
            else:
                assert not any(delta.values()), "a delta after the finish reason"
            if choice.get("finish_reason"):
                trace.finishes.append(choice["finish_reason"])
    assert len(ids) <= 1, f"the chunks have different ids: {sorted(ids)}"
    trace.calls = [(c[0], c[1], c[2]) for _, c in sorted(calls.items())]
    assert list(calls) == list(range(len(calls))), f"tool call indices do not count from 0: {list(calls)}"
    trace.complete = bool(done) and trace.error is None
    if done:
        assert found[-1].data == "[DONE]", "[DONE] is not last"
        assert len(trace.finishes) == 1 or trace.error, f"finish reasons before [DONE]: {trace.finishes}"


def _chat_delta(trace: Trace, delta: Json, calls: dict[int, list[str]]) -> None:
    trace.text += delta.get("content") or ""
    trace.refusal += delta.get("refusal") or ""
    trace.thinking += delta.get("reasoning_content") or delta.get("reasoning") or ""
    for call in delta.get("tool_calls") or []:
        box = call.get("function") or call.get("custom") or {}
        arguments = box.get("arguments", box.get("input")) or ""
        if call["index"] not in calls:
            calls[call["index"]] = [call.get("id") or "", box.get("name") or "", arguments]
            continue
        known = calls[call["index"]]
        if call.get("id"):
            assert known[0] in ("", call["id"]), "the call's id changed"
            known[0] = call["id"]
        if box.get("name"):
            assert known[1] == "", "the call was started twice"
            known[1] = box["name"]
        known[2] += arguments


# --- R

_R_TERMINAL = {"response.completed", "response.incomplete", "response.failed"}


def _responses(trace: Trace, found: list[Frame], forwarded: bool) -> None:
    last, open_items, open_parts = -1, {}, {}  # type: ignore[var-annotated]
    indices: list[int] = []
    kinds: list[str] = []
    for position, frame in enumerate(found):
        if frame.data == "[DONE]":
            assert position == len(found) - 1, "[DONE] is not last"
            continue
        event = _json(frame)
        kind = event["type"]
        assert frame.event == kind or (forwarded and not frame.event), f"event: {frame.event} for type {kind}"
        assert not kinds or kinds[-1] not in _R_TERMINAL, f"{kind} after the terminal event"
        kinds.append(kind)
        number = event.get("sequence_number")
        assert isinstance(number, int), f"{kind} without sequence_number"
        assert number > last, f"sequence_number {number} after {last}"
        last = number
        if kind == "error":
            trace.error = event.get("error") or {k: event.get(k) for k in ("code", "message", "type")}
        _responses_event(trace, event, kind, open_items, open_parts, indices)
    content = [k for k in kinds if k != "error"]
    if content:
        assert content[0] == "response.created", f"the stream starts with {content[0]}"
        assert content.count("response.created") == 1, "response.created more than once"
    if trace.complete:
        assert not open_items, f"items without output_item.done: {sorted(open_items)}"
        assert not open_parts, f"parts without their done event: {sorted(open_parts)}"


def _responses_event(
    trace: Trace, event: Json, kind: str, items: dict[int, Json], parts: dict[tuple[int, int], str], seen: list[int]
) -> None:
    index = event.get("output_index")
    if kind == "response.output_item.added":
        assert index == len(seen), f"output_index {index} after {seen}"
        seen.append(index)
        items[index] = {"item": event["item"], "arguments": event["item"].get("arguments") or ""}
        assert event["item"].get("id"), "an item without id"
    elif kind == "response.output_item.done":
        opened = items.pop(index)["item"] if index in items else None
        assert opened is not None, f"output_item.done of {index}, which is not open"
        done = event["item"]
        assert opened["type"] == done["type"], "the item changed its type"
        assert opened["id"] == done["id"], "the item changed its id"
        _responses_item(trace, done)
    elif kind.endswith(".delta") and index is not None:
        assert index in items, f"{kind} for item {index}, which is not open"
        if kind in ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta"):
            items[index].setdefault("deltas", []).append(event["delta"])
        elif kind == "response.output_text.delta":
            trace.text += event["delta"]
        elif kind == "response.refusal.delta":
            trace.refusal += event["delta"]
    elif kind in ("response.function_call_arguments.done", "response.custom_tool_call_input.done"):
        whole = event.get("arguments", event.get("input"))
        deltas = items[index].get("deltas")
        assert deltas is None or "".join(deltas) == whole, "the deltas are not the whole arguments"
    elif kind == "response.content_part.added":
        parts[index, event["content_index"]] = event["part"]["type"]
    elif kind == "response.content_part.done":
        assert parts.pop((index, event["content_index"]), None), "content_part.done without added"
    elif kind in _R_TERMINAL:
        response = event["response"]
        if kind == "response.failed":
            trace.error = response.get("error") or {}
        else:
            trace.complete = True
            done = response.get("output") or []
            assert len(done) == len(seen), f"{len(done)} items in the response, {len(seen)} were streamed"
            reason = (response.get("incomplete_details") or {}).get("reason")
            trace.finishes.append(reason or response["status"])
        if response.get("usage"):
            trace.usages.append(response["usage"])


def _responses_item(trace: Trace, item: Json) -> None:
    kind = item["type"]
    if kind == "message":
        said = "".join(part.get("text") or "" for part in item["content"])
        assert trace.text.endswith(said), "the deltas are not the whole text"
        refused = "".join(part.get("refusal") or "" for part in item["content"])
        assert trace.refusal.endswith(refused), "the deltas are not the whole refusal"
    elif kind == "reasoning":
        trace.thinking += "".join(s["text"] for s in item.get("summary") or [])
        trace.thinking += "".join(s["text"] for s in item.get("content") or [])
        if item.get("encrypted_content"):
            trace.signatures.append(item["encrypted_content"])
    elif kind in ("function_call", "custom_tool_call"):
        trace.calls.append((item["call_id"], item["name"], item.get("arguments", item.get("input", ""))))


# --- M

_M_DELTAS = {
    "text_delta": ("text",),
    "citations_delta": ("text",),
    "thinking_delta": ("thinking",),
    "signature_delta": ("thinking",),
    "input_json_delta": ("tool_use", "server_tool_use", "mcp_tool_use"),
}


def _messages(trace: Trace, found: list[Frame], forwarded: bool) -> None:
    state, opened, next_index, delta_seen = "before", None, 0, False  # type: ignore[var-annotated]
    for frame in found:
        event = _json(frame)
        kind = event["type"]
        assert frame.event == kind or (forwarded and not frame.event), f"event: {frame.event} for type {kind}"
        assert state != "over", f"{kind} after the end of the stream"
        if kind == "ping":
            continue
        if kind == "error":
            trace.error, state = event["error"], "over"
        elif kind == "message_start":
            assert state == "before", "message_start more than once"
            state = "open"
            assert event["message"]["content"] == [], "message_start carries no content"
            assert event["message"]["stop_reason"] is None, "message_start carries no stop reason"
            trace.usages.append(event["message"]["usage"])
        elif kind == "content_block_start":
            assert state == "open", f"content_block_start in state {state}"
            assert not delta_seen, "a block after message_delta"
            assert opened is None, "a block was opened while another was open"
            assert event["index"] == next_index, f"block index {event['index']}, expected {next_index}"
            next_index += 1
            opened = event["content_block"]
            _messages_start(trace, opened)
        elif kind == "content_block_delta":
            assert opened is not None, "a delta outside any block"
            assert event["index"] == next_index - 1, f"a delta of block {event['index']}, open is {next_index - 1}"
            delta = event["delta"]
            allowed = _M_DELTAS.get(delta["type"])
            assert opened["type"] in (allowed or ()), f"{delta['type']} in a {opened['type']} block"
            _messages_delta(trace, delta)
        elif kind == "content_block_stop":
            assert opened is not None, "content_block_stop without an open block"
            assert event["index"] == next_index - 1, "the wrong block was stopped"
            opened = None
        elif kind == "message_delta":
            assert state == "open", f"message_delta in state {state}"
            assert opened is None, "message_delta while a block is open"
            assert not (delta_seen and trace.finishes), "message_delta after the stop reason"
            delta_seen = True
            if event["delta"].get("stop_reason"):
                trace.finishes.append(event["delta"]["stop_reason"])
            trace.usages.append(event["usage"])
        elif kind == "message_stop":
            assert delta_seen, "message_stop without message_delta"
            assert len(trace.finishes) == 1, f"stop reasons before message_stop: {trace.finishes}"
            state, trace.complete = "over", True
        else:
            assert forwarded, f"an event the protocol does not know: {kind}"


def _messages_start(trace: Trace, block: Json) -> None:
    if block["type"] == "tool_use":
        assert block["id"], "a tool_use without id"
        assert block["name"], "a tool_use without name"
        early = json.dumps(block["input"]) if block["input"] else ""
        trace.calls.append((block["id"], block["name"], early))
    elif block["type"] == "redacted_thinking":
        trace.signatures.append(block["data"])


def _messages_delta(trace: Trace, delta: Json) -> None:
    if delta["type"] == "text_delta":
        trace.text += delta["text"]
    elif delta["type"] == "thinking_delta":
        trace.thinking += delta["thinking"]
    elif delta["type"] == "signature_delta":
        trace.signatures.append(delta["signature"])
    elif delta["type"] == "input_json_delta":
        call_id, name, arguments = trace.calls[-1]
        trace.calls[-1] = (call_id, name, arguments + delta["partial_json"])


# --- G


def _gemini(trace: Trace, found: list[Frame], forwarded: bool) -> None:
    assert all(f.event == "" for f in trace.frames), "G has no event: lines"
    assert not any("" in f.names for f in trace.frames) or forwarded, "comments break G clients"
    ids: set[str] = set()
    for frame in found:
        assert frame.data != "[DONE]", "G has no [DONE]"
        chunk = _json(frame)
        if "error" in chunk:
            trace.error = chunk["error"]
            continue
        assert trace.error is None, "content after an error"
        if chunk.get("responseId"):
            ids.add(chunk["responseId"])
        if chunk.get("usageMetadata"):
            trace.usages.append(chunk["usageMetadata"])
        if (chunk.get("promptFeedback") or {}).get("blockReason"):
            trace.finishes.append(chunk["promptFeedback"]["blockReason"])
        assert len(chunk.get("candidates") or []) <= 1, "one candidate at most"
        for candidate in chunk.get("candidates") or []:
            assert not trace.finishes, "content after the finish reason"
            for part in (candidate.get("content") or {}).get("parts") or []:
                _gemini_part(trace, part)
            if candidate.get("finishReason"):
                trace.finishes.append(candidate["finishReason"])
    assert len(ids) <= 1, f"the chunks have different responseIds: {sorted(ids)}"
    trace.complete = bool(trace.finishes) and trace.error is None


def _gemini_part(trace: Trace, part: Json) -> None:
    if part.get("thoughtSignature"):
        trace.signatures.append(part["thoughtSignature"])
    if "functionCall" in part:
        call = part["functionCall"]
        assert call["name"], "a function call without name"
        arguments = json.dumps(call.get("args") or {}, ensure_ascii=False)
        trace.calls.append((call.get("id") or "", call["name"], arguments))
    elif part.get("thought"):
        trace.thinking += part.get("text") or ""
    else:
        trace.text += part.get("text") or ""


_RULES = {
    "openai-chat": _chat,
    "openai-responses": _responses,
    "anthropic-messages": _messages,
    "gemini": _gemini,
}
