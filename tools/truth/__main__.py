"""`python -m tools.truth [--sample | --clients] [--json FILE] [tests …]`.

Exit codes: 0 the graph holds what runs, 1 it does not, or nothing ran.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console
from tools.truth.children import ROOT
from tools.truth.graph import graph, sinks
from tools.truth.judging import judge
from tools.truth.naming import ChangedError
from tools.truth.reasons import FILE, reasons
from tools.truth.reporting import lines, passes
from tools.truth.running import SAMPLE, SUITE, SuiteError, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Record, compare, print."""
    parser = argparse.ArgumentParser(prog="python -m tools.truth", description=__doc__)
    parser.add_argument("--sample", action="store_true", help="a few tests only")
    parser.add_argument("--clients", action="store_true", help="the real agents and SDKs too; needs Node.js and npm")
    parser.add_argument("--json", type=Path, help="write all misses to this file too")
    options, tests = parser.parse_known_args(arguments)
    told = reasons(FILE.read_text())
    program = graph(ROOT)
    try:
        direct, foreign = run(tests or (SAMPLE if options.sample else SUITE), clients=options.clients)
    except (SuiteError, ChangedError) as error:
        print(error, file=sys.stderr)
        return 1
    verdict = judge(program, direct, foreign, sinks(), told)
    if tests or options.sample:  # a part of the suite does not run all that reasons are about
        verdict = replace(verdict, spare_reasons=())
    console = Console(width=160, highlight=False)
    for line in lines(verdict):
        console.print(line, markup=False)
    if options.json:
        options.json.write_text(json.dumps([asdict(miss) for miss in verdict.misses], indent=2) + "\n")
    return 0 if passes(verdict) else 1


if __name__ == "__main__":
    sys.exit(main())
