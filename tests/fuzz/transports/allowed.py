"""The known differences between the sides, each with its reason (docs/explanation/transports.md says the same).

A difference between two runs is allowed if every differing request is covered by a row. A row that never applies in a
full run is dead and is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from tests.fuzz.transports.running import Outcome, Run


class Difference(msgspec.Struct, frozen=True):
    """One known difference between what the first side and the second made of the same request."""

    name: str
    reason: str
    covers: Callable[[Outcome, Outcome, bool], bool]
    """(first side's outcome, second side's, whether the connection had served before in this case)."""


ALLOWED: Final[tuple[Difference, ...]] = (
    Difference(
        "encoding cut short",
        "v1's library takes a gzip, br or zstd body that stops in the middle for whole, and fails the head where a "
        "deflate body does so within one segment; v2 gives what came and calls it truncated.",
        lambda one, two, _: (
            two.fault == "truncated"
            and (one.body == two.body or not one.status)
            and one.fault in ("", "protocol_error")
        ),
    ),
    Difference(
        "two faults at once",
        "Framing and encoding are both broken in one segment: v1 meets the encoding first, v2 the framing. Both are "
        "protocol errors, told before or behind the head.",
        lambda one, two, _: one.fault == two.fault == "protocol_error",
    ),
    Difference(
        "left over",
        "Behind an answer came the beginning of something else. v1's parser keeps it to itself, the connection is "
        "used again and the next answer cannot be read; v2 closes the connection.",
        lambda one, two, served: served and one.fault == "protocol_error",
    ),
    Difference(
        "reset within a head",
        "A kept connection is reset behind a part of the answer's head. v1's library does not tell that something had "
        "come, and the request is sent again; v2 sends again only what nobody answered.",
        lambda one, two, served: served and two.fault == "connection_lost",
    ),
)


def judged(one: Run, two: Run) -> tuple[bool, str]:
    """(the same or covered, the row that covers it or "").

    Behind a covered difference the two sides stand at different places of the case: what follows is not compared.
    """
    for number, (first, second) in enumerate(zip(one.outcomes, two.outcomes, strict=True)):
        if first == second:
            continue
        row = next((row.name for row in ALLOWED if row.covers(first, second, number > 0)), "")
        return bool(row), row
    return one.requests == two.requests, ""
