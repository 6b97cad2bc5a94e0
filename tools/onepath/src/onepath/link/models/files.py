"""Paths of the program's own files: `__file__` and what is made of it, folders that are listed, files that are read.

A path that leads nowhere in the program is foreign, as are all its methods.
"""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Callable, Iterable
from math import prod
from typing import Any, Final

from onepath.link.code import Site
from onepath.link.escaping import escape_arguments
from onepath.link.files import (
    as_text,
    below,
    file_at,
    file_of,
    file_of_text,
    folder_of,
    inside,
    join_path,
    modules_in,
    text_of,
    tree,
)
from onepath.link.foreign import GIVES
from onepath.link.imports import import_module
from onepath.link.items import item_cell
from onepath.link.iteration import iterate
from onepath.link.models.model import Model, argument
from onepath.link.solver import Solver
from onepath.link.values import Affix, File, Module, Text, Value

_MOST: Final = 64
"""How many paths one operation puts together."""


def _put_together(
    solver: Solver, site: Site, parts: tuple[int, ...], use: Callable[[Solver, Site, tuple[str, ...]], None], name: str
) -> None:
    """`use` for every combination of the texts these variables hold; a foreign result for what is no text."""
    payload = (site, parts, use, name)
    if solver.is_first(("paths", site, use)):
        for var in parts:
            solver.when(var, _put_together_again, payload)


def _put_together_again(solver: Solver, payload: Any, value: Value) -> None:
    site, parts, use, name = payload
    if as_text(value) is None:
        solver.add(site.dst, solver.result(GIVES.get(name, name)))
    solver.later(_put_together_now, solver, site, parts, use, name)


def _put_together_now(
    solver: Solver, site: Site, parts: tuple[int, ...], use: Callable[[Solver, Site, tuple[str, ...]], None], name: str
) -> None:
    held = [[text for one in solver.has(var) if (text := as_text(one)) is not None] for var in parts]
    if prod(len(one) for one in held) > _MOST:
        solver.add(site.dst, solver.result(GIVES.get(name, name)))
    for known in itertools.islice(itertools.product(*held), _MOST):
        if solver.is_first(("paths", site, use, known)):
            use(solver, site, known)


def _of_texts(name: str, function: Callable[..., str]) -> Model:
    """A function that makes a text of one, or of all it is given."""
    several = name in _OF_SEVERAL

    def use(solver: Solver, site: Site, known: tuple[str, ...]) -> None:
        solver.add(site.dst, solver.text(function(*known)))

    def made(solver: Solver, site: Site) -> None:
        if site.stars or not site.positional:
            solver.add(site.dst, solver.result(name))
        _put_together(solver, site, site.positional if several else site.positional[:1], use, name)

    return made


def _in_two(name: str, function: Callable[[str], tuple[str, str]]) -> Model:
    """A function that divides a text."""

    def use(solver: Solver, site: Site, known: tuple[str, ...]) -> None:
        box = solver.box("tuple", ("divided", site))
        for index, part in enumerate(function(*known)):
            solver.add(item_cell(solver, box, index), solver.text(part))
        solver.add(site.dst, box)

    def made(solver: Solver, site: Site) -> None:
        _put_together(solver, site, site.positional[:1], use, name)

    return made


def _path(name: str) -> Model:
    """`Path(…)`: of the program's, if it leads there."""

    def use(solver: Solver, site: Site, known: tuple[str, ...]) -> None:
        found = file_of_text(solver, posixpath.join(*known))
        solver.add(site.dst, found if found is not None else solver.result("pathlib.Path"))

    def made(solver: Solver, site: Site) -> None:
        if site.stars or not site.positional:
            solver.add(site.dst, solver.result(name))
        _put_together(solver, site, site.positional, use, name)

    return made


def _listed(solver: Solver, site: Site, values: Iterable[Value]) -> None:
    box = solver.box("list", ("listed", site))
    for value in values:
        solver.add(box.rest, value)
    solver.add(site.dst, box)


def _list_folder(name: str, as_files: bool) -> Model:
    """`os.listdir(path)`: names of what lies there; `os.scandir(path)`: what lies there."""

    def each(solver: Solver, site: Any, value: Value) -> None:
        file = file_of(solver, value)
        if file is None or file.path not in tree(solver).folders:
            solver.add(site.dst, solver.result(name))
            return
        names = inside(solver, file.path)
        found = [file_at(solver, posixpath.join(file.path, one)) if as_files else solver.text(one) for one in names]
        _listed(solver, site, found)

    def made(solver: Solver, site: Site) -> None:
        var = argument(site, 0, "path")
        if var >= 0:
            solver.when(var, each, site)
        else:
            solver.add(site.dst, solver.result(name))

    return made


