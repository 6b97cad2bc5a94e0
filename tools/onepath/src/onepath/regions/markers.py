"""Finds AUTO regions in a Markdown page, by what Markdown makes of it.

A marker is an HTML block holding exactly `<!-- AUTO:NAME:BEGIN -->` or `…:END -->`, alone, at top level or in a list
item. The same words in code, in inline code or in another comment are text; anywhere else they are a fault, because a
reader would take them for a marker and onepath would not. It knows one page at a time and no file system.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from markdown_it import MarkdownIt
from markdown_it.token import Token

BOM: Final = "\ufeff"
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_MARKER: Final = re.compile(r"<!-- AUTO:([A-Za-z0-9_.-]+):(BEGIN|END) -->")
_MARKER_LIKE: Final = re.compile(r"\s*AUTO\s*:\s*([^\s:]+)\s*:\s*(BEGIN|END)\s*", re.IGNORECASE)
_COMMENT: Final = re.compile(r"<!--(.*?)-->", re.DOTALL)
_HEADER: Final = re.compile(r"<!-- onepath: generated;.* body sha256:(\S*) -->")
_CONFLICT: Final = re.compile(r"^<{7} .*?^={7}$.*?^>{7} ", re.MULTILINE | re.DOTALL)


class RegionFault(msgspec.Struct, frozen=True):
    """One reason why a page cannot be generated into."""

    file: str
    line: int
    """1-based."""
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class Region(msgspec.Struct, frozen=True):
    """One region as it stands in a page."""

    name: str
    begin: int
    """Index of the BEGIN line."""
    end: int
    """Index of the END line."""
    column: int
    """Columns before the BEGIN marker, tabs expanded."""
    newline: str
    """How the BEGIN line ends; generated lines end so too."""
    header: str
    """The line below BEGIN if onepath wrote it; empty: never generated."""
    digest: str
    """What the header says of the body; empty without a header."""
    body: str
    """All between, without the header: LF, unindented."""

    @property
    def has_conflict(self) -> bool:
        """Whether version control left its markers inside."""
        return bool(_CONFLICT.search(self.body))


class Page(msgspec.Struct, frozen=True):
    """A Markdown page and its regions; joining `lines` after `bom` gives its text back."""

    file: str
    bom: bool
    lines: tuple[str, ...]
    """With their ends, split at CRLF, CR and LF only."""
    regions: tuple[Region, ...]
    """In the page's order."""
    faults: tuple[RegionFault, ...]


class _Marker(msgspec.Struct, frozen=True):
    name: str
    is_begin: bool
    line: int
    container: tuple[int, ...]
    """Which list items it is in."""


