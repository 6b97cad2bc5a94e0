"""The call graph as PyCG writes it: an adjacency list of names, `call` edges only.

Names start at the root, `<builtin>.name` is a builtin, every function of the program has an entry.
"""

from __future__ import annotations

import json

from onepath.graph import Program


def render(program: Program) -> str:
    """The adjacency list as JSON, keys and values sorted."""
    listed: dict[str, set[str]] = {
        name: set() for name, function in program.functions.items() if function.kind not in ("external", "class")
    }
    for edge in program.edges:
        if edge.kind == "call":
            callee = _named(edge.callee)
            listed.setdefault(_named(edge.caller), set()).add(callee)
            listed.setdefault(callee, set())
    return json.dumps({name: sorted(listed[name]) for name in sorted(listed)}, indent=2) + "\n"


def _named(name: str) -> str:
    return f"<builtin>.{name.removeprefix('builtins.')}" if name.startswith("builtins.") else name
