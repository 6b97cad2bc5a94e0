"""Options that several commands share, so that they are spelled and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="Configuration file. Default: ROUTECODEX_CONFIG, then ~/.routecodex/config.toml or config.json.",
    ),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
PortOption: TypeAlias = Annotated[
    int | None, typer.Option("--port", "-p", min=1, max=65535, help="Port of the running gateway.")
]
RestartOption: TypeAlias = Annotated[
    bool, typer.Option("--restart", help="Replace workers where a change takes it; their streams are drained.")
]
ReasonOption: TypeAlias = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the ledger.")]
IfMatchOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--if-match", metavar="HASH", help="Only if the configuration in force has this hash."),
]
