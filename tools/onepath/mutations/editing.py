"""Edits of Python sources by names, on text held in memory.

An anchor is `room:qualified.name`: the one definition of that name in the package or module `room`. Code may move to
another file of the room and lines may change; when the name itself is gone, `AnchorGoneError` says so. It knows
Python's syntax and nothing of what the edited program does.
"""

from __future__ import annotations

import ast
import io
import textwrap
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MARK = "# planted"
"""A line that ends in this is one a finding has to name."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class AnchorGoneError(Exception):
    """The program has changed so that an edit finds no place; the edit has to be written anew."""


@dataclass(frozen=True)
class Change:
    """One edit of the program."""

    name: str
    apply: Callable[[Sources], None]


class Sources:
    """The texts below a source folder, by path relative to it; only changed ones are written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = {
            path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(folder.rglob("*.py"))
        }
        self.changed: set[str] = set()

    # --- looking ---------------------------------------------------------------------------------------

    def text(self, file: str) -> str:
        """What stands in this file now."""
        return self._files[file]

    def find(self, anchor: str) -> tuple[str, Definition]:
        """File and definition of an anchor. Raises AnchorGoneError unless there is exactly one."""
        room, _, name = anchor.partition(":")
        found = [
            (file, node)
            for file in self._room(room)
            for qualified, node in _definitions(ast.parse(self._files[file]))
            if qualified == name
        ]
        if len(found) != 1:
            raise AnchorGoneError(f"{anchor}: {len(found)} definitions of that name")
        return found[0]

    def module(self, anchor: str) -> str:
        """Dotted name of the module an anchor lies in."""
        return self.find(anchor)[0].removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def _room(self, room: str) -> Iterator[str]:
        place = room.replace(".", "/")
        found = [file for file in self._files if file == place + ".py" or file.startswith(place + "/")]
        if not found:
            raise AnchorGoneError(f"{room}: there is no such package or module")
        return iter(found)

    # --- editing ---------------------------------------------------------------------------------------

    def new(self, module: str, code: str) -> None:
        """Add a module."""
        file = module.replace(".", "/") + ".py"
        if file in self._files:
            raise AnchorGoneError(f"{module}: there is such a module already")
        self._set(file, textwrap.dedent(code).lstrip("\n"))

    def begin(self, anchor: str, code: str) -> None:
        """Add statements at the start of a function, after its docstring."""
        file, node = self.find(anchor)
        first = node.body[1] if _is_text(node.body[0]) and len(node.body) > 1 else node.body[0]
        self._insert(file, _line(first) - 1, code, first.col_offset)

    def after(self, anchor: str, name: str, code: str) -> None:
        """Add statements after the first assignment to `name` in a function."""
        file, node = self.find(anchor)
        for one in ast.walk(node):
            targets = (
                one.targets if isinstance(one, ast.Assign) else [one.target] if isinstance(one, ast.AnnAssign) else []
            )
            if isinstance(one, ast.Assign | ast.AnnAssign) and any(ast.unparse(target) == name for target in targets):
                self._insert(file, one.end_lineno or one.lineno, code, one.col_offset)
                return
        raise AnchorGoneError(f"{anchor}: nothing is assigned to {name}")

    def top(self, anchor: str, code: str) -> None:
        """Add statements to the anchor's module, after its last import."""
        file, _ = self.find(anchor)
        imports = [one for one in ast.parse(self._files[file]).body if isinstance(one, ast.Import | ast.ImportFrom)]
        if not imports:
            raise AnchorGoneError(f"{file}: it has no imports")
        self._insert(file, imports[-1].end_lineno or 0, code, 0)

    def end(self, anchor: str, code: str) -> None:
        """Add statements at the end of the anchor's module."""
        file, _ = self.find(anchor)
        self._set(file, self._files[file].rstrip("\n") + "\n\n\n" + textwrap.dedent(code).strip("\n") + "\n")

    def member(self, anchor: str, code: str) -> None:
        """Add to the end of a class."""
        file, node = self.find(anchor)
        self._insert(file, node.end_lineno or 0, "\n" + textwrap.dedent(code).strip("\n"), node.body[0].col_offset)

    def decorate(self, anchor: str, decorator: str) -> None:
        """Put a decorator nearest to a function or class."""
        file, node = self.find(anchor)
        self._insert(file, node.lineno - 1, decorator, node.col_offset)

    def replace(self, anchor: str, old: str, new: str) -> None:
        """Replace every expression that reads `old` in a definition."""
        file, node = self.find(anchor)
        wanted = ast.unparse(ast.parse(old, mode="eval"))
        spots = [one for one in ast.walk(node) if isinstance(one, ast.expr) and ast.unparse(one) == wanted]
        if not spots:
            raise AnchorGoneError(f"{anchor}: no expression {old}")
        self._replace(file, [(one, new) for one in spots])

    def replace_argument(self, room: str, method: str, old: str, new: str) -> str:
        """Replace the argument `old` of the one call of a method in a room; returns the calling statement's indent."""
        found = []
        for file in self._room(room):
            for one in ast.walk(ast.parse(self._files[file])):
                if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == method:
                    found += [(file, argument) for argument in one.args if ast.unparse(argument) == old]
        if len(found) != 1:
            raise AnchorGoneError(f"{room}: {len(found)} calls of {method} with {old}")
        file, spot = found[0]
        self._replace(file, [(spot, new)])
        return file

    def rename(self, anchor: str, old: str, new: str) -> None:
        """Rename a variable or parameter of one function."""
        file, node = self.find(anchor)
        spots = [
            one
            for one in ast.walk(node)
            if (isinstance(one, ast.Name) and one.id == old) or (isinstance(one, ast.arg) and one.arg == old)
        ]
        if not spots:
            raise AnchorGoneError(f"{anchor}: no variable {old}")
        lines = self._files[file].split("\n")
        for spot in sorted(spots, key=lambda spot: (spot.lineno, spot.col_offset), reverse=True):
            line = lines[spot.lineno - 1].encode()
            start = spot.col_offset
            lines[spot.lineno - 1] = (line[:start] + new.encode() + line[start + len(old.encode()) :]).decode()
        self._set(file, "\n".join(lines))

    def rename_everywhere(self, room: str, old: str, new: str) -> None:
        """Rename every identifier of that spelling in a room."""
        count = 0
        for file in self._room(room):
            lines = self._files[file].split("\n")
            words = [
                token
                for token in tokenize.generate_tokens(io.StringIO(self._files[file]).readline)
                if token.type == tokenize.NAME and token.string == old
            ]
            for token in reversed(words):
                row, column = token.start
                line = lines[row - 1]
                lines[row - 1] = line[:column] + new + line[column + len(old) :]
            if words:
                self._set(file, "\n".join(lines))
                count += len(words)
        if not count:
            raise AnchorGoneError(f"{room}: nothing is called {old}")

    def reverse_methods(self, anchor: str) -> None:
        """Put the methods of a class in the opposite order; `__init__` and what is before the first stay."""
        file, node = self.find(anchor)
        methods = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
        movable = [one for one in methods if one.name != "__init__" and not one.decorator_list]
        if len(movable) < 2:
            raise AnchorGoneError(f"{anchor}: fewer than two methods to reorder")
        lines = self._files[file].split("\n")
        texts = ["\n".join(lines[_line(one) - 1 : one.end_lineno]) for one in movable]
        for one, text in reversed(list(zip(movable, reversed(texts), strict=True))):
            lines[_line(one) - 1 : one.end_lineno] = text.split("\n")
        self._set(file, "\n".join(lines))

    def move(self, anchor: str, module: str) -> None:
        """Move a function of a module's top level to a new module; the old one imports it from there."""
        file, node = self.find(anchor)
        tree = ast.parse(self._files[file])
        lines = self._files[file].split("\n")
        block = "\n".join(lines[_line(node) - 1 : node.end_lineno])
        own = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
        needed = []
        for one in tree.body:
            if isinstance(one, ast.Import | ast.ImportFrom):
                # Only what the moved code uses: an import of a primitive is a use of it.
                names = {(alias.asname or alias.name).partition(".")[0] for alias in one.names}
                if names & own or getattr(one, "module", "") == "__future__":
                    needed.append("\n".join(lines[one.lineno - 1 : one.end_lineno]))
            elif isinstance(one, ast.If) and "TYPE_CHECKING" in ast.unparse(one.test):
                needed.append("\n".join(lines[one.lineno - 1 : one.end_lineno]))
            elif isinstance(one, ast.Assign | ast.AnnAssign):
                names = {
                    name.id for name in ast.walk(one) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
                }
                if names & own:
                    needed.append("\n".join(lines[one.lineno - 1 : one.end_lineno]))
        home = file.removesuffix(".py").replace("/", ".")
        others = sorted(
            one.name for one in tree.body if isinstance(one, Definition) and one.name in own and one.name != node.name
        )
        if others:
            raise AnchorGoneError(f"{anchor}: it needs {', '.join(others)} of {home} and cannot move")
        self.new(module, "\n".join(needed) + "\n\n\n" + block + "\n")
        lines[_line(node) - 1 : node.end_lineno] = []
        self._set(file, "\n".join(lines))
        imports = [one for one in ast.parse(self._files[file]).body if isinstance(one, ast.Import | ast.ImportFrom)]
        self._insert(file, imports[-1].end_lineno or 0, f"from {module} import {node.name}", 0)

    # --- inner -----------------------------------------------------------------------------------------

    def _insert(self, file: str, line: int, code: str, indent: int) -> None:
        """Put dedented code after this line."""
        text = textwrap.indent(
            textwrap.dedent(code).rstrip("\n").removeprefix("\n") if code.strip() else code, " " * indent
        )
        if code.startswith("\n"):
            text = "\n" + text
        lines = self._files[file].split("\n")
        lines[line:line] = text.split("\n")
        self._set(file, "\n".join(lines))

    def _replace(self, file: str, spots: list[tuple[ast.expr, str]]) -> None:
        lines = [line.encode() for line in self._files[file].split("\n")]
        for spot, new in sorted(spots, key=lambda pair: (pair[0].lineno, pair[0].col_offset), reverse=True):
            first, last = spot.lineno - 1, (spot.end_lineno or spot.lineno) - 1
            tail = lines[last][spot.end_col_offset :]
            lines[first : last + 1] = (lines[first][: spot.col_offset] + new.encode() + tail).split(b"\n")
        self._set(file, b"\n".join(lines).decode())

    def _set(self, file: str, text: str) -> None:
        compile(text, file, "exec")
        self._files[file] = text
        self.changed.add(file)

    # --- out -------------------------------------------------------------------------------------------

    def planted(self) -> set[tuple[str, int]]:
        """File and line of every marked line."""
        return {
            (file, number)
            for file in self.changed
            for number, line in enumerate(self._files[file].split("\n"), 1)
            if line.rstrip().endswith(MARK)
        }

    def write(self, folder: Path) -> None:
        """Write what was changed below another folder."""
        for file in sorted(self.changed):
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._files[file], encoding="utf-8")


def _definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    for one in ast.iter_child_nodes(tree):
        if isinstance(one, Definition):
            yield prefix + one.name, one
            yield from _definitions(one, prefix + one.name + ".")
        else:
            yield from _definitions(one, prefix)


def _line(node: ast.stmt) -> int:
    """Where a statement begins, decorators included."""
    decorators = node.decorator_list if isinstance(node, Definition) else []
    return min([node.lineno, *(one.lineno for one in decorators)])


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
