"""`onepath graph`: the call graph or the import graph, whole or the part on some way."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from onepath.cli import exits, options
from onepath.cli.output import write


class Kind(StrEnum):
    """Which graph."""

    calls = "calls"
    imports = "imports"


class Format(StrEnum):
    """How it is written."""

    text = "text"
    mermaid = "mermaid"
    json = "json"
    pycg_json = "pycg-json"
    html = "html"


def graph(
    kind: Annotated[Kind, typer.Argument(help="Which graph.")],
    source: Annotated[list[str] | None, typer.Option("--from", help="Only what is reached from here.")] = None,
    target: Annotated[list[str] | None, typer.Option("--to", help="Only what reaches this.")] = None,
    unknown: Annotated[bool, typer.Option("--unknown", help="List unknown receivers and opaque calls.")] = False,
    form: Annotated[Format, typer.Option("--format", "-f", help="How it is written.")] = Format.text,
    roots: Annotated[
        list[str] | None,
        typer.Option("--roots", help="Read these, without a configuration: package, or source folder/."),
    ] = None,
    output: options.Output = None,
    config: options.Config = None,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
) -> None:
    """Write the graph of calls or imports."""
    from onepath.cli.loading import load, project
    from onepath.render.view import NoSuchSymbolError, calls, imports

    if form is Format.pycg_json and (kind is Kind.imports or source or target):
        raise exits.UsageError("pycg-json is the whole call graph; leave out --from and --to, or use --format json")
    program = load(project(config, roots), jobs=jobs, quiet=quiet).program
    if unknown:
        write(_unknown(program, form), output)
        return
    try:
        view = (calls if kind is Kind.calls else imports)(program, source or (), target or ())
    except NoSuchSymbolError as error:
        raise exits.UsageError(str(error)) from error
    if form is Format.mermaid:
        from onepath.render import mermaid

        text = mermaid.render(view)
        if len(view.links) > mermaid.MOST_EDGES:
            sys.stderr.write(
                f"onepath: {len(view.links)} edges; mermaid draws {mermaid.MOST_EDGES} unless it is configured "
                "(narrow it with --from and --to, or use --format html)\n"
            )
    elif form is Format.json:
        from onepath.render import json_graph

        text = json_graph.render(view)
    elif form is Format.pycg_json:
        from onepath.render import pycg_json

        text = pycg_json.render(program)
    elif form is Format.html:
        from onepath.render import html

        text = html.render(view, f"{kind.value} of {_tops(program)}", program)
    else:
        from onepath.render.listing import render

        text = render(view)
    write(text, output)


def _unknown(program: object, form: Format) -> str:
    from onepath.graph import Program
    from onepath.render import json_graph, listing

    assert isinstance(program, Program)  # noqa: S101 - narrows the lazily imported type
    if form is Format.json:
        return json_graph.render_unknown(program)
    if form is Format.text:
        return listing.render_unknown(program)
    raise exits.UsageError("--unknown is written as text or json")


def _tops(program: object) -> str:
    modules = getattr(program, "modules", {})
    return ", ".join(sorted({name.partition(".")[0] for name in modules})[:4])
