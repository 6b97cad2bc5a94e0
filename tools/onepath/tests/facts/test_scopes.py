"""Which names each scope binds, and which it takes from the functions around it, beside CPython's own symbol tables."""

from __future__ import annotations

import ast
import symtable
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

import onepath
from onepath.facts.survey import Survey
from onepath.facts.syntax import target_names

Scopes: TypeAlias = Counter[tuple[str, frozenset[str], frozenset[str]]]
"""By kind, own names and captured names: how many scopes there are of this sort."""

INLINES = sys.version_info >= (3, 12)
"""Whether a comprehension that is no generator runs in the frame around it, and has no table."""
_COMPREHENSIONS = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})

ODD = """
import a.b, c as d
from e import f as g, h
total = count = 0
def outer(one, /, two=[n for n in total], *rest, three: int = 3, **more):
    global count
    count, (left, *right) = 1, two
    def inner():
        nonlocal left
        left = [(last := x) for x in right if (y for y in x)]
        return lambda z, *zs: z
    class Inner(Base, metaclass=Meta):
        member: int
        other = {k: v for k, v in more.items()}
        def method(self): return __class__
    with open(one) as file, lock as (p, q):
        for i, j in file:
            del i
        else:
            k += 1
    try:
        pass
    except Error as error:
        error
    while (m := one()): ...
    return inner, Inner
async def fetch():
    async with a as b:
        return [c async for c in b]
"""
ALIASES = """
def outer(one):
    type Two = [one for _ in (lambda: one)()]
    type Three = Four | other
    type Four = Two
type Five = outer
"""
CLASS = """
class C:
    type A = b
    b = 1
    def f(self):
        type B = b
        type D = self
"""
SOURCES = {
    "odd": ODD,
    **({"aliases": ALIASES} if sys.version_info >= (3, 12) else {}),
    **{
        f"{path.parent.name}/{path.name}": path.read_text()
        for path in sorted(Path(next(iter(onepath.__path__))).rglob("*.py"))
    },
}


def surveyed(source: str) -> Scopes:
    """`global` names are the module's, `nonlocal` ones those of the function that has them."""
    scopes = Survey(ast.parse(source)).scopes.values()
    declared = {name for names in scopes for name in names.globals}
    inlined = names_inlined(source)
    found: Scopes = Counter()
    for names in scopes:
        own = names.bound - names.globals - names.nonlocals
        free = {name for _, name in names.free}
        if names.kind == "module":
            found["module", frozenset((own | declared) - inlined), frozenset()] += 1
        elif names.kind != "comprehension":
            found["class" if names.kind == "class" else "function", frozenset(own - inlined), frozenset(free)] += 1
        elif isinstance(names.node, ast.GeneratorExp) or not INLINES:
            found["comprehension", frozenset(own - inlined), frozenset()] += 1
    return found


def tabled(source: str) -> Scopes:
    """What is captured in a comprehension is left out: CPython evaluates its first iterable outside of it."""
    inlined = names_inlined(source)
    found: Scopes = Counter()
    for table in below(symtable.symtable(source, "m.py", "exec")):
        symbols = [one for one in table.get_symbols() if one.get_name() not in (".0", "__class__", "__classdict__")]
        kind = str(getattr(table.get_type(), "value", table.get_type())).replace("type alias", "function")
        own = frozenset(one.get_name() for one in symbols if one.is_local()) - inlined
        free = frozenset(one.get_name() for one in symbols if one.is_free())
        if table.get_name() in _COMPREHENSIONS:
            found["comprehension", own, frozenset()] += 1
        else:
            found[kind, own, frozenset() if kind == "module" else free] += 1
    return found


def names_inlined(source: str) -> frozenset[str]:
    """Names that CPython tells of the frame around the comprehension that binds them."""
    loops = (one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.comprehension) and INLINES)
    return frozenset(name for loop in loops for name in target_names(loop.target))


def below(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from below(child)


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_scopes_are_those_of_cpython(source: str) -> None:
    assert surveyed(source) == tabled(source)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the statement came with 3.12")
def test_a_type_alias_in_a_class_sees_the_names_of_the_class() -> None:
    top = ast.parse(CLASS)
    scopes = {getattr(node, "name", ""): names for node, names in Survey(top).scopes.items()}
    captured = {getattr(name, "id", name): {one for _, one in names.free} for name, names in scopes.items()}
    assert captured == {"": set(), "C": set(), "A": {"b"}, "f": set(), "B": set(), "D": {"self"}}
