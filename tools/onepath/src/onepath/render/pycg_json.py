"""The call graph as PyCG writes it: an adjacency list of names, `call` edges only.

Names start at the root, `<builtin>.name` is a builtin, `<**PyStr**>.join` a method of a built-in type; every function
of the program has an entry. That an import runs a module's body, and a `class` statement a class's, is no call there;
what known text in `eval` or `exec` calls, the function around it calls.
"""

from __future__ import annotations

import json
import re
from typing import Final

from onepath.graph import Program


def render(program: Program) -> str:
    """The adjacency list as JSON, keys and values sorted."""
    listed: dict[str, set[str]] = {
        _named(name): set()
        for name, function in program.functions.items()
        if function.kind not in ("external", "class")
    }
    bodies = {name for name, function in program.functions.items() if function.kind in ("module", "class")}
    for edge in program.edges:
        if edge.kind == "call" and edge.callee not in bodies:
            caller, callee = _named(edge.caller), _named(edge.callee)
            listed.setdefault(callee, set())
            if not _TEXT.search(edge.callee):
                listed.setdefault(caller, set()).add(callee)
    return json.dumps({name: sorted(listed[name]) for name in sorted(listed)}, indent=2) + "\n"


_TEXT: Final = re.compile(r"\.<(eval|exec|compile)\d*>")
"""The body of known text: the function it is run by stands for it."""
_METHOD: Final = re.compile(r"builtins\.(\w+)\.(\w+)")


def _named(name: str) -> str:
    method = _METHOD.fullmatch(name)
    if method is not None:
        return f"<**Py{method[1].capitalize()}**>.{method[2]}"
    if name.startswith("builtins."):
        return f"<builtin>.{name.removeprefix('builtins.')}"
    return _TEXT.sub("", name)
