"""One vocabulary for what could not be carried: every codec, the hub and the profiles use it, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

import llmswitch_core
from llmswitch_core.canonical.model import (
    Conversation,
    FunctionTool,
    HostedTool,
    Media,
    Opaque,
    Part,
    Protocol,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from llmswitch_core.compat import BUILT_IN
from llmswitch_core.protocols import losses
from llmswitch_core.protocols.contract import Notes, WireTarget
from llmswitch_core.protocols.losses import FAMILIES, LOSSES, Family, Loss, is_known, of, of_member
from llmswitch_core.protocols.registry import CODECS

ROOT = Path(llmswitch_core.__file__).parent
TELLING = frozenset({"dropped", "mapped", "repaired"})
MAKING = frozenset({"of", "of_member", "in_own_words"})


def flat(annotation: Any) -> set[str]:
    """The strings of a Literal, or of a union of them."""
    return {name for part in get_args(annotation) for name in ([part] if isinstance(part, str) else flat(part))}


def told() -> Iterator[tuple[str, ast.expr]]:
    """(place, argument) of every call in the shared module that tells a loss."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
                function = node.func
                if isinstance(function, ast.Attribute) and function.attr in TELLING:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node.args[0]


def test_every_name_and_family_is_explained() -> None:
    assert flat(Loss) == set(LOSSES)
    assert flat(Family) == set(FAMILIES)


def test_every_codec_tells_names_of_the_table() -> None:
    """Constants stand in it; what is made of data is made by its functions, or typed as a name."""
    found = list(told())
    rooms = {place.split("/")[1] for place, _ in found if place.startswith("protocols/")}
    assert {"openai_chat", "openai_responses", "anthropic_messages", "gemini"} <= rooms
    for place, argument in found:
        for part in ast.walk(argument):
            assert not isinstance(part, ast.JoinedStr | ast.BinOp), f"{place}: a name is put together by hand"
        if isinstance(argument, ast.Constant):
            assert argument.value in LOSSES, place
        if isinstance(argument, ast.Call):
            assert isinstance(argument.func, ast.Name), place
            assert argument.func.id in MAKING or argument.func.id == "_misplaced", place


def test_no_name_of_the_table_is_told_by_nobody() -> None:
    used = {
        node.value
        for path in ROOT.rglob("*.py")
        if path != Path(losses.__file__)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert sorted(set(LOSSES) - used) == []


def test_the_built_in_profiles_use_the_table() -> None:
    def notes(tree: Any) -> Iterator[str]:
        if isinstance(tree, dict):
            yield from (value for name, value in tree.items() if name == "note")
            tree = list(tree.values())
        if isinstance(tree, list | tuple):
            for each in tree:
                yield from notes(each)

    found = {note for document in BUILT_IN.values() for note in notes(document)}
    assert found
    assert [note for note in found if not is_known(note)] == []


CASES: dict[str, dict[str, Any]] = {
    "tool.image_generation": {"tools": [HostedTool("image_generation", Protocol.OPENAI_RESPONSES, {"type": "x"})]},
    "tool.x_option": {"tools": [FunctionTool("look", parameters={"type": "object"}, options={"x_option": 1})]},
    "opaque.x_part": {"parts": [Text("hi"), Opaque(Protocol.OPENAI_RESPONSES, "x_part", {"type": "x_part"})]},
    "media.x_option": {"parts": [Media("image", media_type="image/png", data="iVBORw0KGgo=", options={"x_option": 1})]},
    "extensions.x_member": {"extensions": {"x_member": 1}},
    "metadata": {"metadata": {"who": "me"}},
    "messages.name": {"name": "someone"},
}
"""A loss, and what a request must hold for a target of another protocol to lose it."""


def written(target: Protocol, client: Protocol, case: dict[str, Any]) -> dict[str, str]:
    """What this target's writer tells of a request with these parts, tools or members."""
    run = FunctionTool("run", parameters={"type": "object"})
    parts: list[Part] = case.get("parts", [Text("hi")])
    turns = [
        Turn("user", parts, name=case.get("name")),
        Turn("assistant", [ToolCall("c1", "run", "{}")]),
        Turn("user", [ToolResult("c1", [Text("done")])]),
    ]
    tools = [*case.get("tools", []), run]
    members = {name: case[name] for name in ("extensions", "metadata") if name in case}
    conversation = Conversation(client, "m", turns, tools=tools, **members)
    notes = Notes()
    CODECS[target].write_request(conversation, WireTarget("m", False, False, {"hosted_tools": "drop"}), notes)
    return dict(notes.items())


@pytest.mark.parametrize("target", list(Protocol))
@pytest.mark.parametrize("loss", CASES)
def test_one_loss_has_one_name_on_every_target(loss: str, target: Protocol) -> None:
    client = Protocol.ANTHROPIC_MESSAGES if target is not Protocol.ANTHROPIC_MESSAGES else Protocol.GEMINI
    found = written(target, client, CASES[loss])
    assert [name for name in found if not is_known(name)] == []
    same_name = {name for name in found if name.rpartition(".")[2] == loss.rpartition(".")[2]}
    carried = {("messages.name", Protocol.OPENAI_CHAT)}
    own = target is Protocol.OPENAI_RESPONSES and loss in ("tool.image_generation", "opaque.x_part")
    assert same_name == (set() if own or (loss, target) in carried else {loss})


def test_what_was_dropped_weighs_more_than_what_was_mapped() -> None:
    notes = Notes()
    notes.mapped(of("tool", "web_search"))
    notes.repaired("messages")
    notes.dropped(of("tool", "web_search"))
    notes.mapped("messages")
    assert notes.header() == "tool.web_search;dropped, messages;repaired"


@pytest.mark.parametrize(
    ("member", "loss"),
    [
        ("metadata", "metadata"),
        ("top_p", "sampling.top_p"),
        ("stop", "sampling.stop"),
        ("prompt_cache_key", "cache_key"),
        ("stream_options", "member.stream_options"),
    ],
)
def test_a_wire_member_is_called_by_what_it_carries(member: str, loss: str) -> None:
    assert of_member(member) == loss
    assert is_known(loss)
