"""What is written as Markdown is read back as what was meant."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from onepath.render import markdown

READER = MarkdownIt("commonmark").enable("table")


def cells(text: str) -> list[str]:
    """The table's cells as text, code without its ticks."""
    inline = [token for token in READER.parse(text) if token.type == "inline"]
    return ["".join(child.content for child in token.children or []) for token in inline]


WORDS = st.text(alphabet="ab `|\\*_[]<>~#&!-.", max_size=25).map(lambda text: " ".join(text.split()))


@settings(deadline=None, max_examples=200)
@given(WORDS.filter(bool))
def test_text_in_a_cell_is_that_text(words: str) -> None:
    assert cells(markdown.table(["h"], [[f"x {markdown.text(words)}"]])) == ["h", f"x {words}"]


@settings(deadline=None, max_examples=200)
@given(WORDS.filter(bool))
def test_code_in_a_cell_is_that_code(words: str) -> None:
    assert cells(markdown.table(["h"], [[markdown.code(words)]])) == ["h", words]


@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from(["`" * 3, "`" * 5, "x", "  ```py", "~~~", ""]), max_size=6).map("\n".join))
def test_a_fence_holds_whatever_is_in_it(body: str) -> None:
    tokens = READER.parse(markdown.fence(body, "text") + "\n\nafter\n")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]


@pytest.mark.parametrize(
    ("sentence", "written"),
    [
        ("Reads `a_b` and *x*.", "Reads `a_b` and \\*x\\*."),
        ("snake_case stays", "snake_case stays"),
        ("two\n  lines", "two lines"),
    ],
)
def test_code_in_prose_stays_code(sentence: str, written: str) -> None:
    assert markdown.prose(sentence) == written


def test_a_link_is_quoted() -> None:
    assert markdown.link("`x`", "src/a b/(c).py") == "[`x`](src/a%20b/%28c%29.py)"
