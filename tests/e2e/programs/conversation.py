"""The tool loop every Python SDK program runs, and what it reports. Knows no vendor.

The only tool is `add(a, b)`; the program really adds, so that a sum in the final answer proves that arguments came
in and results went out.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

MAX_TURNS = 6
ADD_SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
    "additionalProperties": False,
}
ADD_DESCRIPTION = "Adds two integers."


@dataclass(frozen=True)
class Order:
    """What the harness asks for; `image` is the path of a PNG or empty."""

    url: str
    key: str
    model: str
    surface: str
    prompt: str
    image: str

    def image_base64(self) -> str:
        """The picture, encoded."""
        return base64.b64encode(Path(self.image).read_bytes()).decode()


@dataclass(frozen=True)
class Call:
    """One tool call as the SDK parsed it."""

    id: str
    name: str
    arguments: dict[str, Any]
    source: Any = None


@dataclass(frozen=True)
class Reply:
    """One answer of the model as the SDK's user sees it; `usage` is (input, output) tokens."""

    text: str
    finish: str
    usage: tuple[int, int]
    calls: list[Call] = field(default_factory=list)


class Conversation(Protocol):
    """A vendor's conversation: ask, then tell the results, then ask again."""

    def ask(self) -> Reply: ...

    def tell(self, results: list[tuple[Call, str]]) -> None: ...


def add(call: Call) -> str:
    """The tool itself."""
    if call.name != "add":
        raise ValueError(f"the model called {call.name!r}; only `add` was offered")
    return str(call.arguments["a"] + call.arguments["b"])


def hold(conversation: Conversation) -> dict[str, Any]:
    """Hold the conversation to its end: the final text, or the error that was raised."""
    seen: list[list[Any]] = []
    try:
        for turn in range(1, MAX_TURNS + 1):
            reply = conversation.ask()
            if not reply.calls:
                usage = list(reply.usage)
                return {"text": reply.text, "finish": reply.finish, "usage": usage, "turns": turn, "calls": seen}
            seen.append([[c.id, c.name, c.arguments] for c in reply.calls])
            conversation.tell([(call, add(call)) for call in reply.calls])
    except Exception as error:  # whatever the SDK raises is the finding
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
        names = [kind.__name__ for kind in type(error).__mro__ if kind.__name__ not in ("object", "BaseException")]
        return {"error": {"types": names, "status": status, "message": str(error)[:500]}, "calls": seen}
    return {"error": {"types": ["EndlessLoop"], "status": None, "message": f"{MAX_TURNS} turns"}, "calls": seen}


def main(begin: Callable[[Order, bool], Conversation]) -> None:
    """Run both modes; `begin(order, streamed)` opens a conversation."""
    order = Order(**json.loads(sys.argv[1]))
    print(json.dumps({mode: hold(begin(order, mode == "streamed")) for mode in ("streamed", "whole")}))
