"""`python -m tools.truth [--sample | --clients | --recorded FILE] [--keep FILE] [--json FILE] [tests …]`.

`--keep` writes down what ran; `--recorded` compares that with the graph of today, and runs nothing.

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
from tools.truth.edges import read, write
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
    parser.add_argument("--keep", type=Path, help="write the executed edges to this file")
    parser.add_argument("--recorded", type=Path, help="run nothing: these are the executed edges")
    parser.add_argument("--json", type=Path, help="write all misses to this file too")
    options, tests = parser.parse_known_args(arguments)
    told = reasons(FILE.read_text())
    program = graph(ROOT)
    try:
        if options.recorded:
            direct, foreign = read(options.recorded)
        else:
            direct, foreign = run(tests or (SAMPLE if options.sample else SUITE), clients=options.clients)
    except (SuiteError, ChangedError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.keep:
        write(options.keep, direct, foreign)
    verdict = judge(program, direct, foreign, sinks(), told)
    if tests or options.sample:  # a part of the suite does not run all that reasons are about
        verdict = replace(verdict, spare_reasons=())
    console = Console(width=160, highlight=False)
    for line in lines(verdict):
        console.print(line, markup=False, soft_wrap=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(miss) for miss in verdict.misses], indent=2) + "\n")
    return 0 if passes(verdict) else 1


if __name__ == "__main__":
    sys.exit(main())
