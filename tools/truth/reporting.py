"""A verdict in lines of text, and whether it passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tools.truth.judging import Verdict

GOAL = 0.995
"""At least this share of the executed edges is in the graph."""


def passes(verdict: Verdict) -> bool:
    """Enough edges, a cause for every other one, none of those on a way to a sink, and no reason without its miss."""
    return verdict.share >= GOAL and not verdict.unexplained and not verdict.toward_sinks and not verdict.spare_reasons


def lines(verdict: Verdict) -> Iterator[str]:
    """The figures first, then every miss, then the sentence that counts."""
    yield f"executed edges inside src/: {len(verdict.direct)}"
    yield f"  in the graph as call:     {verdict.by_call}"
    yield f"  in the graph as may-call: {verdict.by_may_call}"
    yield f"  not in the graph:         {len(verdict.misses)}"
    unknown = verdict.foreign_unknown
    yield f"run by foreign code: {len(verdict.foreign)}, of which the graph knows all but {len(unknown)} as run"
    for edge in unknown:
        yield f"    {edge}"
    for cause, number in Counter(miss.cause for miss in verdict.misses).most_common():
        yield f"{number} × {cause}"
        for miss in verdict.misses:
            if miss.cause == cause:
                yield f"    {miss.edge}" + (f"   ON THE WAY TO {miss.sink}" if miss.sink else "")
    for caller, callee in verdict.spare_reasons:
        yield f"a reason that nothing needs: {caller} -> {callee}; take it out of reasons.toml"
    verdict_of = "reached" if passes(verdict) else "NOT reached"
    yield (
        f"{verdict.share:.2%} of executed edges are in the graph (goal {GOAL:.1%}), {len(verdict.unexplained)} without "
        f"a cause (goal 0), {len(verdict.toward_sinks)} on a way to a sink (goal 0): {verdict_of}"
    )
