"""`unittest.mock`: stand-ins, and names that are replaced."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.escaping import escape_arguments
from onepath.link.models.importing import resolved
from onepath.link.models.model import Model, argument
from onepath.link.models.reflection import set_named
from onepath.link.setting import set_attribute
from onepath.link.solver import Solver
from onepath.link.values import Getter, Text, Value


def _mock(solver: Solver, site: Site) -> None:
    """A stand-in: it calls nothing but what it wraps and its side effect."""
    solver.add(site.dst, solver.result("unittest.mock.Mock"))
    for name, var in site.named:
        if name == "wraps":
            solver.flow(var, site.dst)
        elif name == "side_effect":
            escape_arguments(solver, Site(site.frame, site.dst, -1, (var,), (), site.line), "unittest.mock.Mock")


def _patch(solver: Solver, site: Site) -> None:
    """`patch("module.name", new)`: what is found there is the new one."""
    var = argument(site, 0, "target")
    new = argument(site, 1, "new")
    if var < 0:
        return
    for name, wrapped in site.named:
        if name in ("side_effect", "wraps") and new < 0:
            new = wrapped
    box = solver.box_at("context", site.frame, ("patch", site.dst - site.frame.base))
    if new >= 0:
        solver.flow(new, box.rest)
        solver.when(var, _patch_named, (site, new))
    solver.add(site.dst, box)
    solver.add(site.dst, solver.once(Getter, ("identity", site), "identity", (), site))


def _patch_named(solver: Solver, payload: Any, target: Value) -> None:
    site, new = payload
    if not isinstance(target, Text):
        solver.note_opaque(site.frame, "unittest.mock.patch", "the name that is replaced is not known", site.line)
        return
    owner, _, name = target.value.rpartition(".")
    owners = solver.new()
    resolved(solver, Site(site.frame, owners, -1, (), (), site.line), solver.text(owner))
    solver.when(owners, _patch_on, (site, name, new))


def _patch_on(solver: Solver, payload: Any, owner: Value) -> None:
    site, name, new = payload
    set_attribute(solver, site.frame, owner, name, new, site.line)


def _patch_object(solver: Solver, site: Site) -> None:
    owner, name, new = argument(site, 0, "target"), argument(site, 1, "attribute"), argument(site, 2, "new")
    for keyword, wrapped in site.named:
        if keyword in ("side_effect", "wraps") and new < 0:
            new = wrapped
    box = solver.box_at("context", site.frame, ("patch", site.dst - site.frame.base))
    if min(owner, name, new) >= 0:
        solver.flow(new, box.rest)
        solver.when(name, set_named, Site(site.frame, solver.nowhere, -1, (owner, name, new), (), site.line))
    solver.add(site.dst, box)
    solver.add(site.dst, solver.once(Getter, ("identity", site), "identity", (), site))


MODELS: Final[dict[str, Model]] = {
    **{
        f"unittest.mock.{name}": _mock
        for name in (
            "Mock",
            "MagicMock",
            "AsyncMock",
            "NonCallableMock",
            "NonCallableMagicMock",
            "PropertyMock",
            "create_autospec",
            "ThreadingMock",
        )
    },
    "unittest.mock.patch": _patch,
    "unittest.mock.patch.object": _patch_object,
}
"""By full name: what it does."""
