"""Which side of each switch a run of the suites is over: from the environment, so that every worker process agrees.

    TEST_SIDES="appKernel=v2 hostBlocks.httpAdapter=v2" python -m pytest tests/matrix --matrix

`pairwise` is what every gate runs over: the first sides, all second ones, and every pair of sides of two blocks.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any, Final

from routecodex.app.switches import BY_KEY, SWITCHES

VARIABLE: Final = "TEST_SIDES"
LIVE: Final = [row.key for row in SWITCHES if row.has_both_sides and row.effect != "restart"]
"""Rows that are flipped without a new worker, in the table's order: for tests to which any of them will do."""
_BLOCKS: Final = "hostBlocks."


def chosen(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The sides that are not first ones, by key. Raises KeyError or ValueError for what is no row or no side of it."""
    sides: dict[str, str] = {}
    for word in environ.get(VARIABLE, "").split():
        key, _, value = word.partition("=")
        if value not in BY_KEY[key].available:
            raise ValueError(f"{VARIABLE}: {key} has no side {value!r}")
        if value != BY_KEY[key].default:
            sides[key] = value
    return sides


def written(sides: Mapping[str, str]) -> str:
    """The `[architecture]` section of a configuration file; empty for the first sides."""
    if not sides:
        return ""
    return "[architecture]\n" + "".join(f'{key} = "{value}"\n' for key, value in sides.items())


def variables(sides: Mapping[str, str]) -> dict[str, str]:
    """The same as environment variables of a gateway."""
    return {f"ROUTECODEX_ARCHITECTURE__{key.replace('.', '__').upper()}": value for key, value in sides.items()}


def named(sides: Mapping[str, str]) -> str:
    """One word for a run: `v1`, or the second sides it is over."""
    return "+".join(key.rpartition(".")[2] for key in sides) or "v1"


def nested(sides: Mapping[str, str]) -> dict[str, Any]:
    """The same as the `architecture` of a JSON configuration."""
    found: dict[str, Any] = {}
    for key, value in sides.items():
        *path, last = key.split(".")
        place = found
        for step in path:
            place = place.setdefault(step, {})
        place[last] = value
    return found


def pairwise() -> list[dict[str, str]]:
    """Runs over which every pair of sides of any two switches occurs, as far as the combinations allow it."""
    blocks = [row.key for row in SWITCHES if row.has_both_sides and row.key.startswith(_BLOCKS)]
    wanted = {
        frozenset(pair)
        for one, other in combinations(blocks, 2)
        for pair in product(((one, "v1"), (one, "v2")), ((other, "v1"), (other, "v2")))
    }
    runs: list[dict[str, str]] = [{}, {**_ground(), **dict.fromkeys(blocks, "v2")}]
    for run in runs:
        if run.items() >= _ground().items():
            wanted -= set(_pairs(run, blocks))
    while wanted:
        best = max(_all(blocks), key=lambda run: len(wanted & set(_pairs(run, blocks))))
        wanted -= set(_pairs(best, blocks))
        runs.append(best)
    return runs


def _ground() -> dict[str, str]:
    """What the blocks' second sides stand on: the second sides of the rows that are no blocks."""
    others = [row for row in SWITCHES if row.has_both_sides and not row.key.startswith(_BLOCKS)]
    return {row.key: str(row.values[1]) for row in others}


def _all(blocks: list[str]) -> Iterator[dict[str, str]]:
    for values in product(("v1", "v2"), repeat=len(blocks)):
        yield {**_ground(), **{key: value for key, value in zip(blocks, values, strict=True) if value == "v2"}}


def _pairs(run: Mapping[str, str], blocks: list[str]) -> Iterator[frozenset[tuple[str, str]]]:
    for one, other in combinations(blocks, 2):
        yield frozenset(((one, run.get(one, "v1")), (other, run.get(other, "v1"))))


def main() -> None:
    """Print runs as words of the variable, a line each: `all`, or the `last` of the first two (every second side)."""
    parser = argparse.ArgumentParser(prog="python -m tests.sides", description=main.__doc__)
    parser.add_argument("which", choices=["all", "last"])
    runs = pairwise() if parser.parse_args().which == "all" else pairwise()[1:2]
    first = next(row for row in SWITCHES if row.has_both_sides)
    for run in runs:
        print(" ".join(f"{key}={value}" for key, value in (run or {first.key: first.default}).items()))


if __name__ == "__main__":
    main()
