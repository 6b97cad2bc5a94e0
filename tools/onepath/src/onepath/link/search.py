"""Folders that modules are also searched in: those put on `sys.path`, and on the `__path__` of a package.

Which file a path names is not known here.
"""

from __future__ import annotations

import posixpath
from typing import Any

from onepath.link.files import as_text, file_of, modules_in, tree
from onepath.link.solver import Solver
from onepath.link.values import Value


def search_in(solver: Solver, package: Any, folder: Value) -> None:
    """The modules that lie in a folder are found by their short names, below `package` if that is not empty. Each
    stands ready for who imports it; none is run before."""
    file = file_of(solver, folder) if as_text(folder) is not None else None
    if file is None or not solver.is_first(("searched", package, file)):
        return
    units = tree(solver).units
    for name, is_package in modules_in(solver, file.path, False):
        full = f"{package}.{name}" if package else name
        place = posixpath.join(file.path, name)
        unit = units[f"{place}/__init__.py" if is_package else f"{place}.py"]
        if solver.module(full) is None:
            solver.add(solver.cell(solver.loaded, full), solver.module_of(unit))
