"""What OP001 has shown when it finds nothing, in sentences: how much was entered, what was reached, what was looked at.

A check on zero cases is not green, so a proof names its cases. It knows the contract and the search; no source text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onepath.config import PathContract
from onepath.graph import Program
from onepath.rules.contract import Proof
from onepath.rules.names import meaning
from onepath.rules.paths import Search

_ENTRY = "entry"


def proof(contract: PathContract, search: Search, program: Program, rule: str) -> Proof:
    """The sentences about a contract that holds."""
    sinks = len(search.reached_sinks())
    way = " → ".join(f"`{name}`" for name in contract.through)
    operations = "the one upstream operation" if sinks == 1 else f"the {sinks} upstream operations"
    claim = f"nothing reaches {operations} except through {way}"
    if not sinks:
        claim = f"no upstream operation is reached at all, not even through {way}"
    sentences = [f"From {entered(contract, program)}, {claim}."]
    for carried in contract.carries:
        places = {one.place for one in program.carried if one.into == carried.into and one.place is not None}
        sentences.append(
            f"Every `{carried.argument}` that reaches `{carried.into}` is made in `{carried.made_by}` "
            f"({_counted(len(places), 'place')})."
        )
    if contract.guarded:
        is_guarded = meaning(contract.guarded)
        opaque = sum(is_guarded(one.function) for one in program.opaque)
        unknown = sum(bool(one.protected) and is_guarded(one.function) for one in program.unknown)
        sentences.append(
            f"In guarded code: {_counted(opaque, 'opaque call')}, "
            f"{_counted(unknown, 'unknown receiver')} named like a mandated function."
        )
    return Proof(rule, contract.name, tuple(sentences), tuple((one.node, one.reason) for one in contract.ways_out))


def entries_of(contract: PathContract, program: Program) -> dict[str, str]:
    """By function that is entered: what it is called, after the first pattern that means it."""
    found: dict[str, str] = {}
    for pattern in contract.entries:
        for index in program.entries.get(pattern, ()):
            found.setdefault(program.nodes[index].function, contract.called.get(pattern, _ENTRY))
    return dict(sorted(found.items()))


def entered(contract: PathContract, program: Program) -> str:
    """`9 endpoints and 12 commands`: what is entered, by what it is called."""
    return in_words(entries_of(contract, program).values(), tuple(contract.called.values()))


def in_words(kinds: Iterable[str], order: Sequence[str] = ()) -> str:
    """Kinds, counted and listed: those of `order` first, as they come there."""
    some = list(kinds)
    listed = [one for one in dict.fromkeys((*order, *sorted(set(some)))) if one in some]
    counted = [_counted(some.count(one), one) for one in listed]
    return " and ".join(filter(None, (", ".join(counted[:-1]), counted[-1]))) if counted else "nothing"


def _counted(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {plural}"