def _glob(name: str) -> Model:
    """`glob.glob(pattern)`: paths that fit."""

    def use(solver: Solver, site: Site, known: tuple[str, ...]) -> None:
        pattern = known[0]
        fixed, _, _ = pattern.partition("*")
        folder, _ = posixpath.split(fixed)
        file = file_of_text(solver, folder)
        if file is None:
            solver.add(site.dst, solver.result(name))
            return
        found = below(solver, file.path, pattern[len(folder) + 1 :], "**" in pattern)
        _listed(solver, site, [solver.text(text_of(file_at(solver, one))) for one in found])

    def made(solver: Solver, site: Site) -> None:
        _put_together(solver, site, site.positional[:1], use, name)

    return made


def _walk(solver: Solver, site: Site) -> None:
    """`os.walk(top)`: each folder with the names of folders and of files in it."""
    top = argument(site, 0, "top")
    if top < 0:
        solver.add(site.dst, solver.result("os.walk"))
    else:
        solver.when(top, _walked, site)
    for name, var in site.named:
        if name != "top":
            escape_arguments(solver, Site(site.frame, solver.nowhere, -1, (var,), (), site.line), "os.walk")


def _walked(solver: Solver, site: Any, value: Value) -> None:
    file = file_of(solver, value)
    known = tree(solver)
    if file is None or file.path not in known.folders:
        solver.add(site.dst, solver.result("os.walk"))
        return
    row = solver.box("tuple", ("walked", site))
    parts = [solver.box("list", ("walked", site, index)) for index in (1, 2)]
    for index, part in enumerate(parts, 1):
        solver.add(item_cell(solver, row, index), part)
    for path in known.folders:
        if path == file.path or path.startswith(f"{file.path}/" if file.path else ""):
            solver.add(item_cell(solver, row, 0), solver.text(text_of(file_at(solver, path))))
            for name in inside(solver, path):
                folder = posixpath.join(path, name) in known.folders
                solver.add(parts[0 if folder else 1].rest, solver.text(name))
    _listed(solver, site, [row])


def _open(name: str) -> Model:
    """A file of the program that is opened stands for itself; what else is given may be called."""

    def each(solver: Solver, site: Any, value: Value) -> None:
        file = file_of(solver, value)
        if file is not None and file.path in tree(solver).units:
            solver.add(site.dst, file)
        else:
            solver.add(site.dst, solver.result(GIVES.get(name, name)))

    def made(solver: Solver, site: Site) -> None:
        if not site.positional:
            solver.add(site.dst, solver.result(GIVES.get(name, name)))
        for var in site.positional[:1]:
            solver.when(var, each, site)
            if not solver.has(var):
                solver.add(site.dst, solver.result(GIVES.get(name, name)))
        inner = Site(site.frame, site.dst, -1, site.positional, site.named, site.line, site.stars, site.double_stars)
        escape_arguments(solver, inner, name)

    return made


def _package_file(solver: Solver, site: Site) -> None:
    """`importlib.resources.files(package)`, `pkgutil.get_data(package, name)`: what lies in a package's folder."""
    inner = argument(site, 1, "resource")
    for var in site.positional[:1]:
        solver.when(var, _package_files, (site, inner))


def _package_files(solver: Solver, payload: Any, value: Value) -> None:
    site, inner = payload
    module = value if isinstance(value, Module) else solver.module(value.value) if isinstance(value, Text) else None
    folder = folder_of(solver, module) if module is not None else None
    if folder is None:
        solver.add(site.dst, solver.result("importlib.resources.files"))
    elif inner < 0:
        solver.add(site.dst, file_at(solver, folder))
    else:
        solver.when(inner, _joined_to, (site, folder))


def _joined_to(solver: Solver, payload: Any, value: Value) -> None:
    site, folder = payload
    _read(solver, site, file_at(solver, posixpath.join(folder, value.value)) if isinstance(value, Text) else None)


def _read(solver: Solver, site: Site, file: File | None) -> None:
    """The text of a module of the program is that file; of another nothing is known."""
    known = file is not None and file.path in tree(solver).units
    solver.add(site.dst, file if known and file is not None else solver.constant("str"))


# -- modules in a folder -----------------------------------------------------------------------------------------------


