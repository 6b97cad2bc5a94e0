"""Items of containers, and mappings that stand on others: an item is found through them once somebody asks for it.

What `**kwargs` pass on is a mapping that stands on another: it knows the keys below it, and an item below becomes an
item of its own only where it is read, bound to a parameter or written. Keys that are read but that nobody writes are
not told to those above. What keys mean is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

from onepath.facts.model import ModuleFacts
from onepath.link.code import Options
from onepath.link.flows import Flows
from onepath.link.values import Box, Stack

_MOST_KEYS: Final = 400
NONE_HIDDEN: Final[frozenset[str]] = frozenset()

ItemTrigger = Callable[[Any, Any, object, int], None]
"""Solver, payload, an item's key and its variable."""


class Layers(Flows):
    """All containers."""

    def __init__(self, modules: Sequence[ModuleFacts], options: Options, namespaces: Iterable[str] = ()) -> None:
        super().__init__(modules, options, namespaces)
        self.on_item: dict[Box, dict[tuple[ItemTrigger, Any], Collection[object] | None]] = {}
        """What is done with items of a container, those made later too: trigger and payload, and with which keys."""

    def box(self, kind: str, site: object) -> Box:
        """The container made at a place."""
        full = (Box, kind, site)
        found = self.values.get(full)
        if found is None:
            found = self.values[full] = Box(kind, site, self.new(), self.new())
        return found

    def item(self, box: Box, key: object) -> int:
        """The variable of one item, made when first asked for."""
        var = box.items.get(key)
        if var is None:
            stack = box.stack
            if stack is not None and key in stack.latent:
                del stack.latent[key]
                var = self._own(box, key)
                for below, hidden in stack.below.items():
                    if key not in hidden and is_key(below, key):
                        self.flow(self.item(below, key), var)
                return var
            if _is_full(box):
                return box.rest
            var = self._own(box, key)
            self._announce(box, (key,))
        return var

    def item_read(self, box: Box, key: object) -> int:
        """The same for who only reads it: a key nobody writes is none of the mapping's."""
        var = box.items.get(key)
        if var is not None:
            return var
        if box.kind != "dict" or is_key(box, key):
            return self.item(box, key)
        asked = box.asked
        if asked is None:
            asked = box.asked = {}
        var = asked.get(key)
        if var is None:
            if len(asked) >= _MOST_KEYS or _is_full(box):
                return box.rest
            var = asked[key] = self.new()
        return var

    def _own(self, box: Box, key: object) -> int:
        """A new item's variable: the one that was asked for, if any."""
        asked = box.asked
        var = asked.pop(key, -1) if asked else -1
        if var < 0:
            var = self.new()
        box.items[key] = var
        if box.every >= 0:
            self.flow(var, box.every)
        return var

    def each_item(self, box: Box, trigger: ItemTrigger, payload: Any, among: Collection[object] | None = None) -> None:
        """Run `trigger(self, payload, key, var)` for every item of a container, now and when one is made later; only
        for these keys, if that is told."""
        waiting = self.on_item.setdefault(box, {})
        if (trigger, payload) not in waiting:
            waiting[trigger, payload] = among
            stack = box.stack
            keys = [*box.items] if stack is None else [*box.items, *stack.latent]
            for key in keys if among is None else [key for key in keys if key in among]:
                trigger(self, payload, key, self.item(box, key))

    def items(self, box: Box) -> dict[object, int]:
        """All items there are now, by key."""
        if box.stack is not None:
            for key in tuple(box.stack.latent):
                self.item(box, key)
        return box.items

    def every(self, box: Box) -> int:
        """The variable of all elements of a container."""
        if box.every < 0:
            box.every = self.new()
            for var in (box.rest, *box.items.values()):
                self.flow(var, box.every)
            if box.stack is not None:
                for below in box.stack.below:
                    self.flow(self.every(below), box.every)
        return box.every

    def lay(self, box: Box, below: Box, hidden: frozenset[str] = NONE_HIDDEN) -> None:
        """One mapping stands on another: it has what that has, but under the keys that are hidden."""
        if box is below:
            return
        stack = _stack(box)
        known = stack.below.get(below)
        if known is not None:
            if known <= hidden:
                return
            hidden &= known
        stack.below[below] = hidden
        _stack(below).above[box] = hidden
        if box.every >= 0:
            self.flow(self.every(below), box.every)
        self._arrive(box, below, hidden, (*below.items, *_stack(below).latent))

    def _arrive(self, box: Box, below: Box, hidden: frozenset[str], keys: Sequence[object]) -> None:
        """A mapping below has these keys."""
        stack = _stack(box)
        latent, items, asked = stack.latent, box.items, box.asked
        fresh: list[object] = []
        for key in [one for one in keys if one not in latent and one not in hidden]:
            var = items.get(key)
            if var is None:
                if asked and key in asked:
                    var = self._own(box, key)
                    fresh.append(key)
                elif _is_full(box):
                    var = box.rest
                else:
                    latent[key] = None
                    fresh.append(key)
                    continue
            self.flow(self.item(below, key), var)
        if fresh:
            self._announce(box, fresh)

    def _announce(self, box: Box, keys: Sequence[object]) -> None:
        """These keys are new in it."""
        stack = box.stack
        if stack is not None:
            for above, hidden in tuple(stack.above.items()):
                self._arrive(above, box, hidden, keys)
        waiting = self.on_item.get(box)
        if waiting:
            for (trigger, payload), among in tuple(waiting.items()):
                for key in keys:
                    if among is None or key in among:
                        trigger(self, payload, key, self.item(box, key))


def is_key(box: Box, key: object) -> bool:
    """Whether a mapping, or one it stands on, has an item under this key."""
    return key in box.items or (box.stack is not None and key in box.stack.latent)


def _is_full(box: Box) -> bool:
    """Whether further keys are not told apart."""
    return len(box.items) + (len(box.stack.latent) if box.stack is not None else 0) >= _MOST_KEYS


def _stack(box: Box) -> Stack:
    stack = box.stack
    if stack is None:
        stack = box.stack = Stack()
    return stack
