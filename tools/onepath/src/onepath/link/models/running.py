"""Text that runs: `eval`, `exec`, `compile`; under `timeit`, profilers, tracers, debuggers and consoles; `doctest`."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.invoke import holding
from onepath.link.members import docstring
from onepath.link.models.callers import call_inner
from onepath.link.models.model import Model, argument
from onepath.link.running_text import run_text
from onepath.link.solver import Solver
from onepath.link.values import Affix, Class, Constant, Function, Module, Result, Text, Unknown, Value


def _eval(expression: bool) -> Model:
    def made(solver: Solver, site: Site) -> None:
        if site.positional:
            solver.when(site.positional[0], _run_text, (site, expression))
            solver.at_very_last(_run_blind, solver, site, expression)

    return made


def _run_blind(solver: Solver, site: Site, expression: bool) -> None:
    if not solver.has(site.positional[0]):
        _run_text(solver, (site, expression), solver.unknown)


def _run_text(solver: Solver, payload: Any, value: Value) -> None:
    site, expression = payload
    run_text(solver, site, value, expression, site.frame.code.unit)


def _compile(solver: Solver, site: Site) -> None:
    if site.positional:
        solver.flow(site.positional[0], site.dst)


def _timed(solver: Solver, site: Site) -> None:
    """`timeit.timeit(what)`: a callable, or text that is run."""
    spaces = tuple(var for name, var in site.named if name == "globals")
    named = tuple(var for name, var in site.named if name in ("stmt", "setup"))
    for var in (*site.positional[:2], *named):
        inner = Site(site.frame, solver.nowhere, -1, (var, *spaces), (), site.line)
        solver.when(var, _time_one, inner)
        solver.at_very_last(_time_blind, solver, var, inner)


def _timer(solver: Solver, site: Site) -> None:
    _timed(solver, site)
    solver.add(site.dst, solver.result("timeit.Timer"))


def _time_blind(solver: Solver, var: int, site: Site) -> None:
    if not solver.has(var):
        _time_one(solver, site, solver.unknown)


def _time_one(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Text | Affix | Unknown | Result) or (isinstance(value, Constant) and value.type == "str"):
        _run_text(solver, (site, False), value)
    else:
        solver.call(solver, Site(site.frame, solver.nowhere, -1, (), (), site.line), value)


def _under(expression: bool, *spaces: str) -> Model:
    """What runs a text given first, in these namespaces; in one of its own, where it takes none."""

    def made(solver: Solver, site: Site) -> None:
        text = next((var for name, var in site.named if name in _TEXTS), argument(site, 0))
        if text < 0:
            return
        given = [argument(site, number, name) for number, name in enumerate(spaces, 1)]
        if not spaces:
            given.append(holding(solver, solver.box_at("dict", site.frame, ("namespace", site.dst - site.frame.base))))
        inner = Site(site.frame, site.dst, -1, (text, *(var for var in given if var >= 0)), (), site.line)
        solver.when(text, _run_text, (inner, expression))
        solver.at_very_last(_run_blind, solver, inner, expression)

    return made


_TEXTS: Final = ("statement", "cmd", "expression", "expr", "source", "line")
_SPACES: Final = ("globals", "locals")


def _calls(solver: Solver, site: Site) -> None:
    """What calls its first argument with the others, and gives what that gives."""
    func = next((var for name, var in site.named if name == "func"), argument(site, 0))
    if func >= 0:
        inner = Site(
            site.frame, site.dst, -1, site.positional[1:], site.named, site.line, site.stars, site.double_stars
        )
        solver.when(func, call_inner, inner)


def _doctested(solver: Solver, site: Site) -> None:
    """The examples in a text, or in what an object is documented by."""
    for var in site.positional[:1]:
        solver.when(var, _examples_of, (site, site.positional[1:2]))


def _doctested_module(solver: Solver, site: Site) -> None:
    """All examples in a module."""
    for var in site.positional[:1]:
        solver.when(var, _examples_of, (site, ()))
    if not site.positional and not any(name == "m" for name, _ in site.named):
        _examples_of(solver, (site, ()), solver.module_of(site.frame.code.unit))


def _examples_of(solver: Solver, payload: Any, value: Value) -> None:
    site, spaces = payload
    around = site.frame.code.unit
    texts: list[str | None] = []
    if isinstance(value, Text):
        texts.append(value.value)
    elif isinstance(value, Module) and value.unit is not None:
        around = value.unit
        texts.extend(docstring(code) for code in around.codes)
    elif isinstance(value, Function | Class) and value.code is not None:
        around = value.code.unit
        texts.append(docstring(value.code))
    for text in texts:
        for example in _examples(text or ""):
            inner = Site(site.frame, solver.nowhere, -1, (solver.nowhere, *spaces), (), site.line)
            run_text(solver, inner, solver.text(example), False, around)


def _examples(text: str) -> list[str]:
    if ">>>" not in text:
        return []
    import doctest  # it takes a while, and hardly any program has such texts run

    try:
        return [one.source for one in doctest.DocTestParser().get_examples(text)]
    except ValueError:
        return []


_PROFILES: Final = ("cProfile.Profile", "profile.Profile")
_DEBUGGERS: Final = ("bdb.Bdb", "pdb.Pdb")
_CONSOLES: Final = ("code.InteractiveInterpreter", "code.InteractiveConsole")
MODELS: Final[dict[str, Model]] = {
    "builtins.eval": _eval(True),
    "builtins.exec": _eval(False),
    "builtins.compile": _compile,
    "codeop.compile_command": _compile,
    "code.compile_command": _compile,
    "ast.parse": _compile,
    "timeit.timeit": _timed,
    "timeit.repeat": _timed,
    "timeit.Timer": _timer,
    **{f"{name}.run": _under(False) for name in ("cProfile", "profile", *_PROFILES, "trace.Trace")},
    **{f"{name}.runctx": _under(False, *_SPACES) for name in ("cProfile", "profile", *_PROFILES, "trace.Trace")},
    **{f"{name}.{method}": _under(False, *_SPACES) for name in ("pdb", *_DEBUGGERS) for method in ("run", "runctx")},
    **{f"{name}.runeval": _under(True, *_SPACES) for name in ("pdb", *_DEBUGGERS)},
    **{f"{name}.runcall": _calls for name in ("pdb", *_PROFILES, *_DEBUGGERS)},
    "trace.Trace.runfunc": _calls,
    **{f"{name}.{method}": _under(False) for name in _CONSOLES for method in ("runsource", "runcode", "push")},
    "doctest.run_docstring_examples": _doctested,
    "doctest.testmod": _doctested_module,
}
"""By full name: what it does."""
