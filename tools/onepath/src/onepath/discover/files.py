"""The walk from roots to modules, in an order that no file system can change.

It knows what a root is, how a path becomes a module's name, and which folders are never code. It must not read files.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import msgspec

_NEVER_CODE = frozenset({"__pycache__", "node_modules", "site-packages"})
_VENV = "pyvenv.cfg"
"""A folder below a root that holds it is a virtual environment, and none of the program."""


_Folder: TypeAlias = tuple[str, tuple[str, ...], tuple[str, ...]]
"""Where it is, the names that lead there, and what its way really is: every folder above, then itself."""


class Module(msgspec.Struct, frozen=True):
    """One file of the program."""

    name: str
    """Dotted. A part that is no identifier stays as written: such a file is run or loaded by path."""
    path: Path
    """Absolute."""
    file: str
    """Relative to the project's folder where it is inside, `/` on every system; what people are shown."""
    is_package: bool
    """Whether it is an `__init__.py`."""
    root: str
    """The root it was found under, as configured."""


class Shadowed(msgspec.Struct, frozen=True):
    """A file that Python does not import because another one has its name (a package wins over a module)."""

    name: str
    file: str
    by: str


class Discovery(msgspec.Struct, frozen=True):
    """All files of the program."""

    modules: tuple[Module, ...]
    """By name."""
    shadowed: tuple[Shadowed, ...]
    namespaces: frozenset[str]
    """Folders that hold modules and no `__init__.py`: names one can import, without a file."""

    @property
    def digest(self) -> str:
        """Of which modules there are, and where; not of what is in them."""
        lines = (f"{one.name}\0{one.path}\0{one.file}\0{one.is_package}\n" for one in self.modules)
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


class RootError(Exception):
    """A root that is not there or holds no Python file; a check on zero files would be green."""


def discover(folder: Path, roots: Sequence[str], exclude: Sequence[str] = ()) -> Discovery:
    """All modules below `roots`, which are relative to `folder`. Raises RootError for a root without code.

    A root such as `src/pkg` is a package: its names start with `pkg`, with or without `__init__.py`. `.` and `src/`
    are source folders: names start below them, even if they hold an `__init__.py`, which then is no module. A file
    `tool.py` is one module.
    """
    folder = folder.absolute()
    excluded = [_pattern(text) for text in exclude]
    found: dict[str, Module] = {}
    shadowed: list[Shadowed] = []
    for root in roots:
        top = Path(os.path.normpath(folder / root))
        count = 0
        for prefix, path in _files_of(root, top, folder, excluded):
            module = _module(prefix, path, root, folder)
            if module is None:
                continue
            count += 1
            other = found.get(module.name)
            if other is None:
                found[module.name] = module
            elif other.path != module.path:
                winner, loser = (module, other) if module.is_package and not other.is_package else (other, module)
                found[module.name] = winner
                shadowed.append(Shadowed(module.name, loser.file, winner.file))
        if not count:
            why = "holds no Python file" if top.exists() else "does not exist"
            raise RootError(
                f"root `{root}` {why} (looked in {top}); name a package folder, or a source folder as `dir/`"
            )
    modules = tuple(found[name] for name in sorted(found))
    return Discovery(modules, tuple(sorted(shadowed, key=lambda one: (one.name, one.file))), _namespaces(found))


def is_source_folder(root: str) -> bool:
    """Whether names start below `root` and not with it."""
    return root.endswith(("/", os.sep, "/.")) or PurePosixPath(root).name in ("", ".", "..")


def _files_of(
    root: str, top: Path, folder: Path, excluded: Sequence[re.Pattern[str]]
) -> Iterator[tuple[tuple[str, ...], Path]]:
    if top.is_file():
        yield (), top
        return
    prefix = () if is_source_folder(root) else (top.name,)
    yield from _walk(str(top), prefix, folder, excluded)


def _walk(
    top: str, prefix: tuple[str, ...], folder: Path, excluded: Sequence[re.Pattern[str]]
) -> Iterator[tuple[tuple[str, ...], Path]]:
    """Files below `top` with the name their folder has; links to a folder above are not followed."""
    pending: list[_Folder] = [(top, prefix, (os.path.realpath(top),))]
    while pending:
        at, prefix, above = pending.pop()
        listed = _listed(at)
        if at is not top and _VENV in listed and os.path.exists(listed[_VENV].path):  # noqa: PTH110
            continue
        real_folder = above[-1].rstrip(os.sep) + os.sep
        folders: list[_Folder] = []
        for name in sorted(listed):
            entry = listed[name]
            if excluded:
                shown = _relative(Path(entry.path), folder)
                if any(pattern.fullmatch(shown) for pattern in excluded):
                    continue
            if entry.is_dir():
                real = os.path.realpath(entry.path) if entry.is_symlink() else real_folder + name
                if not (name.startswith(".") or name in _NEVER_CODE or real in above):
                    folders.append((entry.path, (*prefix, name), (*above, real)))
            elif name.endswith(".py") and entry.is_file():
                yield prefix, Path(entry.path)
        pending.extend(reversed(folders))


def _listed(folder: str) -> dict[str, os.DirEntry[str]]:
    """What is in a folder, by name; nothing if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry for entry in entries}
    except OSError:
        return {}


def _module(prefix: tuple[str, ...], path: Path, root: str, folder: Path) -> Module | None:
    is_package = path.name == "__init__.py"
    parts = prefix if is_package else (*prefix, path.name.removesuffix(".py"))
    if not parts:
        return None
    return Module(".".join(parts), path, _relative(path, folder), is_package, root)


def _namespaces(found: dict[str, Module]) -> frozenset[str]:
    parents: set[str] = set()
    for name in found:
        parent = name.rpartition(".")[0]
        while parent and parent not in parents:
            parents.add(parent)
            parent = parent.rpartition(".")[0]
    return frozenset(parent for parent in parents if parent not in found)


def _relative(path: Path, folder: Path) -> str:
    written, top = path.as_posix(), folder.as_posix().rstrip("/") + "/"
    if written.startswith(top):
        return written[len(top) :]
    try:
        return path.relative_to(folder).as_posix()
    except ValueError:
        return written


def _pattern(text: str) -> re.Pattern[str]:
    """`*` and `?` stay within a folder, `**` does not; a pattern without `/` holds at any depth."""
    text = text.removeprefix("./").rstrip("/")
    if "/" not in text:
        text = f"**/{text}"
    written = ""
    index = 0
    while index < len(text):
        if text.startswith("**/", index):
            written += "(?:.*/)?"
            index += 3
        elif text.startswith("**", index):
            written += ".*"
            index += 2
        else:
            one = text[index]
            written += {"*": "[^/]*", "?": "[^/]"}.get(one, re.escape(one))
            index += 1
    return re.compile(written)
