"""How a command fails: one error type with an exit code, a cause and a next step; told once, on stderr.

It knows exit codes (sysexits.h) and how a failure looks as text and as JSON. It must not know any command.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from routecodex.config.faults import Fault

EXIT_INTERNAL: Final = 70
EXIT_TEMPORARY: Final = 75
EXIT_CONFIGURATION: Final = 78
EXIT_NOT_FOUND: Final = 127
"""A client program that is not installed, as shells have it."""


class CommandError(Exception):
    """A command that cannot do what was asked. `faults` are the configuration's, where it is the cause; `notes` (lines)
    and `details` (for JSON) what a running gateway had to say beyond that."""

    def __init__(
        self,
        exit_code: int,
        cause: str,
        next_step: str = "",
        *,
        code: str = "failed",
        faults: Sequence[Fault] = (),
        notes: Sequence[str] = (),
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(cause)
        self.exit_code = exit_code
        self.cause = cause
        self.next_step = next_step
        self.code = code
        self.faults = tuple(faults)
        self.notes = tuple(notes)
        self.details = dict(details or {})


def tell(error: CommandError, *, as_json: bool) -> None:
    """Print a failure: JSON on stdout where the command answers in JSON, else text on stderr."""
    if as_json:
        body: dict[str, object] = {"code": error.code, "message": error.cause, "nextStep": error.next_step}
        if error.faults:
            body["faults"] = [fault.as_json() for fault in error.faults]
        if error.details:
            body["details"] = error.details
        sys.stdout.write(json.dumps({"error": body}, indent=2, ensure_ascii=False) + "\n")
        return
    lines = [f"routecodex: {error.cause}"]
    lines.extend(f"  {fault.severity}: {fault.text}" for fault in error.faults)
    lines.extend(f"  {note}" for note in error.notes)
    if error.next_step:
        lines.append(f"  {error.next_step}")
    sys.stderr.write("\n".join(lines) + "\n")
