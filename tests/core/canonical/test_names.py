"""Tool names survive wires without namespaces (MP-06, MP-22)."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from llmswitch_core.canonical.model import CustomTool, FunctionTool
from llmswitch_core.canonical.names import ToolName, WireNames

LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
namespaces = st.none() | st.text(min_size=1, max_size=12)
tools = st.lists(st.tuples(st.text(min_size=1, max_size=80), namespaces), unique=True, max_size=20)


@given(tools)
def test_mp06_names_are_legal_distinct_and_reversible(named: list[tuple[str, str | None]]) -> None:
    names = WireNames([FunctionTool(name=name, namespace=namespace) for name, namespace in named])
    sent = [names.wire(name, namespace) for name, namespace in named]
    assert len(set(sent)) == len(named)
    for (name, namespace), wire in zip(named, sent, strict=True):
        assert LEGAL.fullmatch(wire)
        assert names.original(wire) == ToolName(name, namespace)


def test_mp06_a_legal_name_is_never_displaced_by_an_escaped_one() -> None:
    names = WireNames([FunctionTool(name="a.b"), FunctionTool(name="a_b")])
    assert names.wire("a_b") == "a_b"
    assert names.wire("a.b") != "a_b"


def test_mp22_a_namespaced_custom_tool_comes_back_as_what_it_was() -> None:
    names = WireNames([CustomTool(name="exec", namespace="shell")])
    assert names.original(names.wire("exec", "shell")) == ToolName("exec", "shell", "custom")


def test_an_unknown_name_is_a_function_of_that_name() -> None:
    assert WireNames([]).original("mystery") == ToolName("mystery")
