"""What a mapping with a default has under a key that nobody set: what its factory gives, for each key anew.

How items are read is not known here.
"""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Frame
from onepath.link.invoke import invoke
from onepath.link.solver import Solver
from onepath.link.values import Box, Foreign, Function, Value

_CONTAINERS: Final = frozenset({"builtins.dict", "builtins.list", "builtins.set"})
_MOST: Final = 3
"""For how many keys what a function of the program makes is told apart."""


def default_of_key(solver: Solver, frame: Frame, box: Box, key: Value | None, var: int, line: int) -> None:
    """`var`, which is the item under `key`, gets the default; no key stands for any."""
    if solver.is_first(("default of key", box, var, frame)):
        if key is not None:
            solver.add(box.keys, key)
        solver.when(box.missing, _made, (frame, box, key if var != box.rest else None, var, line))


def _made(solver: Solver, payload: Any, factory: Value) -> None:
    frame, box, key, var, line = payload
    if isinstance(factory, Foreign) and factory.name in _CONTAINERS:
        solver.add(var, solver.box(factory.name.removeprefix("builtins."), ("default", box, key)))
    elif isinstance(factory, Function) and key is not None and _has_context(solver, factory, key):
        apart = solver.frame(factory.code, factory.parent, ("default", key))
        solver.edge(frame, apart, "call", line)
        solver.flow(apart.result, var)
    else:
        invoke(solver, frame, factory, (), var, line)


def _has_context(solver: Solver, factory: Function, key: Value) -> bool:
    """Whether what the function makes is told apart for this key."""
    code = factory.code
    if code.scope.parameters or code.scope.is_generator or code.scope.is_async:
        return False
    return code.contexts < _MOST or (factory.parent, "default", key) in code.frames
