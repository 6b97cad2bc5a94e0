"""Variables, what flows between them, and what waits for values to arrive.

Inclusion-based: a value that is in a variable is in all it flows to. A variable that holds too many is widened. What is
put off is done one after the other once flows are settled. No attribute, no container, no frame is known here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from onepath.facts.model import ModuleFacts
from onepath.link.code import Options
from onepath.link.once import Values
from onepath.link.values import (
    AFFIX,
    BOX,
    BYTES,
    CLOSED,
    METHOD,
    NUMBER,
    OBJECT,
    SORTS,
    TEXT,
    UNCOUNTED,
    Many,
    Value,
    Wide,
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
_NEXT_FULL: Final = [min(number for number in FULL if number >= count) for count in range(WIDE + 1)]
"""By number of values: the next at which it is looked."""
MUCH: Final = 3
"""From how many values on plain data is counted."""
_FEW_FLOWS: Final = 6
CONTEXTS: Final = 50
"""For how many callables a function is analysed apart."""
FEW_CONTEXTS: Final = 3
"""For how many, where no entry leads: no way is searched there."""

Trigger = Callable[[Any, Any, Value], None]
Batch = Callable[[Any, Any, Sequence[Value]], None]

Held = tuple[Value, ...] | Many
Wait = tuple[Any, Any, frozenset[type] | None]
"""Trigger, payload, and the kinds of values it is for; None: all, `_TOGETHER`: all at once."""

_TOGETHER: Final[frozenset[type]] = frozenset()
_NO_COUNTS: Final = bytes([UNCOUNTED]) * SORTS


class Flows(Values):
    """All variables of one program."""

    def __init__(self, modules: Sequence[ModuleFacts], options: Options, namespaces: Iterable[str] = ()) -> None:
        super().__init__(modules, options, namespaces)
        self.held: list[Held | None] = [None]
        """By variable: a few values as a tuple, which variables share; more as a dictionary."""
        self.flows: list[tuple[int, ...] | dict[int, None] | None] = [None]
        self.waiting: list[Wait | list[Wait] | None] = [None]
        """By variable: what waits for values, one alone or several."""
        self.nowhere = 0
        """The variable of results nobody reads; it takes nothing."""
        self.news: dict[int, list[Value]] = {}
        self.queue: deque[int] = deque()
        self.fresh: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self.stack: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self.last: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self.very_last: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self.contexts = CONTEXTS
        """For how many callables a function is analysed apart, at present."""
        self.context_frames = 0
        self.budget = 600 + sum(len(unit.codes) for unit in self.units.values()) // 3
        """How many frames for contexts there may be before contexts are merged: it keeps the whole near-linear."""
        operations = sum(len(code.scope.code) for unit in self.units.values() for code in unit.codes)
        self.work = 0
        self.next_limit = _WORK * operations + 1_000_000

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

    def var_for(self, key: Any) -> int:
        """A variable for something that needs one, the same each time."""
        found = self.values.get(key)
        if found is None:
            found = self.values[key] = self.new()
        return found

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
            many = held if isinstance(held, Many) else self._many(var, held)
            if many.counts is not None and many.counts[value.sort] == CLOSED:
                return
            if (
                (value.most and self._is_much(var, many, value))
                or (len(many) in FULL and self._is_too_many(var, many, value))
                or (many.__class__ is Wide and not value.kept)
            ):
                return
            many[value] = None
        if self.flows[var] is None and self.waiting[var] is None:
            return  # whoever listens later is given what is there
        news = self.news.get(var)
        if news is None:
            self.news[var] = [value]
            self.queue.append(var)
        else:
            news.append(value)

    def _many(self, var: int, few: tuple[Value, ...]) -> Many:
        """Room for more than the few values a variable holds."""
        many = self.held[var] = Many()
        many.counts = None
        for value in few:
            many[value] = None
        return many

    def add_all(self, var: int, values: Sequence[Value]) -> None:
        """All of them, each once."""
        few = self.held[var]
        if few is None:
            if var == 0:
                return
            if len(values) <= MUCH:
                self.held[var] = tuple(values)
                if self.flows[var] is not None or self.waiting[var] is not None:
                    self._tell(var, list(values))
                return
        else:
            if len(values) == 1:
                if values[0] not in few:
                    self.add(var, values[0])
                return
            values = [value for value in values if value not in few]
            if not values:
                return
        held = few if isinstance(few, Many) else self._many(var, few or ())
        if held.__class__ is Wide or len(held) + len(values) > _NEXT_FULL[len(held)]:
            for value in values:
                self.add(var, value)
            return
        fresh: list[Value] = []
        for value in values:
            if value.most and len(held) >= MUCH:
                counts = held.counts
                count = UNCOUNTED if counts is None else counts[value.sort]
                if count == CLOSED:
                    continue
                if counts is None or count >= value.most:
                    if self._is_much(var, held, value):
                        continue
                else:
                    counts[value.sort] = count + 1
            held[value] = None
            fresh.append(value)
        if fresh and (self.flows[var] is not None or self.waiting[var] is not None):
            self._tell(var, fresh)

    def _tell(self, var: int, values: list[Value]) -> None:
        """These are new in it, and somebody listens."""
        news = self.news.get(var)
        if news is None:
            self.news[var] = values
            self.queue.append(var)
        else:
            news.extend(values)

    def _is_much(self, var: int, held: Many, value: Value) -> bool:
        """Whether a variable holds as much plain data of this sort as is told apart; then what stands for the rest
        is added in its place."""
        sort = value.sort
        counts = held.counts
        if counts is None:
            counts = held.counts = bytearray(_NO_COUNTS)
        count = counts[sort]
        if count == UNCOUNTED:
            count = 0
            for one in held:
                if one.sort == sort:
                    count += 1
        if count < value.most:
            counts[sort] = count + 1
            return False
        counts[sort] = CLOSED
        if sort in (TEXT, AFFIX):
            self.add(var, self.constant("str"))
        elif sort == NUMBER:
            self.add(var, self.constant("int"))
        elif sort == BYTES:
            self.add(var, self.constant("bytes"))
        elif sort in (OBJECT, BOX):
            self.add(var, self.widened)
        elif sort == METHOD and value.owner.sort == TEXT:  # type: ignore[attr-defined]
            self.add(var, self.method(self.constant("str"), value.name))  # type: ignore[attr-defined]
        return True

    def _is_too_many(self, var: int, held: Many, value: Value) -> bool:
        """Whether a variable that would hold this one more is widened: it holds too many, or too much of everything."""
        if held.__class__ is Wide:
            return False
        count = len(held)
        if count < WIDE and len({one.__class__ for one in held}) < MOTLEY:
            return False
        wide = self.held[var] = Wide((one, None) for one in held if one.kept or (one.sort and not one.most))
        wide.counts = held.counts
        news = [one for one in self.news.get(var, ()) if one in wide]
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
        elif target in flows:
            return
        elif isinstance(flows, dict):
            flows[target] = None
        elif len(flows) < _FEW_FLOWS:
            self.flows[source] = (*flows, target)
        else:
            self.flows[source] = dict.fromkeys((*flows, target))
        held = self.held[source]
        if held is None:
            return
        known = self.held[target]
        if known is None and held.__class__ is tuple and target:
            self.held[target] = held
            if self.flows[target] is not None or self.waiting[target] is not None:
                self._tell(target, list(held))
        elif known is not held:
            self.add_all(target, tuple(held))

    def when(self, var: int, trigger: Trigger, payload: Any, kinds: frozenset[type] | None = None) -> None:
        """Run `trigger(self, payload, value)` for every value of `var`, or for every one of these kinds, now and
        later."""
        self._wait(var, (trigger, payload, kinds))
        held = self.held[var]
        if held:
            for value in tuple(held):
                if kinds is None or value.__class__ in kinds:
                    trigger(self, payload, value)

    def when_any(self, var: int, trigger: Batch, payload: Any) -> None:
        """The same for triggers that take all values that are new at a time."""
        self._wait(var, (trigger, payload, _TOGETHER))
        held = self.held[var]
        if held:
            trigger(self, payload, tuple(held))

    def _wait(self, var: int, wait: Wait) -> None:
        waiting = self.waiting[var]
        if waiting is None:
            self.waiting[var] = wait
        elif isinstance(waiting, list):
            waiting.append(wait)
        else:
            self.waiting[var] = [waiting, wait]

    def has(self, var: int) -> Held:
        return self.held[var] or ()

    def later(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do this when all flows are settled, before what was put off earlier."""
        self.fresh.append((work, arguments))

    def at_last(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do this when nothing else is left to do: what is not known by then is not known, and stands for anything."""
        self.last.append((work, arguments))

    def at_very_last(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do this once that is done too: what has no value even then is used."""
        self.very_last.append((work, arguments))

    def solve(self) -> None:
        """Until nothing changes."""
        queue, news, held = self.queue, self.news, self.held
        all_flows, all_waiting = self.flows, self.waiting
        add, add_all = self.add, self.add_all
        while True:
            while queue:
                var = queue.popleft()
                values = news.pop(var, None)
                if values is None:
                    continue
                flows = all_flows[var]
                waiting = all_waiting[var]
                waits = 0 if waiting is None else len(waiting) if isinstance(waiting, list) else 1
                self.work += len(values) * ((len(flows) if flows else 0) + waits)
                if self.work > self.next_limit:
                    self._press()
                if flows is not None:
                    if len(values) == 1:
                        value = values[0]
                        for target in flows:
                            known = held[target]
                            if known is None or value not in known:
                                add(target, value)
                    else:
                        for target in flows:
                            add_all(target, values)
                if waiting is not None:
                    for trigger, payload, kinds in tuple(waiting) if isinstance(waiting, list) else (waiting,):
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
                rest = self.last or self.very_last
                if not rest:
                    return
                self.stack.append(rest.popleft())
            work, arguments = self.stack.pop()
            work(*arguments)

    def _press(self) -> None:
        """The program is larger in effect than in size: from here on no more contexts are made."""
        self.next_limit *= 2
        self.budget = min(self.budget, self.context_frames)
