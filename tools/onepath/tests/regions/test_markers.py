"""What is a marker, what is text, and what is a fault: Markdown decides, and each fault has its line."""

from __future__ import annotations

import pytest

from onepath.regions import Region, digest, parse_page

BEGIN = "<!-- AUTO:ARCH:BEGIN -->"
END = "<!-- AUTO:ARCH:END -->"


def regions(text: str) -> list[Region]:
    page = parse_page("R.md", text.encode())
    assert not page.faults, [str(fault) for fault in page.faults]
    return list(page.regions)


def faults(text: str) -> list[str]:
    page = parse_page("R.md", text.encode())
    return [str(fault) for fault in page.faults]


def only(text: str) -> Region:
    found = regions(text)
    assert len(found) == 1
    return found[0]


def test_a_region_is_what_lies_between_its_markers() -> None:
    region = only(f"# T\n\n{BEGIN}\nbody\n{END}\nafter\n")
    assert (region.begin, region.end, region.column, region.body, region.header) == (2, 4, 0, "body\n", "")


def test_a_region_may_be_empty() -> None:
    assert only(f"{BEGIN}\n{END}\n").body == ""


def test_a_header_with_its_digest_is_no_part_of_the_body() -> None:
    region = only(f"{BEGIN}\n<!-- onepath: generated; run `x`; body sha256:{digest('a')} -->\nbody\n{END}")
    assert (region.digest, region.body) == (digest("a"), "body\n")


def test_a_marker_may_end_a_paragraph_a_list_or_a_table() -> None:
    assert only(f"text\n{BEGIN}\n| a |\n|---|\n| b |\n{END}\n- item\n").body == "| a |\n|---|\n| b |\n"
    assert only(f"- item\n{BEGIN}\n- x\n{END}\n").body == "- x\n"


