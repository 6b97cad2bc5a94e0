"""`python -m tools.converged [KEY …] [--keep DIR] [--quick] [--list]`: a row's first side can be deleted.

For every row of the switch table with two sides, on a copy of the tree: its first side, its row and its tests go, and
what is left must be green. `--list` says what would go and proves nothing. Exit codes: 0 every row is green, 1 one is
not, or there is none.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tools.converged.gates import gates, tidy
from tools.converged.rows import Row, by_key
from tools.converged.tree import ConvergenceError, Removed, converge, copy

ROOT: Final = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove each row, print a line for it."""
    parser = argparse.ArgumentParser(prog="python -m tools.converged", description=__doc__)
    parser.add_argument("keys", nargs="*", metavar="KEY", help="these rows only")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the copies there")
    parser.add_argument("--quick", action="store_true", help="the tests next to the switches; without the matrix")
    parser.add_argument("--list", action="store_true", help="only say what would go")
    parser.add_argument("--workers", type=int, default=max(2, os.cpu_count() or 2), help="of each run of the tests")
    options = parser.parse_args(arguments)
    try:
        rows = by_key(options.keys)
    except LookupError as error:
        print(error, file=sys.stderr)
        return 1
    if not rows:
        print("There is no row with two sides.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="converged-") as folder:
        place = (options.keep or Path(folder)).resolve()
        green = [_prove(row, place / row.key, options) for row in rows]
    return 0 if all(green) else 1


def _prove(row: Row, root: Path, options: argparse.Namespace) -> bool:
    """Whether the tree is green without the row."""
    if root.exists():
        print(f"{row}: {root} is there already", file=sys.stderr)
        return False
    root.mkdir(parents=True)
    copy(ROOT, root)
    try:
        removed = converge(root, row)
    except ConvergenceError as error:
        print(f"{row}: {error}", flush=True)
        return False
    _listing(removed)
    if options.list:
        return True
    told, green = [], True
    for gate in (*tidy(root), *gates(root, quick=options.quick, workers=options.workers)):
        told.append(f"{gate.name} {gate.seconds:.0f} s{'' if not gate.output else ' RED'}")
        if gate.output:
            green = False
            print(f"  {gate.name}:\n{gate.output[-6000:]}", file=sys.stderr, flush=True)
    print(
        f"{row}: {', '.join(Path(name).name for name in removed.files)} deleted, {len(removed.tests)} tests removed "
        f"({removed.share:.1%} of the host's), {len(removed.others)} pieces beside; {', '.join(told)}: "
        f"{'green' if green else 'NOT GREEN'}",
        flush=True,
    )
    return green


def _listing(removed: Removed) -> None:
    """Everything that went, by name."""
    for what, names in (
        ("deleted", removed.files),
        ("nothing left of", removed.test_files),
        ("test", removed.tests),
        ("beside", removed.others),
    ):
        for name in names:
            print(f"  {what}: {name}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
