"""What `init` proposes: roots from the file system, layers from imports, entries from decorators."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from onepath.graph import Program
from onepath.regions import parse_page
from onepath.rules.contract import Model

_NO_CODE: Final = {
    "tests",
    "test",
    "docs",
    "doc",
    "examples",
    "example",
    "benchmarks",
    "bench",
    "build",
    "dist",
    "scripts",
}
_ENTRIES: Final = (
    "typer.Typer.command",
    "click.command",
    "click.Group.command",
    "flask.Flask.route",
    "flask.Blueprint.route",
    "fastapi.FastAPI.get",
    "fastapi.FastAPI.post",
    "fastapi.APIRouter.get",
    "fastapi.APIRouter.post",
    "starlette.routing.Route",
    "celery.Celery.task",
    "celery.shared_task",
    "aiohttp.web.RouteTableDef.get",
)
"""Decorators and constructors of common frameworks that make an entry."""
_ARGUMENTS: Final = {"starlette.routing.Route": "endpoint"}


def found_roots(folder: Path) -> list[str]:
    """Packages in `src/`, else in the folder itself; without any, the folder as a source folder if it holds modules."""
    for base in (folder / "src", folder):
        if not base.is_dir():
            continue
        packages = [
            child.relative_to(folder).as_posix()
            for child in sorted(base.iterdir())
            if child.is_dir() and child.name not in _NO_CODE and (child / "__init__.py").is_file()
        ]
        if packages:
            return packages
    return ["."] if any(folder.glob("*.py")) else []


def proposal(model: Model, roots: Sequence[str]) -> str:
    """A configuration as TOML."""
    program = model.program
    parts = [f"roots = {json.dumps(list(roots))}", 'cache = ".cache/onepath"']
    for top in sorted({name.partition(".")[0] for name in program.modules}):
        levels = layers(program, top)
        if sum(map(len, levels)) > 1:
            written = json.dumps([" | ".join(level) for level in levels], ensure_ascii=False)
            parts.append(
                f"[[layers]]  # what the imports keep today, highest first\n"
                f'name = "{top}"\ncontainers = ["{top}"]\nlayers = {_wrapped(written)}'
            )
    if any("." in name for name in program.modules):
        parts.append('[[acyclic]]\nname = "no import circles"\nbetween = "modules"')
    parts.append(_path(program))
    parts.append(_regions(model.folder))
    return "\n\n".join(part for part in parts if part) + "\n"


def layers(program: Program, top: str) -> list[list[str]]:
    """The children of a package in layers, highest first, such that no import points up.

    A child is as high as those that import it allow: what nobody imports is at the top. Children that import each other
    in a circle cannot be told apart and are left out: a contract on them would be broken today.
    """
    from onepath.rules.acyclic import tangles

    children = sorted({name.split(".")[1] for name in program.modules if name.startswith(top + ".")})
    below: dict[str, set[str]] = {child: set() for child in children}
    for one in program.imports:
        importer, imported = one.importer.split("."), one.imported.split(".")
        if not one.internal or importer[0] != top or imported[0] != top or len(importer) < 2 or len(imported) < 2:
            continue
        if importer[1] != imported[1]:
            below[importer[1]].add(imported[1])
    parts = tangles({child: dict.fromkeys(sorted(others)) for child, others in below.items()}, children)
    tangled = {child for part in parts if len(part) > 1 for child in part}
    free = [part[0] for part in parts if len(part) == 1]
    reach = {child: _through(below, child, tangled) for child in free}
    depths: dict[str, int] = dict.fromkeys(free, 0)
    for child in reversed(free):
        for other in reach[child]:
            depths[other] = max(depths[other], depths[child] + 1)
    levels: dict[int, list[str]] = {}
    for child, depth in depths.items():
        levels.setdefault(depth, []).append(child)
    return [sorted(levels[depth]) for depth in sorted(levels)]


def _through(below: dict[str, set[str]], child: str, tangled: set[str]) -> set[str]:
    """What a child imports, also over tangled children, which are in no layer and so only a way."""
    reached: set[str] = set()
    pending = [child]
    seen = {child}
    while pending:
        for other in below[pending.pop()]:
            if other not in seen:
                seen.add(other)
                if other in tangled:
                    pending.append(other)
                else:
                    reached.add(other)
    return reached


def _wrapped(written: str) -> str:
    if len(written) < 90:
        return written
    return "[\n" + "".join(f"  {json.dumps(one, ensure_ascii=False)},\n" for one in json.loads(written)) + "]"


def _path(program: Program) -> str:
    """The single path as a comment, with the entries that were found: its middle is for people to name."""
    used = {edge.callee for edge in program.edges} | {one.written for one in program.imports}
    heads = {name.rpartition(".")[0] for name in used} | used
    entries = [
        f"arg:{name}.{_ARGUMENTS[name]}" if name in _ARGUMENTS else f"@{name}"
        for name in _ENTRIES
        if name in used or name.rpartition(".")[0] in heads
    ]
    shown = json.dumps(entries or ["package.module.entry"])
    return "\n".join(
        (
            "# The single path: every way from an entry to a sink passes these functions, in order.",
            "# [[path]]",
            '# name    = "single-path"',
            f"# entries = {shown}",
            '# through = ["package.module.function"]',
            '# sinks   = ["@network", "@process"]',
        )
    )


def _regions(folder: Path) -> str:
    readme = folder / "README.md"
    if not readme.is_file():
        return ""
    page = parse_page("README.md", readme.read_bytes())
    present = [region.name for region in page.regions if region.name in ("ARCH", "CALLGRAPH", "SWITCHES")]
    if present and not page.faults:
        forms = ", ".join(f'{name} = "short"' for name in present)
        return f'[regions]  # write them with `onepath docs`\n"README.md" = {{ {forms} }}'
    return (
        "# Write <!-- AUTO:ARCH:BEGIN --> and <!-- AUTO:ARCH:END --> into the page first, on lines of their own.\n"
        '# [regions]\n# "README.md" = { ARCH = "short" }'
    )
