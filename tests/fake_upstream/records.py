"""What was asked of the fake upstream, and how each answer ended. Data only."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Violation:
    """A request that the vendor would refuse: the rule broken and the vendor's message."""

    protocol: str
    rule: str
    message: str
    param: str | None = None
    status: int = 400
    code: str | None = None


@dataclass
class RecordedRequest:
    """One request as it arrived. `order` counts from 0 over all connections.

    `outcome` is `open` while it is being answered, then complete, cut, dropped, error or client_gone;
    `stage` says how far the answer had come: received, head, body, done. `written` counts the body's bytes
    on the wire, `events_written` its writes of events.
    """

    order: int
    connection: int
    on_connection: int
    """How many requests that connection had carried before: 0 on a fresh one."""
    method: str
    path: str
    query: dict[str, str]
    headers: list[tuple[str, str]]
    raw_target: str = ""
    raw: bytes = b""
    body: Any = None
    protocol: str = ""
    operation: str = ""
    model: str = ""
    stream: bool = False
    started_at: float = 0.0
    """Monotonic seconds."""
    ended_at: float | None = None
    outcome: str = "open"
    stage: str = "received"
    status: int | None = None
    written: int = 0
    events_written: int = 0
    script: str = ""
    held: str = ""
    """What the answer waits for at this moment: a gate's name, `slow` or `hang`."""
    violations: list[Violation] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """The first header of that name, whatever its case."""
        wanted = name.lower()
        return next((v for k, v in self.headers if k.lower() == wanted), None)

    @property
    def client_gone(self) -> bool:
        """Did the client leave before the answer ended?"""
        return self.outcome == "client_gone"

    @property
    def text(self) -> str:
        """The parsed body as compact text: for a quick `in`."""
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))
