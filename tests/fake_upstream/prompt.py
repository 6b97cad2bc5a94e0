"""The prompt language: a user's text that says what the model shall do.

A real client can be driven by its prompt alone, over any upstream protocol:

    [[say TEXT]]  [[think TEXT]]  [[refuse TEXT]]      content, in order
    [[call NAME JSON]]  [[call NAME raw text]]         a call; several in a stage are parallel
    [[then]]                                           the next stage, after the tool results
    [[final TEXT]]                                     said when the stages are over, before the tool output
    [[status 429]]  [[status 429 retry-after=1]]       an HTTP error
    [[error N]]  [[cut]]  [[rst]]  [[slow SECONDS]]  [[hang]]   trouble, at this place
    [[see]]                                            names the images of the conversation
    [[finish REASON]]  [[usage IN OUT]]

`status`, `error`, `cut`, `rst`, `slow` and `hang` take `once` (only the first time that this upstream sees
that prompt) and `model=NAME` (only for that upstream model). A request that ends with tool results
beyond the last stage is answered by a text that quotes them: `tool said: …`.

Only tools that the request offers are called; a missing one is named in the answer, so that a test fails
where it can be seen. Knows views and scripts, neither wires nor formats.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from .script import (
    Cut,
    ErrorStatus,
    Finish,
    Hang,
    MidStreamError,
    Parallel,
    Refusal,
    Script,
    Slow,
    Step,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from .strict import words
from .view import Tool, Turn, View

_WORDS = words("say think refuse call then final status error cut rst slow hang see finish usage")
_TROUBLE = frozenset({"status", "error", "cut", "rst", "slow", "hang"})


@dataclass(frozen=True)
class Directive:
    """One `[[word rest]]`; a call's rest is split into name and argument text."""

    word: str
    rest: str
    name: str = ""
    arguments: Any = None
    raw: bool = False


def parse(text: str) -> list[Directive]:
    """The directives of a text, in order; brackets with another word are just text."""
    out: list[Directive] = []
    at = text.find("[[")
    while at != -1:
        found = _parse_one(text, at)
        if found is None:
            at = text.find("[[", at + 2)
            continue
        directive, end = found
        out.append(directive)
        at = text.find("[[", end)
    return out


def _parse_one(text: str, at: int) -> tuple[Directive, int] | None:
    start = at + 2
    end = start
    while end < len(text) and text[end].isalpha():
        end += 1
    word = text[start:end]
    if word not in _WORDS:
        return None
    if word == "call":
        return _parse_call(text, end)
    close = text.find("]]", end)
    if close == -1:
        return None
    return Directive(word, text[end:close].strip()), close + 2


def _parse_call(text: str, at: int) -> tuple[Directive, int] | None:
    while at < len(text) and text[at] == " ":
        at += 1
    end = at
    while end < len(text) and not text[end].isspace() and not text.startswith("]]", end):
        end += 1
    name = text[at:end]
    rest = end
    while rest < len(text) and text[rest].isspace():
        rest += 1
    if rest < len(text) and text[rest] == "{":
        try:
            value, stop = json.JSONDecoder().raw_decode(text, rest)
        except ValueError:
            pass
        else:
            close = text.find("]]", stop)
            if close != -1 and not text[stop:close].strip():
                return Directive("call", text[rest:stop], name, value), close + 2
    close = text.find("]]", end)
    if close == -1:
        return None
    raw = text[end:close].strip("\n ")
    if not raw:
        return Directive("call", "{}", name, {}), close + 2
    return Directive("call", raw, name, raw, raw=True), close + 2


def find_tool(tools: list[Tool], name: str) -> Tool | None:
    """The tool of that name: exact, `namespace.name`, or the tail of a flattened `namespace__name`."""
    callable_tools = [t for t in tools if t.kind != "hosted"]
    tail = name.replace("__", ".").rpartition(".")[2]
    tests = (
        lambda t: t.name == name,
        lambda t: t.namespace is not None and name in (f"{t.namespace}.{t.name}", f"{t.namespace}__{t.name}"),
        lambda t: t.name.replace(".", "__") == name.replace(".", "__"),
        lambda t: t.name.endswith(("__" + name, "." + name)),
        lambda t: t.name == tail,
        lambda t: t.name.endswith("__" + tail),
    )
    for test in tests:
        for tool in callable_tools:
            if test(tool):
                return tool
    return None


