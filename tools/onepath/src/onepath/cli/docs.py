"""`onepath docs`: rewrite the AUTO regions, or say which are not as they should be."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from onepath.cli import exits, options
from onepath.cli.output import write as write_text


def docs(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 and show the difference.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what changes.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite what was edited by hand, and show what is lost.")
    ] = False,
    config: options.Config = None,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
) -> None:
    """Rewrite the AUTO regions of the configured pages."""
    from onepath import regions
    from onepath.cli.loading import load, material, project
    from onepath.regions.content import TemplateFault, bodies

    found = project(config)
    configuration = found.configuration
    if not configuration.regions:
        raise exits.UsageError('no [tool.onepath.regions]; name a page: `"README.md" = { ARCH = "short" }`')
    model = load(found, jobs=jobs, quiet=quiet)
    try:
        wanted = bodies(material(found, model), configuration.regions)
    except TemplateFault as error:
        raise exits.UsageError(str(error)) from error
    planned = regions.plan(found.folder, wanted, configuration.docs.command, configuration.docs.sources)
    if planned.faults:
        raise exits.UsageError("nothing was written:\n" + "\n".join(f"  {fault}" for fault in planned.faults))
    if check:
        _check(planned, configuration.docs.command)
        return
    shown = [
        change for change in planned.changes if diff or change.state == "new" or (force and change.state == "edited")
    ]
    write_text("".join(change.diff() for change in shown), None)
    if planned.edited and not force:
        lines = [f"  {change.file}:{change.line}: {change.name}" for change in planned.edited]
        message = "\n".join(
            [
                "nothing was written: edited by hand since it was generated:",
                *lines,
                (
                    f"Edit {configuration.docs.sources} instead and run `{configuration.docs.command}`, or overwrite "
                    "with --force."
                ),
            ]
        )
        sys.stderr.write(f"onepath: {message}\n")
        raise typer.Exit(exits.FINDINGS)
    try:
        written = regions.write(found.folder, planned, force=force)
    except regions.WriteError as error:
        raise exits.UsageError(f"nothing was written:\n{error}") from error
    for change in planned.changes:
        sys.stderr.write(f"onepath: {change.file}:{change.line}: {change.name} rewritten ({_WORDS[change.state]})\n")
    if not written:
        sys.stderr.write("onepath: every region is current\n")


_WORDS = {
    "new": "never generated before",
    "stale": "was stale",
    "conflict": "held conflict markers",
    "edited": "was edited by hand",
    "current": "current",
}


def _check(planned: object, command: str) -> None:
    """Tells what is not as it should be, with the difference, and how to mend it."""
    from onepath.regions import Plan
    from onepath.rules.region import of_changes

    assert isinstance(planned, Plan)  # noqa: S101 - narrows the lazily imported type
    if not planned.changes:
        sys.stderr.write("onepath: every region is current\n")
        return
    parts: list[str] = []
    for change, finding in zip(planned.changes, of_changes(planned.changes, command), strict=True):
        parts.append(f"{finding.place}: OP011 {finding.message}\n")
        parts.append(change.diff() or "  (only the line below BEGIN differs)\n")
        parts.append(f"  to mend it: {finding.instead}\n\n")
    write_text("".join(parts), None)
    raise typer.Exit(exits.FINDINGS)
