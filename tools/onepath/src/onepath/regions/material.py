"""What regions are made of: the program, its docstrings, its switches, and what the rules have shown.

Everything is gathered before a region is written; the writers of regions only choose and arrange.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

import msgspec

from onepath.rules.contract import Finding, Model, Proof
from onepath.switches import Matrix, Row, Sources
from onepath.switches.sides import fulfilment


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """One program, ready to be described."""

    model: Model
    summaries: Mapping[str, str]
    """By module: the first sentence of its docstring."""
    matrix: Matrix | None
    findings: tuple[Finding, ...]
    proofs: tuple[Proof, ...]
    waived: tuple[Finding, ...] = ()

    def file_of(self, name: str) -> str:
        """The file or folder a module or package is, relative to the project; a folder ends with `/`."""
        file = self.model.program.modules.get(name, "")
        if file and not file.endswith("__init__.py"):
            return file
        if file:
            return file.removesuffix("__init__.py")
        below = next((one for key, one in self.model.program.modules.items() if key.startswith(name + ".")), "")
        depth = next(
            (key.count(".") for key, one in self.model.program.modules.items() if one == below), 0
        ) - name.count(".")
        is_package = below.endswith("__init__.py")
        parts = below.split("/")[: -(depth + 1 if is_package else depth)] if below else []
        return "/".join(parts) + "/" if parts else ""

    def fulfils(self, row: Row) -> bool:
        """Whether every side of a row that is there fulfils the row's contract."""
        sources = Sources(self.model.folder, self.model.program.modules)
        return all(not fulfilment(sources, side.symbol, row.contract).problems for side in row.available if side.symbol)


class Page(msgspec.Struct, frozen=True):
    """The page a region stands in."""

    file: str
    """Relative to the project."""

    def link(self, file: str) -> str:
        """A link from this page to a file or folder of the project."""
        target = posixpath.relpath(file.rstrip("/") or ".", posixpath.dirname(self.file) or ".")
        return f"{target}/" if file.endswith("/") else target