class Language:
    """Turns a view into a script; remembers what `once` has already happened."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def script(self, view: View, model: str) -> Script | None:
        """The script the conversation asks for; None when it says nothing."""
        found = _last_directive_turn(view)
        rounds = _rounds_after(view, found[0] if found else -1)
        if found is None:
            return _after_results(view, "") if rounds and _ends_with_results(view) else None
        _, directives, text = found
        final = " ".join(d.rest for d in directives if d.word == "final")
        stages = _stages([d for d in directives if d.word != "final"])
        if rounds >= len(stages):
            return _after_results(view, final)
        return self._stage(stages[rounds], view, model, text)

    def _stage(self, stage: list[Directive], view: View, model: str, text: str) -> Script:
        steps: list[Step] = []
        calls: list[ToolCall] = []
        for directive in stage:
            if directive.word == "call":
                tool = find_tool(view.tools, directive.name)
                if tool is None:
                    offered = ", ".join(sorted(t.name for t in view.tools)) or "none"
                    steps.append(Text(f"missing tool: {directive.name} (offered: {offered})"))
                else:
                    calls.append(_call(tool, directive))
                continue
            if directive.word in _TROUBLE and not self._applies(directive, model, text):
                continue
            steps.extend(_steps(directive, view))
        if len(calls) == 1:
            steps.append(calls[0])
        elif calls:
            steps.append(Parallel(tuple(calls)))
        if not any(isinstance(s, Text | ToolCall | Parallel | Refusal | ErrorStatus) for s in steps):
            at = next((i for i, s in enumerate(steps) if isinstance(s, Cut | MidStreamError)), len(steps))
            steps.insert(at, Text("This is the answer of the fake upstream."))
        status = next((s for s in steps if isinstance(s, ErrorStatus)), None)
        return Script((status,) if status else tuple(steps), name="prompt")

    def _applies(self, directive: Directive, model: str, text: str) -> bool:
        words = directive.rest.split()
        wanted = next((w[6:] for w in words if w.startswith("model=")), None)
        if wanted is not None and wanted != model:
            return False
        if "once" not in words:
            return True
        key = f"{directive.word} {directive.rest}\n{text}"
        self._seen[key] += 1
        return self._seen[key] == 1


def _steps(directive: Directive, view: View) -> list[Step]:
    word, rest = directive.word, directive.rest
    plain = [w for w in rest.split() if w != "once" and "=" not in w]
    options = dict(w.split("=", 1) for w in rest.split() if "=" in w)
    if word == "say":
        return [Text(rest)]
    if word == "think":
        return [Thinking(rest)]
    if word == "refuse":
        return [Refusal(rest or "I can't help with that.")]
    if word == "status":
        headers = (("retry-after", options["retry-after"]),) if "retry-after" in options else ()
        return [ErrorStatus(int(plain[0]), f"scripted status {plain[0]}", headers=headers)]
    if word == "error":
        return [Text("partial "), MidStreamError(int(plain[0]) if plain else 500)]
    if word in ("cut", "rst"):
        return [Text("This answer is cut in the mid"), Cut(how="fin" if word == "cut" else "rst")]
    if word == "slow":
        return [Slow(float(plain[0]), options.get("where", "here"))]  # type: ignore[arg-type]
    if word == "hang":
        return [Hang(plain[0] if plain else "here")]  # type: ignore[arg-type]
    if word == "see":
        marks = [mark for turn in view.turns for mark in turn.images]
        return [Text(f"I see {len(marks)} image(s): {' '.join(marks)}")]
    if word == "finish":
        return [Finish(plain[0])]
    if word == "usage":
        return [Usage(*(int(w) for w in plain))]
    return []


def _call(tool: Tool, directive: Directive) -> ToolCall:
    """The call in the tool's own form: raw input for a custom tool, JSON for a function."""
    value = directive.arguments
    if tool.kind == "custom":
        if directive.raw:
            text = str(value)
        elif isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value.values())), str):
            text = next(iter(value.values()))
        else:
            text = directive.rest
        return ToolCall(tool.name, text, kind="custom", namespace=tool.namespace)
    if directive.raw:
        properties = tool.schema.get("properties") or {"input": {}}
        key = next(iter(tool.schema.get("required") or properties), "input")
        arguments = json.dumps({key: value}, ensure_ascii=False)
    else:
        arguments = directive.rest
    kind: Any = "tool_search" if tool.kind == "tool_search" else "function"
    return ToolCall(tool.name, arguments, kind=kind, namespace=tool.namespace)


def _last_directive_turn(view: View) -> tuple[int, list[Directive], str] | None:
    """The last user turn with directives. Of a turn with several texts, the last text that has any counts."""
    for index in range(len(view.turns) - 1, -1, -1):
        if view.turns[index].kind != "user":
            continue
        for text in reversed(view.turns[index].texts):
            directives = parse(text)
            if directives:
                return index, directives, text
    return None


def _rounds_after(view: View, index: int) -> int:
    return sum(1 for turn in view.turns[index + 1 :] if turn.kind == "results")


def _ends_with_results(view: View) -> bool:
    spoken = [t for t in view.turns if t.kind != "system"]
    return bool(spoken) and spoken[-1].kind == "results"


def _stages(directives: list[Directive]) -> list[list[Directive]]:
    stages: list[list[Directive]] = [[]]
    for directive in directives:
        if directive.word == "then":
            stages.append([])
        else:
            stages[-1].append(directive)
    return stages


def _after_results(view: View, final: str) -> Script:
    last = next((t for t in reversed(view.turns) if t.kind == "results"), Turn("results"))
    said = "; ".join([*last.texts, *last.images]) or "nothing"
    return Script((Text((final + " " if final else "") + f"tool said: {said}"),), name="prompt")


def example(schema: dict[str, Any]) -> Any:
    """A value that follows a JSON schema, for structured output: the first choice everywhere."""
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return example(schema[key][0])
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = str(kind[0] if isinstance(kind, list) else kind).lower()
    if kind == "object":
        return {k: example(v) for k, v in (schema.get("properties") or {}).items()}
    if kind == "array":
        return [example(schema.get("items") or {})] * max(1, schema.get("minItems") or 1)
    return {"integer": schema.get("minimum", 1), "number": 1.5, "boolean": True, "null": None}.get(kind, "text")
