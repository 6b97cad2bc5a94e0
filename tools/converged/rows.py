"""The rows that have two sides, and which modules a row's first side is made of."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from routecodex.app.switches import SWITCHES

_PRODUCTION: Final = "src"


class Row(msgspec.Struct, frozen=True):
    """A row of the switch table that has two sides."""

    key: str
    field: str
    """Its name in `SwitchVector`."""
    first: str
    second: str
    module: str
    """Where its first side is built."""

    def __str__(self) -> str:
        return self.key


def rows() -> list[Row]:
    """Every row with two sides whose first one is code of its own, in the table's order."""
    return [
        Row(
            row.key,
            row.field,
            str(row.values[0]),
            str(row.values[1]),
            row.symbols[row.values[0]].partition(":")[0],
        )
        for row in SWITCHES
        if row.has_both_sides and row.values[0] in row.symbols
    ]


def first_side(root: Path, row: Row) -> list[str]:
    """The modules that go with the row's first side: the one that builds it, and what nobody else imports."""
    imports = {_name(root, path): _imports(root, path) for path in sorted((root / _PRODUCTION).rglob("*.py"))}
    modules = set(imports)
    importers = {module: {who for who, what in imports.items() if module in what} for module in modules}
    gone = [row.module]
    for module in gone:
        for used in sorted(imports[module] & modules):
            if used not in gone and not _is_door(root, used) and importers[used] <= set(gone):
                gone.append(used)
    return gone


def file_of(module: str) -> str:
    """Where a module of the production tree stands."""
    return f"{_PRODUCTION}/{module.replace('.', '/')}.py"


def _is_door(root: Path, module: str) -> bool:
    return not (root / file_of(module)).is_file()


def _name(root: Path, path: Path) -> str:
    parts = path.relative_to(root / _PRODUCTION).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(root: Path, path: Path) -> set[str]:
    """What a module imports, names that may be modules included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = _name(root, path).split(".")
                package = package if path.name == "__init__.py" else package[:-1]
                parts = package[: len(package) - node.level + 1]
                base = ".".join([*parts, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def by_key(wanted: list[str]) -> list[Row]:
    """The rows of these keys, or all. Raises LookupError for a key that is no row with two sides."""
    known: Mapping[str, Row] = {row.key: row for row in rows()}
    unknown = [key for key in wanted if key not in known]
    if unknown:
        raise LookupError(f"{', '.join(unknown)}: no row with two sides; there are {', '.join(known)}")
    return [known[key] for key in wanted] if wanted else list(known.values())
