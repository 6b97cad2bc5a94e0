"""Smooth weighted round robin, as nginx does it: exact shares over a cycle, spread evenly, no randomness.

Every choice adds to each candidate its weight, takes the highest counter (the first among equals) and takes the total
off it. Weights scaled by powers of two keep the counters exact.
"""

from __future__ import annotations

from collections.abc import Sequence


def next_in_rotation(counters: dict[str, float], candidates: Sequence[tuple[str, float]]) -> str:
    """The next of `candidates` (name, weight), at least one; `counters` is updated in place.

    A weight of 0 means drained: such a candidate is taken only where all are.
    """
    weighted = [each for each in candidates if each[1] > 0]
    if not weighted:
        return candidates[0][0]
    if len(weighted) == 1:
        return weighted[0][0]
    total = 0.0
    best, highest = "", 0.0
    for name, weight in weighted:
        total += weight
        counter = counters[name] = counters.get(name, 0.0) + weight
        if not best or counter > highest:
            best, highest = name, counter
    counters[best] -= total
    return best
