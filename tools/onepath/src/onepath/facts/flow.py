"""The code of one scope while it is written down: numbered variables, and which of them each name is right now.

A name's later binding kills the earlier one; where branches meet, their variables are joined; a loop's names are joined
with those of its own end. After `return`, `raise`, `break` or a condition that is constantly false nothing is written.
It must not know syntax.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import Final, TypeAlias

from onepath.facts.model import NONE, AnyOperation, Copy, Free, Global, Scope, StarPick, StoreFree, StoreGlobal
from onepath.facts.survey import Names

Names_: TypeAlias = dict[str, int]
_BUILTINS: Final = frozenset(vars(builtins))


class Loop:
    """Where `break` and `continue` lead."""

    __slots__ = ("breaks", "continues")

    def __init__(self) -> None:
        self.breaks: list[Names_] = []
        self.continues: list[Names_] = []


class Body:
    """One scope's code under construction."""

    def __init__(self, scope: Scope, index: int, names: Names) -> None:
        self.scope = scope
        self.index = index
        self.names = names
        """The scope whose names are looked up now: a comprehension in this body, or the body itself."""
        self.code: list[AnyOperation] = scope.code
        self.now: Names_ | None = {}
        """The variable of each bound name; None where nothing runs."""
        self.loops: list[Loop] = []
        self.tries: list[dict[str, list[int]]] = []
        self.stars: list[str] = []
        self.starred: dict[str, int] = {}
        """By name: how many of `stars` it was bound after."""
        self.seen_by_inner: set[str] = set()
        self.joins: list[tuple[int, list[int]]] = []
        self.lambdas = 0
        self.fresh: dict[int, int] = {}
        """By dictionary display: how deep in blocks it is written."""
        self.nested = 0
        """How deep in blocks the present statement is."""

    # -- variables ---------------------------------------------------------------------------------------------

    def new(self) -> int:
        number = self.scope.variables
        self.scope.variables = number + 1
        return number

    def emit(self, operation: AnyOperation) -> None:
        self.code.append(operation)

    def joined(self, sources: Iterable[int]) -> int:
        """One variable for several; itself if there is one."""
        several = [one for one in dict.fromkeys(sources) if one != NONE]
        if len(several) == 1:
            return several[0]
        if not several:
            return NONE
        dst = self.new()
        self.emit(Copy(dst, tuple(several)))
        return dst

    def finish(self) -> None:
        for dst, sources in self.joins:
            several = tuple(one for one in dict.fromkeys(sources) if one != dst)
            if several:
                self.emit(Copy(dst, several))

    # -- names -------------------------------------------------------------------------------------------------

    def bind(self, name: str, var: int) -> None:
        """The name is this variable from here on, in the scope of `names`."""
        names = self.names
        if self.now is None or var == NONE:
            return
        owner = names.owner
        if names.kind != "comprehension":
            if name in names.globals:
                self.emit(StoreGlobal(name, var))
                return
            if name in names.nonlocals:
                found = self._enclosing(names, name)
                if found is not None:
                    self.emit(StoreFree(found.owner.index, found.spelled(name), var))
                    return
        spelled = names.spelled(name)
        self.now[spelled] = var
        if self.stars and owner.kind == "module":
            self.starred[spelled] = len(self.stars)
        for frame in self.tries:
            frame.setdefault(spelled, []).append(var)
        if spelled in self.seen_by_inner:
            self.emit(StoreFree(self.index, spelled, var))

    def unbind(self, name: str) -> None:
        if self.now is not None:
            self.now.pop(self.names.spelled(name), None)

    def read(self, name: str) -> int:
        """The variable a name is now."""
        names: Names | None = self.names
        while names is not None and names.kind == "comprehension":
            if name in names.bound:
                return self._own(names, name)
            names = names.parent
        if names is None:
            return self._global(name)
        if name in names.globals:
            return self._global(name)
        if name in names.bound and name not in names.nonlocals:
            return self._own(names, name)
        found = self._enclosing(names, name)
        return self._global(name) if found is None else self._captured(found, name)

    def _own(self, names: Names, name: str) -> int:
        spelled = names.spelled(name)
        var = NONE if self.now is None else self.now.get(spelled, NONE)
        if var != NONE:
            since = self.stars[self.starred.get(spelled, 0) :] if names.kind == "module" and self.stars else []
            if since:
                dst = self.new()
                self.emit(StarPick(dst, var, tuple(since), name))
                return dst
            if name in names.shared:
                stored = self.new()
                if names.kind == "module":
                    self.emit(Global(stored, name))
                else:
                    self.emit(Free(stored, self.index, spelled))
                return self.joined((var, stored))
            return var
        if names.kind == "module":
            return self._global(name)
        if names.kind == "class":
            found = self._enclosing(names, name)
            return self._global(name) if found is None else self._captured(found, name)
        return NONE

    def _enclosing(self, names: Names, name: str) -> Names | None:
        """The enclosing function, comprehension or, for a type alias, class whose variable the name is."""
        outer = names.parent
        while outer is not None:
            if names.sees_into(outer) or name in outer.parameters:
                if name in outer.globals:
                    return None
                if name in outer.bound and name not in outer.nonlocals:
                    return outer
            outer = outer.parent
        return None

    def _captured(self, found: Names, name: str) -> int:
        dst = self.new()
        owner = found.owner.index
        if owner == self.index:
            return NONE if self.now is None else self.now.get(found.spelled(name), NONE)
        self.emit(Free(dst, owner, found.spelled(name)))
        return dst

    def _global(self, name: str) -> int:
        dst = self.new()
        self.emit(Global(dst, name))
        if self.stars and self.scope.kind == "module" and name not in _BUILTINS:
            picked = self.new()
            self.emit(StarPick(picked, dst, tuple(self.stars), name))
            return picked
        return dst

    def show_to_inner(self, inner: Names) -> None:
        """A closure is made: it sees what this scope's names are now, and what they become later."""
        if self.now is None:
            return
        for owner, name in sorted(inner.free):
            found = self._holder(owner)
            if found is None:
                continue
            spelled = found.spelled(name)
            self.seen_by_inner.add(spelled)
            var = self.now.get(spelled, NONE)
            if var != NONE:
                self.emit(StoreFree(self.index, spelled, var))

    def _holder(self, owner: int) -> Names | None:
        """The scope of that number if its code is this body's."""
        names: Names | None = self.names
        while names is not None:
            if names.number == owner:
                return names
            if names.kind != "comprehension":
                return None
            names = names.parent
        return None

    # -- branches ----------------------------------------------------------------------------------------------

    def branch(self) -> Names_ | None:
        """A copy of the present, to come back to."""
        return None if self.now is None else dict(self.now)

    def meet(self, branches: Iterable[Names_ | None]) -> None:
        """From here on names are what they are at the end of any of these branches."""
        alive = [one for one in branches if one is not None]
        if not alive:
            self.now = None
            return
        first = alive[0]
        if len(alive) == 1:
            self.now = dict(first)
            return
        self.now = dict(first)
        differing = {name for one in alive[1:] if one != first for name, _ in one.items() ^ first.items()}
        for name in sorted(differing):
            several = [one.get(name, NONE) for one in alive]
            if NONE in several and name in _BUILTINS and self.scope.kind in ("module", "class"):
                several.append(self._global(name))
            self.now[name] = self.joined(several)

    def enter_loop(self, rebound: set[str]) -> dict[str, list[int]]:
        """Names bound in the loop are joins from here on; their other sources come with `leave_loop`."""
        open_joins: dict[str, list[int]] = {}
        if self.now is None:
            return open_joins
        for name in sorted(rebound):
            spelled = self.names.spelled(name)
            before = self.now.get(spelled, NONE)
            if before == NONE:
                continue
            dst = self.new()
            sources = [before]
            self.joins.append((dst, sources))
            self.now[spelled] = dst
            open_joins[spelled] = sources
        self.loops.append(Loop())
        return open_joins

    def leave_loop(self, open_joins: dict[str, list[int]]) -> Loop:
        loop = self.loops.pop()
        for end in (self.now, *loop.continues):
            if end is None:
                continue
            for name, sources in open_joins.items():
                if name in end:
                    sources.append(end[name])
        return loop
