"""What the solver found, as names and places: the linked program."""

from __future__ import annotations

from collections.abc import Iterable

from onepath.facts.model import ModuleFacts
from onepath.graph import (
    Carrying,
    Edge,
    Fault,
    FunctionKind,
    Import,
    Node,
    Place,
    Program,
    Step,
    Symbol,
    SymbolKind,
)
from onepath.graph import (
    Function as FunctionEntry,
)
from onepath.graph import (
    Unknown as UnknownEntry,
)
from onepath.link.classes import foreign_bases
from onepath.link.code import Code, Frame
from onepath.link.escaping import is_exception
from onepath.link.mutations import mutations
from onepath.link.solver import Solver, class_name
from onepath.link.values import (
    Bound,
    Box,
    Class,
    Constant,
    Foreign,
    Function,
    Instance,
    Module,
    Partial,
    Result,
    Uncomputed,
    Unknown,
    Value,
    Widened,
)

Edges = dict[tuple[Frame, Frame | str, str, int], None]


def harvest(solver: Solver, modules: Iterable[ModuleFacts], reached: Edges, entered: dict[str, list[Frame]]) -> Program:
    """`reached`: the edges that run from the entries alone; `entered`: frames by entry pattern."""
    facts = list(modules)
    nodes, steps, entries = _flow(reached, entered)
    functions, edges = _edges(solver)
    unknown, total = _unknown(solver)
    return Program(
        modules={one.module: one.file for one in sorted(facts, key=lambda one: one.module)},
        packages=tuple(sorted({one.module for one in facts if one.is_package} | solver.namespaces)),
        functions=functions,
        edges=edges,
        imports=_imports(solver, facts),
        symbols=_symbols(solver, facts),
        aliases=_aliases(solver),
        bases=_bases(solver),
        nodes=nodes,
        steps=steps,
        entries=entries,
        carried=_carried(solver),
        opaque=tuple(sorted(solver.opaque.values(), key=lambda one: (one.place, one.function, one.what, one.why))),
        gave=tuple(sorted(solver.gave.values(), key=lambda one: (one.place, one.function, one.what, one.why))),
        unknown=unknown,
        made=tuple(sorted(solver.made.values(), key=lambda one: (one.place, one.function, one.type, one.how))),
        mutations=mutations(facts) if solver.options.whole or solver.options.zones else (),
        faults=tuple(Fault(Place(one.file, one.fault_line), one.fault) for one in facts if one.fault),
        uses={name: tuple(sorted(found)) for name, found in sorted(solver.uses.items())},
        calls_total=total,
    )


def _place(frame: Frame, line: int) -> Place:
    return Place(frame.code.unit.facts.file, line)


def _entry_of(frame: Frame) -> FunctionEntry:
    scope = frame.code.scope
    unit = frame.code.unit
    kind: FunctionKind = scope.kind  # type: ignore[assignment]
    if unit.outer is not None and not scope.qualname:
        kind = "function"
    line = unit.line or scope.line
    return FunctionEntry(frame.code.name, (unit.outer or unit).name, kind, Place(unit.facts.file, line), scope.is_async)


def _edges(solver: Solver) -> tuple[dict[str, FunctionEntry], tuple[Edge, ...]]:
    functions: dict[str, FunctionEntry] = {}
    for unit in solver.units.values():
        for code in unit.codes:
            kind: FunctionKind = code.scope.kind  # type: ignore[assignment]
            place = Place(unit.facts.file, code.scope.line)
            functions.setdefault(code.name, FunctionEntry(code.name, unit.name, kind, place, code.scope.is_async))
    found: set[tuple[str, str, str, str, int]] = set()
    for caller, callee, how, line in solver.edges:
        code = caller.code
        if code.name not in functions:
            functions[code.name] = _entry_of(caller)
        if isinstance(callee, str):
            name = callee
            if name not in functions:
                functions[name] = FunctionEntry(name, _foreign_module(name), "external", None)
        else:
            name = callee.code.name
            if name not in functions:
                functions[name] = _entry_of(callee)
        found.add((code.name, name, how, code.unit.facts.file, line))
    edges = tuple(
        Edge(caller_name, name, how, Place(file, line))  # type: ignore[arg-type]
        for caller_name, name, how, file, line in sorted(found)
    )
    return dict(sorted(functions.items())), edges


def _foreign_module(name: str) -> str:
    parts = name.split(".")
    kept = [parts[0]]
    for part in parts[1:-1]:
        if part[:1].isupper():
            break
        kept.append(part)
    return ".".join(kept)


