"""What each case says to the fake upstream, and what its user must see in the end. Tables.

The numbers differ from cell to cell, so that an answer cannot come from another one; sums stand nowhere in the
prompt, so that a sum in the answer was computed by the client's own tool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .catalogue import Cell

PICTURE_MARK = "I see 1 image(s): image/png:57cda64c"
"""How the fake upstream names tests/e2e/red.png (by the hash of its bytes)."""
CUT_TEXT = "This answer is cut"
FIRST = "busy-model"
"""The model that answers 429 in the case of two targets."""


@dataclass(frozen=True)
class Scenario:
    """A prompt and what must come of it.

    says: pieces of the final text; `in_order`: as they stand here. exact: the final text and nothing else.
    fails: the client must fail visibly, its error naming one of `error_names`. calls: requests each upstream gets
    (least, most) per conversation. statuses: what the client may see on the wire; `must_see`: what it has to see.
    cools_down: an upstream that refused may be spared in a later conversation.
    picture: "" | "attached" (given with the prompt) | "workspace" (to be read by a tool).
    made: files the client must have made in its workspace.
    """

    prompt: str
    says: tuple[str, ...] = ()
    in_order: bool = True
    exact: str = ""
    fails: bool = False
    error_names: tuple[str, ...] = ()
    calls: tuple[tuple[int, int], ...] = ((1, 1),)
    cools_down: bool = False
    statuses: frozenset[int] = frozenset({200})
    must_see: int = 200
    picture: str = ""
    made: dict[str, str] = field(default_factory=dict)


def _shell(numbers: tuple[int, int]) -> str:
    return f"expr {numbers[0]} + {numbers[1]}"


CALLS: dict[str, Callable[[tuple[int, int]], str]] = {
    "exec_command": lambda n: f'[[call exec_command {{"cmd": "{_shell(n)}"}}]]',
    "exec": lambda n: f'[[call exec const r = await tools.exec_command({{cmd: "{_shell(n)}"}}); text(r.output);]]',
    "Bash": lambda n: f'[[call Bash {{"command": "{_shell(n)}", "description": "adds"}}]]',
    "run_shell_command": lambda n: f'[[call run_shell_command {{"command": "{_shell(n)}", "description": "adds"}}]]',
    "add": lambda n: f'[[call add {{"a": {n[0]}, "b": {n[1]}}}]]',
}
VIEW_IMAGE: dict[str, str] = {
    "Bash": '[[call Read {"file_path": "WORKSPACE/red.png"}]]',
    "exec_command": '[[call view_image {"path": "WORKSPACE/red.png"}]]',
}


def scenario(cell: Cell) -> Scenario:
    """What this cell is about."""
    return _CASES[cell.case](cell)


def _text(cell: Cell) -> Scenario:
    said = f"Grüße 👋 from {cell.tag}"
    return Scenario(f"[[say {said}]]", exact=said)


def _tools(cell: Cell) -> Scenario:
    numbers = (70_000 + cell.number, 10_000)
    prompt = f"[[think About {cell.tag}.]] {CALLS[cell.client.tool](numbers)} [[final done {cell.tag}]]"
    return Scenario(prompt, says=(f"done {cell.tag}", str(sum(numbers))), calls=((2, 2),))


def _parallel(cell: Cell) -> Scenario:
    numbers = [(step * 100_000 + cell.number, 10_000) for step in (1, 2, 3)]
    calls = " ".join(CALLS[cell.client.tool](n) for n in numbers)
    prompt = f"[[think About {cell.tag}.]] {calls} [[final done {cell.tag}]]"
    says = (f"done {cell.tag}", *(str(sum(n)) for n in numbers))
    in_order = cell.client.driver != "claude"  # it sends results in the order in which its commands end
    return Scenario(prompt, says=says, in_order=in_order, calls=((2, 2),))


def _image(cell: Cell) -> Scenario:
    if cell.client.driver == "claude":  # it has no way to attach one headless: its Read tool returns it
        return _image_result(cell)
    return Scenario(f"[[see]] {cell.tag}", says=(PICTURE_MARK,), picture="attached")


def _image_result(cell: Cell) -> Scenario:
    prompt = f"[[think About {cell.tag}.]] {VIEW_IMAGE[cell.client.tool]} [[then]] [[see]]"
    return Scenario(prompt, says=(PICTURE_MARK,), picture="workspace", calls=((2, 2),))


def _one_429(cell: Cell) -> Scenario:
    return Scenario(
        f"[[status 429]] {cell.tag}",
        fails=True,
        error_names=("429", "RateLimitError", "rate limit", "RESOURCE_EXHAUSTED"),
        calls=((1, 8),),
        cools_down=True,
        statuses=frozenset({429}),
        must_see=429,
    )


def _once_429(cell: Cell) -> Scenario:
    """A lone target that asks for a short wait is asked again; the client sees nothing of it."""
    said = f"Served at the second attempt of {cell.tag}."
    return Scenario(f"[[status 429 retry-after=1 once]] [[say {said}]]", exact=said, calls=((1, 2),))


def _two_429(cell: Cell) -> Scenario:
    said = f"Served by the second of {cell.tag}."
    prompt = f"[[status 429 model={FIRST}]] [[say {said}]]"
    return Scenario(prompt, exact=said, calls=((1, 1), (1, 1)), cools_down=True)


def _cut(cell: Cell) -> Scenario:
    """Codex and Claude Code ask again; the others say that it broke."""
    if cell.client.driver in ("codex", "claude"):
        said = f"Whole again: {cell.tag}."
        return Scenario(f"[[cut once]] [[say {said}]]", exact=said, calls=((2, 2),), statuses=_ANY)
    return _cut_always(cell)


def _cut_always(cell: Cell) -> Scenario:
    return Scenario(f"[[cut]] {cell.tag}", fails=True, calls=((1, 16),), statuses=_ANY, must_see=0)


def _apply_patch(cell: Cell) -> Scenario:
    patch = f"*** Begin Patch\n*** Add File: made.txt\n+made by {cell.tag}\n*** End Patch"
    return Scenario(
        f"[[call apply_patch {patch}]] [[final done {cell.tag}]]",
        says=(f"done {cell.tag}", "made.txt"),
        calls=((2, 2),),
        made={"made.txt": f"made by {cell.tag}\n"},
    )


def _tool_search(cell: Cell) -> Scenario:
    prompt = f'[[call tool_search {{"query": "spawn agent"}}]] [[then]] [[say searched {cell.tag}]]'
    return Scenario(prompt, exact=f"searched {cell.tag}", calls=((2, 2),))


_ANY = frozenset({200, 500, 502, 503, 504, 529})
_CASES: dict[str, Callable[[Cell], Scenario]] = {
    "text": _text,
    "tools": _tools,
    "parallel": _parallel,
    "image": _image,
    "image-result": _image_result,
    "429-one": _one_429,
    "429-once": _once_429,
    "429-two": _two_429,
    "cut": _cut,
    "cut-always": _cut_always,
    "apply_patch": _apply_patch,
    "tool_search": _tool_search,
}
