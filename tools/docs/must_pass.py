"""The must-pass cases: the tests' own table of what is asserted, over which pairs, in which modes."""

from __future__ import annotations

from typing import Final

from tests.matrix.cases import ALL, CASES, LETTERS, PROTOCOL, SAME
from tools.docs.text import code, table

TITLE: Final = "Must-pass cases"
SOURCES: Final = ("tests/matrix/cases.py",)

_NAMED: Final = {ALL: "all 16", SAME: "the same protocol in and out"}


def page() -> str:
    """The page's body."""
    letters = ", ".join(f"{letter} = {PROTOCOL[letter]}" for letter in LETTERS)
    return "\n\n".join(
        [
            (
                "Each case is executed through a listening gateway over every pair and mode it names; `nox -s tests` "
                "prints the matrix. A case without an executed assertion in one of its cells fails the session."
            ),
            (
                f"{letters}. `MC`: a client that speaks M in front of an upstream that speaks C. Bold: nothing is "
                "released without it. Oracles: SDK, the vendor's own SDK reads our bytes; REQ, the body the upstream "
                "received; SSE, the grammar of the stream; SRV, the server's behaviour."
            ),
            table(
                ("case", "what holds", "pairs", "modes", "oracle"),
                [
                    (
                        f"**{case.id}**" if case.bold else case.id,
                        case.title,
                        _NAMED.get(case.pairs) or ", ".join(map(code, case.pairs)),
                        ", ".join(case.modes),
                        case.oracles,
                    )
                    for case in CASES
                ],
            ),
        ]
    )
