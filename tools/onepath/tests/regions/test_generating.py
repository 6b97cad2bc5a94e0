"""Generation replaces bodies and nothing else; it tells stale from edited by hand; twice is as good as once."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from onepath.regions import Generated, digest, generate, normal, parse_page

BEGIN = "<!-- AUTO:ARCH:BEGIN -->"
END = "<!-- AUTO:ARCH:END -->"
COMMAND = "onepath docs"


def generated(text: str | bytes, body: str = "fresh\n") -> Generated:
    data = text if isinstance(text, bytes) else text.encode()
    return generate(parse_page("R.md", data), {"ARCH": body}, COMMAND, "the code")


def header(body: str) -> str:
    return f"<!-- onepath: generated; edit the code and run `onepath docs`; body sha256:{digest(body)} -->"


def states(page: Generated) -> list[str]:
    return [change.state for change in page.changes]


def test_the_body_is_replaced_under_a_header_with_command_and_digest() -> None:
    page = generated(f"above\n\n{BEGIN}\nold\n{END}\nbelow")
    assert page.data.decode() == f"above\n\n{BEGIN}\n{header('fresh' + chr(10))}\nfresh\n{END}\nbelow"
    assert states(page) == ["new"]


def test_what_was_generated_and_still_holds_is_current() -> None:
    once = generated(f"{BEGIN}\n{END}\n")
    again = generated(once.data)
    assert states(again) == ["current"]
    assert again.data == once.data


def test_a_changed_program_makes_it_stale() -> None:
    page = generated(generated(f"{BEGIN}\n{END}\n").data, "newer\n")
    assert states(page) == ["stale"]
    assert "-fresh\n+newer\n" in page.changes[0].diff()


def test_a_changed_line_makes_it_edited() -> None:
    data = generated(f"{BEGIN}\n{END}\n").data.replace(b"fresh", b"fresh, by hand")
    page = generated(data)
    assert states(page) == ["edited"]
    assert "-fresh, by hand" in page.changes[0].diff()


def test_a_line_added_by_hand_is_edited_even_if_the_program_changed_too() -> None:
    data = generated(f"{BEGIN}\n{END}\n").data.replace(b"fresh\n", b"fresh\nmine\n")
    assert states(generated(data, "newer\n")) == ["edited"]


def test_a_damaged_digest_is_edited() -> None:
    data = re.sub(rb"sha256:\w+", b"sha256:0000", generated(f"{BEGIN}\n{END}\n").data)
    assert states(generated(data, "newer\n")) == ["edited"]


def test_edited_to_exactly_what_is_generated_is_only_stale() -> None:
    data = generated(f"{BEGIN}\n{END}\n").data.replace(b"fresh\n", b"newer\n")
    assert states(generated(data, "newer\n")) == ["stale"]


def test_a_new_command_makes_the_header_stale() -> None:
    page = parse_page("R.md", generated(f"{BEGIN}\n{END}\n").data)
    assert states(generate(page, {"ARCH": "fresh"}, "make docs", "the code")) == ["stale"]


def test_conflict_markers_inside_are_stale_not_edited() -> None:
    before = generated(f"{BEGIN}\n{END}\n").data.decode()
    body = "<<<<<<< HEAD\nfresh\n=======\nother\n>>>>>>> branch\n"
    page = generated(before.replace("fresh\n", body))
    assert states(page) == ["conflict"]
    assert page.data.decode() == before


def test_a_conflict_that_covers_the_header_is_stale_too() -> None:
    one, two = header("a\n"), header("b\n")
    page = generated(f"{BEGIN}\n<<<<<<< HEAD\n{one}\na\n=======\n{two}\nb\n>>>>>>> x\n{END}\n")
    assert states(page) == ["conflict"]


def test_line_ends_of_the_page_are_kept_inside_and_outside() -> None:
    page = generated(f"a\r\n{BEGIN}\r\nx\r\n{END}\r\nb\nc\r", "one\ntwo\n")
    assert (
        page.data.decode()
        == f"a\r\n{BEGIN}\r\n{header('one' + chr(10) + 'two' + chr(10))}\r\none\r\ntwo\r\n{END}\r\nb\nc\r"
    )


def test_a_byte_order_mark_is_kept() -> None:
    assert generated(f"\ufeff{BEGIN}\n{END}\n").data.startswith("\ufeff<!-- AUTO".encode())


def test_in_a_list_item_the_body_is_indented_and_blank_lines_are_bare() -> None:
    page = generated(f"- x\n\n  {BEGIN}\n  {END}\n", "one\n\n- two\n")
    assert page.data.decode().splitlines()[4:] == ["  one", "", "  - two", f"  {END}"]
    assert states(generated(page.data, "one\n\n- two\n")) == ["current"]


def test_a_name_that_is_not_configured_is_a_fault() -> None:
    page = generated(f"{BEGIN}\n{END}\n\n<!-- AUTO:OTHER:BEGIN -->\n<!-- AUTO:OTHER:END -->\n")
    assert [str(fault) for fault in page.faults] == ["R.md:4: OTHER is no region that is configured for this file"]
    assert page.data == b""


def test_a_configured_name_without_a_region_is_a_fault() -> None:
    assert "ARCH is configured for this file, which has no such region" in str(generated("# T\n").faults[0])


def test_a_body_with_an_open_fence_is_refused() -> None:
    assert "breaks the page's markers" in str(generated(f"{BEGIN}\n{END}\n", "```\nopen\n").faults[0])


def test_a_body_with_a_marker_of_its_own_is_refused() -> None:
    assert "breaks the page's markers" in str(generated(f"{BEGIN}\n{END}\n", f"{END}\n").faults[0])


def test_a_body_that_opens_an_html_block_is_refused() -> None:
    assert "breaks the page's markers" in str(generated(f"{BEGIN}\n{END}\n", "<details>\nx\n").faults[0])


def test_two_regions_change_apart() -> None:
    text = f"{BEGIN}\n{END}\nmiddle\n\n<!-- AUTO:NOTES:BEGIN -->\n<!-- AUTO:NOTES:END -->\n"
    bodies = {"ARCH": "a\n", "NOTES": "n\n"}
    once = generate(parse_page("R.md", text.encode()), bodies, COMMAND, "the code")
    again = generate(parse_page("R.md", once.data), {**bodies, "NOTES": "m\n"}, COMMAND, "the code")
    assert states(again) == ["current", "stale"]


NEWLINES = st.sampled_from(["\n", "\r\n", "\r"])
OUTSIDE = st.lists(
    st.sampled_from(
        [
            "text",
            "",
            "# head",
            "- item",
            "  more",
            "> quote",
            "| a | b |",
            "|---|---|",
            "```py\nx\n```",
            "~~~\n<!-- AUTO:ARCH:BEGIN -->\n~~~",
            "    <!-- AUTO:ARCH:END -->",
            "`<!-- AUTO:ARCH:BEGIN -->`",
            "trailing  ",
            "\ttab",
            "<!-- other -->",
            "odd\u2028one\x0b",
            "***",
            "[a]: b",
        ]
    ),
    max_size=6,
)
BODIES = st.lists(
    st.sampled_from(
        ["text", "", "- x", "| a |\n|---|\n| b |", "```mermaid\nflowchart LR\n```", "\u00e4\u2028", "> q", "***"]
    ),
    max_size=5,
).map("\n".join)


@settings(deadline=None, max_examples=150)
@given(above=OUTSIDE, below=OUTSIDE, old=BODIES, body=BODIES, newline=NEWLINES, final=st.booleans(), bom=st.booleans())
def test_generation_is_idempotent_and_touches_nothing_outside(
    above: list[str], below: list[str], old: str, body: str, newline: str, *, final: bool, bom: bool
) -> None:
    text = "\n".join([*above, "", BEGIN, old, END, "", *below]) + ("\n" if final else "")
    data = (("\ufeff" if bom else "") + text.replace("\n", newline)).encode()
    once = generated(data, body)
    if once.faults:
        assert once.data == b"" or any("breaks" in fault.message for fault in once.faults)
        return
    twice = generated(once.data, body)
    assert twice.data == once.data
    assert states(twice) == ["current"]
    marked = f"{BEGIN}{newline}".encode()
    cut = data.rindex(marked) if data.count(marked) == 1 else None
    if cut is not None:
        assert once.data[: cut + len(marked)] == data[: cut + len(marked)]
    after = len("\n".join([END, "", *below]) + ("\n" if final else ""))
    tail = ("\n".join([END, "", *below]) + ("\n" if final else "")).replace("\n", newline).encode()
    assert after
    assert once.data.endswith(tail)
    assert parse_page("R.md", once.data).regions[0].body == normal(body)


@settings(deadline=None, max_examples=150)
@given(st.text(alphabet="`~<!-AUTO:RCHBEGIND> \n\r\t#*+1.|x", max_size=300))
def test_any_text_is_read_without_a_crash_and_its_lines_come_back(text: str) -> None:
    page = parse_page("R.md", text.encode())
    assert "".join(page.lines) == text
