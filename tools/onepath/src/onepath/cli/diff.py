"""`onepath diff REV [REV]`: what changed in the architecture, for reviewers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from onepath.cli import options
from onepath.cli.output import write


class Format(StrEnum):
    """How the difference is written."""

    text = "text"
    md = "md"
    json = "json"


def diff(
    before: Annotated[str, typer.Argument(metavar="REV", help="The revision to compare with.")],
    after: Annotated[str | None, typer.Argument(metavar="[REV]", help="Default: the files as they are.")] = None,
    form: Annotated[Format, typer.Option("--format", "-f", help="How the difference is written.")] = Format.text,
    output: options.Output = None,
    config: options.Config = None,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
) -> None:
    """Tell what changed between two revisions: modules, arrows, entries, contracts, switches. Exit 0 either way."""
    from onepath.cli.loading import project, snapshot_at, snapshot_of
    from onepath.difference import compare
    from onepath.render import difference

    found = project(config)
    old = snapshot_at(found, before, jobs=jobs, quiet=quiet)
    new = snapshot_at(found, after, jobs=jobs, quiet=quiet) if after else snapshot_of(found, jobs=jobs, quiet=quiet)
    render = {
        Format.text: difference.render_text,
        Format.md: difference.render_markdown,
        Format.json: difference.render_json,
    }[form]
    write(render(compare(old, new), before, after or "the files as they are"), output)
