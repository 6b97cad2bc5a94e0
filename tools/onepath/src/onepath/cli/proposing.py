"""What `init` proposes: roots from the file system, layers from imports, entries from decorators and scripts.

What is proposed holds today. What does not hold, and what only people can know, is written as a comment.
"""

from __future__ import annotations

import json
import textwrap
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from onepath.config import Acyclic, Configuration
from onepath.graph import Program
from onepath.regions import parse_page
from onepath.rules.contract import Model
from onepath.rules.names import unmatched

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


_PACKAGE_DEPTH: Final = 3
"""How many folders without `__init__.py` may lie around a package: `google/cloud/storage`."""


def found_roots(folder: Path) -> list[str]:
    """Packages in `src/`, else in the folder itself; without any, the folder as a source folder if it holds modules.

    A namespace, a folder that only holds packages, is a package in `src/`; in the folder itself if it has no other.
    """
    source = [child for child in _code_folders(folder / "src") if _holds_package(child)]
    own = list(_code_folders(folder))
    packages = source or [child for child in own if _is_package(child)]
    packages = packages or [child for child in own if child.name.isidentifier() and _holds_package(child)]
    if packages:
        return [child.relative_to(folder).as_posix() for child in packages]
    return ["."] if any(folder.glob("*.py")) else []


def _code_folders(base: Path) -> Iterator[Path]:
    if base.is_dir():
        yield from (child for child in sorted(base.iterdir()) if child.is_dir() and child.name not in _NO_CODE)


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()


def _holds_package(folder: Path, depth: int = _PACKAGE_DEPTH) -> bool:
    if _is_package(folder):
        return True
    return depth > 0 and any(
        child.name.isidentifier() and _holds_package(child, depth - 1) for child in _code_folders(folder)
    )


def proposal(model: Model, roots: Sequence[str]) -> str:
    """A configuration as TOML."""
    program = model.program
    parts = [f"roots = {json.dumps(list(roots))}", 'cache = ".cache/onepath"']
    tops = sorted({name.partition(".")[0] for name in program.modules})
    parts.extend(_layers(program, _container(program, top)) for top in tops)
    parts.append(_acyclic(model))
    parts.append(_path(model))
    parts.append(_regions(model.folder))
    return "\n\n".join(part for part in parts if part) + "\n"


def _container(program: Program, top: str) -> str:
    """The package whose children are worth layers: below namespaces that hold one package and nothing else."""
    while True:
        inside = {name for name in program.modules if name.startswith(top + ".")}
        children = {name.split(".")[top.count(".") + 1] for name in inside}
        if len(children) != 1 or inside == {f"{top}.{next(iter(children))}"}:
            return top
        top = f"{top}.{children.pop()}"


def _layers(program: Program, top: str) -> str:
    """The layers of a package as a contract; what is in none of them as a comment."""
    levels = layers(program, top)
    proposed = ""
    if sum(map(len, levels)) > 1:
        written = json.dumps([" | ".join(level) for level in levels], ensure_ascii=False)
        proposed = (
            f"[[layers]]  # what the imports keep today, highest first\n"
            f'name = "{top}"\ncontainers = ["{top}"]\nlayers = {_wrapped(written)}'
        )
    layered = {child for level in levels for child in level}
    left = [child for child in _children(program, top) if child not in layered]
    if not left:
        return proposed
    told = f"In no layer of {top}, for they import each other in circles: {', '.join(left)}."
    return "\n".join(filter(None, (_comment(told), proposed)))


def _children(program: Program, top: str) -> list[str]:
    depth = top.count(".") + 1
    return sorted({name.split(".")[depth] for name in program.modules if name.startswith(top + ".")})


def layers(program: Program, top: str) -> list[list[str]]:
    """The children of a package in layers, highest first, such that no import points up.

    A child is as high as those that import it allow: what nobody imports is at the top. Children that import each other
    in a circle, over the package's own `__init__` too, cannot be told apart and are left out: a contract on them would
    be broken today.
    """
    from onepath.rules.acyclic import tangles

    depth = top.count(".") + 1
    own = ""

    def part_of(module: str) -> str | None:
        """The child a module is in, `own` for the package itself; None outside."""
        if module == top:
            return own
        return module.split(".")[depth] if module.startswith(top + ".") else None

    children = _children(program, top)
    below: dict[str, set[str]] = {own: set(), **{child: set() for child in children}}
    for one in program.imports:
        importer, imported = part_of(one.importer), part_of(one.imported)
        if one.internal and importer is not None and imported is not None and importer != imported:
            below[importer].add(imported)
    parts = tangles({child: dict.fromkeys(sorted(others)) for child, others in below.items()}, [own, *children])
    tangled = {own, *(child for part in parts if len(part) > 1 for child in part)}
    free = [part[0] for part in parts if len(part) == 1 and part[0] != own]
    reach = {child: _through(below, child, tangled) for child in free}
    depths: dict[str, int] = dict.fromkeys(free, 0)
    for child in reversed(free):
        for other in reach[child]:
            depths[other] = max(depths[other], depths[child] + 1)
    levels: dict[int, list[str]] = {}
    for child, level in depths.items():
        levels.setdefault(level, []).append(child)
    return [sorted(levels[level]) for level in sorted(levels)]


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


def _comment(text: str) -> str:
    return textwrap.fill(text, 110, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _acyclic(model: Model) -> str:
    """A contract on circles of imports; a comment where there are some today."""
    from onepath.rules import acyclic

    if not any("." in name for name in model.program.modules):
        return ""
    contract = Acyclic(name="no import circles")
    judged = acyclic.RULE.check(Model(model.folder, Configuration(acyclic=(contract,)), model.program))
    lines = [f'[[acyclic]]\nname = "{contract.name}"\nbetween = "{contract.between}"']
    if judged.findings:
        count = len(judged.findings)
        circles = "is 1 circle" if count == 1 else f"are {count} circles"
        lines = [f"# There {circles} of imports today, which `onepath lint` names once this is a contract."]
        lines += ["# [[acyclic]]", f'# name = "{contract.name}"', f'# between = "{contract.between}"']
    return "\n".join(lines)


def _scripts(model: Model) -> list[str]:
    """The functions that pyproject.toml makes commands of."""
    try:
        written = tomllib.loads((model.folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    project, poetry = written.get("project", {}), written.get("tool", {}).get("poetry", {})
    tables = (project.get("scripts"), project.get("gui-scripts"), poetry.get("scripts"))
    targets = [target for table in tables if isinstance(table, dict) for target in table.values()]
    names = [target.partition("[")[0].strip().replace(":", ".") for target in targets if isinstance(target, str)]
    tops = {name.partition(".")[0] for name in model.program.modules}
    return sorted({name for name in names if name.partition(".")[0] in tops and not unmatched([name], model.program)})


def _path(model: Model) -> str:
    """The single path as a comment, with the entries that were found: its middle is for people to name."""
    program = model.program
    used = {edge.callee for edge in program.edges} | {one.written for one in program.imports}
    heads = {name.rpartition(".")[0] for name in used} | used
    entries = [
        f"arg:{name}.{_ARGUMENTS[name]}" if name in _ARGUMENTS else f"@{name}"
        for name in _ENTRIES
        if name in used or name.rpartition(".")[0] in heads
    ]
    shown = json.dumps([*_scripts(model), *entries] or ["package.module.entry"])
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