def test_two_regions_of_different_names_follow_each_other() -> None:
    text = f"{BEGIN}\n{END}\n<!-- AUTO:CALLGRAPH:BEGIN -->\n<!-- AUTO:CALLGRAPH:END -->"
    assert [region.name for region in regions(text)] == ["ARCH", "CALLGRAPH"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_line_end_is_understood(newline: str) -> None:
    region = only(newline.join(["# T", "", BEGIN, "one", "two", END]))
    assert (region.body, region.newline) == ("one\ntwo\n", newline)


def test_other_separators_do_not_end_lines() -> None:
    region = only(f"a\u2028b\x0b\x0c\x85c\n\n{BEGIN}\nx\u2028y\n{END}\n")
    assert (region.begin, region.body) == (2, "x\u2028y\n")


def test_a_byte_order_mark_does_not_hide_the_first_marker() -> None:
    page = parse_page("R.md", f"\ufeff{BEGIN}\nx\n{END}".encode())
    assert page.bom
    assert [region.body for region in page.regions] == ["x\n"]


def test_a_page_without_final_newline_may_end_with_a_marker() -> None:
    assert only(f"{BEGIN}\nx\n{END}").body == "x\n"


TEXT = {
    "backtick fence": f"```\n{BEGIN}\n{END}\n```\n",
    "tilde fence": f"~~~markdown\n{BEGIN}\n{END}\n~~~\n",
    "long fence around a short one": f"`````\n```\n{BEGIN}\n```\n{END}\n`````\n",
    "tilde fence around a backtick fence": f"~~~\n```\n{BEGIN}\n{END}\n~~~\n",
    "open fence to the end of the page": f"```\n{BEGIN}\n{END}\n",
    "fence in a list": f"- x\n\n  ```\n  {BEGIN}\n  {END}\n  ```\n",
    "fence in a quote": f"> ```\n> {BEGIN}\n> {END}\n> ```\n",
    "indented code": f"text\n\n    {BEGIN}\n    {END}\n",
    "tab-indented code": f"\t{BEGIN}\n\t{END}\n",
    "inline code": f"Write `{BEGIN}` and ``{END}``.\n",
    "a comment that speaks of it": "<!-- put AUTO:ARCH:BEGIN here -->\n",
    "a comment around it": f"<!-- see\n{BEGIN}\n\nnot a marker\n",
    "escaped": f"\\{BEGIN}\n",
    "entities": "&lt;!-- AUTO:ARCH:BEGIN --&gt;\n",
}


@pytest.mark.parametrize("text", TEXT.values(), ids=TEXT.keys())
def test_in_code_and_in_other_comments_it_is_text(text: str) -> None:
    assert regions(text) == []


@pytest.mark.parametrize("text", TEXT.values(), ids=TEXT.keys())
def test_text_that_looks_like_markers_does_not_disturb_a_region_above_it(text: str) -> None:
    assert only(f"{BEGIN}\nbody\n{END}\n\n{text}").body == "body\n"


FAULTS = {
    "running text": (f"See {BEGIN} here.\n", "R.md:1: marker of ARCH in running text"),
    "second line of a paragraph, deeply indented": (f"text\n     {BEGIN}\n", "R.md:2: marker of ARCH in running text"),
    "emphasis": (f"one\n*two {BEGIN}*\n", "R.md:2: marker of ARCH in running text"),
    "heading": (f"# {BEGIN}\n", "R.md:1: marker of ARCH in running text"),
    "table cell": (f"| a |\n|---|\n| {BEGIN} |\n", "R.md:3: marker of ARCH in running text"),
    "alternative text": (f"![a {BEGIN}](x.png)\n", "R.md:1: marker of ARCH in running text"),
    "directly below details": (
        f"<details>\n<summary>x</summary>\n{BEGIN}\nx\n{END}\n",
        "R.md:3: marker of ARCH is inside the HTML block that starts on line 1; leave a blank line above the marker",
    ),
    "in pre": (f"<pre>\n\n{BEGIN}\n</pre>\n", "R.md:3: marker of ARCH is inside the HTML block that starts on line 1"),
    "text behind it": (f"{BEGIN} text\n", "R.md:1: marker of ARCH shares its line with other text"),
    "two on a line": (f"{BEGIN}{END}\n", "R.md:1: marker of ARCH shares its line"),
    "in a quote": (f"> {BEGIN}\n> {END}\n", "R.md:1: marker of ARCH in a quote"),
    "in a list in a quote": (f"> - {BEGIN}\n>   {END}\n", "R.md:1: marker of ARCH in a quote"),
    "no blanks": ("<!--AUTO:ARCH:BEGIN-->\n", "write `<!-- AUTO:ARCH:BEGIN -->`"),
    "lower case": ("<!-- auto:ARCH:begin -->\n", "write `<!-- AUTO:ARCH:BEGIN -->`"),
    "over lines": ("<!--\nAUTO:ARCH:BEGIN\n-->\n", "write `<!-- AUTO:ARCH:BEGIN -->`"),
    "missing END": (f"x\n\n{BEGIN}\nbody\n", "R.md:3: ARCH has no END; write `<!-- AUTO:ARCH:END -->`"),
    "missing BEGIN": (f"x\n\n{END}\n", "R.md:3: END of ARCH without a BEGIN"),
    "inverted": (f"{END}\n\n{BEGIN}\n", "R.md:1: END of ARCH without a BEGIN"),
    "nested": (
        f"{BEGIN}\n<!-- AUTO:CALLGRAPH:BEGIN -->\n<!-- AUTO:CALLGRAPH:END -->\n{END}\n",
        "R.md:2: BEGIN of CALLGRAPH inside ARCH, which began on line 1",
    ),
    "nested in itself": (f"{BEGIN}\n{BEGIN}\n{END}\n{END}\n", "R.md:2: BEGIN of ARCH inside ARCH"),
    "crossed": (
        f"{BEGIN}\n<!-- AUTO:CALLGRAPH:END -->\n{END}\n",
        "R.md:2: END of CALLGRAPH inside ARCH, which began on line 1",
    ),
    "duplicate": (f"{BEGIN}\n{END}\n\n{BEGIN}\n{END}\n", "R.md:4: ARCH is here twice (first on line 1)"),
    "END in an open fence": (
        f"{BEGIN}\n```\ncode\n{END}\n\nmore\n",
        "R.md:1: ARCH has no END: the one on line 4 is inside a code fence from line 2; close that first",
    ),
    "END in a fence that a later fence seems to close": (
        f"{BEGIN}\n```\n{END}\ntext\n```python\nx\n```\n",
        "R.md:1: ARCH has no END: the one on line 3 is inside a code fence from line 2",
    ),
    "END in a closed fence, and another below": (
        f"{BEGIN}\n```\n{END}\n```\nby hand\n{END}\n",
        "R.md:3: END of ARCH inside a code fence (from line 2)",
    ),
    "END indented into code": (f"{BEGIN}\n\n    {END}\n", "the one on line 3 is inside an indented code block"),
    "END in another list item": (f"- {BEGIN}\n- {END}\n", "R.md:2: END of ARCH is not in the list item of its BEGIN"),
    "END outside the list": (f"- {BEGIN}\n\n{END}\n", "R.md:3: END of ARCH is not in the list item of its BEGIN"),
    "END deeper in the list": (f"- {BEGIN}\n  - x\n\n    {END}\n", "is not in the list item of its BEGIN"),
}


@pytest.mark.parametrize(("text", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_what_is_neither_marker_nor_text_is_a_fault_with_its_line(text: str, message: str) -> None:
    assert any(message in fault for fault in faults(text)), faults(text)


def test_details_with_a_blank_line_hold_a_region() -> None:
    assert only(f"<details>\n\n{BEGIN}\nx\n{END}\n\n</details>\n").body == "x\n"


def test_a_page_that_is_no_utf8_is_a_fault() -> None:
    page = parse_page("R.md", b"ok\n\xff\xfe\n")
    assert [str(fault) for fault in page.faults] == ["R.md:2: is not UTF-8: invalid start byte"]


LISTS = {
    "below a bullet": (f"- item\n\n  {BEGIN}\n  one\n\n    two\n  {END}\n", 2),
    "on the bullet's line": (f"- {BEGIN}\n  one\n\n    two\n  {END}\n", 2),
    "in a nested list": (f"1. a\n   - b\n\n     {BEGIN}\n     one\n\n       two\n     {END}\n", 5),
    "behind a tab": (f"-\t{BEGIN}\n\tone\n\n\t  two\n\t{END}\n", 4),
    "slightly indented at top level": (f"  {BEGIN}\n  one\n\n    two\n  {END}\n", 2),
}


@pytest.mark.parametrize(("text", "column"), LISTS.values(), ids=LISTS.keys())
def test_in_a_list_item_the_body_is_indented_by_the_markers_column(text: str, column: int) -> None:
    region = only(text)
    assert (region.column, region.body) == (column, "one\n\n  two\n")


def test_conflict_markers_are_seen() -> None:
    body = "<<<<<<< HEAD\none\n=======\ntwo\n>>>>>>> other\n"
    assert only(f"{BEGIN}\n{body}{END}\n").has_conflict
    assert not only(f"{BEGIN}\nTitle\n=======\n{END}\n").has_conflict
