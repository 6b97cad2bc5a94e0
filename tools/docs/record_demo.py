"""`python -m tools.docs.record_demo`: run the demo and keep its terminal as a picture and as text.

Runs `nox -s demo` as a reader would, and writes what it printed to `docs/assets/demo.svg` and `docs/assets/demo.txt`.
The numbers in them are those of this run on this machine.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text
from tools.docs.source import ROOT

FOLDER: Final = ROOT / "docs" / "assets"
WIDTH: Final = 100
SHOWN: Final = ".venv/bin/python -m nox -s demo"


def printed() -> str:
    """What the demo prints on its standard output, colours included. Raises RuntimeError if it fails."""
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
    command = [sys.executable, "-m", "nox", "-s", "demo"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The demo failed ({done.returncode}):\n{done.stdout}\n{done.stderr[-4000:]}")
    return done.stdout.replace(tempfile.gettempdir(), "/tmp").strip("\n")  # noqa: S108 (only shown)


def record(output: str, folder: Path) -> None:
    """Write picture and text of a terminal that showed `output`."""
    folder.mkdir(parents=True, exist_ok=True)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print(Text.assemble(("$ ", "green"), SHOWN))
    console.print(Text.from_ansi(output))
    text = console.export_text(clear=False)
    (folder / "demo.txt").write_text(re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE), encoding="utf-8")
    svg = console.export_svg(title="nox -s demo", theme=MONOKAI, unique_id="demo")
    (folder / "demo.svg").write_text(svg, encoding="utf-8")


def main() -> int:
    """The command; see the module's docstring."""
    try:
        record(printed(), FOLDER)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Recorded in {FOLDER.relative_to(ROOT)}/.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