def _modules(deep: bool) -> Model:
    """`pkgutil.iter_modules(path, prefix)`: what is told of each module there; one record stands for all."""
    name = "pkgutil.walk_packages" if deep else "pkgutil.iter_modules"

    def made(solver: Solver, site: Site) -> None:
        path, prefix = argument(site, 0, "path"), argument(site, 1, "prefix")
        if path < 0:
            solver.add(site.dst, solver.result(name))
            return
        each = solver.new()
        iterate(solver, site.frame, path, each, False, site.line)
        solver.when(each, _modules_of, (site, prefix, deep, name))
        onerror = argument(site, 2, "onerror")
        if onerror >= 0:
            escape_arguments(solver, Site(site.frame, solver.nowhere, -1, (onerror,), (), site.line), name)

    return made


def _modules_of(solver: Solver, payload: Any, value: Value) -> None:
    site, prefix, deep, name = payload
    file = file_of(solver, value)
    if file is None or file.path not in tree(solver).folders:
        solver.add(site.dst, solver.result(name))
        return
    info = solver.box("tuple", ("module info", site))
    for index, part in enumerate(("module_finder", "name", "ispkg")):
        solver.flow(item_cell(solver, info, index), solver.cell(info, part))
    solver.add(item_cell(solver, info, 0), file)
    solver.add(item_cell(solver, info, 2), solver.constant("bool"))
    names = [one for one, _ in modules_in(solver, file.path, deep)]
    dst = item_cell(solver, info, 1)
    if prefix < 0:
        _name_modules(solver, (tuple(names), dst), solver.text(""))
    else:
        solver.when(prefix, _name_modules, (tuple(names), dst))
    _listed(solver, site, [info])
    if deep:
        # Packages are imported to be looked into.
        for one, package in modules_in(solver, file.path, deep):
            if package:
                _import_at(solver, site, f"{file.path}/{one.replace('.', '/')}/__init__.py")


def _import_at(solver: Solver, site: Site, path: str) -> None:
    unit = tree(solver).units.get(path)
    if unit is not None:
        import_module(solver, site.frame, unit.name, solver.nowhere, site.line, top=False)


def _name_modules(solver: Solver, payload: Any, prefix: Value) -> None:
    names, dst = payload
    start = prefix.value if isinstance(prefix, Text) else prefix.start if isinstance(prefix, Affix) else None
    if start is None:
        solver.add(dst, solver.constant("str"))
    elif isinstance(prefix, Affix) or len(names) > Text.most:
        solver.add(dst, solver.affix(start, "") if start else solver.constant("str"))
    else:
        for name in names:
            solver.add(dst, solver.text(f"{start}{name}"))


# -- paths as objects --------------------------------------------------------------------------------------------------


def read_file(solver: Solver, value: File, name: str, dst: int) -> None:
    """An attribute of a path."""
    folder, last = posixpath.split(value.path)
    stem, suffix = posixpath.splitext(last)
    told = {"name": last, "stem": stem, "suffix": suffix, "path": text_of(value)}.get(name)
    if told is not None:
        solver.add(dst, solver.text(told))
    elif name == "parent":
        solver.add(dst, file_at(solver, folder))
    elif name == "parents":
        box = solver.box("list", (value, name))
        for index in range(value.path.count("/") + 1):
            solver.add(item_cell(solver, box, index), file_at(solver, folder))
            folder = posixpath.dirname(folder)
        solver.add(dst, box)
    elif name == "parts":
        box = solver.box("tuple", (value, name))
        for index, part in enumerate(text_of(value).split("/")):
            solver.add(item_cell(solver, box, index), solver.text(part or "/"))
        solver.add(dst, box)
    else:
        solver.add(dst, solver.method(value, name))


_SAME: Final = frozenset({"resolve", "absolute", "expanduser", "__enter__", "decode", "strip", "encode"})
_READ: Final = frozenset({"read_text", "read_bytes", "read"})
_RENAMED: Final[dict[str, Callable[[str, str], str]]] = {
    "with_name": lambda last, name: name,
    "with_suffix": lambda last, name: posixpath.splitext(last)[0] + name,
    "with_stem": lambda last, name: name + posixpath.splitext(last)[1],
}


def file_method(solver: Solver, site: Site, file: File, name: str) -> None:
    """A method of a path, of an opened file, of its text or of the finder of a folder."""
    solver.edge(site.frame, f"pathlib.Path.{name}", "call", site.line)
    if name in _SAME:
        solver.add(site.dst, file)
    elif name in _READ:
        _read(solver, site, file)
    elif name == "open":
        known = file.path in tree(solver).units
        solver.add(site.dst, file if known else solver.result("io.TextIOWrapper"))
    elif name in ("as_posix", "__str__", "__fspath__"):
        solver.add(site.dst, solver.text(text_of(file)))
    elif name == "iterdir":
        found = inside(solver, file.path)
        _listed(solver, site, [file_at(solver, posixpath.join(file.path, one)) for one in found])
    elif name in ("glob", "rglob"):
        for var in site.positional[:1]:
            solver.when(var, _globbed, (site, file, name == "rglob"))
    elif name in ("joinpath", "__truediv__"):
        _join_all(solver, site, file)
    elif name in _RENAMED:
        for var in site.positional[:1]:
            solver.when(var, _renamed, (site, file, _RENAMED[name]))
    elif name in ("find_spec", "find_module"):
        for var in site.positional[:1]:
            solver.when(var, _found_in, (site, file))
    else:
        solver.add(site.dst, solver.result(f"pathlib.Path.{name}"))