def parse_page(file: str, data: bytes) -> Page:
    """The regions of a page, or why there are none; never raises for what a page holds."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return Page(file, False, (), (), (RegionFault(file, line, f"is not UTF-8: {error.reason}"),))
    bom = text.startswith(BOM)
    lines = tuple(_LINE.findall(text[len(BOM) :] if bom else text))
    tokens = MarkdownIt("commonmark").enable("table").parse("".join(lines))
    reading = _Reading(file, lines)
    reading.read(tokens)
    regions = reading.pair()
    return Page(file, bom, lines, tuple(regions), tuple(sorted(reading.faults, key=lambda fault: fault.line)))


class _Reading:
    """One pass over a page's tokens."""

    def __init__(self, file: str, lines: Sequence[str]) -> None:
        self.file = file
        self.lines = lines
        self.faults: list[RegionFault] = []
        self.markers: list[_Marker] = []
        self.in_code: list[tuple[_Marker, int, str]] = []
        """Markers that are text: the marker, where its block starts, what kind of block it is."""

    def fault(self, line: int, message: str) -> None:
        self.faults.append(RegionFault(self.file, line + 1, message))

    def read(self, tokens: Sequence[Token]) -> None:
        container: list[tuple[str, int]] = []
        for index, token in enumerate(tokens):
            if token.nesting == 1:
                container.append((token.type, index))
            elif token.nesting == -1:
                container.pop()
            elif token.type == "html_block":
                self._html_block(token, container)
            elif token.type in ("fence", "code_block"):
                self._code(token)
            elif token.type == "inline":
                self._inline(token)

    def _html_block(self, token: Token, container: Sequence[tuple[str, int]]) -> None:
        start, stop = token.map or [0, 0]
        items = tuple(index for kind, index in container if kind == "list_item_open")
        exact = _MARKER.fullmatch(token.content.strip())
        if exact:
            if any(kind == "blockquote_open" for kind, _ in container):
                self.fault(start, f"marker of {exact[1]} in a quote; put it at top level or in a list item")
            else:
                self.markers.append(_Marker(exact[1], exact[2] == "BEGIN", start, items))
            return
        for offset, name, side in _marker_comments(token.content):
            line = start + token.content.count("\n", 0, offset)
            whole = token.content.strip()
            if whole.startswith("<!--") and whole.endswith("-->") and len(_COMMENT.findall(whole)) == 1:
                self.fault(line, f"marker of {name} is not written exactly; write `<!-- AUTO:{name}:{side} -->`")
            elif stop - start == 1:
                self.fault(line, f"marker of {name} shares its line with other text; let it stand alone")
            else:
                self.fault(
                    line,
                    f"marker of {name} is inside the HTML block that starts on line {start + 1}; "
                    "leave a blank line above the marker",
                )

    def _code(self, token: Token) -> None:
        start = token.map[0] if token.map else 0
        kind = "a code fence" if token.type == "fence" else "an indented code block"
        first = start + (1 if token.type == "fence" else 0)
        for found in _MARKER.finditer(token.content):
            line = first + token.content.count("\n", 0, found.start())
            self.in_code.append((_Marker(found[1], found[2] == "BEGIN", line, ()), start, kind))

    def _inline(self, token: Token) -> None:
        start = token.map[0] if token.map else 0
        for child in _html_in(token.children or []):
            for _, name, _ in _marker_comments(child.content):
                position = token.content.find(child.content)
                line = start + token.content.count("\n", 0, max(position, 0))
                self.fault(
                    line,
                    f"marker of {name} in running text; let it stand alone on its line, "
                    "a blank line above, indented less than four columns",
                )

    def pair(self) -> list[Region]:
        """BEGIN with END; faults for all that does not pair."""
        regions: list[Region] = []
        seen: dict[str, int] = {}
        begin: _Marker | None = None
        for marker in self.markers:
            if marker.is_begin:
                if begin is not None:
                    self.fault(
                        marker.line,
                        f"BEGIN of {marker.name} inside {begin.name}, which began on line {begin.line + 1} "
                        "and has not ended; regions do not nest",
                    )
                    continue
                if marker.name in seen:
                    self.fault(marker.line, f"{marker.name} is here twice (first on line {seen[marker.name] + 1})")
                seen.setdefault(marker.name, marker.line)
                begin = marker
            elif begin is None:
                self.fault(marker.line, f"END of {marker.name} without a BEGIN before it")
            elif marker.name != begin.name:
                self.fault(
                    marker.line,
                    f"END of {marker.name} inside {begin.name}, which began on line {begin.line + 1}; "
                    "regions do not nest",
                )
            else:
                region = self._region(begin, marker)
                if region is not None:
                    regions.append(region)
                begin = None
        if begin is not None:
            self._missing_end(begin)
        return regions

    def _region(self, begin: _Marker, end: _Marker) -> Region | None:
        if begin.container != end.container:
            self.fault(
                end.line,
                f"END of {end.name} is not in the list item of its BEGIN (line {begin.line + 1}); indent both alike",
            )
            return None
        for marker, start, kind in self.in_code:
            if marker.name == begin.name and not marker.is_begin and begin.line < marker.line < end.line:
                self.fault(
                    marker.line,
                    f"END of {begin.name} inside {kind} (from line {start + 1}) within its region: "
                    "which END is meant cannot be told",
                )
                return None
        opening = self.lines[begin.line]
        column = len(opening[: opening.index("<!--")].expandtabs(4))
        inside = [_unindented(line, column) for line in self.lines[begin.line + 1 : end.line]]
        header = _HEADER.fullmatch(inside[0]) if inside else None
        body = inside[1:] if header else inside
        return Region(
            name=begin.name,
            begin=begin.line,
            end=end.line,
            column=column,
            newline=opening[len(opening.rstrip("\r\n")) :],
            header=inside[0] if header else "",
            digest=header[1] if header else "",
            body="".join(f"{line}\n" for line in body),
        )

    def _missing_end(self, begin: _Marker) -> None:
        message = f"{begin.name} has no END; write `<!-- AUTO:{begin.name}:END -->` below it"
        for marker, start, kind in self.in_code:
            if marker.name == begin.name and not marker.is_begin and marker.line > begin.line:
                message = (
                    f"{begin.name} has no END: the one on line {marker.line + 1} is inside {kind} "
                    f"from line {start + 1}; close that first"
                )
                break
        self.fault(begin.line, message)


def _html_in(children: Sequence[Token]) -> Iterator[Token]:
    for child in children:
        if child.type == "html_inline":
            yield child
        yield from _html_in(child.children or [])


def _marker_comments(html: str) -> Iterator[tuple[int, str, str]]:
    """Comments in `html` that read like a marker: offset, name, side. A comment ends at the first `-->` after it."""
    for comment in _COMMENT.finditer(html):
        like = _MARKER_LIKE.fullmatch(comment[1])
        if like:
            yield comment.start(), like[1], like[2].upper()


def _unindented(line: str, column: int) -> str:
    """`line` without its end and without up to `column` columns of blanks; tabs count to the next fourth column."""
    text = line.rstrip("\r\n")
    at = index = 0
    while index < len(text) and at < column and text[index] in " \t":
        at = at + 1 if text[index] == " " else at + 4 - at % 4
        index += 1
    return " " * (at - column) + text[index:] if at > column else text[index:]
