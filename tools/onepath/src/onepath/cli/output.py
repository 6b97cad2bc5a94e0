"""Where a command's text goes: a file, or the standard output as UTF-8 whatever the locale says."""

from __future__ import annotations

import sys
from pathlib import Path

from onepath.cli.exits import UsageError


def write(text: str, output: Path | None) -> None:
    """Writes `text` to `output`, or to the standard output. Raises UsageError if the file cannot be written."""
    if output is None:
        stream = getattr(sys.stdout, "buffer", None)
        if stream is None:
            sys.stdout.write(text)
        else:
            sys.stdout.flush()
            stream.write(text.encode("utf-8", "backslashreplace"))
            stream.flush()
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise UsageError(f"{output}: {error.strerror or error}") from error
    sys.stderr.write(f"onepath: wrote {output}\n")
