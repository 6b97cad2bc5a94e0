"""`python -m tests.thirdparty [--cache DIR] [TREE …]` in tools/onepath.

Exit codes: 0 every tree is read to its end and every difference from grimp has a cause, 1 not so, 2 a tree cannot be
fetched.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

import onepath
from onepath.config import read_project

from .importing import CAUSES, Comparison, compare
from .measuring import Step, grimp, steps
from .trees import NAMES, TreeError, tree

_SHOWN = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """All trees, or those named."""
    parser = argparse.ArgumentParser(prog="python -m tests.thirdparty", description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(".cache/thirdparty"), help="where trees are kept")
    parser.add_argument("trees", nargs="*", choices=[*NAMES, []], help="default: all")
    parser.add_argument("--memory", type=float, default=8.0, help="GiB of address space that a step may take")
    options = parser.parse_args(arguments)
    bound = int(options.memory * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (bound, resource.getrlimit(resource.RLIMIT_AS)[1]))
    try:
        results = [judge(name, options.cache.absolute()) for name in options.trees or NAMES]
    except TreeError as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if all(results) else 1


def judge(name: str, cache: Path) -> bool:
    """One tree; prints what was seen."""
    folder = tree(name, cache)
    print(folder.name, flush=True)
    for one in steps(folder):
        show_step(one)
        if not one.ended_well:
            return False
    program = onepath.load(read_project(folder / "onepath.toml"), jobs=1).program
    calls = max(program.calls_total, 1)
    print(
        f"  {len(program.modules)} modules, {len(program.functions)} functions, {len(program.edges)} edges; "
        f"{len(program.unknown) / calls:.1%} of {program.calls_total} calls on unknown receivers; "
        f"{len(program.opaque)} opaque calls; {len(program.faults)} unreadable files"
    )
    return show_comparison(compare(program, grimp(folder, name, cache)))


def show_step(one: Step) -> None:
    """One line; the end of the output where it did not end well."""
    end = "HUNG" if one.hung else f"exit {one.code}"
    print(f"  {one.name:<14} {end:<8} {one.seconds:7.2f} s  {one.peak:6.0f} MiB", flush=True)
    if not one.ended_well:
        print("    " + "\n    ".join(one.output.splitlines()[-12:]))


def show_comparison(seen: Comparison) -> bool:
    """Counts by cause; whether each difference has one."""
    print(f"  imports that grimp sees too: {seen.common}")
    for key, cause in CAUSES.items():
        if seen.causes.get(key):
            print(f"    {seen.causes[key]:5} × {cause.text}")
    for text in seen.unexplained[:_SHOWN]:
        print(f"    WITHOUT A CAUSE: {text}")
    if len(seen.unexplained) > _SHOWN:
        print(f"    … and {len(seen.unexplained) - _SHOWN} more")
    return not seen.unexplained


if __name__ == "__main__":
    sys.exit(main())
