"""Programs drawn as text: one import a line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from onepath.config import parse_configuration
from onepath.graph import Edge, Import, Place, Program, Symbol
from onepath.rules.contract import Model

Draw = Callable[..., Model]


@pytest.fixture
def draw() -> Draw:
    """`draw(imports, toml)`.

    A line `a.b -> a.c` is an import; `a.b -> a.c:X` takes the symbol X; `(late)` behind it puts it into a function,
    `(typing)` under TYPE_CHECKING. `kind a.c:X = exception` tells a symbol's kind, `alias a:X = a.c:X` a re-export,
    `call a.b.f -> a.c.X` a call. Modules whose first part has upper case are foreign.
    """
    return _draw


def _draw(picture: str, toml: str) -> Model:
    modules: dict[str, str] = {}
    imports: list[Import] = []
    symbols: dict[str, Symbol] = {}
    edges: list[Edge] = []
    for number, raw in enumerate(picture.strip().splitlines(), 1):
        line = raw.strip()
        if line.startswith(("kind ", "alias ")):
            word, rest = line.split(" ", 1)
            left, right = (part.strip().replace(":", ".") for part in rest.split("="))
            place = Place("x.py", number)
            is_kind = word == "kind"
            symbols[left] = Symbol(left, right if is_kind else "import", place, "" if is_kind else right)  # type: ignore[arg-type]
            continue
        if line.startswith("call "):
            caller, callee = line.removeprefix("call ").split(" -> ")
            edges.append(Edge(caller, callee, "call", Place("x.py", number)))
            continue
        importer, _, taken = line.partition(" -> ")
        modules.setdefault(importer, importer.replace(".", "/") + ".py")
        if not taken:
            continue
        target, _, mark = taken.partition(" ")
        imported, _, symbol = target.partition(":")
        internal = imported.islower()
        if internal:
            modules.setdefault(imported, imported.replace(".", "/") + ".py")
        imports.append(
            Import(
                importer=importer,
                imported=imported,
                symbol=symbol,
                place=Place(modules[importer], number),
                scope=f"{importer}.f" if mark == "(late)" else importer,
                type_checking=mark == "(typing)",
                internal=internal,
                written=f"{imported}.{symbol}" if symbol not in ("", "*") else imported,
            )
        )
    parents = {name.rpartition(".")[0] for name in modules} | {name.partition(".")[0] for name in modules}
    program = Program(
        modules=modules,
        packages=tuple(sorted(parents - {""})),
        functions={},
        edges=tuple(edges),
        imports=tuple(imports),
        symbols=symbols,
    )
    return Model(Path(), parse_configuration(toml), program)
