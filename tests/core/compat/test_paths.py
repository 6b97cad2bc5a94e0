from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmswitch_core.compat.paths import MISSING, Path

TREE: dict[str, Any] = {
    "temperature": 0.5,
    "thinking": {"type": "enabled"},
    "messages": [
        {"role": "system", "content": "s"},
        {"role": "assistant", "content": "a", "tool_calls": [{"id": "1"}, {"id": "2"}]},
        {"role": "user", "content": [{"type": "text", "text": "u"}]},
    ],
    "metadata": {"a": 1, "b": 2},
    "odd": {"x.y": {"z": 3}},
    "null": None,
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("temperature", [0.5]),
        ("thinking.type", ["enabled"]),
        ("messages[*].role", ["system", "assistant", "user"]),
        ("messages[0].role", ["system"]),
        ("messages[-1].role", ["user"]),
        ("messages[7].role", []),
        ("messages[role=assistant].content", ["a"]),
        ("messages[role!=assistant].role", ["system", "user"]),
        ("messages[tool_calls].role", ["assistant"]),
        ("messages[*].tool_calls[*].id", ["1", "2"]),
        ("metadata.*", [1, 2]),
        ('odd."x.y".z', [3]),
        ("null", [None]),
        ("null.member", []),
        ("temperature.member", []),
        ("messages.role", []),
        ("thinking[*]", []),
        ("nowhere.at.all", []),
    ],
)
def test_a_path_reaches_what_its_text_says(path: str, values: list[Any]) -> None:
    assert list(Path(path).values(TREE)) == values


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a[", "a]b", "a[=x]", 'a."', "a[*]b", "a[]"])
def test_what_is_no_path_is_refused_naming_it(text: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        Path(text)


def test_an_edit_copies_what_it_changes_and_shares_the_rest() -> None:
    before = copy.deepcopy(TREE)
    new = Path("messages[*].tool_calls[*].id").edit(TREE, lambda old: f"x{old}")
    assert before == TREE
    assert [call["id"] for call in new["messages"][1]["tool_calls"]] == ["x1", "x2"]
    assert new["messages"][0] is TREE["messages"][0]
    assert new["metadata"] is TREE["metadata"]


@pytest.mark.parametrize("path", ["nowhere.at.all", "messages[*].nothing.here", "temperature.x", "metadata[*]"])
def test_an_edit_that_reaches_nothing_gives_back_the_same_tree(path: str) -> None:
    assert Path(path).edit(TREE, lambda old: old if old is MISSING else 1) is TREE


def test_the_same_value_is_no_change() -> None:
    assert Path("messages[*].role").edit(TREE, lambda old: old) is TREE


def test_missing_removes_members_and_elements() -> None:
    assert "type" not in Path("thinking.type").edit(TREE, lambda _: MISSING)["thinking"]
    kept = Path("messages[role=user]").edit(TREE, lambda _: MISSING)["messages"]
    assert [message["role"] for message in kept] == ["system", "assistant"]
    assert Path("metadata.*").edit(TREE, lambda _: MISSING)["metadata"] == {}


def test_objects_on_the_way_are_made_only_where_asked_for() -> None:
    def five(_: Any) -> int:
        return 5

    assert Path("new.deep.er").edit({}, five, create=True) == {"new": {"deep": {"er": 5}}}
    assert Path("null.member").edit({"null": None}, five, create=True) == {"null": {"member": 5}}
    assert Path("new.deep").edit({}, five) == {}
    assert Path("new[*].deep").edit({}, five, create=True) == {}


@settings(deadline=None, max_examples=150)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        max_leaves=12,
    ),
    st.sampled_from(["a", "a.b", "a[*].b", "a[0]", "a[-1].c", "a.*", "a[b=x].c", "a[b].c", "*.b", "a[*][*]"]),
)
def test_no_tree_breaks_a_path_or_is_altered_by_it(tree: Any, text: str) -> None:
    before = copy.deepcopy(tree)
    path = Path(text)
    reached = len(list(path.values(tree)))
    new = path.edit(tree, lambda old: old if old is MISSING else ("new", old))
    assert tree == before
    assert (new is tree) is (reached == 0)
