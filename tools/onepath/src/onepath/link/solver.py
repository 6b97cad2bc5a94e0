"""The solver: variables, what flows between them, and what waits for values to arrive.

Inclusion-based: a value that is in a variable is in all it flows to. A variable that holds too many is widened. Calls
are not bound at once but one after the other in the order of the program, so that arguments are known when a callee's
context is chosen. It knows no Python semantics: those register themselves as what waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from onepath.facts.model import AnyOperation, ModuleFacts
from onepath.graph import Made, Opaque, Place
from onepath.link.code import Code, Frame, Options, Site, Unit
from onepath.link.values import (
    AFFIX,
    BOX,
    BYTES,
    NUMBER,
    OBJECT,
    SORTS,
    TEXT,
    Affix,
    Bound,
    Box,
    Bytes,
    Class,
    Constant,
    Foreign,
    Function,
    Instance,
    Method,
    Module,
    Number,
    Result,
    Text,
    Uncomputed,
    Unknown,
    Value,
    Wide,
    Widened,
)

WIDE: Final = 100
"""How many values a variable holds before it is widened."""
TEXTS: Final = 40
_WORK: Final = 60
"""Steps per operation of the program that are spent before variables are widened sooner."""
MOTLEY: Final = 5
"""How many sorts of values are too many for a variable that holds as many values as `FULL` says."""
FULL: Final = frozenset({24, 32, 48, 64, 80, WIDE})
"""At these numbers of values it is looked at what they are."""
FEWEST: Final = min(FULL)
MUCH: Final = 3
"""From how many values on plain data is counted."""
_FEW_FLOWS: Final = 6
_MOST_KEYS: Final = 400
CONTEXTS: Final = 50
"""For how many callables a function is analysed apart."""
FEW_CONTEXTS: Final = 3
"""For how many, where no entry leads: no way is searched there."""
FEW: Final = 4
"""Up to how many contexts the containers made in them are told apart."""
KEYS: Final = 8
"""For how many names a function that looks something up by them is analysed apart."""
TAGS: Final = 12
"""For how many combinations of callables the objects of a class are told apart."""
FOREIGN_STEPS: Final = 4
DEEP: Final = 3

Trigger = Callable[[Any, Any, Value], None]
ItemTrigger = Callable[[Any, Any, object, int], None]
"""Solver, payload, an item's key and its variable."""
Batch = Callable[[Any, Any, Sequence[Value]], None]


Held = tuple[Value, ...] | dict[Value, None]

_TOGETHER: Final[frozenset[type]] = frozenset()

V = TypeVar("V")


