"""Functions that are called by the interpreter or a test runner, and what comes of them."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.classes import foreign_bases, plain_instance
from onepath.link.code import Site
from onepath.link.escaping import escape_arguments, run_overrides
from onepath.link.iteration import iterate
from onepath.link.models.importing import resolved
from onepath.link.models.model import Model, argument
from onepath.link.solver import Solver
from onepath.link.unknown import run_unknown
from onepath.link.values import Bound, Class, Function, Module, Partial, Text, Value

_SUITE: Final = "unittest.TestSuite"


def _traced(name: str) -> Model:
    """`sys.settrace(f)`: what `f` gives is called next, as is what that gives."""

    def made(solver: Solver, site: Site) -> None:
        escape_arguments(solver, site, name)
        for var in site.positional[:1]:
            solver.when(var, _calls_what_it_gives, site)

    return made


def _calls_what_it_gives(solver: Solver, site: Any, value: Value) -> None:
    if solver.is_first(("traced", site, value)):
        for frame in run_unknown(solver, value, site.frame, "may-call", site.line):
            solver.when(frame.result, _calls_what_it_gives, site)


def _tests(index: int, name: str) -> Model:
    """`unittest.main(module)`, a loader: the tests of a module, by its name or as it is."""

    def made(solver: Solver, site: Site) -> None:
        escape_arguments(solver, site, "unittest.TestLoader")
        solver.add(site.dst, solver.result(_SUITE))
        var = argument(site, index, name)
        if var >= 0:
            solver.when(var, _tests_of, site)

    return made


def _tests_by_names(solver: Solver, site: Site) -> None:
    """The same for a list of names."""
    solver.add(site.dst, solver.result(_SUITE))
    var = argument(site, 0, "names")
    if var >= 0:
        name = solver.new()
        iterate(solver, site.frame, var, name, False, site.line)
        solver.when(name, _tests_of, site)


def _tests_of(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Text):
        found = solver.new()
        resolved(solver, Site(site.frame, found, -1, (), (), site.line), value)
        solver.when(found, _tests_of, site)
    elif isinstance(value, Module) and value.unit is not None:
        for name in sorted(_OF_MODULES & value.unit.statics):
            solver.when(solver.cell(value, name), _called_for_tests, site)
        for name in sorted(value.unit.statics):
            solver.when(solver.cell(value, name), _run_tests, site)
    else:
        _run_tests(solver, site, value)


_OF_MODULES: Final = frozenset({"load_tests", "setUpModule", "tearDownModule"})
"""Functions of a module of tests that are called by these names."""


def _called_for_tests(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Function | Bound | Partial):
        run_unknown(solver, value, site.frame, "may-call", site.line)


def _run_tests(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Class) and any(one.startswith("unittest.") for one in foreign_bases(value)):
        run_overrides(solver, value, plain_instance(solver, value, None), site.frame, site.line)


MODELS: Final[dict[str, Model]] = {
    "sys.settrace": _traced("sys.settrace"),
    "threading.settrace": _traced("threading.settrace"),
    "threading.settrace_all_threads": _traced("threading.settrace"),
    "unittest.main": _tests(0, "module"),
    **{
        f"unittest.{loader}.{method}": _tests(0, name)
        for loader in ("TestLoader", "defaultTestLoader")
        for method, name in (("loadTestsFromModule", "module"), ("loadTestsFromName", "name"))
    },
    **{f"unittest.{loader}.loadTestsFromNames": _tests_by_names for loader in ("TestLoader", "defaultTestLoader")},
}
"""By full name: what it does."""