def _flow(
    reached: Edges, entered: dict[str, list[Frame]]
) -> tuple[tuple[Node, ...], tuple[Step, ...], dict[str, tuple[int, ...]]]:
    keys: dict[Frame | str, tuple[str, str]] = {}
    for one in dict.fromkeys(each for caller, callee, _, _ in reached for each in (caller, callee)):
        keys[one] = (one, "") if isinstance(one, str) else (one.code.name, _context(one))
    for frames in entered.values():
        for frame in frames:
            keys.setdefault(frame, (frame.code.name, _context(frame)))
    ordered = sorted(set(keys.values()))
    place_of = {key: number for number, key in enumerate(ordered)}
    index = {one: place_of[key] for one, key in keys.items()}
    steps = {
        (index[caller], index[callee], kind, caller.code.unit.facts.file, line)
        for caller, callee, kind, line in reached
    }
    entries = {
        pattern: tuple(sorted({index[frame] for frame in frames})) for pattern, frames in sorted(entered.items())
    }
    return (
        tuple(Node(*key) for key in ordered),
        tuple(
            Step(source, target, kind, Place(file, line))  # type: ignore[arg-type]
            for source, target, kind, file, line in sorted(steps)
        ),
        entries,
    )


def _context(frame: Frame, depth: int = 0) -> str:
    """In words: the callables a frame is for, and the frame it is closed over."""
    if depth > 4:
        return "…"
    shown = [one if isinstance(one, str) else described(one, depth + 1) for one in frame.context]
    text = ", ".join(f"{name}={value}" for name, value in zip(shown[::2], shown[1::2], strict=False))
    if frame.parent is not None and frame.parent.code.scope.kind in ("function", "lambda", "class"):
        outer = _context(frame.parent, depth + 1)
        if outer:
            text = f"{text} in {outer}" if text else f"in {outer}"
    return text


def described(value: Value, depth: int = 0) -> str:
    """A value in words."""
    if isinstance(value, Function):
        inner = _context(value.parent, depth + 1) if depth < 4 else ""
        return f"{value.code.name}[{inner}]" if inner else value.code.name
    if isinstance(value, Bound):
        return f"{described(value.func, depth + 1)} of {described(value.owner, depth + 1)}"
    if isinstance(value, Class):
        return class_name(value)
    if isinstance(value, Instance):
        tag = ", ".join(one if isinstance(one, str) else described(one, depth + 1) for one in value.tag)
        return f"{class_name(value.cls)}({tag})"
    if isinstance(value, Partial):
        return f"partial of {described(value.func, depth + 1)}"
    if isinstance(value, Foreign | Result | Module):
        return value.name
    if isinstance(value, Box):
        return value.kind
    if isinstance(value, Constant):
        return value.type
    shown = getattr(value, "value", None)
    return repr(shown) if shown is not None else value.__class__.__name__.lower()


def _unknown(solver: Solver) -> tuple[tuple[UnknownEntry, ...], int]:
    states: dict[tuple[str, str, int, str, int], bool] = {}
    for site in solver.sites:
        attribute = solver.attribute_of.get(site.func, "")
        code = site.frame.code
        key = (code.unit.facts.file, code.name, site.line, attribute, site.func - site.frame.base)
        states[key] = states.get(key, False) or site.func in solver.answered
    found = {
        (file, line, name, attribute) for (file, name, line, attribute, _), is_known in states.items() if not is_known
    }
    entries = [
        UnknownEntry(name, attribute, Place(file, line), tuple(solver.protected_by_name.get(attribute, ())))
        for file, line, name, attribute in sorted(found)
    ]
    return tuple(entries), len(states)


def _imports(solver: Solver, facts: list[ModuleFacts]) -> tuple[Import, ...]:
    found: set[tuple[str, str, str, Place, str, bool, bool, str, bool]] = set()
    for one in facts:
        for entry in one.imports:
            scope = one.scopes[entry.scope] if entry.scope < len(one.scopes) else None
            inside = f"{one.module}.{scope.qualname}" if scope is not None and scope.qualname else one.module
            place = Place(one.file, entry.line)
            found.add(
                (one.module, *_resolved(solver, entry.module, entry.name, place, inside, entry.type_checking, False))
            )
    for module, name, function, line in solver.computed_imports:
        unit = solver.units.get(module)
        if unit is not None:
            place = Place(unit.facts.file, line)
            found.add((module, *_resolved(solver, name, "", place, function, False, True)))
    return tuple(Import(*one) for one in sorted(found, key=lambda one: (one[0], one[3], one[7], one[4])))


def _resolved(
    solver: Solver, module: str, name: str, place: Place, scope: str, typing: bool, computed: bool
) -> tuple[str, str, Place, str, bool, bool, str, bool]:
    written = f"{module}.{name}" if name and name != "*" else module
    submodule = solver.module(written) if name and name != "*" else None
    if submodule is not None:
        known = solver.module(module)
        unit = known.unit if known is not None else None
        if (
            known is None
            or unit is None
            or name not in unit.statics
            or submodule in solver.has(solver.cell(known, name))
        ):
            return written, "", place, scope, typing, True, written, computed
    if solver.module(module) is not None:
        return module, name, place, scope, typing, True, written, computed
    outer = module
    while outer and solver.module(outer) is None:
        outer = outer.rpartition(".")[0]
    if outer:
        rest = module[len(outer) + 1 :]
        return outer, f"{rest}.{name}" if name else rest, place, scope, typing, True, written, computed
    return module, name, place, scope, typing, False, written, computed