class Solver:
    """All that is known so far."""

    def __init__(self, modules: Sequence[ModuleFacts], options: Options, namespaces: Iterable[str] = ()) -> None:
        self.itself = self
        """Given back in one go with the frames, or by the process's end: piece by piece takes longer."""
        self.options = options
        self.units: dict[str, Unit] = {facts.module: Unit(facts) for facts in modules}
        self.namespaces = set(namespaces)
        for name in list(self.units):
            parent = name.rpartition(".")[0]
            while parent:
                if parent not in self.units:
                    self.namespaces.add(parent)
                parent = parent.rpartition(".")[0]
        self.children: dict[str, set[str]] = {}
        for name in (*self.units, *self.namespaces):
            parent, _, last = name.rpartition(".")
            self.children.setdefault(parent, set()).add(last)
        self.values: dict[Any, Any] = {}
        self.texts: dict[str, Text] = {}
        self.constants: dict[str, Constant] = {}
        self.held: list[Held | None] = [None]
        """By variable: a few values as a tuple, which variables share; more as a dictionary."""
        self.flows: list[tuple[int, ...] | dict[int, None] | None] = [None]
        self.waiting: list[list[tuple[Any, Any, frozenset[type] | None]] | None] = [None]
        """By variable: trigger, payload, and the kinds of values it is for; None: all, `_TOGETHER`: all at once."""
        self.nowhere = 0
        """The variable of results nobody reads; it takes nothing."""
        self.counts: dict[int, int] = {}
        """By variable and sort, where the sort is limited: how many values it holds, or -1 if it takes no more."""
        self.news: dict[int, list[Value]] = {}
        self.passed: dict[int, int] = {}
        """By variable with news: how many of them were there before it flowed anywhere, and are passed on already."""
        self.queue: deque[int] = deque()
        self.fresh: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self.stack: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
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
        self.unknown = Unknown()
        self.widened = Widened()
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
        self.formatting: set[tuple[tuple[int, ...], int]] = set()
        """Formatted texts that are put together as soon as flows are settled: parts and target."""
        self.contexts = CONTEXTS
        """For how many callables a function is analysed apart, at present."""
        self.context_frames = 0
        self.budget = 600 + sum(len(unit.codes) for unit in self.units.values()) // 3
        """How many frames for contexts there may be before contexts are merged: it keeps the whole near-linear."""
        self.watched: dict[str, bool] = {}
        """By foreign name: whether calling it is what a rule watches."""
        self.leading: dict[str, bool] = {}
        """By foreign name: whether a watched one lies at or below it."""
        self.above_watched = {
            ".".join(parts[:count])
            for parts in (name.removesuffix(".*").split(".") for name in options.watched)
            for count in range(1, len(parts) + 1)
        }
        self.watched_heads = frozenset(name.partition(".")[0] for name in options.watched)
        self.uses: dict[str, dict[str, None]] = {}
        """By module: foreign names it reads, of packages in which something is watched."""
        self.absent: dict[tuple[Value, str], list[tuple[Trigger, Any]]] = {}
        """What waits for a name to be set on a class that does not bind it."""
        self.escapes: dict[tuple[Frame, int], int] = {}
        """By place: how many callables were handed to foreign code there."""
        operations = sum(len(code.scope.code) for unit in self.units.values() for code in unit.codes)
        self.work = 0
        self.next_limit = _WORK * operations + 1_000_000
        self.names_on: dict[Value, list[str]] = {}
        """By object: names of its attributes."""
        self.restless = False
        """Whether reading an annotation made another module run, so that it has to be read again."""
        self.narrowed: list[tuple[int, int, int]] = []
        """Type tests that told nothing yet: tested variable, types, variable after the test."""
        self.unread: dict[Box, list[tuple[Frame, Sequence[AnyOperation]]]] = {}
        """Generators nobody has read yet, and the operations that run when somebody does."""
        self.on_item: dict[Box, dict[tuple[ItemTrigger, Any], None]] = {}
        """What is done with every item of a container, those made later too: trigger and payload."""
        self.begun: set[Box] = set()
        """Generators somebody reads."""
        self.not_run: list[tuple[Frame, Sequence[AnyOperation]]] = []
        """What modules do only where they are the program."""
        self.programs: set[str] = set()
        """Modules run as the program."""
        self.run_operations: Callable[[Solver, Frame, Sequence[AnyOperation]], None]
        self.instantiate: Callable[[Solver, Frame], None]
        self.call: Callable[[Solver, Site, Value], None]
        self.escape: Callable[[Solver, Frame, Value, str, int, int], None]
        self.read_key: Callable[..., None]

    # -- variables ---------------------------------------------------------------------------------------------

    def new(self) -> int:
        """A new variable."""
        held = self.held
        var = len(held)
        held.append(None)
        self.flows.append(None)
        self.waiting.append(None)
        return var

    def row(self, count: int) -> int:
        """The first of `count` new variables in a row."""
        first = len(self.held)
        self.held.extend([None] * count)
        self.flows.extend([None] * count)
        self.waiting.extend([None] * count)
        return first

    def add(self, var: int, value: Value) -> None:
        held = self.held[var]
        if held is None:
            if var == 0:
                return
            self.held[var] = (value,)
        elif value in held:
            return
        elif held.__class__ is tuple and len(held) < MUCH:
            self.held[var] = (*held, value)
        else:
            many = held if isinstance(held, dict) else self._many(var, held)
            if (
                (value.most and len(many) >= MUCH and self._is_much(var, many, value))
                or (len(many) in FULL and self._is_too_many(var, many, value))
                or (many.__class__ is Wide and not value.kept)
            ):
                return
            many[value] = None
        news = self.news.get(var)
        if news is None:
            self.news[var] = [value]
            self.queue.append(var)
        else:
            news.append(value)

    def _many(self, var: int, few: tuple[Value, ...]) -> dict[Value, None]:
        """Room for more than the few values a variable holds."""
        many = self.held[var] = dict.fromkeys(few)
        return many

    def add_all(self, var: int, values: Sequence[Value]) -> None:
        """All of them, each once."""
        few = self.held[var]
        if few is None:
            if var == 0:
                return
            if len(values) <= MUCH:
                self.held[var] = tuple(values)
                self._tell(var, list(values))
                return
        else:
            values = [value for value in values if value not in few]
            if not values:
                return
        held = few if isinstance(few, dict) else self._many(var, few or ())
        if len(held) + len(values) >= FEWEST or held.__class__ is Wide:
            for value in values:
                self.add(var, value)
            return
        counts = self.counts
        fresh: list[Value] = []
        for value in values:
            if value.most and len(held) >= MUCH:
                key = var * SORTS + value.sort
                count = counts.get(key)
                if count is None or count >= value.most:
                    if self._is_much(var, held, value):
                        continue
                elif count < 0:
                    continue
                else:
                    counts[key] = count + 1
            held[value] = None
            fresh.append(value)
        if fresh:
            self._tell(var, fresh)

    def _tell(self, var: int, values: list[Value]) -> None:
        """These are new in it."""
        news = self.news.get(var)
        if news is None:
            self.news[var] = values
            self.queue.append(var)
        else:
            news.extend(values)

    def _is_much(self, var: int, held: dict[Value, None], value: Value) -> bool:
        """Whether a variable holds as much plain data of this sort as is told apart; then what stands for the rest
        is added in its place."""
        sort = value.sort
        key = var * SORTS + sort
        count = self.counts.get(key)
        if count is None:
            count = 0
            for one in held:
                if one.sort == sort:
                    count += 1
        elif count < 0:
            return True
        if count < value.most:
            self.counts[key] = count + 1
            return False
        self.counts[key] = -1
        if sort in (TEXT, AFFIX):
            self.add(var, self.constant("str"))
        elif sort == NUMBER:
            self.add(var, self.constant("int"))
        elif sort == BYTES:
            self.add(var, self.constant("bytes"))
        elif sort in (OBJECT, BOX):
            self.add(var, self.widened)
        return True

    def item(self, box: Box, key: object) -> int:
        """The variable of one item, made when first asked for."""
        var = box.items.get(key)
        if var is None:
            if len(box.items) >= _MOST_KEYS:
                return box.rest
            var = box.items[key] = self.new()
            if box.every >= 0:
                self.flow(var, box.every)
            for trigger, payload in tuple(self.on_item.get(box, ())):
                trigger(self, payload, key, var)
        return var

    def each_item(self, box: Box, trigger: ItemTrigger, payload: Any) -> None:
        """Run `trigger(self, payload, key, var)` for every item of a container, now and when one is made later."""
        waiting = self.on_item.setdefault(box, {})
        if (trigger, payload) not in waiting:
            waiting[trigger, payload] = None
            for key, var in list(box.items.items()):
                trigger(self, payload, key, var)

    def every(self, box: Box) -> int:
        """The variable of all elements of a container."""
        if box.every < 0:
            box.every = self.new()
            for var in (box.rest, *box.items.values()):
                self.flow(var, box.every)
            self.read(box)
        return box.every

    def read(self, box: Box) -> None:
        """A container's elements are asked for: a generator starts."""
        if box.kind == "generator" and box not in self.begun:
            self.begun.add(box)
            for frame, operations in self.unread.pop(box, ()):
                self.run_operations(self, frame, operations)

    def is_program(self, unit: Unit) -> bool:
        """Whether a module is run as the program: always, where nothing says what is entered."""
        return not self.options.entries or unit.name in self.programs or unit.name in self.options.entries

    def _is_too_many(self, var: int, held: dict[Value, None], value: Value) -> bool:
        """Whether a variable that would hold this one more is widened: it holds too many, or too much of everything."""
        if held.__class__ is Wide:
            return False
        count = len(held)
        if count < WIDE and len({one.__class__ for one in held}) < MOTLEY:
            return False
        wide = self.held[var] = Wide((one, None) for one in held if one.kept or (one.sort and not one.most))
        news = [one for one in self.news.get(var, ()) if one in wide]
        self.passed.pop(var, None)
        if self.widened not in wide:
            wide[self.widened] = None
            news.append(self.widened)
        if value.kept:
            wide[value] = None
            news.append(value)
        if var not in self.news:
            self.queue.append(var)
        self.news[var] = news
        return True

    def flow(self, source: int, target: int) -> None:
        """Whatever is in `source` is in `target`."""
        if source == target:
            return
        flows = self.flows[source]
        if flows is None:
            self.flows[source] = (target,)
            news = self.news.get(source)
            if news is not None:
                self.passed[source] = len(news)
        elif target in flows:
            return
        elif isinstance(flows, dict):
            flows[target] = None
        elif len(flows) < _FEW_FLOWS:
            self.flows[source] = (*flows, target)
        else:
            self.flows[source] = dict.fromkeys((*flows, target))
        held = self.held[source]
        if held:
            self.add_all(target, tuple(held))

    def when_set(self, owner: Value, name: str, trigger: Trigger, payload: Any) -> None:
        """The same for an attribute that is hardly ever set: it becomes a variable only if it is."""
        cell = self.cells.get((owner, name))
        if cell is None:
            self.absent.setdefault((owner, name), []).append((trigger, payload))
        else:
            self.when(cell, trigger, payload)

    def when(self, var: int, trigger: Trigger, payload: Any, kinds: frozenset[type] | None = None) -> None:
        """Run `trigger(self, payload, value)` for every value of `var`, or for every one of these kinds, now and
        later."""
        waiting = self.waiting[var]
        if waiting is None:
            self.waiting[var] = [(trigger, payload, kinds)]
        else:
            waiting.append((trigger, payload, kinds))
        held = self.held[var]
        if held:
            for value in tuple(held):
                if kinds is None or value.__class__ in kinds:
                    trigger(self, payload, value)

    def when_any(self, var: int, trigger: Batch, payload: Any) -> None:
        """The same for triggers that take all values that are new at a time."""
        waiting = self.waiting[var]
        if waiting is None:
            self.waiting[var] = [(trigger, payload, _TOGETHER)]
        else:
            waiting.append((trigger, payload, _TOGETHER))
        held = self.held[var]
        if held:
            trigger(self, payload, tuple(held))

    def has(self, var: int) -> Held:
        return self.held[var] or ()

    def later(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do this when all flows are settled, before what was put off earlier."""
        self.fresh.append((work, arguments))

    def solve(self) -> None:
        """Until nothing changes."""
        queue, news, passed = self.queue, self.news, self.passed
        held_flows, held_waiting = self.flows, self.waiting
        add_all = self.add_all
        while True:
            while queue:
                var = queue.popleft()
                values = news.pop(var, None)
                if values is None:
                    continue
                flows = held_flows[var]
                waits = held_waiting[var]
                self.work += len(values) * ((len(flows) if flows else 0) + (len(waits) if waits else 0))
                if self.work > self.next_limit:
                    self._press()
                if flows is not None:
                    already = passed.pop(var, 0)
                    fresh = values[already:] if already else values
                    if fresh:
                        for target in flows:
                            add_all(target, fresh)
                waiting = held_waiting[var]
                if waiting is not None:
                    for trigger, payload, kinds in tuple(waiting):
                        if kinds is None:
                            for value in values:
                                trigger(self, payload, value)
                        elif kinds is _TOGETHER:
                            trigger(self, payload, values)
                        else:
                            for value in values:
                                if value.__class__ in kinds:
                                    trigger(self, payload, value)
            if self.fresh:
                self.stack.extend(reversed(self.fresh))
                self.fresh.clear()
            if not self.stack:
                return
            work, arguments = self.stack.pop()
            work(*arguments)

    def is_first(self, key: Any) -> bool:
        """Whether this is asked for the first time."""
        if key in self.values:
            return False
        self.values[key] = True
        return True

    def var_for(self, key: Any) -> int:
        """A variable for something that needs one, the same each time."""
        found = self.values.get(key)
        if found is None:
            found = self.values[key] = self.new()
        return found

    def _press(self) -> None:
        """The program is larger in effect than in size: from here on no more contexts are made."""
        self.next_limit *= 2
        self.budget = min(self.budget, self.context_frames)

    # -- values, each once -------------------------------------------------------------------------------------

    def text(self, value: str) -> Text:
        found = self.texts.get(value)
        if found is None:
            found = self.texts[value] = Text(value)
        return found

    def number(self, value: int) -> Number:
        return self._one(Number, value, value)

    def bytes_(self, value: str) -> Bytes:
        return self._one(Bytes, value, value)

    def constant(self, kind: str) -> Constant:
        found = self.constants.get(kind)
        if found is None:
            found = self.constants[kind] = Constant(kind)
        return found

    def affix(self, start: str, end: str) -> Affix:
        return self._one(Affix, (start, end), start, end)

    def foreign(self, name: str) -> Foreign:
        key = (Foreign, name)
        found = self.values.get(key)
        if found is None:
            if name.count(".") > FOREIGN_STEPS:
                root = name.partition(".")[0]
                found = Foreign(name, self.is_watched(name)) if self.leads(name) else self.foreign(root)
            else:
                found = Foreign(name, self.is_watched(name))
            self.values[key] = found
        return found

    def is_watched(self, name: str) -> bool:
        """Whether calling `name` is what a rule watches: it is named, or lies below a pattern that means all below."""
        found = self.watched.get(name)
        if found is None:
            watched = self.options.watched
            found = name in watched
            outer = name
            while outer and not found:
                found = f"{outer}.*" in watched
                outer = outer.rpartition(".")[0]
            self.watched[name] = found
        return found

    def leads(self, name: str) -> bool:
        """Whether something watched is `name` or can be read from it."""
        found = self.leading.get(name)
        if found is None:
            found = self.leading[name] = name in self.above_watched or self.is_watched(name)
        return found

    def result(self, name: str) -> Result:
        return self._one(Result, name, name, self.leads(name))

    def uncomputed(self, what: str, why: str) -> Uncomputed:
        return self._one(Uncomputed, (what, why), what, why)

    def module(self, name: str) -> Module | None:
        """The module of that name if it is in the program."""
        unit = self.units.get(name)
        if unit is None and name not in self.namespaces:
            return None
        return self._one(Module, name, name, unit)

    def bound(self, func: Value, owner: Value) -> Bound:
        return self._one(Bound, (func, owner), func, owner)

    def method(self, owner: Value, name: str) -> Method:
        return self._one(Method, (owner, name), owner, name)

    def once(self, kind: type, key: Any, *arguments: Any) -> Any:
        """The value of this kind for this key."""
        return self._one(kind, key, *arguments)

    def _one(self, kind: type[V], key: Any, *arguments: Any) -> V:
        full = (kind, key)
        found = self.values.get(full)
        if found is None:
            found = self.values[full] = kind(*arguments)
        return found

    def box_at(self, kind: str, frame: Frame, place: object) -> Box:
        """The container made at a place of a frame; of a code with many contexts, in all of them."""
        return self.box(kind, (frame if frame.code.contexts <= FEW else frame.code, place))

    def box(self, kind: str, site: object) -> Box:
        """The container made at a place."""
        full = (Box, kind, site)
        found = self.values.get(full)
        if found is None:
            found = self.values[full] = Box(kind, site, self.new(), self.new())
        return found

    def cell(self, owner: Value, name: str) -> int:
        """The variable that is attribute `name` of `owner`."""
        key = (owner, name)
        found = self.cells.get(key)
        if found is None:
            found = self.cells[key] = self.new()
            if owner.__class__ is Instance:
                self.names_on.setdefault(owner, []).append(name)
            for trigger, payload in self.absent.pop(key, ()):
                self.when(found, trigger, payload)
        return found

    def module_of(self, unit: Unit) -> Module:
        """The module value of a unit, also of one made of text."""
        found = unit.module
        if found is None:
            known = self.module(unit.name)
            if known is None or known.unit is not unit:
                known = self._one(Module, unit, unit.name, unit)
            found = unit.module = known
        return found

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

    # -- frames and edges --------------------------------------------------------------------------------------

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

    def captured(self, frame: Frame, name: str) -> int:
        """The variable of a name that inner scopes of `frame` read."""
        found = frame.cells.get(name)
        if found is None:
            found = frame.cells[name] = self.new()
        return found

    def edge(self, caller: Frame, callee: Frame | str, kind: str, line: int) -> None:
        self.edges.setdefault((caller, callee, kind, caller.code.unit.line or line), None)

    def note_opaque(self, frame: Frame, what: str, why: str, line: int) -> None:
        unit = frame.code.unit
        line = unit.line or line
        key = (frame.code.name, what, why, unit.facts.file, line)
        if key not in self.opaque:
            self.opaque[key] = Opaque(frame.code.name, what, why, Place(unit.facts.file, line))

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
