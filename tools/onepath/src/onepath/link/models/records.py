"""Classes whose fields are listed: their factories, what makes such a class by a call, an object as a mapping.

Which fields a class statement declares is not known here.
"""

from __future__ import annotations

from typing import Any, Final

from onepath.link.attributes import read_attribute
from onepath.link.classes import add_base
from onepath.link.code import Site
from onepath.link.construction import default_of
from onepath.link.items import item_cell
from onepath.link.iteration import iterate
from onepath.link.models.classes import make_type
from onepath.link.models.model import Model, argument
from onepath.link.solver import Solver
from onepath.link.values import OBJECTS, Box, Class, Descriptor, Foreign, Instance, Text, Value
from onepath.link.within import COPIED, reach_all

METADATA: Final = "metadata of fields"
"""What is told of fields besides: all there is in one module, for any of its fields."""


def _factory_field(solver: Solver, site: Site) -> None:
    """`dataclasses.field` and its like."""
    for name, var in site.named:
        if name == "default":
            solver.flow(var, site.dst)
        elif name in ("default_factory", "factory"):
            solver.when(var, _factory_of, site.dst)
        elif name == "metadata":
            solver.flow(var, solver.var_for((METADATA, site.frame.code.unit)))
    for var in site.positional[:1]:
        solver.flow(var, site.dst)


def _factory_of(solver: Solver, dst: Any, value: Value) -> None:
    if isinstance(value, Foreign):
        kind = value.name.removeprefix("builtins.")
        if kind in ("dict", "list", "set") and value.name.startswith("builtins."):
            solver.add(dst, solver.box(kind, ("factory", dst)))
            return
    key = ("factory", value, None, None)
    solver.add(dst, solver.once(Descriptor, key, *key))


_NO_FIELDS: Final = frozenset({"bases", "namespace", "frozen", "kw_only", "defaults", "rename", "module"})
"""Arguments of what makes records that are no fields."""


def _make_record(names: int, fields: int, base: str = "") -> Model:
    """`make_dataclass("Row", [("x", object, field(…))])`, `namedtuple("Row", "x y")`: a class with these fields."""

    def made(solver: Solver, site: Site) -> None:
        bases = next((var for name, var in site.named if name == "bases"), -1)
        space = next((var for name, var in site.named if name == "namespace"), -1)
        make_type(solver, site, argument(site, names, "cls_name"), bases if bases >= 0 else solver.new(), space)
        cls = solver.values.get((Class, ("type", site)))
        if isinstance(cls, Class):
            cls.record = True
            if base:
                add_base(solver, cls, solver.foreign(base))
        listed = argument(site, fields, "fields")
        if listed >= 0:
            solver.when(listed, _record_fields, (site, cls))
        for name, var in site.named:
            if isinstance(cls, Class) and name not in _NO_FIELDS:
                _record_field(solver, cls, name, var)
            elif name == "defaults":
                solver.later(_record_defaults, solver, site, cls, var)

    return made


def _record_defaults(solver: Solver, site: Site, cls: Any, listed: int) -> None:
    """`namedtuple(…, defaults=…)`: any of them may be that of any field."""
    default = solver.new()
    iterate(solver, site.frame, listed, default, False, site.line)
    for name in cls.fields:
        _record_field(solver, cls, name, default)


NO_ANNOTATION: Final = 1 << 40
"""A field without one."""


def _record_field(solver: Solver, cls: Class, name: str, default: int) -> None:
    cls.fields.setdefault(name, NO_ANNOTATION)
    if default >= 0:
        cls.binding(name)
        solver.flow(default, solver.cell(cls, name))


def _record_fields(solver: Solver, payload: Any, value: Value) -> None:
    _, cls = payload
    if isinstance(value, Text):
        for name in value.value.replace(",", " ").split():
            _record_field(solver, cls, name, -1)
    elif isinstance(value, Box):
        for var in (*solver.items(value).values(), value.rest):
            solver.when(var, _one_record_field, cls)
        if value.kind == "dict":
            for key in list(value.items):
                if isinstance(key, str):
                    _record_field(solver, cls, key, -1)


def _one_record_field(solver: Solver, cls: Any, value: Value) -> None:
    if isinstance(value, Text):
        _record_field(solver, cls, value.value, -1)
    elif isinstance(value, Box) and 0 in value.items:
        for name in list(solver.has(value.items[0])):
            if isinstance(name, Text):
                _record_field(solver, cls, name.value, value.items.get(2, -1))


def make_record(solver: Solver, site: Any, cls: Value) -> None:
    """`@dataclass` and its like: the class gets methods made of its fields, whose defaults it is asked for."""
    if isinstance(cls, Class):
        cls.record = True
        for name in sorted(cls.statics & cls.fields.keys()):
            solver.when(solver.cell(cls, name), _default_read, (site, cls), OBJECTS)


def _default_read(solver: Solver, payload: Any, value: Value) -> None:
    site, cls = payload
    if isinstance(value, Instance):
        default_of(solver, site.frame, cls, value, site.line)


def _as_dict(solver: Solver, site: Site) -> None:
    """`dataclasses.asdict(x)`: the fields as a mapping."""
    for var in site.positional[:1]:
        solver.when(var, _fields_as_dict, site)


def _fields_as_dict(solver: Solver, site: Any, value: Value) -> None:
    box = solver.box_at("dict", site.frame, ("as dict", site.dst - site.frame.base))
    if isinstance(value, Instance):
        for cls in value.cls.mro:
            for name in cls.fields:
                solver.add(box.keys, solver.text(name))
                part = item_cell(solver, box, name)
                read_attribute(solver, site.frame, value, name, part, site.line)
                reach_all(solver, site.frame, part, COPIED, solver.nowhere, site.line)
    solver.add(site.dst, box)


def _namespace(solver: Solver, site: Site) -> None:
    box = solver.box_at("namespace", site.frame, ("made", site.dst - site.frame.base))
    for name, var in site.named:
        solver.flow(var, solver.cell(box, name))
    for var in site.double_stars:
        solver.when(var, _fill_namespace, box)
    solver.add(site.dst, box)


def _fill_namespace(solver: Solver, box: Any, value: Value) -> None:
    if isinstance(value, Box):
        solver.each_item(value, _item_to_name, box)


def _item_to_name(solver: Solver, box: Any, key: object, var: int) -> None:
    if isinstance(key, str):
        solver.flow(var, solver.cell(box, key))


MODELS: Final[dict[str, Model]] = {
    "dataclasses.asdict": _as_dict,
    "msgspec.structs.asdict": _as_dict,
    "attrs.asdict": _as_dict,
    "types.SimpleNamespace": _namespace,
    "dataclasses.make_dataclass": _make_record(0, 1),
    "collections.namedtuple": _make_record(0, 1, "typing.NamedTuple"),
    "typing.NamedTuple": _make_record(0, 1, "typing.NamedTuple"),
    "attrs.make_class": _make_record(0, 1),
    "attr.make_class": _make_record(0, 1),
    "msgspec.defstruct": _make_record(0, 1),
    "pydantic.create_model": _make_record(0, 99),
    "dataclasses.field": _factory_field,
    "msgspec.field": _factory_field,
    "attrs.field": _factory_field,
    "attr.ib": _factory_field,
    "attr.Factory": _factory_field,
    "pydantic.Field": _factory_field,
}
"""By full name: what it does."""
