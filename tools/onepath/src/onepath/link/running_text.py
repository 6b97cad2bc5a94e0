"""Text that is run becomes a module of its own, made when it is first run, with the names of the module around it.

What runs it is not known here.
"""

from __future__ import annotations

from onepath.link.code import Site, Unit
from onepath.link.files import unit_of
from onepath.link.imports import import_module
from onepath.link.items import item_cell
from onepath.link.solver import Solver
from onepath.link.values import Box, Bytes, File, Space, Text, Value


def _run_module_text(solver: Solver, site: Site, unit: Unit) -> None:
    """The text of a module of the program: it runs as that module does, and leaves its names where it is run."""
    import_module(solver, site.frame, unit.name, solver.nowhere, site.line, top=False)
    module = solver.module_of(unit)
    spaces = [space for var in site.positional[1:3] for space in solver.has(var)]
    if len(site.positional) < 2:
        spaces.append(solver.once(Space, ("module", site.frame.code.unit), solver.module_of(site.frame.code.unit)))
    for space in spaces:
        for name in sorted(unit.statics):
            if isinstance(space, Box):
                solver.add(space.keys, solver.text(name))
                solver.flow(solver.cell(module, name), item_cell(solver, space, name))
            elif isinstance(space, Space):
                solver.flow(solver.cell(module, name), solver.cell(space.owner, name))


def run_text(solver: Solver, site: Site, value: Value, expression: bool, around: Unit) -> None:
    """Text is run at `site`, with the names of the module `around`."""
    what = "eval" if expression else "exec"
    if isinstance(value, Bytes):
        value = solver.text(value.value.encode("latin-1").decode("utf-8", "replace"))
    if isinstance(value, File) and (unit := unit_of(solver, value)) is not None:
        _run_module_text(solver, site, unit)
        return
    if not isinstance(value, Text):
        solver.note_opaque(site.frame, what, "the text that is run is not known", site.line)
        solver.add(site.dst, solver.uncomputed(what, "the text that is run is not known"))
        return
    key = ("text", site, value)
    if key in solver.values:
        return
    solver.values[key] = True
    from onepath.facts.extract import extract_text  # hardly any program runs text

    outer = around.outer or around
    source = f"__value__ = (\n{value.value.strip()}\n)" if expression else value.value
    solver.texts_run += 1
    facts = extract_text(source, f"{outer.name}", around.facts.file)
    if facts.fault:
        return
    unit = Unit(facts, f"{site.frame.code.name}.<{what}>")
    solver.late |= (unit.specials - solver.specials) | (unit.hooks - solver.hooks)
    solver.specials |= unit.specials
    unit.outer = outer
    unit.environment = {**around.environment, **dict(site.environment)}
    unit.line = site.line
    for var in site.positional[1:3]:
        for space in list(solver.has(var)):
            if isinstance(space, Box | Space):
                unit.space.append(space)
    frame = solver.frame(unit.codes[0], None)
    unit.frame = frame
    solver.edge(site.frame, frame, "call", site.line)
    if expression:
        solver.flow(solver.cell(solver.module_of(unit), "__value__"), site.dst)
