"""`onepath switches`: the switch matrix, read from its registry."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from onepath.cli import exits, options
from onepath.cli.output import write


class Format(StrEnum):
    """How the matrix is written."""

    md = "md"
    json = "json"
    csv = "csv"


def switches(
    form: Annotated[Format, typer.Option("--format", "-f", help="How the matrix is written.")] = Format.md,
    output: options.Output = None,
    config: options.Config = None,
) -> None:
    """Write the switch matrix. Nothing is judged; `onepath lint` does that (OP010)."""
    from onepath.cli.loading import project
    from onepath.discover import discover
    from onepath.render.switches import render_csv, render_json, render_markdown
    from onepath.switches import RegistryError, Sources, read_matrix
    from onepath.switches.sides import fulfilment

    found = project(config)
    configuration = found.configuration.switches
    if configuration is None:
        raise exits.UsageError('no [tool.onepath.switches]; name the registry: `registry = "package.module.SWITCHES"`')
    modules = discover(found.folder, found.configuration.roots, found.configuration.exclude).modules
    sources = Sources(found.folder, {module.name: module.file for module in modules})
    try:
        matrix = read_matrix(sources, configuration)
    except RegistryError as error:
        raise exits.UsageError(str(error)) from error
    if form is Format.json:
        text = render_json(matrix)
    elif form is Format.csv:
        text = render_csv(matrix)
    else:
        text = render_markdown(
            matrix,
            lambda file: file,
            lambda row: all(
                not fulfilment(sources, side.symbol, row.contract).problems for side in row.available if side.symbol
            ),
            configuration.rollback,
        )
        text += "\n"
    write(text, output)
