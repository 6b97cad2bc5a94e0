"""Where the program's own files lie: what a path that is computed from `__file__` or `__path__` means.

Paths are texts that begin with a folder that stands for the project's. No operation on them is known in here.
"""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase
from typing import Any, Final

from onepath.link.code import Unit
from onepath.link.solver import Solver
from onepath.link.values import Affix, Box, File, Module, Text, Value

PROJECT: Final = "/<project>"
"""The folder from which the program's files are named."""


class Tree:
    """All files of a program, and the folders they lie in."""

    def __init__(self, solver: Solver) -> None:
        self.units: dict[str, Unit] = {}
        self.folders: dict[str, dict[str, None]] = {"": {}}
        """By folder: what lies in it, by its last name."""
        for unit in solver.units.values():
            path = unit.facts.file.replace("\\", "/").removeprefix("./")
            self.units[path] = unit
            while path:
                path, last = posixpath.split(path)
                self.folders.setdefault(path, {})[last] = None

    def has(self, path: str) -> bool:
        return path in self.units or path in self.folders


def tree(solver: Solver) -> Tree:
    """That of the program, made when first asked for."""
    found = solver.values.get(Tree)
    if found is None:
        found = solver.values[Tree] = Tree(solver)
    return found


def file_at(solver: Solver, path: str) -> File:
    """The file of this path, whether or not there is one."""
    return solver.once(File, path, path)  # type: ignore[no-any-return]


def text_of(file: File) -> str:
    """The path as a text."""
    return posixpath.join(PROJECT, file.path) if file.path else PROJECT


def file_of_text(solver: Solver, text: str) -> File | None:
    """The file a text is the path of: below the project, or as the end of the path of just one file."""
    if text == PROJECT or text.startswith(f"{PROJECT}/"):
        path = posixpath.normpath(text)
        return file_at(solver, path.removeprefix(PROJECT).lstrip("/")) if path.startswith(PROJECT) else None
    path = posixpath.normpath(text).removeprefix("../") if text else ""
    if not path or path.startswith(("/", "..")) or path == ".":
        return None
    known = tree(solver)
    if known.has(path):
        return file_at(solver, path)
    fitting = [one for one in (*known.units, *known.folders) if one.endswith(f"/{path}")]
    return file_at(solver, fitting[0]) if len(fitting) == 1 and ("/" in path or path.endswith(".py")) else None


def file_of(solver: Solver, value: Value) -> File | None:
    """The file a value names, if it names one."""
    if isinstance(value, File):
        return value
    return file_of_text(solver, value.value) if isinstance(value, Text) else None


def unit_of(solver: Solver, value: Value) -> Unit | None:
    """The module whose file it is."""
    file = file_of(solver, value)
    return tree(solver).units.get(file.path) if file is not None else None


def folder_of(solver: Solver, module: Module) -> str | None:
    """Where the modules of a package lie."""
    if module.unit is not None:
        if not module.unit.facts.is_package:
            return None
        return posixpath.dirname(file_of_unit(module.unit))
    for name, unit in solver.units.items():
        if name.startswith(f"{module.name}."):
            path = posixpath.dirname(file_of_unit(unit))
            for _ in range(name.count(".") - module.name.count(".") - (0 if unit.facts.is_package else 1)):
                path = posixpath.dirname(path)
            return path
    return None


def path_of(solver: Solver, module: Module) -> Box:
    """A package's `__path__`."""
    box: Box = solver.box("list", (module, "__path__"))
    folder = folder_of(solver, module)
    if folder is not None:
        solver.add(solver.item(box, 0), solver.text(text_of(file_at(solver, folder))))
    return box


def file_of_unit(unit: Unit) -> str:
    return unit.facts.file.replace("\\", "/").removeprefix("./")


def inside(solver: Solver, path: str) -> list[str]:
    """Names of what lies in a folder."""
    return list(tree(solver).folders.get(path, ()))


def below(solver: Solver, path: str, pattern: str, deep: bool) -> list[str]:
    """Paths of what lies below a folder and fits the pattern, given as for `Path.glob`."""
    known = tree(solver)
    start = f"{path}/" if path else ""
    deep = deep or "**" in pattern
    last = pattern.rpartition("**/")[2]
    found = []
    for one in (*known.units, *known.folders):
        if one.startswith(start) and one != path:
            rest = one[len(start) :]
            tail = rest.split("/")[-1 - last.count("/") :] if deep else rest.split("/")
            if len(tail) == last.count("/") + 1 and fnmatchcase("/".join(tail), last):
                found.append(one)
    return sorted(found)


def modules_in(solver: Solver, path: str, deep: bool) -> list[tuple[str, bool]]:
    """Names of the modules that lie in a folder, from there, and whether each is a package."""
    known = tree(solver)
    found: list[tuple[str, bool]] = []
    for name in sorted(known.folders.get(path, ())):
        inner = posixpath.join(path, name)
        if name.endswith(".py") and inner in known.units:
            if name != "__init__.py":
                found.append((name.removesuffix(".py"), False))
        elif f"{inner}/__init__.py" in known.units:
            found.append((name, True))
            if deep:
                found.extend((f"{name}.{one}", package) for one, package in modules_in(solver, inner, deep))
    return found


def as_text(value: Value) -> str | None:
    """A path or text as a text."""
    if isinstance(value, File):
        return text_of(value)
    return value.value if isinstance(value, Text) else None


def join_path(solver: Solver, payload: Any, value: Value) -> None:
    """`path / value`."""
    file, dst = payload
    text = as_text(value)
    if text is not None:
        joined = posixpath.normpath(posixpath.join(text_of(file), text))
        found = file_of_text(solver, joined)
        solver.add(dst, found if found is not None else solver.result("pathlib.Path"))
        return
    fitting: list[str] = []
    if isinstance(value, Affix) and (value.start or value.end):
        folder, start = posixpath.split(posixpath.join(file.path, value.start))
        names = inside(solver, folder)
        fitting = [posixpath.join(folder, one) for one in names if one.startswith(start) and one.endswith(value.end)]
        if not fitting and "/" in value.end:
            fitting = below(solver, folder, f"**/*{posixpath.basename(value.end)}", True)
    for path in fitting:
        solver.add(dst, file_at(solver, path))
    if not fitting:
        solver.add(dst, solver.result("pathlib.Path"))
