"""Options that several commands have, in one wording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Config: TypeAlias = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Configuration file. Default: the nearest onepath.toml or pyproject.toml."),
]
Output: TypeAlias = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write here and not to the standard output.")
]
Jobs: TypeAlias = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, help="Processes for a cold run. Default: by cores and files.")
]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]
