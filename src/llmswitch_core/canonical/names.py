"""Tool names on wires that know neither namespaces nor odd characters: a deterministic bijection per request.

The map is derived from the request's own tool list, so nothing has to be remembered between turns.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from llmswitch_core.canonical.model import CustomTool, FunctionTool, Tool

MAX_LENGTH: Final = 64
_ILLEGAL: Final = re.compile(r"[^a-zA-Z0-9_-]")


class ToolName(msgspec.Struct, frozen=True):
    """A tool as the client named it."""

    name: str
    namespace: str | None = None
    kind: Literal["function", "custom"] = "function"


class WireNames:
    """Both directions of the map for one request's tools.

    The flat name of `ns` / `tool` is `ns__tool`; illegal characters become `_`; what is too long is cut and what
    collides is marked with a short hash of the original, in the order of the tool list. `letter_first`: the wire takes
    no digit or dash as the first character (Gemini), such names get `_` in front.
    """

    __slots__ = ("_by_tool", "_by_wire", "_letter_first")

    def __init__(self, tools: Sequence[Tool], *, letter_first: bool = False) -> None:
        self._letter_first = letter_first
        self._by_tool: dict[tuple[str | None, str], str] = {}
        self._by_wire: dict[str, ToolName] = {}
        named = [tool for tool in tools if isinstance(tool, FunctionTool | CustomTool)]
        # Names that need no change are settled first: an escaped one must never take a legal one's place.
        for exact in (True, False):
            for tool in named:
                key = (tool.namespace, tool.name)
                flat = _flat(tool.name, tool.namespace)
                legal = _legal(flat, letter_first)
                if (legal == flat) is not exact or key in self._by_tool:
                    continue
                if legal in self._by_wire:
                    legal = _marked(legal, flat)
                kind: Literal["function", "custom"] = "custom" if isinstance(tool, CustomTool) else "function"
                self._by_tool[key] = legal
                self._by_wire[legal] = ToolName(tool.name, tool.namespace, kind)

    def wire(self, name: str, namespace: str | None = None) -> str:
        """The flat, legal name (`^[a-zA-Z0-9_-]{1,64}$`) under which a tool goes upstream."""
        known = self._by_tool.get((namespace, name))
        return known if known is not None else _legal(_flat(name, namespace), self._letter_first)

    def original(self, wire_name: str) -> ToolName:
        """The client's own name for what the upstream called; unknown names are functions of that name."""
        known = self._by_wire.get(wire_name)
        return known if known is not None else ToolName(wire_name)


def _flat(name: str, namespace: str | None) -> str:
    return f"{namespace}__{name}" if namespace else name


def _legal(flat: str, letter_first: bool) -> str:
    legal = _ILLEGAL.sub("_", flat) or "_"
    if letter_first and not (legal[0].isalpha() or legal[0] == "_"):
        legal = f"_{legal}"
    return legal if len(legal) <= MAX_LENGTH else _marked(legal, flat)


def _marked(legal: str, flat: str) -> str:
    mark = hashlib.blake2s(flat.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{legal[: MAX_LENGTH - 9]}_{mark}"
