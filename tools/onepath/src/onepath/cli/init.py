"""`onepath init`: propose a configuration from what a project holds.

What is proposed holds today: the layers are those the imports already keep, so that the first lint is green and every
later one tells a step back. What only people can know, the single path, is proposed with the entries that were found.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from onepath.cli import exits, options
from onepath.cli.output import write as write_text


def init(
    folder: Annotated[Path, typer.Argument(help="The project's folder.")] = Path(),
    roots: Annotated[
        list[str] | None, typer.Option("--roots", help="Packages to read. Default: what is found.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write onepath.toml, or append to a pyproject.toml without [tool.onepath].")
    ] = False,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
) -> None:
    """Propose a configuration. Prints it; `--write` writes it where there is none yet."""
    from onepath.cli.loading import load
    from onepath.cli.proposing import found_roots, proposal
    from onepath.config import bare_project, find_project

    if not folder.is_dir():
        raise exits.UsageError(f"{folder} is no folder")
    chosen = roots or found_roots(folder)
    if not chosen:
        raise exits.UsageError(f"no Python package in {folder} or {folder / 'src'}; name one with --roots")
    text = proposal(load(bare_project(folder, chosen), jobs=jobs, quiet=quiet), chosen)
    if not write:
        write_text(text, None)
        return
    present = find_project(folder)
    if present is not None and present.folder == folder.resolve():
        raise exits.UsageError(f"{present.file} has a configuration already; nothing was written")
    pyproject = folder / "pyproject.toml"
    target = pyproject if pyproject.is_file() else folder / "onepath.toml"
    try:
        if target == pyproject:
            before = pyproject.read_bytes().decode("utf-8")
            text = before.rstrip("\n") + "\n\n" + _in_pyproject(text)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise exits.UsageError(f"{target}: {error.strerror or error}; nothing was written") from error
    sys.stderr.write(f"onepath: {'appended [tool.onepath] to' if target == pyproject else 'wrote'} {target}\n")


def _in_pyproject(text: str) -> str:
    """The same tables under `tool.onepath`."""
    lines = ["[tool.onepath]"]
    for line in text.splitlines():
        if line.startswith("[["):
            line = f"[[tool.onepath.{line[2:]}"
        elif line.startswith("["):
            line = f"[tool.onepath.{line[1:]}"
        elif line.startswith("# [["):
            line = f"# [[tool.onepath.{line[4:]}"
        elif line.startswith("# [regions]"):
            line = "# [tool.onepath.regions]"
        lines.append(line)
    return "\n".join(lines) + "\n"
