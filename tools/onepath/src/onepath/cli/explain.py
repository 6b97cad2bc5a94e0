"""`onepath explain`: what a rule means, or what one finding is about and how to mend it."""

from __future__ import annotations

import re
import sys
from typing import Annotated

import typer

from onepath.cli import exits, options
from onepath.cli.output import write
from onepath.cli.pages import pages, section


def explain(
    what: Annotated[
        str, typer.Argument(metavar="RULE|FINDING", help="OP001, bypass, or a finding's id (or its start).")
    ],
    config: options.Config = None,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
) -> None:
    """Explain a rule, or a finding by its id."""
    texts = pages()
    names = {text.splitlines()[0].split("·")[-1].strip().lower(): rule for rule, text in texts.items()}
    rule = what.upper() if what.upper() in texts else names.get(what.lower(), "")
    if rule:
        write(texts[rule], None)
        return
    if not re.fullmatch(r"[0-9a-f]{4,16}", what.lower()):
        known = ", ".join(f"{rule} ({name})" for name, rule in sorted(names.items(), key=lambda one: one[1]))
        raise exits.UsageError(f"`{what}` is neither a rule nor a finding's id; rules are {known}")
    from onepath.cli.loading import judge, load, project
    from onepath.render import text as text_format
    from onepath.render.report import Report

    found = project(config)
    report = judge(found, load(found, jobs=jobs, quiet=quiet))
    every = (*report.findings, *report.waived, *report.known)
    matching = [finding for finding in every if finding.fingerprint.startswith(what.lower())]
    if not matching:
        raise exits.UsageError(f"no finding has an id that starts with `{what}`; it may be mended already")
    one = Report(findings=tuple(matching), rules=report.rules, configuration=report.configuration)
    shown = text_format.render(one, color=sys.stdout.isatty()).rsplit("\n\n", 1)[0] + "\n"
    advice = [
        section(texts[rule], "How to fix") for rule in sorted({finding.rule for finding in matching} & texts.keys())
    ]
    state = "waived" if matching[0] in report.waived else "in the baseline" if matching[0] in report.known else ""
    write(shown + (f"\n  ({state})\n" if state else "") + "".join(f"\n{text}" for text in advice if text), None)