def _symbols(solver: Solver, facts: list[ModuleFacts]) -> dict[str, Symbol]:
    exceptions = {class_name(cls) for cls in solver.classes if any(is_exception(one) for one in foreign_bases(cls))}
    found: dict[str, Symbol] = {}
    for one in facts:
        targets = {
            entry.bound: (f"{entry.module}.{entry.name}" if entry.name else entry.module) for entry in one.imports
        }
        for binding in one.bindings:
            scope = one.scopes[binding.scope]
            name = ".".join(part for part in (one.module, scope.qualname, binding.name) if part)
            kind: SymbolKind = "variable" if binding.kind == "mutable" else binding.kind  # type: ignore[assignment]
            if kind == "class" and name in exceptions:
                kind = "exception"
            target = targets.get(binding.name, "") if kind == "import" else ""
            known = found.get(name)
            if known is not None and known.kind == "constant" and kind != "constant":
                kind = "variable"
            elif known is not None:
                continue
            found[name] = Symbol(name, kind, Place(one.file, binding.line), _followed(solver, target))
    return dict(sorted(found.items()))


def _followed(solver: Solver, target: str) -> str:
    """Where the imported name is defined, if the program has it."""
    values = [one for one in solver.named(target) if isinstance(one, Class | Function | Module)] if target else []
    if len(values) != 1:
        return target
    only = values[0]
    if isinstance(only, Class):
        return class_name(only)
    return only.code.name if isinstance(only, Function) else only.name


def _aliases(solver: Solver) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    owners: list[tuple[str, Value, list[str]]] = [
        (name, solver.module_of(unit), sorted(unit.statics)) for name, unit in solver.units.items()
    ]
    owners.extend((class_name(cls), cls, sorted(cls.statics)) for cls in solver.classes)
    for prefix, owner, names in owners:
        for name in names:
            full = f"{prefix}.{name}"
            targets: set[str] = set()
            cell = solver.cells.get((owner, name))
            for value in solver.has(cell) if cell is not None else ():
                targets |= _target_names(value)
            if targets and targets != {full}:
                found[full] = tuple(sorted(targets))
    return dict(sorted(found.items()))


def _target_names(value: Value) -> set[str]:
    if isinstance(value, Function):
        return {value.code.name}
    if isinstance(value, Class):
        return {class_name(value)}
    if isinstance(value, Bound):
        return _target_names(value.func)
    if isinstance(value, Partial):
        return _target_names(value.func)
    get = getattr(value, "get", None)
    return _target_names(get) if isinstance(get, Value) else set()


def _bases(solver: Solver) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for cls in solver.classes:
        found[class_name(cls)] = (*(class_name(base) for base in cls.bases), *cls.foreign)
    return dict(sorted(found.items()))


def _carried(solver: Solver) -> tuple[Carrying, ...]:
    found: dict[tuple[str, str, str, str, Place | None, Place], None] = {}
    for function, parameter, _, site, var in solver.passes:
        passed = _place(site.frame, site.line)
        held = solver.has(var)
        if not held:
            found[(function, parameter, "", "a value of which nothing is known", None, passed)] = None
        for value in held:
            if isinstance(value, Constant) and value.type == "NoneType":
                continue
            origin, what, place = _origin(value)
            found[(function, parameter, origin, what, place, passed)] = None
    merged: dict[tuple[str, str, str, str, Place | None], list[Place]] = {}
    for function, parameter, origin, what, place, passed in found:
        merged.setdefault((function, parameter, origin, what, place), []).append(passed)
    ordered = sorted(merged.items(), key=lambda one: (*one[0][:4], one[0][4] or Place("", 0)))
    return tuple(Carrying(*key, tuple(sorted(set(passed)))) for key, passed in ordered)


def _made_at(code: Code, site: object) -> Place | None:
    """Where a container is made, by the operation that makes it."""
    place = site[1] if isinstance(site, tuple) else None
    dst = place[-1] if isinstance(place, tuple) else place
    line = code.scope.line
    for one in code.scope.code:
        line = getattr(one, "line", 0) or line  # displays have none: what was before them is near
        if getattr(one, "dst", None) == dst:
            return Place(code.unit.facts.file, code.unit.line or line)
    return None


def _origin(value: Value) -> tuple[str, str, Place | None]:
    if isinstance(value, Instance):
        if value.origin is not None:
            site = value.origin
            return site.frame.code.name, class_name(value.cls), _place(site.frame, site.line)
        return "", f"{class_name(value.cls)} of unknown origin", None
    if isinstance(value, Unknown | Widened):
        return "", "a value of unknown origin", None
    if isinstance(value, Result | Uncomputed):
        name = value.name if isinstance(value, Result) else value.what
        return "", f"what {name} gave", None
    if isinstance(value, Box):
        around = value.site[0] if isinstance(value.site, tuple) else None
        code = around.code if isinstance(around, Frame) else around
        if not isinstance(code, Code):
            return "", f"a {value.kind}", None
        return code.name, f"a {value.kind}", _made_at(code, value.site)
    return "", described(value), None
