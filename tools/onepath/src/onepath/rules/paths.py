"""Searching the linked program by nodes: which ways reach a sink, and with how many of the mandated functions passed.

It knows nodes, steps and numbers. What a way means is said by the rule.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import msgspec

from onepath.graph import Program, Step
from onepath.rules.names import matches

State = tuple[int, int]
"""A node, and how many of the mandated functions were passed on the way to it."""


class Way(msgspec.Struct, frozen=True):
    """A way from an entry to a sink that passes too few."""

    start: int
    steps: tuple[Step, ...]
    crossing: int
    """Index of the step that goes where only lawful ways should."""
    passed: int


class Search:
    """All ways from some nodes, in one program, for one list of mandated functions."""

    def __init__(
        self,
        program: Program,
        starts: Iterable[int],
        through: Sequence[str],
        is_sink: Callable[[str], bool],
        is_end: Callable[[str], bool],
    ) -> None:
        self.program = program
        self.names = [node.function for node in program.nodes]
        self.sinks = {index for index, name in enumerate(self.names) if is_sink(name)}
        self.ends = {index for index, name in enumerate(self.names) if is_end(name)}
        self.mandated = [mandated(program, pattern) for pattern in through]
        gates = frozenset().union(*self.mandated)
        self.gates = {index for index, name in enumerate(self.names) if name in gates}
        self.outgoing: dict[int, list[Step]] = {}
        for step in program.steps:
            self.outgoing.setdefault(step.caller, []).append(step)
        self.came_from: dict[State, tuple[State, Step] | None] = {}
        self._walk(sorted(set(starts)))

    def _passed(self, node: int, count: int) -> int:
        if node not in self.gates:
            return count
        name = self.names[node]
        while count < len(self.mandated) and name in self.mandated[count]:
            count += 1
        return count

    def _walk(self, starts: Sequence[int]) -> None:
        queue: deque[State] = deque()
        for start in starts:
            state = (start, self._passed(start, 0))
            if state not in self.came_from:
                self.came_from[state] = None
                queue.append(state)
        while queue:
            state = queue.popleft()
            node, count = state
            if node in self.ends or node in self.sinks:
                continue
            for step in self.outgoing.get(node, ()):
                callee = step.callee
                following = (callee, self._passed(callee, count) if callee in self.gates else count)
                if following not in self.came_from:
                    self.came_from[following] = (state, step)
                    queue.append(following)

    @cached_property
    def traversed(self) -> list[tuple[State, Step, State]]:
        """Every step from a state to the next, in the order of the walk."""
        return [
            (state, step, (step.callee, self._passed(step.callee, state[1])))
            for state in self.came_from
            if state[0] not in self.ends and state[0] not in self.sinks
            for step in self.outgoing.get(state[0], ())
        ]

    def reached_sinks(self) -> set[str]:
        """Names of sinks that lawful ways reach."""
        full = len(self.mandated)
        return {self.names[node] for node, count in self.came_from if node in self.sinks and count == full}

    def bypasses(self) -> list[Way]:
        """For every step by which a way that passed too few goes to where lawful ways are, the shortest such way."""
        full = len(self.mandated)
        onward = self._towards_sinks()
        if not onward:
            return []
        lawful = {self.names[node] for node, count in self.came_from if count == full}
        found: dict[tuple[str, str], Way] = {}
        crossings: dict[tuple[str, str], tuple[State, Step, State]] = {}
        for state, step, following in self.traversed:
            if following[1] >= full or following not in onward:
                continue
            caller, callee = self.names[state[0]], self.names[following[0]]
            if (callee in lawful or following[0] in self.sinks) and caller not in lawful:
                key = (caller, callee)
                known = crossings.get(key)
                if known is None or self._depth(state) < self._depth(known[0]):
                    crossings[key] = (state, step, following)
        for key, (state, step, following) in crossings.items():
            before = self._steps_to(state)
            after = self._steps_from(following, onward)
            found[key] = Way(
                before[0].caller if before else state[0], (*before, step, *after), len(before), following[1]
            )
        if not found:
            for state, way in self.came_from.items():
                if way is None and state in onward and state[1] < full:
                    name = self.names[state[0]]
                    found[(name, name)] = Way(state[0], tuple(self._steps_from(state, onward)), 0, state[1])
        return [found[key] for key in sorted(found)]

    def _depth(self, state: State) -> int:
        return len(self._steps_to(state))

    def _steps_to(self, state: State) -> list[Step]:
        steps: list[Step] = []
        at: State | None = state
        while at is not None:
            before = self.came_from[at]
            if before is None:
                break
            at, step = before
            steps.append(step)
        return steps[::-1]

    def _towards_sinks(self) -> dict[State, tuple[Step, State] | None]:
        """States from which a sink is reached with too few passed, and the next step of the shortest way there."""
        full = len(self.mandated)
        onward: dict[State, tuple[Step, State] | None] = {
            state: None for state in self.came_from if state[0] in self.sinks and state[1] < full
        }
        if not onward:
            return onward
        incoming: dict[State, list[tuple[State, Step]]] = {}
        for state, step, following in self.traversed:
            incoming.setdefault(following, []).append((state, step))
        queue = deque(onward)
        while queue:
            state = queue.popleft()
            for before, step in incoming.get(state, ()):
                if before not in onward:
                    onward[before] = (step, state)
                    queue.append(before)
        return onward

    def _steps_from(self, state: State, onward: dict[State, tuple[Step, State] | None]) -> list[Step]:
        steps: list[Step] = []
        following = onward.get(state)
        while following is not None:
            step, state = following
            steps.append(step)
            following = onward.get(state)
        return steps


def mandated(program: Program, pattern: str) -> frozenset[str]:
    """Functions a `through` names: that function alone, or, for a class or module, all below it."""
    name = pattern.removesuffix(".*")
    function = program.functions.get(name)
    if function is not None and function.kind in ("function", "lambda") and name == pattern:
        return frozenset({name})
    found = {one for one in program.functions if matches(pattern, one)}
    if not found:
        found = set(program.aliases.get(name, ()))
    return frozenset(found)
