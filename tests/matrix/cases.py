"""The must-pass cases as data: what is asserted, over which pairs, in which modes, judged by which oracle.

Letters: C = OpenAI Chat Completions, R = OpenAI Responses, M = Anthropic Messages, G = Gemini generateContent. A pair
is inbound then outbound: `MC` is a client that speaks M in front of an upstream that speaks C. Nothing else here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Letter = Literal["C", "R", "M", "G"]
Mode = Literal["stream", "whole"]

LETTERS: Final[tuple[Letter, ...]] = ("C", "R", "M", "G")
PROTOCOL: Final[dict[str, str]] = {
    "C": "openai-chat",
    "R": "openai-responses",
    "M": "anthropic-messages",
    "G": "gemini",
}
LETTER: Final[dict[str, str]] = {name: letter for letter, name in PROTOCOL.items()}

BOTH: Final[tuple[Mode, ...]] = ("stream", "whole")
STREAM: Final[tuple[Mode, ...]] = ("stream",)
WHOLE: Final[tuple[Mode, ...]] = ("whole",)


def pairs(inbound: str = "CRMG", outbound: str = "CRMG") -> tuple[str, ...]:
    """Every inbound letter with every outbound letter."""
    return tuple(i + o for i in inbound for o in outbound)


ALL: Final = pairs()
SAME: Final = tuple(letter * 2 for letter in LETTERS)


@dataclass(frozen=True)
class Case:
    """One row of the table. `bold`: nothing is released without it."""

    id: str
    title: str
    pairs: tuple[str, ...]
    modes: tuple[Mode, ...]
    oracles: str
    bold: bool = False


@dataclass(frozen=True, order=True)
class Cell:
    """One assertion to execute: a case over one pair in one mode."""

    case: str
    pair: str
    mode: Mode

    @property
    def inbound(self) -> str:
        """The client's protocol."""
        return PROTOCOL[self.pair[0]]

    @property
    def outbound(self) -> str:
        """The upstream's protocol."""
        return PROTOCOL[self.pair[1]]

    @property
    def stream(self) -> bool:
        """Does the client ask for a stream?"""
        return self.mode == "stream"

    @property
    def same(self) -> bool:
        """Does the upstream speak the client's protocol?"""
        return self.pair[0] == self.pair[1]

    def __str__(self) -> str:
        return f"{self.case}-{self.pair}-{self.mode}"


_C_ON_EITHER_SIDE: Final = tuple(p for p in ALL if "C" in p)

CASES: Final[tuple[Case, ...]] = (
    Case("MP-01", "streamed tool arguments are exactly the upstream's JSON", ALL, BOTH, "SDK", bold=True),
    Case("MP-02", "late or missing tool name: one start, never an empty name", _C_ON_EITHER_SIDE, BOTH, "SDK SSE"),
    Case("MP-03", "N parallel calls in, N out, each with its arguments", ALL, BOTH, "SDK REQ", bold=True),
    Case("MP-04", "every tool result follows its call; repairs are told", ALL, BOTH, "REQ", bold=True),
    Case("MP-05", "parallel results are coalesced or split, in call order", ALL, BOTH, "REQ"),
    Case("MP-06", "tool ids and names survive a round trip", ALL, BOTH, "REQ SDK", bold=True),
    Case("MP-07", "thinking signatures return to their issuer only", pairs("MGR", "MGR"), BOTH, "REQ SDK", bold=True),
    Case("MP-08", "reasoning_content goes back after a tool call", pairs("MR", "C"), BOTH, "REQ"),
    Case("MP-09", "M output discipline", pairs("M", "CRMG"), STREAM, "SSE SDK", bold=True),
    Case("MP-10", "framing: what goes out, and what is accepted", ALL, STREAM, "SSE", bold=True),
    Case("MP-11", "any split and any encoding of the upstream's bytes", ALL, BOTH, "SSE", bold=True),
    Case("MP-12", "usage equals the upstream's final numbers, once", ALL, BOTH, "SDK", bold=True),
    Case("MP-13", "exactly one finish reason, the right one", ALL, BOTH, "SDK", bold=True),
    Case("MP-14", "an upstream failure mid-way is never a clean end", ALL, BOTH, "SSE SDK", bold=True),
    Case("MP-15", "error envelope and status of the client's protocol", ALL, BOTH, "SDK", bold=True),
    Case("MP-16", "an error inside a 200 is a failure", ALL, BOTH, "SRV", bold=True),
    Case("MP-17", "empty content is accepted and never forwarded", ALL, BOTH, "REQ SDK"),
    Case("MP-18", "system text in every form and place", ALL, BOTH, "REQ"),
    Case(
        "MP-19",
        "cache_control reaches an M upstream unchanged",
        tuple(dict.fromkeys((*pairs("M", "CRMG"), "CM", "RM"))),
        BOTH,
        "REQ",
        bold=True,
    ),
    Case("MP-20", "images and PDFs, re-homed where there is no slot", ALL, BOTH, "REQ"),
    Case("MP-21", "Responses state over any upstream", pairs("R", "CRMG"), BOTH, "REQ SDK", bold=True),
    Case("MP-22", "Codex tools round-trip", pairs("R", "CRMG"), BOTH, "SDK REQ"),
    Case("MP-23", "tool choice, hosted tools, stop sequences", ALL, BOTH, "REQ"),
    Case("MP-24", "schemas for G, results untouched", pairs("CRMG", "G"), BOTH, "REQ"),
    Case("MP-25", "a client that leaves cancels the upstream", ALL, BOTH, "SRV", bold=True),
    Case("MP-26", "keepalives the client counts, time-outs they do not re-arm", ALL, STREAM, "SRV", bold=True),
    Case("MP-27", "same protocol: unknown fields, betas, order and bytes kept", SAME, BOTH, "REQ"),
    Case("MP-28", "long histories: bounded work, 8 MiB, 50 images, 500 messages", ALL, BOTH, "SRV"),
    Case("MP-29", "token counts for every upstream, estimates flagged", pairs("MG", "CRMG"), WHOLE, "SRV"),
    Case("MP-30", "a conversation that changes its provider midway", ALL, BOTH, "REQ SDK"),
    Case("MP-31", "hostile JSON, both directions", ALL, BOTH, "REQ SDK", bold=True),
)
BY_ID: Final[dict[str, Case]] = {case.id: case for case in CASES}


def cells() -> tuple[Cell, ...]:
    """Every cell that must hold an executed assertion."""
    return tuple(Cell(case.id, pair, mode) for case in CASES for pair in case.pairs for mode in case.modes)
