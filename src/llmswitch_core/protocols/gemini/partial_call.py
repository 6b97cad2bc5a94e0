"""A function call whose arguments come in pieces (Vertex `streamFunctionCallArguments`), put together.

Knows `partialArgs`: a JSON path and a value each; a string at a known path continues the one before it.
"""

from __future__ import annotations

import re
from typing import Any, Final

from llmswitch_core.canonical.model import JsonValue
from llmswitch_core.protocols.gemini.wire import camel_keys

_STEP: Final = re.compile(r"""\.?([^.\[\]]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]""")


class PartialCall:
    """A call whose arguments come in pieces (Vertex `streamFunctionCallArguments`)."""

    __slots__ = ("args", "id", "name", "signature")

    def __init__(self, name: str, call_id: str | None, signature: str | None) -> None:
        self.name = name
        self.id = call_id
        self.signature = signature
        self.args: dict[str, Any] = {}

    def add(self, args: dict[str, Any] | None, pieces: JsonValue) -> None:
        if args:
            self.args.update(args)
        for raw in pieces if isinstance(pieces, list) else ():
            piece = camel_keys(raw) if isinstance(raw, dict) else {}
            path = piece.get("jsonPath")
            if not isinstance(path, str):
                continue
            for key in ("stringValue", "numberValue", "boolValue", "nullValue"):
                if key in piece:
                    self._put(_steps(path), None if key == "nullValue" else piece[key])

    def _put(self, steps: list[str | int], value: JsonValue) -> None:
        """Set the value at a path; a string continues the string that is there."""
        if not steps:
            return
        node: Any = self.args
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            empty: Any = None if following is None else [] if isinstance(following, int) else {}
            if isinstance(step, int):
                if not isinstance(node, list) or step > len(node) or step < 0:
                    return
                if step == len(node):
                    node.append(empty)
            elif not isinstance(node, dict):
                return
            elif step not in node:
                node[step] = empty
            if following is None:
                old = node[step]
                node[step] = old + value if isinstance(old, str) and isinstance(value, str) else value
            else:
                node = node[step]


def _steps(path: str) -> list[str | int]:
    """`$.a.b[0]['c d']` -> ["a", "b", 0, "c d"]."""
    return [
        int(found[2]) if found[2] else found[1] or found[3] or found[4]
        for found in _STEP.finditer(path.removeprefix("$"))
    ]
