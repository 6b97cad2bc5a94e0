"""Modules by name: `importlib`, `pkgutil`, `runpy`, entry points, `sys.modules`.

How a module starts is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from onepath.link.code import Site
from onepath.link.files import unit_of
from onepath.link.imports import import_module
from onepath.link.iteration import iterate
from onepath.link.members import plain_member
from onepath.link.models.getters import path_step
from onepath.link.models.model import Model, argument, is_no_name, same
from onepath.link.models.reflection import space_of
from onepath.link.search import search_in
from onepath.link.solver import Solver
from onepath.link.values import Affix, Getter, Module, Text, Value


def _entry_point(solver: Solver, site: Site) -> None:
    """`importlib.metadata.EntryPoint(name, "module:object", group)`: loaded, it is that object."""
    solver.add(site.dst, solver.once(Getter, ("entry point", site), "entry point", (), site))


def load_entry_point(solver: Solver, site: Site, value: Getter) -> None:
    """`.load()` of an entry point."""
    var = argument(value.site, 1, "value")
    if var >= 0:
        solver.when(var, resolved, Site(site.frame, site.dst, -1, (), (), site.line))


def _import_module(solver: Solver, site: Site) -> None:
    var = argument(site, 0, "name")
    if var < 0:
        return
    package = argument(site, 1, "package")
    solver.when(var, _import_named, (site, package))
    solver.at_very_last(_import_blind, solver, site, var, package)


def _import_blind(solver: Solver, site: Site, var: int, package: int) -> None:
    if not solver.has(var) and not solver.is_idle(site.frame, _import_blind, site, var, package):
        _import_named(solver, (site, package), solver.unknown)


def _import_named(solver: Solver, payload: Any, value: Value) -> None:
    site, package = payload
    value = plain_member(solver, value) or value
    if isinstance(value, Text):
        name = value.value
        if "<" in name:
            return
        if name.startswith("."):
            held = [one.value for one in solver.has(package) if isinstance(one, Text)] if package >= 0 else []
            for base in held:
                up = len(name) - len(name.lstrip("."))
                parts = base.split(".")
                kept = parts[: len(parts) - up + 1]
                _imported(solver, site, ".".join([*kept, name.lstrip(".")]).rstrip("."))
            return
        _imported(solver, site, name)
    elif isinstance(value, Affix):
        fitting = [name for name in sorted(solver.units) if name.startswith(value.start) and name.endswith(value.end)]
        if fitting and value.start:
            for name in fitting:
                _imported(solver, site, name)
            return
        solver.note_opaque(site.frame, "importlib.import_module", "the module's name is not known", site.line)
    elif not isinstance(value, Module) and not is_no_name(value):
        solver.note_opaque(site.frame, "importlib.import_module", "the module's name is not known", site.line)
        solver.add(site.dst, solver.uncomputed("importlib.import_module", "the module's name is not known"))


def _imported(solver: Solver, site: Site, name: str) -> None:
    unit = site.frame.code.unit
    key = (unit.outer.name if unit.outer else unit.name, name, site.frame.code.name, site.line)
    solver.computed_imports.setdefault(key)
    import_module(solver, site.frame, name, site.dst, site.line, top=False)


def _dunder_import(solver: Solver, site: Site) -> None:
    var = argument(site, 0, "name")
    from_list = argument(site, 3, "fromlist")
    if var < 0:
        return
    solver.when(var, _dunder_named, (site, from_list >= 0))


def _dunder_named(solver: Solver, payload: Any, value: Value) -> None:
    site, whole = payload
    if isinstance(value, Text):
        unit = site.frame.code.unit
        key = (unit.outer.name if unit.outer else unit.name, value.value, site.frame.code.name, site.line)
        solver.computed_imports.setdefault(key)
        import_module(solver, site.frame, value.value, site.dst, site.line, top=not whole)
    else:
        solver.note_opaque(site.frame, "__import__", "the module's name is not known", site.line)
        solver.add(site.dst, solver.uncomputed("__import__", "the module's name is not known"))


def _resolve_name(solver: Solver, site: Site) -> None:
    """`pkgutil.resolve_name("package.module:object.attribute")`, and what others call so."""
    if site.positional or site.named:
        solver.when(argument(site, 0) if site.positional else site.named[0][1], resolved, site)


def resolved(solver: Solver, site: Any, value: Value) -> None:
    if not isinstance(value, Text):
        solver.note_opaque(site.frame, "pkgutil.resolve_name", "the name is not known", site.line)
        return
    module, colon, path = value.value.partition(":")
    if not colon:
        parts = value.value.split(".")
        cut = len(parts)
        while cut > 1 and solver.module(".".join(parts[:cut])) is None:
            cut -= 1
        module, path = ".".join(parts[:cut]), ".".join(parts[cut:])
    current = solver.new()
    _imported(solver, Site(site.frame, current, -1, (), (), site.line), module)
    for part in path.split(".") if path else ():
        inner = solver.new()
        solver.when(current, path_step, (site, part, inner))
        current = inner
    solver.flow(current, site.dst)


def _searched(index: int, several: bool = False) -> Model:
    """`sys.path.insert(0, folder)`: the modules in there are found by their short names."""

    def made(solver: Solver, site: Site) -> None:
        for var in site.positional[index : index + 1]:
            folder = var
            if several:
                folder = solver.new()
                iterate(solver, site.frame, var, folder, False, site.line)
            solver.when(folder, search_in, "")

    return made


def _run_module(solver: Solver, site: Site) -> None:
    var = argument(site, 0, "mod_name")
    if var >= 0:
        solver.when(var, _run_named, site)


def _run_named(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Text):
        name = value.value
        if f"{name}.__main__" in solver.units:
            name = f"{name}.__main__"
        module = solver.new()
        _imported(solver, Site(site.frame, module, -1, (), (), site.line), name)
        _run_as_program(solver, name)
        solver.when(module, space_of, site.dst)
    else:
        solver.note_opaque(site.frame, "runpy.run_module", "the module's name is not known", site.line)


def _run_as_program(solver: Solver, name: str) -> None:
    """What a module does only where it is the program runs too."""
    if name not in solver.programs:
        solver.programs.add(name)
        waiting, solver.not_run = solver.not_run, []
        for frame, operations in waiting:
            if frame.code.unit.name == name:
                solver.run_operations(solver, frame, operations)
            else:
                solver.not_run.append((frame, operations))


def _spec(solver: Solver, site: Site) -> None:
    """A module's specification, loader or loaded module, by its name: all stand for the module."""
    var = argument(site, 0, "name")
    if var >= 0:
        solver.when(var, _import_by_spec, site)


