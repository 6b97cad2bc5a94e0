"""`onepath why A B`: the shortest way of calls from one symbol to another."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from onepath.cli import exits, options
from onepath.cli.output import write


class Format(StrEnum):
    """How the way is written."""

    text = "text"
    json = "json"


def why(
    source: Annotated[str, typer.Argument(metavar="A", help="Where the way starts: a function, class or module.")],
    target: Annotated[str, typer.Argument(metavar="B", help="Where it ends.")],
    form: Annotated[Format, typer.Option("--format", "-f", help="How the way is written.")] = Format.text,
    roots: Annotated[list[str] | None, typer.Option("--roots", help="Read these, without a configuration.")] = None,
    config: options.Config = None,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
) -> None:
    """Show the shortest call path with file:line at every hop. Exit 1 if there is none."""
    from onepath.cli.loading import load, project
    from onepath.render.text import hops
    from onepath.render.view import NoSuchSymbolError, shortest_way
    from onepath.rules.contract import Hop

    program = load(project(config, roots), jobs=jobs, quiet=quiet).program
    try:
        way = shortest_way(program, source, target)
    except NoSuchSymbolError as error:
        raise exits.UsageError(str(error)) from error
    if form is Format.json:
        import json

        steps = [
            {
                "caller": edge.caller,
                "callee": edge.callee,
                "kind": edge.kind,
                "place": {"file": edge.place.file, "line": edge.place.line},
            }
            for edge in way or ()
        ]
        document = {"schema": "onepath/why/v1", "from": source, "to": target, "found": way is not None, "way": steps}
        write(json.dumps(document, indent=2, ensure_ascii=False) + "\n", None)
    elif way is None:
        write(f"no call path leads from {source} to {target}\n", None)
    else:
        verbs = {"call": "calls", "may-call": "may call"}
        evidence = [Hop(edge.caller, edge.place, f"{verbs[edge.kind]} {edge.callee}") for edge in way]
        write("\n".join([*hops(evidence), f"{len(way)} call{'' if len(way) == 1 else 's'}"]) + "\n", None)
    if way is None:
        raise typer.Exit(exits.FINDINGS)
