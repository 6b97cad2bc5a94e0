"""`onepath lint`: judge the program by its contracts."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from onepath.cli import exits, options
from onepath.cli.output import write


class Format(StrEnum):
    """How findings are written."""

    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"


def lint(
    form: Annotated[Format, typer.Option("--format", "-f", help="How findings are written.")] = Format.text,
    output: options.Output = None,
    config: options.Config = None,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Take today's findings into the baseline.")
    ] = False,
) -> None:
    """Judge the program by its contracts. Exit 1 on findings, 2 on a contract that speaks of nothing."""
    from onepath.cli.loading import judged, project

    found = project(config)
    if update_baseline and not found.configuration.baseline:
        raise exits.UsageError("--update-baseline needs `baseline = FILE` in the configuration")
    report = judged(found, jobs=jobs, quiet=quiet, update_baseline=update_baseline)
    if form is Format.json:
        from onepath.render import json_report

        text = json_report.render(report)
    elif form is Format.sarif:
        from onepath.cli.checkout import from_checkout
        from onepath.cli.pages import pages
        from onepath.render import sarif

        text = sarif.render(from_checkout(report, found.folder), pages())
    elif form is Format.github:
        from onepath.cli.checkout import from_checkout
        from onepath.render import github

        text = github.render(from_checkout(report, found.folder))
    else:
        from onepath.render import text as text_format

        text = text_format.render(report, color=output is None and sys.stdout.isatty())
    write(text, output)
    if report.faults:
        raise typer.Exit(exits.USAGE)
    if report.findings:
        raise typer.Exit(exits.FINDINGS)
