"""A file of findings that are known: it lets an old code base start, shrinks by itself, and grows only when asked.

Findings are told by fingerprint, which holds names and no lines. It reads and writes one file and judges nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from onepath.looking import Looked
from onepath.rules.contract import Finding, UsageFault

_FORMAT = "onepath/baseline/v1"


def read(path: Path, looked: Looked) -> tuple[frozenset[str], UsageFault | None]:
    """Known fingerprints; none if there is no file yet, a fault if it cannot be read."""
    try:
        document = json.loads(looked.content(path).decode("utf-8"))
        if document["format"] != _FORMAT:
            raise ValueError(f"its format is not {_FORMAT}")
        return frozenset(one["fingerprint"] for one in document["findings"]), None
    except FileNotFoundError:
        return frozenset(), None
    except (OSError, ValueError, KeyError, TypeError) as error:
        return frozenset(), UsageFault("baseline", "baseline", f"{path.name} cannot be read: {error}")


def write(path: Path, findings: Sequence[Finding]) -> None:
    """Writes what is known from now on, one finding a line, so that two branches merge; no write if nothing changes."""
    lines = sorted(
        json.dumps(
            {
                "fingerprint": finding.fingerprint,
                "rule": finding.rule,
                "where": finding.where,
                "message": finding.message,
            },
            ensure_ascii=False,
        )
        for finding in {finding.fingerprint: finding for finding in findings}.values()
    )
    body = ",\n".join(f"    {line}" for line in lines)
    text = f'{{\n  "format": "{_FORMAT}",\n  "findings": [\n{body}\n  ]\n}}\n'
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