def _join_all(solver: Solver, site: Site, file: File) -> None:
    current: int | None = None
    for var in site.positional:
        inner = solver.new()
        if current is None:
            solver.when(var, join_path, (file, inner))
        else:
            solver.when(current, _join_next, (var, inner))
        current = inner
    if current is not None:
        solver.flow(current, site.dst)


def _join_next(solver: Solver, payload: Any, value: Value) -> None:
    var, dst = payload
    if isinstance(value, File):
        solver.when(var, join_path, (value, dst))
    else:
        solver.add(dst, value)


def _globbed(solver: Solver, payload: Any, value: Value) -> None:
    site, file, deep = payload
    known = isinstance(value, Text)
    pattern = value.value if isinstance(value, Text) else "*"
    _listed(solver, site, [file_at(solver, one) for one in below(solver, file.path, pattern, deep or not known)])


def _renamed(solver: Solver, payload: Any, value: Value) -> None:
    site, file, rename = payload
    if isinstance(value, Text):
        folder, last = posixpath.split(file.path)
        solver.add(site.dst, file_at(solver, posixpath.join(folder, rename(last, value.value))))
    elif isinstance(value, Affix) and rename is _RENAMED["with_name"]:
        join_path(solver, (file_at(solver, posixpath.dirname(file.path)), site.dst), value)
    else:
        solver.add(site.dst, solver.result("pathlib.Path"))


def _found_in(solver: Solver, payload: Any, value: Value) -> None:
    """The finder of a folder finds a module there: it stands for its specification. An unknown name is any there."""
    site, file = payload
    if isinstance(value, Text):
        names = [value.value.rpartition(".")[2]]
    else:
        end = value.end.rpartition(".")[2] if isinstance(value, Affix) else ""
        names = [one for one, _ in modules_in(solver, file.path, False) if one.endswith(end)]
    for last in names:
        _find_in(solver, site, file, last)


def _find_in(solver: Solver, site: Site, file: File, last: str) -> None:
    for path in (f"{last}.py", f"{last}/__init__.py"):
        unit = tree(solver).units.get(posixpath.join(file.path, path))
        if unit is not None:
            import_module(solver, site.frame, unit.name, site.dst, site.line, top=False)


_OF_SEVERAL: Final = frozenset({"os.path.join"})
_TEXTS: Final[dict[str, Callable[..., str]]] = {
    "os.path.join": posixpath.join,
    "os.path.dirname": posixpath.dirname,
    "os.path.basename": posixpath.basename,
    "os.path.normpath": posixpath.normpath,
    "os.path.abspath": posixpath.normpath,
    "os.path.realpath": posixpath.normpath,
    "os.fspath": str,
    "inspect.getmodulename": lambda path: posixpath.splitext(posixpath.basename(path))[0],
}
MODELS: Final[dict[str, Model]] = {
    **{name: _of_texts(name, function) for name, function in _TEXTS.items()},
    "os.path.splitext": _in_two("os.path.splitext", posixpath.splitext),
    "os.path.split": _in_two("os.path.split", posixpath.split),
    "pathlib.Path": _path("pathlib.Path"),
    "pathlib.PurePath": _path("pathlib.PurePath"),
    "pathlib.PosixPath": _path("pathlib.PosixPath"),
    "os.listdir": _list_folder("os.listdir", as_files=False),
    "os.scandir": _list_folder("os.scandir", as_files=True),
    "os.walk": _walk,
    "glob.glob": _glob("glob.glob"),
    "glob.iglob": _glob("glob.iglob"),
    "builtins.open": _open("builtins.open"),
    "io.open": _open("io.open"),
    "tokenize.open": _open("tokenize.open"),
    "importlib.resources.files": _package_file,
    "importlib.resources.read_text": _package_file,
    "importlib.resources.read_binary": _package_file,
    "importlib.resources.open_text": _package_file,
    "pkgutil.get_data": _package_file,
    "pkgutil.iter_modules": _modules(deep=False),
    "pkgutil.walk_packages": _modules(deep=True),
}
"""By full name: what it does."""
