"""What a page becomes: bodies into regions, everything else byte for byte as it was.

It knows pages and bodies, tells stale from edited by hand, and shows differences. No file is touched in here.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from onepath.regions.markers import BOM, Page, Region, RegionFault, parse_page

State: TypeAlias = Literal["current", "new", "stale", "conflict", "edited"]
"""`new`: never generated. `conflict`: stale, with version control's markers inside. `edited`: by hand, since it was
generated. Only `edited` needs force."""


class Change(msgspec.Struct, frozen=True):
    """One region, as it is and as it should be."""

    file: str
    name: str
    line: int
    """1-based, of BEGIN."""
    state: State
    before: str
    """The body, LF, unindented."""
    after: str

    def diff(self) -> str:
        """A unified diff of the body; empty if only the header changes."""
        return "".join(
            difflib.unified_diff(
                self.before.splitlines(keepends=True),
                self.after.splitlines(keepends=True),
                f"{self.file} {self.name} (as it is)",
                f"{self.file} {self.name} (generated)",
            )
        )


class Generated(msgspec.Struct, frozen=True):
    """A page after generation."""

    file: str
    data: bytes
    changes: tuple[Change, ...]
    """One for each region, in the page's order."""
    faults: tuple[RegionFault, ...]


def digest(body: str) -> str:
    """Of a body as LF text, unindented; what the header carries."""
    return hashlib.sha256(body.encode()).hexdigest()


def header(body: str, command: str, sources: str) -> str:
    """The line below BEGIN."""
    return f"<!-- onepath: generated; edit {sources} and run `{command}`; body sha256:{digest(body)} -->"


def normal(body: str) -> str:
    """A body as it is written: LF, no blanks at line ends, no blank lines at its ends, one newline at its end."""
    text = body.replace("\r\n", "\n").replace("\r", "\n")
    lines = [line.rstrip(" \t") for line in text.split("\n")]
    stripped = "\n".join(lines).strip("\n")
    return f"{stripped}\n" if stripped else ""


def generate(page: Page, bodies: Mapping[str, str], command: str, sources: str) -> Generated:
    """`page` with each region's body from `bodies`, by name.

    Faults: those of the page; a region without a body and a body without a region; a body that would not come back
    from the page as it was put in (an open fence, a marker of its own).
    """
    faults = list(page.faults)
    faults.extend(
        RegionFault(page.file, region.begin + 1, f"{region.name} is no region that is configured for this file")
        for region in page.regions
        if region.name not in bodies
    )
    if not faults:
        present = {region.name for region in page.regions}
        faults.extend(
            RegionFault(
                page.file,
                len(page.lines) or 1,
                f"{name} is configured for this file, which has no such region; write "
                f"`<!-- AUTO:{name}:BEGIN -->` and `<!-- AUTO:{name}:END -->` on lines of their own",
            )
            for name in bodies
            if name not in present
        )
    if faults:
        return Generated(page.file, b"", (), tuple(faults))
    wanted = {name: normal(body) for name, body in bodies.items()}
    changes = tuple(_change(page, region, wanted[region.name], command, sources) for region in page.regions)
    data = _replaced(page, wanted, command, sources)
    broken = _read_back(page, data, wanted)
    return Generated(page.file, data, changes, tuple(broken))


def state_of(region: Region) -> State:
    """What a region's own text tells without generating it; `current` means: as it was generated."""
    if region.has_conflict:
        return "conflict"
    if not region.header:
        return "new"
    return "current" if region.digest == digest(region.body) else "edited"


def _change(page: Page, region: Region, body: str, command: str, sources: str) -> Change:
    state = state_of(region)
    if region.body == body:
        state = "current" if region.header == header(body, command, sources) else "stale"
    elif state == "current":
        state = "stale"
    return Change(page.file, region.name, region.begin + 1, state, region.body, body)


def _replaced(page: Page, bodies: Mapping[str, str], command: str, sources: str) -> bytes:
    pieces: list[str] = [BOM] if page.bom else []
    at = 0
    for region in page.regions:
        pieces.extend(page.lines[at : region.begin + 1])
        body = bodies[region.name]
        indent = " " * region.column
        written = [header(body, command, sources), *body.split("\n")[:-1]]
        pieces.extend(f"{indent}{line}{region.newline}" if line else region.newline for line in written)
        at = region.end
    pieces.extend(page.lines[at:])
    return "".join(pieces).encode()


def _read_back(page: Page, data: bytes, bodies: Mapping[str, str]) -> list[RegionFault]:
    again = parse_page(page.file, data)
    found = {region.name: region.body for region in again.regions}
    broken = [
        RegionFault(page.file, region.begin + 1, f"what is generated for {region.name} breaks the page's markers")
        for region in page.regions
        if found.get(region.name) != bodies[region.name]
    ]
    if again.faults and not broken:
        broken = [RegionFault(fault.file, fault.line, f"after generation: {fault.message}") for fault in again.faults]
    return broken
