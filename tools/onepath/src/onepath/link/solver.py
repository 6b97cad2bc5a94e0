"""The solver: what is known of a program's attributes, items and frames, and what was found out on the way.

Calls are not bound at once but one after the other in the order of the program, so that arguments are known when a
callee's context is chosen. It knows no Python semantics: those register themselves as what waits. Values are made in
`once`, and flow in `flows`; what containers hold is in `layers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Final

from onepath.facts.model import AnyOperation, ModuleFacts
from onepath.graph import Made, Opaque, Place
from onepath.link.code import HOOKS, Code, Frame, Options, Site, Unit, asked_of
from onepath.link.flows import Trigger
from onepath.link.layers import Layers
from onepath.link.values import Bound, Box, Class, Foreign, Function, Instance, Module, Value

FEW: Final = 4
"""Up to how many contexts the containers made in them are told apart."""
KEYS: Final = 8
"""For how many names a function that looks something up by them is analysed apart."""
TAGS: Final = 12
"""For how many combinations of callables the objects of a class are told apart."""
DEEP: Final = 3
PLAIN: Final = frozenset(
    {
        "__all__", "__annotations__", "__author__", "__base__", "__bases__", "__dict__", "__doc__", "__file__",
        "__module__", "__mro__", "__name__", "__qualname__", "__signature__", "__slots__", "__version__", "__wrapped__",
    }
)  # fmt: skip
"""Names with underscores under which data stands: setting them makes nothing run."""
RAISED: Final = "raised"
"""The variable of all objects of the program that are raised."""


class Solver(Layers):
    """All that is known so far."""

    def __init__(self, modules: Sequence[ModuleFacts], options: Options, namespaces: Iterable[str] = ()) -> None:
        super().__init__(modules, options, namespaces)
        self.itself = self
        """Given back in one go with the frames, or by the process's end: piece by piece takes longer."""
        self.cells: dict[tuple[Value, str], int] = {}
        self.frames: list[Frame] = []
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.edges: dict[tuple[Frame, Frame | str, str, int], None] = {}
        self.sites: list[Site] = []
        self.attribute_of: dict[int, str] = {}
        """By variable: the name of the attribute it was read from."""
        self.loaded = Module("sys.modules", None)
        """Its attributes are what was put into `sys.modules`, by name."""
        self.answered: set[int] = set()
        """Function variables of calls that had a target."""
        self.opaque: dict[tuple[str, str, str, str, int], Opaque] = {}
        self.gave: dict[tuple[str, str, str, str, int], Opaque] = {}
        """Where something that cannot be computed comes from without a call that is opaque by itself."""
        self.made: dict[tuple[str, str, str, str, int], Made] = {}
        self.declared: list[tuple[int, int, Unit, Frame | None]] = []
        """Variables with annotations: variable, annotation, unit, frame."""
        self.filled: set[int] = set()
        self.computed_imports: dict[tuple[str, str, str, int], None] = {}
        self.passes: list[tuple[str, str, str, Site, int]] = []
        """For watched parameters: function, parameter, caller, site, argument's variable."""
        self.protected_by_name: dict[str, list[str]] = {}
        for name in options.protected:
            self.protected_by_name.setdefault(name.rpartition(".")[2], []).append(name)
        self.protected = frozenset(options.protected)
        self.carried_functions = {function for function, _ in options.carried}
        self.origin_classes = set(options.origins)
        self.entry_arguments: dict[str, set[str]] = {}
        """By function: parameters whose values are entries."""
        self.entry_decorators: set[str] = set()
        for pattern in options.entries:
            if pattern.startswith("arg:"):
                function, _, parameter = pattern[4:].rpartition(".")
                self.entry_arguments.setdefault(function, set()).add(parameter)
            elif pattern.startswith("@"):
                self.entry_decorators.add(pattern[1:])
        self.entered: dict[str, dict[Value, None]] = {}
        """By entry pattern: what was passed there."""
        self.patched: dict[tuple[str, str], int] = {}
        """Attributes set on foreign names, by name and attribute."""
        self.foreign_reads: dict[tuple[str, str], list[int]] = {}
        self.texts_run = 0
        self.formatting: set[tuple[Frame, tuple[int, ...], int]] = set()
        """Formatted texts that are put together as soon as flows are settled: where, parts and target."""
        self.uses: dict[str, dict[str, None]] = {}
        """By module: foreign names it reads, of packages in which something is watched."""
        self.sought: set[str] = set()
        """Names that were looked up on some class."""
        self.absent: dict[tuple[Value, str], list[tuple[Trigger, Any]]] = {}
        """What waits for an attribute to be set that is no variable before."""
        self.escapes: dict[tuple[Frame, int], int] = {}
        """By place: how many callables were handed to foreign code there."""
        self.reads: dict[int, dict[tuple[Frame, Instance, int, int], None]] = {}
        """By variable of an object's attribute: who reads it on the object: frame, object, target and line."""
        self.names_on: dict[Value, list[str]] = {}
        """By object: names of its attributes."""
        self.restless = False
        """Whether reading an annotation made another module run, so that it has to be read again."""
        self.narrowed: list[tuple[int, int, int]] = []
        """Type tests that told nothing yet: tested variable, types, variable after the test."""
        self.unread: dict[Box, list[tuple[Frame, Sequence[AnyOperation]]]] = {}
        """Generators nobody has read yet, and the operations that run when somebody does."""
        self.begun: set[Box] = set()
        """Generators somebody reads."""
        self.run_operations: Callable[[Solver, Frame, Sequence[AnyOperation]], None]
        self.hooks = frozenset().union(*(unit.hooks for unit in self.units.values()))
        """Hooks that are set from outside somewhere: only then somebody waits for them."""
        self.late: set[str] = set()
        """Special names that are set although nobody writes them: they are put together, or are in text that is run.

        What asks for special names asks for those that are written; with others, everything is to be linked anew.
        """
        self.not_run: list[tuple[Frame, Sequence[AnyOperation]]] = []
        """What modules do only where they are the program."""
        self.programs: set[str] = set()
        """Modules run as the program."""
        self.idle: dict[Frame, list[tuple[Callable[..., None], tuple[Any, ...]]]] = {}
        """What is to be done in contexts that nobody calls, once somebody does."""
        self.instantiate: Callable[[Solver, Frame], None]
        self.call: Callable[[Solver, Site, Value], None]
        self.escape: Callable[[Solver, Frame, Value, str, int, int], None]
        self.inherited: Callable[[Solver, Frame, Instance, str, int], None]
        self.read_key: Callable[..., None]

    def expect(self, names: Iterable[str]) -> None:
        """Take these special names as written in the program."""
        self.specials.update(names)
        self.hooks = self.hooks.union(HOOKS.intersection(names))

    # -- attributes and items ------------------------------------------------------------------------------------

    def every(self, box: Box) -> int:
        """The variable of all elements of a container; a generator starts."""
        if box.every < 0:
            super().every(box)
            self.read(box)
        return box.every

    def read(self, box: Box) -> None:
        """A container's elements are asked for: a generator starts."""
        if box.kind == "generator" and box not in self.begun:
            self.begun.add(box)
            for frame, operations in self.unread.pop(box, ()):
                self.run_operations(self, frame, operations)

    def box_at(self, kind: str, frame: Frame, place: object) -> Box:
        """The container made at a place of a frame; of a code with many contexts, in all of them."""
        return self.box(kind, (frame if frame.code.contexts <= FEW else frame.code, place))

    def cell(self, owner: Value, name: str) -> int:
        """The variable that is attribute `name` of `owner`."""
        key = (owner, name)
        found = self.cells.get(key)
        if found is None:
            found = self.cells[key] = self.new()
            if owner.__class__ is Instance:
                self.names_on.setdefault(owner, []).append(name)
            elif owner.__class__ is Class:
                if name in self.sought:
                    self._found_late(owner, name, found)
                if name[:2] == "__" == name[-2:] and name not in self.specials and name not in PLAIN:
                    self.late.add(name)
            for trigger, payload in self.absent.pop(key, ()):
                self.when(found, trigger, payload)
        return found

    def _found_late(self, cls: Class, name: str, cell: int) -> None:
        """A class has got an attribute that was looked up before, on it or on classes below it."""
        below = {cls: None}
        todo = [cls]
        while todo:
            one = todo.pop()
            var = one.sought.get(name)
            if var is not None and one.sees(cls, name):
                self.flow(cell, var)
            fresh = [each for each in one.subclasses if each not in below]
            below.update(dict.fromkeys(fresh))
            todo.extend(fresh)

    def when_set(self, owner: Value, name: str, trigger: Trigger, payload: Any) -> None:
        """As `when`, for an attribute that is hardly ever set: it becomes a variable only if it is."""
        cell = self.cells.get((owner, name))
        if cell is None:
            self.absent.setdefault((owner, name), []).append((trigger, payload))
        else:
            self.when(cell, trigger, payload)

    def named(self, full: str) -> list[Value]:
        """What a dotted name of the program is bound to now; functions and classes by their own names."""
        parts = full.split(".")
        for cut in range(len(parts), 0, -1):
            module = self.module(".".join(parts[:cut]))
            if module is not None:
                break
        else:
            return []
        found: list[Value] = [module]
        for part in parts[cut:]:
            deeper: list[Value] = []
            for one in found:
                if isinstance(one, Class):
                    for cls in one.mro:
                        held = self.has(self.cell(cls, part))
                        if held:
                            deeper.extend(held)
                            break
                else:
                    deeper.extend(self.has(self.cell(one, part)))
            found = list(dict.fromkeys(deeper))
        return found

    # -- frames --------------------------------------------------------------------------------------------------

    def frame(self, code: Code, parent: Frame | None, context: tuple[Value | str, ...] = ()) -> Frame:
        """The code run in this context; made, and its operations read, when first asked for."""
        key = (parent, *context)
        found = code.frames.get(key)
        if found is None:
            found = Frame(code, parent, context, len(self.frames))
            code.frames[key] = found
            self.frames.append(found)
            if context:
                code.contexts += 1
                self.context_frames += 1
            base = self.row(code.scope.variables + 3)
            found.base = base
            found.result = base + code.scope.variables
            found.yields = found.result + 1
            found.sent = found.result + 2
            self.instantiate(self, found)
        return found

    def is_idle(self, frame: Frame, again: Callable[..., None], *arguments: Any) -> bool:
        """Whether nobody calls the code in this context so far: all calls are in others, as their arguments tell.

        If so, `again(self, *arguments)` is done at last once somebody does.
        """
        idle = self._is_uncalled(frame)
        if idle:
            self.idle.setdefault(frame, []).append((again, arguments))
        return idle

    def wake(self) -> bool:
        """Put off anew what was left undone in contexts that are called by now; whether there was any."""
        called = [frame for frame in self.idle if not self._is_uncalled(frame)]
        for frame in called:
            for again, arguments in self.idle.pop(frame):
                self.at_last(again, self, *arguments)
        return bool(called)

    def _is_uncalled(self, frame: Frame) -> bool:
        if frame.context or frame.unknown or not frame.code.contexts:
            return False
        return any(
            not parameter.has_default and parameter.kind not in ("star", "double") and not self.has(frame.base + index)
            for index, parameter in enumerate(frame.code.scope.parameters)
        )

    def captured(self, frame: Frame, name: str) -> int:
        """The variable of a name that inner scopes of `frame` read."""
        found = frame.cells.get(name)
        if found is None:
            found = frame.cells[name] = self.new()
        return found

    def is_program(self, unit: Unit) -> bool:
        """Whether a module is run as the program: always, where nothing says what is entered."""
        return not self.options.entries or unit.name in self.programs or unit.name in self.options.entries

    @cached_property
    def asked_for(self) -> frozenset[str]:
        """Names that the program reads as attributes of whatever, but of what `super()` gives."""
        return frozenset(name for unit in self.units.values() for code in unit.codes for name in asked_of(code))

    # -- what was found ------------------------------------------------------------------------------------------

    def edge(self, caller: Frame, callee: Frame | str, kind: str, line: int) -> None:
        self.edges.setdefault((caller, callee, kind, caller.code.unit.line or line), None)

    def note_opaque(self, frame: Frame, what: str, why: str, line: int) -> None:
        _note(self.opaque, frame, what, why, line)

    def note_gave(self, frame: Frame, what: str, why: str, line: int) -> None:
        _note(self.gave, frame, what, why, line)

    def note_made(self, cls: Class, frame: Frame, how: str, line: int) -> None:
        name = class_name(cls)
        if name not in self.origin_classes:
            return
        unit = frame.code.unit
        line = unit.line or line
        key = (name, frame.code.name, how, unit.facts.file, line)
        if key not in self.made:
            self.made[key] = Made(name, frame.code.name, how, Place(unit.facts.file, line))


def class_name(cls: Class) -> str:
    return cls.code.name if cls.code is not None else f"{cls.unit.shown}.{cls.name}"


def is_contextual(value: Value) -> bool:
    """Whether a function that is passed this is analysed apart for it."""
    kind = value.__class__
    if kind is Foreign:
        return value.special  # type: ignore[attr-defined,no-any-return]
    if kind is Function:
        return value.depth < DEEP
    if kind is Bound:
        return value.depth < DEEP and is_contextual(value.func)  # type: ignore[attr-defined]
    if kind is Instance:
        return bool(value.tag) and value.depth < DEEP and "__call__" in value.cls.statics  # type: ignore[attr-defined]
    if kind is Class or kind.__name__ == "Partial":
        return value.depth < DEEP
    return False


def _note(found: dict[tuple[str, str, str, str, int], Opaque], frame: Frame, what: str, why: str, line: int) -> None:
    unit = frame.code.unit
    line = unit.line or line
    key = (frame.code.name, what, why, unit.facts.file, line)
    if key not in found:
        found[key] = Opaque(frame.code.name, what, why, Place(unit.facts.file, line))