def _import_by_spec(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Text):
        if solver.module(value.value) is not None:
            _imported(solver, site, value.value)
            return
        if argument(site, 1, "location") < 0:
            solver.add(site.dst, solver.foreign(value.value))
    elif argument(site, 1, "location") < 0:
        solver.note_opaque(site.frame, "importlib.util.find_spec", "the module's name is not known", site.line)


def _spec_of_file(solver: Solver, site: Site) -> None:
    """The same by a name and a file: the file says which module it is."""
    path = argument(site, 1, "location")
    if path < 0:
        path = argument(site, 1, "path")
    if path < 0:
        _spec(solver, site)
        return
    solver.when(path, _import_by_file, site)
    solver.at_very_last(_without_value, solver, site, path, _import_by_file)


def _without_value(solver: Solver, site: Site, var: int, use: Callable[[Solver, Any, Value], None]) -> None:
    """A path of which nothing is known by now is any path."""
    if not solver.has(var):
        use(solver, site, solver.unknown)


def _import_by_file(solver: Solver, site: Any, value: Value) -> None:
    unit = unit_of(solver, value)
    if unit is not None:
        _imported(solver, site, unit.name)
        return
    var = argument(site, 0, "name")
    for one in list(solver.has(var)) if var >= 0 else ():
        if isinstance(one, Text):
            if solver.module(one.value) is not None:
                _imported(solver, site, one.value)
                return
            solver.add(site.dst, solver.foreign(one.value))
    solver.note_opaque(site.frame, "importlib.util.spec_from_file_location", "the file is not known", site.line)


def _run_path(solver: Solver, site: Site) -> None:
    """`runpy.run_path(path)`: a module of the program by its file, if the path is known."""
    var = argument(site, 0, "path_name")
    if var < 0:
        return
    solver.when(var, _run_file, site)
    solver.at_very_last(_without_value, solver, site, var, _run_file)


def _run_file(solver: Solver, site: Any, value: Value) -> None:
    unit = unit_of(solver, value)
    if unit is not None:
        _run_named(solver, site, solver.text(unit.name))
    else:
        solver.note_opaque(site.frame, "runpy.run_path", "the file that is run is not known", site.line)


MODELS: Final[dict[str, Model]] = {
    "builtins.__import__": _dunder_import,
    "runpy.run_path": _run_path,
    "importlib.metadata.EntryPoint": _entry_point,
    "importlib.import_module": _import_module,
    "importlib.__import__": _dunder_import,
    "importlib.reload": same(),
    "site.addsitedir": _searched(0),
    "sys.path.append": _searched(0),
    "sys.path.extend": _searched(0, several=True),
    "sys.path.insert": _searched(1),
    "importlib.util.find_spec": _spec,
    "importlib.util.spec_from_file_location": _spec_of_file,
    "importlib.util.module_from_spec": same(),
    "importlib.machinery.SourceFileLoader": _spec_of_file,
    **dict.fromkeys(
        (
            "django.utils.module_loading.import_string",
            "kombu.utils.imports.symbol_by_name",
            "pkgutil.resolve_name",
            "pydoc.locate",
            "pydoc.safeimport",
            "twisted.python.reflect.namedAny",
            "werkzeug.utils.import_string",
            "zope.dottedname.resolve.resolve",
        ),
        _resolve_name,
    ),
    "pkgutil.get_loader": _spec,
    "pkgutil.find_loader": _spec,
    "runpy.run_module": _run_module,
    "runpy._run_module_as_main": _run_module,
    "sys.modules.get": _import_module,
    "sys.modules.__getitem__": _import_module,
    "sys.modules.pop": _import_module,
}
"""By full name: what it does."""
