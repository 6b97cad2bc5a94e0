"""Which pieces of a module speak of a row that is gone, and what is taken out for it.

Entries of tables go before what holds them: an entry under the row's key, a case of a parametrized test, a line of a
configuration; then imports; then whatever still uses a removed name or speaks of the row's key, which is what a test
about the row does. What goes takes its name along, so that its users go too, across modules, until nothing changes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from tools.converged.editing import Container, Source, Unit, bound, is_text, items
from tools.converged.rows import Row

TABLES_ONLY: Final = "tables"
"""Of production code only entries of tables and imports go."""


@dataclass
class Gone:
    """What is there no more."""

    row: Row
    modules: set[str]
    files: set[str]
    """Paths in the tree."""
    names: set[tuple[str, str]] = field(default_factory=set)
    """(module, name)."""
    fixtures: set[tuple[str, str]] = field(default_factory=set)
    """(the folder or module in which a test can ask for it, name)."""

    def __post_init__(self) -> None:
        key = self.row.key
        variable = "ARCHITECTURE__" + key.replace(".", "__").upper()
        words = [re.escape(word) for word in (key, variable, *self.files)]
        modules = [re.escape(module) for module in self.modules]
        self._words = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)|(?<![\w.])(?:{'|'.join(modules)})(?!\w)")
        setting = re.escape(key)
        self.setting = re.compile(rf"^{setting} = \\?[\"']{self.row.second}\\?[\"'](?:\\n|\n|$)", re.MULTILINE)

    def told(self, text: str) -> bool:
        """Whether a text speaks of it."""
        return bool(self._words.search(text))


class Module:
    """One module and what has been taken out of it."""

    def __init__(self, path: str, text: str, gone: Gone) -> None:
        self.path = path
        self.source = Source(text)
        self.taken: list[str] = []
        """Names of functions, classes and constants that went."""
        self.tests: list[str] = []
        self.name, self._package = _dotted(path)
        self._gone = gone
        self._here: set[str] = set()
        """Names of this module that mean something that is gone."""
        self._imported: set[str] = set()
        """Names of modules or of what is in them."""
        self._aliases: dict[str, str] = {}
        """Names of modules, and which."""

    # --- reading -------------------------------------------------------------------------------------------

    def _read_imports(self) -> None:
        self._imported, self._aliases = set(), {}
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    local = alias.asname or alias.name.partition(".")[0]
                    self._imported.add(local)
                    if isinstance(node, ast.ImportFrom):
                        self._aliases[local] = f"{self._base(node)}.{alias.name}"
                    else:
                        self._aliases[local] = alias.name if alias.asname else local

    def _base(self, node: ast.ImportFrom) -> str:
        """The module an import is from, in full."""
        if not node.level:
            return node.module or ""
        parts = self._package.split(".")
        parts = parts[: len(parts) - node.level + 1]
        return ".".join([*parts, *([node.module] if node.module else [])])

    def _is_gone(self, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> bool:
        if isinstance(node, ast.Import):
            return alias.name in self._gone.modules
        base = self._base(node)
        return (
            base in self._gone.modules
            or f"{base}.{alias.name}" in self._gone.modules
            or (base, alias.name) in self._gone.names
        )

    def _lost(self) -> set[str]:
        return self._here | {name for module, name in self._gone.names if module == self.name}

    # --- what speaks of the row ----------------------------------------------------------------------------

    def uses(self, node: ast.AST, hidden: frozenset[str] = frozenset()) -> bool:
        """Whether something in there is a name that is gone; `hidden` are names that mean something else."""
        lost = self._lost() - hidden
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id in lost:
                return True
            if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
                module = self._aliases.get(each.value.id, "")
                if (module, each.attr) in self._gone.names and each.value.id not in hidden:
                    return True
            if isinstance(each, ast.Import | ast.ImportFrom) and any(self._is_gone(each, one) for one in each.names):
                return True
        return False

    def speaks(self, node: ast.AST) -> bool:
        """Whether it uses what is gone, or speaks of the row: by its key, its field, its variable, its files."""
        hidden = frozenset(_locals(node)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else frozenset()
        if self.uses(node, hidden) or any(self._asks(each) for each in ast.walk(node) if isinstance(each, ast.arg)):
            return True
        spared = _spared(node)
        for each in ast.walk(node):
            if id(each) in spared:
                continue
            if isinstance(each, ast.Constant) and isinstance(each.value, str) and self._gone.told(each.value):
                return True
            if isinstance(each, ast.keyword) and each.arg == self._gone.row.field:
                return True
            if isinstance(each, ast.Attribute) and each.attr == self._gone.row.field and not self._of_module(each):
                return True
        return False

    def _of_module(self, node: ast.Attribute) -> bool:
        return isinstance(node.value, ast.Name) and node.value.id in self._imported

    def _asks(self, argument: ast.arg) -> bool:
        """Whether a test asks for a fixture that is gone."""
        folder = str(PurePosixPath(self.path).parent)
        places = {self.path, *(str(each) for each in (PurePosixPath(folder), *PurePosixPath(folder).parents))}
        return any((place, argument.arg) in self._gone.fixtures for place in places)

    # --- taking out ----------------------------------------------------------------------------------------

    def clean(self, whole: bool) -> bool:
        """Take out all that goes; `whole` functions and classes too. Whether anything went."""
        changed = False
        steps: list[Callable[[], Source | None]] = [self._import, self._case, self._entry, self._setting]
        if whole:
            steps += [self._element, self._unit]
        while True:
            self._read_imports()
            found = next((found for step in steps if (found := step()) is not None), None)
            if found is None:
                return changed
            self.source, changed = found, True

    def _import(self) -> Source | None:
        for node in self.source.tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    if self._is_gone(node, alias):
                        self._here.add(alias.asname or alias.name)
                        return self.source.without_alias(node, alias)
        return None

    def _case(self) -> Source | None:
        """A case of a parametrized test that is over the row's first side."""
        for cases in self._parametrized():
            for index, case in enumerate(cases.elts):
                dicts = [each for each in ast.walk(case) if isinstance(each, ast.Dict)]
                if any(self._first_side(each, value) for each in dicts for value in _entries(each, self._key)):
                    return self.source.without_item(cases, index)
        return None

    def _entry(self) -> Source | None:
        """An entry under the row's key, or one whose value is gone, in a dictionary or a set."""
        for node, function in _with_function(self.source.tree):
            if isinstance(node, ast.Set):
                for index, element in enumerate(node.elts):
                    if isinstance(element, ast.Constant) and element.value == self._key:
                        return self.source.without_item(node, index)
            if isinstance(node, ast.Dict):
                hidden = frozenset(_locals(function)) if function else frozenset()
                for holder, index in _entries_at(node, self._key):
                    if not (function and self._first_side(holder, index)):
                        return self.source.without_item(holder, index)
                for index, value in enumerate(node.values):
                    if node.keys[index] is not None and self.uses(value, hidden):
                        return self.source.without_item(node, index)
            if isinstance(node, ast.For | ast.AsyncFor) and isinstance(node.iter, ast.Tuple | ast.List):
                for index, element in enumerate(node.iter.elts):
                    if self.uses(element) and len(node.iter.elts) > 1:
                        return self.source.without_item(node.iter, index)
        return None

    def _setting(self) -> Source | None:
        """A line of a configuration that names the second side: it is the only one now."""
        texts = {id(node.value) for node in ast.walk(self.source.tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in texts:
                written = self.source.segment(node)
                left = self._gone.setting.sub("", written)
                if left != written:
                    return self.source.put(*self.source.span(node), left)
        return None

    def _element(self) -> Source | None:
        """An element of a module's table, or a case of a parametrized test, that speaks of the row."""
        tables = [
            statement.value
            for statement in self.source.tree.body
            if isinstance(statement, ast.Assign | ast.AnnAssign)
            and isinstance(statement.value, ast.Tuple | ast.List)
            and not any(isinstance(target, ast.Tuple) for target in getattr(statement, "targets", ()))
        ]
        for table in [*tables, *self._parametrized()]:
            for index, element in enumerate(table.elts):
                if len(table.elts) > 1 and self.speaks(element):
                    return self.source.without_item(table, index)
        return None

    def _unit(self) -> Source | None:
        body = self.source.tree.body
        for node in body:
            if is_text(node) or isinstance(node, ast.Import | ast.ImportFrom):
                continue
            if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
                for method in node.body:
                    if isinstance(method, Unit) and self.speaks(method):
                        self._note(f"{node.name}.{method.name}")
                        return self.source.without_statement(method, node.body)
                continue
            if self.speaks(node):
                names = bound(node)
                self._gone.names |= {(self.name, name) for name in names - {"_"}}
                if isinstance(node, Unit):
                    self._note(node.name if node.name != "_" else " ".join(map(ast.unparse, node.decorator_list)))
                    if any("fixture" in ast.unparse(each) for each in node.decorator_list):
                        self._gone.fixtures.add((self._reach(), node.name))
                else:
                    self.taken.extend(sorted(names))
                return self.source.without_statement(node, body)
        return None

    def _note(self, name: str) -> None:
        is_test = name.rpartition(".")[2].startswith("test_")
        (self.tests if is_test else self.taken).append(name)

    def _reach(self) -> str:
        path = PurePosixPath(self.path)
        return str(path.parent) if path.name == "conftest.py" else self.path

    def _parametrized(self) -> Iterator[ast.List | ast.Tuple]:
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("parametrize") and len(node.args) > 1:
                cases = node.args[1]
                if isinstance(cases, ast.List | ast.Tuple):
                    yield cases

    @property
    def _key(self) -> str:
        return self._gone.row.key

    def _first_side(self, holder: ast.Dict, index: int) -> bool:
        value = holder.values[index]
        return isinstance(value, ast.Constant) and value.value == self._gone.row.first

    def is_bare(self) -> bool:
        """Whether nothing is left of it that anybody could use or run."""
        body = [node for node in self.source.tree.body if not is_text(node)]
        if PurePosixPath(self.path).name.startswith("test_"):
            return not list(tests(self.source.tree))
        return all(isinstance(node, ast.Import | ast.ImportFrom) for node in body)


def tests(tree: ast.Module) -> Iterator[str]:
    """The names of a module's tests."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            methods = (each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
            yield from (f"{node.name}.{name}" for name in methods if name.startswith("test_"))


def _dotted(path: str) -> tuple[str, str]:
    """A module's name and its package's."""
    parts = list(PurePosixPath(path.removeprefix("src/")).with_suffix("").parts)
    if parts[-1] == "__init__":
        return ".".join(parts[:-1]), ".".join(parts[:-1])
    return ".".join(parts), ".".join(parts[:-1])


def _entries(node: ast.Dict, key: str) -> list[int]:
    """Which of a dictionary's own entries stand under the key."""
    return [index for holder, index in _entries_at(node, key) if holder is node]


def _entries_at(node: ast.Dict, key: str) -> Iterator[tuple[ast.Dict, int]]:
    """Entries under the key, written whole or as dictionaries in dictionaries."""
    first, _, rest = key.partition(".")
    for index, (name, value) in enumerate(zip(node.keys, node.values, strict=True)):
        if isinstance(name, ast.Constant):
            if name.value == key:
                yield node, index
            elif rest and name.value == first and isinstance(value, ast.Dict):
                yield from _entries_at(value, rest)


def _with_function(
    node: ast.AST, function: ast.FunctionDef | ast.AsyncFunctionDef | None = None
) -> Iterator[tuple[ast.AST, ast.FunctionDef | ast.AsyncFunctionDef | None]]:
    """Every node with the outermost function around it; what a decorator holds is around, not in it."""
    yield node, function
    for child in ast.iter_child_nodes(node):
        inside = function
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and child not in node.decorator_list:
            inside = function or node
        yield from _with_function(child, inside)


def _locals(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Names that a function gives a meaning of its own."""
    found = {each.arg for each in ast.walk(function) if isinstance(each, ast.arg)}
    stored = (each for each in ast.walk(function) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store))
    return found | {each.id for each in stored}


def _spared(node: ast.AST) -> set[int]:
    """Texts that may name the row: documentation, and the question which side is chosen, which what is left answers."""
    found: set[int] = set()
    for each in ast.walk(node):
        if is_text(each):
            found.add(id(each.value))  # type: ignore[attr-defined]
        if isinstance(each, ast.Call) and ast.unparse(each.func) == "sides.chosen":
            found |= {id(argument) for argument in each.args}
    return found


def without_elements(source: Source, name: str, goes: Callable[[ast.AST], bool]) -> Source:
    """A module's table called `name` without the elements for which `goes` says so."""
    while True:
        table = _table(source, name)
        index = next((index for index, each in enumerate(items(table)) if goes(each)), None)
        if index is None:
            return source
        source = source.without_item(table, index)


def _table(source: Source, name: str) -> Container:
    for node in source.tree.body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(value, ast.Tuple | ast.List | ast.Dict) and name in bound(node):
            return value
    raise LookupError(f"there is no table {name}")


def without_orphans(source: Source, before: Sequence[str]) -> Source:
    """Without the private constants of `before` that nobody reads any more."""
    while True:
        used = (each for each in ast.walk(source.tree) if isinstance(each, ast.Name))
        read = {each.id for each in used if isinstance(each.ctx, ast.Load)}
        for node in source.tree.body:
            names = bound(node) if isinstance(node, ast.Assign | ast.AnnAssign) else set()
            if names and names <= set(before) - read:
                source = source.without_statement(node, source.tree.body)
                break
        else:
            return source
