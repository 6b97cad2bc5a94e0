"""The known differences between the sides, each with its reason (docs/explanation/transports.md says the same).

A difference between two runs is allowed if every differing request is covered by a row. A row that never applies in a
full run is dead and is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from tests.fuzz.transports.making import Case
from tests.fuzz.transports.running import Outcome, Run


class Seen(msgspec.Struct, frozen=True):
    """What a row looks at: the same request on both sides."""

    case: Case
    number: int
    one: Outcome
    two: Outcome
    asked_more: bool
    """Whether the first side sent more requests."""
    asked_less: bool
    """Whether the first side got by with fewer requests: an answer was taken from what was left over."""


class Difference(msgspec.Struct, frozen=True):
    """One known difference between what the first side and the second made of the same request."""

    name: str
    reason: str
    covers: Callable[[Seen], bool]


def _bytes(case: Case) -> bytes:
    return b"".join(cut for exchange in case.exchanges for cut in exchange.cuts)


def _surplus(case: Case) -> bool:
    """Whether more than one final head stands in the first exchange."""
    return len(re.findall(rb"HTTP/\d\.\d (?:101|[02-9]\d\d)", b"".join(case.exchanges[0].cuts))) > 1


def _at_limit(case: Case) -> bool:
    lines = _bytes(case).split(b"\n")
    return len(lines) > 120 or max(map(len, lines)) > 60_000


ALLOWED: Final[tuple[Difference, ...]] = (
    Difference(
        "encoding cut short",
        "v1's library takes a gzip, br or zstd body that stops in the middle for whole, and fails the head where a "
        "deflate body does so within one segment; v2 gives what came and calls it truncated.",
        lambda seen: (
            seen.two.fault == "truncated"
            and seen.one.fault in ("", "protocol_error")
            and (seen.one.body == seen.two.body or not seen.one.status)
        ),
    ),
    Difference(
        "two faults at once",
        "Framing and encoding are both broken in one segment: v1 meets the encoding first, v2 the framing. Both are "
        "protocol errors, told before or behind the head.",
        lambda seen: seen.one.fault == seen.two.fault == "protocol_error" and b"ncoding" in _bytes(seen.case),
    ),
    Difference(
        "left over",
        "Behind an answer came the beginning of something else. v1's parser keeps it to itself, the connection is "
        "used again and the next answer cannot be read; v2 closes the connection.",
        lambda seen: seen.number > 0 and (seen.one.fault == "protocol_error" or seen.asked_less or _surplus(seen.case)),
    ),
    Difference(
        "broken surplus",
        "Behind a whole answer, in the same segment, comes another one that breaks framing and encoding: v1 does not "
        "notice, v2 refuses both, as both sides do where only the framing is broken.",
        lambda seen: not seen.one.fault and seen.two.fault == "protocol_error" and _surplus(seen.case),
    ),
    Difference(
        "kept behind a short encoding",
        "The message is whole by its framing, the encoded body in it is not, and more bytes follow later. v2 keeps the "
        "connection by its framing, and meets those bytes in the next answer; v1 closes it for the encoding.",
        lambda seen: seen.number > 0 and seen.two.fault == "protocol_error" and b"ncoding" in _bytes(seen.case),
    ),
    Difference(
        "reset within a head",
        "A kept connection is reset behind the beginning of an answer, before anybody saw its head. v1's library does "
        "not tell that something had come, and the request is sent again; v2 sends again only what nobody answered.",
        lambda seen: seen.number > 0 and seen.two.fault in ("connection_lost", "truncated") and seen.asked_more,
    ),
    Difference(
        "body behind HEAD",
        "A HEAD request is answered with a body, or an interim answer claims one. v1 refuses the body if it came in "
        "one segment with the head and is no HTTP, and overlooks the claim; v2 drops the body and closes the "
        "connection, and refuses the claim. The gateway sends no HEAD.",
        lambda seen: (
            seen.case.methods[seen.number] == "HEAD" and {seen.one.fault, seen.two.fault} == {"", "protocol_error"}
        ),
    ),
    Difference(
        "at the limits",
        "v1's library counts a header's name together with the one before, and forgets the last trailer: it refuses "
        "a little earlier or later than 64 KiB a line and 128 lines say, and does not see NUL in that trailer.",
        lambda seen: (
            {seen.one.fault, seen.two.fault} == {"", "protocol_error"}
            and (_at_limit(seen.case) or (b"\0" in _bytes(seen.case) and seen.one.body == seen.two.body))
        ),
    ),
    Difference(
        "empty transfer-encoding",
        "An empty Transfer-Encoding line is no coding at all, and httptools reads it into the next line's name: v2 "
        "refuses names that begin so, v1 takes the line for none.",
        lambda seen: (
            seen.two.fault == "protocol_error"
            and re.search(rb"(?i)transfer-encoding(:[ \t]*\r?\n|[^:\s])", _bytes(seen.case)) is not None
        ),
    ),
    Difference(
        "length of 2^64-1",
        "v1's library takes this Content-Length for none at all; v2 waits for the bytes.",
        lambda seen: b"18446744073709551615" in _bytes(seen.case) and seen.two.fault != "",
    ),
    Difference(
        "status below 100",
        "v1's library reads no body where the status is below 199 and no length is given; v2 reads to the end.",
        lambda seen: 0 <= seen.two.status < 100 and seen.one.status == seen.two.status and not seen.one.body,
    ),
    Difference(
        "fault told late",
        "Where a chunk ends in the segment that breaks the encoding, v1's library goes on waiting, and tells of the "
        "connection's end instead.",
        lambda seen: (
            seen.one.fault == "truncated"
            and seen.two.fault == "protocol_error"
            and seen.one.body == seen.two.body
            and b"ncoding" in _bytes(seen.case)
        ),
    ),
    Difference(
        "old websockets",
        "v1's library refuses every answer that names Sec-WebSocket-Key1, a draft's header of 2010.",
        lambda seen: seen.one.fault == "protocol_error" and b"sec-websocket-key1" in _bytes(seen.case).lower(),
    ),
)


def judged(case: Case, one: Run, two: Run) -> tuple[bool, str]:
    """(the same or covered, the row that covers it or "").

    Behind a covered difference the two sides stand at different places of the case: what follows is not compared.
    """
    for number, (first, second) in enumerate(zip(one.outcomes, two.outcomes, strict=True)):
        if first == second:
            continue
        seen = Seen(case, number, first, second, one.requests > two.requests, one.requests < two.requests)
        row = next((row.name for row in ALLOWED if row.covers(seen)), "")
        return bool(row), row
    if one.requests == two.requests or any(exchange.early for exchange in case.exchanges):
        return True, ""
    return _surplus(case), "left over"
