"""What is wrong with a configuration, where, and what to do: faults are collected, never raised one by one.

It knows how a place is written (JSON-path, file and line) and how near two names are. It must not know what
any key means. Messages never contain the value of a field: it may be a secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import msgspec

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the root of the file, as the file writes them."""

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def json_path(path: Path) -> str:
    """`$.virtualrouter.aliases["gpt-*"]`: keys that are not plain names are quoted."""
    text = "$"
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}"
        else:
            text += '["' + step.replace("\\", "\\\\").replace('"', '\\"') + '"]'
    return text


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to `name`, ignoring case and underscores, or None if none is close."""
    by_folded = {fold(candidate): candidate for candidate in known}
    close = difflib.get_close_matches(fold(name), list(by_folded), n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A next step naming the nearest known name, or the known names where none is near."""
    names = list(dict.fromkeys(known))
    close = nearest(name, names)
    if close is not None:
        return f'Did you mean "{close}"?'
    if not names:
        return ""
    return "Known: " + ", ".join(sorted(names)[:20]) + (", …" if len(names) > 20 else "") + "."


def fold(name: str) -> str:
    """A key without case and underscores: `base_url`, `baseUrl` and `BASEURL` are the same key."""
    return name.replace("_", "").lower()


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong in one place. `line` counts from 1; `origin` is a file or an environment variable."""

    code: str
    path: Path
    message: str
    next_step: str = ""
    line: int | None = None
    origin: str = ""
    severity: Literal["error", "warning"] = "error"

    @property
    def place(self) -> str:
        """`config.toml:12: $.server.port`, as far as known."""
        where = f"{self.origin}:{self.line}" if self.line is not None else self.origin
        return f"{where}: {json_path(self.path)}" if where else json_path(self.path)

    @property
    def text(self) -> str:
        """One line for a person: place, cause, next step."""
        return f"{self.place}: {self.message}" + (f" {self.next_step}" if self.next_step else "")

    def as_json(self) -> dict[str, object]:
        """The fault for `--json` output; `path` as JSON-path."""
        return {
            "severity": self.severity,
            "code": self.code,
            "path": json_path(self.path),
            "line": self.line,
            "origin": self.origin,
            "message": self.message,
            "nextStep": self.next_step,
        }


class ConfigError(Exception):
    """A configuration that cannot be used; `faults` names everything that was found, warnings included."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        told = [fault.text for fault in self.faults if fault.severity == "error"]
        super().__init__("\n  ".join([f"{len(told)} fault{'s' if len(told) != 1 else ''} in the configuration", *told]))
