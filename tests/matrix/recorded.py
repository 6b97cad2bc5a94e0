"""The recorded requests of real clients, whole again: what was elided in the recordings is restored with text of ours.

`tests/data/clients/<client>/index.json` names path, query and headers; long strings end in `…<elided N chars>`, which
also cut grammars and JSON held in strings.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .cases import LETTER
from .dialects import Json

DATA = Path(__file__).parents[1] / "data"
_CUT = re.compile(r"…<elided (\d+) chars>\Z")
_FILL = "The rest of this text was long: naïve “quotes”, 東京, 🌍, \\ and tabs\t. "
_DROPPED = {"host", "content-length", "authorization", "x-api-key", "x-goog-api-key", "accept-encoding", "connection"}


@dataclass(frozen=True)
class Recorded:
    """One recorded request: `client/NNN`, what it was sent to, and its body."""

    name: str
    method: str
    path: str
    query: Json
    headers: dict[str, str]
    body: Json

    @property
    def protocol(self) -> str:
        """The client's protocol, by path."""
        if "/responses" in self.path:
            return "openai-responses"
        if "/messages" in self.path:
            return "anthropic-messages"
        return "openai-chat" if "/chat/" in self.path else "gemini"

    @property
    def letter(self) -> str:
        """The protocol's letter."""
        return LETTER[self.protocol]

    @property
    def counts(self) -> bool:
        """A token count, not a generation."""
        return "count" in self.path.lower()

    @property
    def stream(self) -> bool:
        """Did the client ask for a stream?"""
        return bool(self.body.get("stream")) or ":stream" in self.path

    @property
    def websocket(self) -> bool:
        """A frame of the Responses WebSocket."""
        return self.method == "WS"


def _restored(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {k: _restored(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_restored(v, key) for v in value]
    if not isinstance(value, str):
        return value
    cut = _CUT.search(value)
    if cut is None:
        return value
    if key == "definition":
        return (DATA / "cases" / "apply_patch.lark").read_text(encoding="utf-8")
    if value.startswith('{"'):
        return json.dumps({"restored": True, "length": int(cut[1])})
    wanted = int(cut[1])
    return value[: cut.start()] + (_FILL * (wanted // len(_FILL) + 1))[:wanted].rstrip() + "."


@cache
def all_recorded() -> tuple[Recorded, ...]:
    """Every recorded request that had a body, in order."""
    found: list[Recorded] = []
    for index in sorted((DATA / "clients").glob("*/index.json")):
        for row in json.loads(index.read_text(encoding="utf-8")):
            if row.get("file") is None:
                continue
            body = _restored(json.loads((index.parent / row["file"]).read_text(encoding="utf-8")), "")
            headers = {k.lower(): v for k, v in row["headers"] if k.lower() not in _DROPPED}
            name = f"{index.parent.name}/{row['file'].removesuffix('.json')}"
            found.append(Recorded(name, row["method"], row["path"], row["query"], headers, body))
    return tuple(found)
