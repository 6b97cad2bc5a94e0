"""Judges a run by its meaning. Every rule yields what is wrong in words; no word means right.

Three witnesses are asked: the client (exit code, final text or error), the wire (the tap), the upstreams (records).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .catalogue import PROTOCOLS, Cell
from .drivers.process import Ran, Said
from .scenarios import CUT_TEXT, Scenario
from .tap import Exchange
from .upstreams import Target

PATHS = {
    "C": ("/v1/chat/completions",),
    "R": ("/v1/responses",),
    "M": ("/v1/messages",),
    "G": (":streamGenerateContent", ":generateContent"),
}


def judge(
    cell: Cell, scenario: Scenario, ran: Ran, exchanges: list[Exchange], targets: list[Target], workspace: Path
) -> list[str]:
    """Everything that is wrong with it."""
    return [
        *_client(cell, scenario, ran),
        *_files(scenario, workspace),
        *_wire(cell, scenario, exchanges),
        *_upstreams(scenario, ran, targets),
    ]


# --- the client


def _client(cell: Cell, scenario: Scenario, ran: Ran) -> Iterator[str]:
    if ran.exit_code is None:
        yield "the client did not end by itself"
        return
    program_fails = scenario.fails and cell.client.driver != "sdk"  # an SDK program tells the error and ends well
    if program_fails and ran.exit_code == 0:
        yield "exit code 0, although the answer never came"
    if not program_fails and ran.exit_code != 0:
        yield f"exit code {ran.exit_code}"
    for mode, said in ran.said.items():
        for fault in _failed(scenario, said) if scenario.fails else _answered(scenario, said):
            yield f"{mode}: {fault}" if mode else fault


def _failed(scenario: Scenario, said: Said) -> Iterator[str]:
    if not said.error:
        yield f"no error; it takes {said.text!r} for the answer"
        return
    if CUT_TEXT in said.text:
        yield f"a cut answer is shown as one: {said.text!r}"
    if scenario.error_names and not any(name.lower() in said.error.lower() for name in scenario.error_names):
        yield f"the error does not tell its cause: {said.error!r}"


def _answered(scenario: Scenario, said: Said) -> Iterator[str]:
    if said.error:
        yield f"error: {said.error}"
        return
    if scenario.exact and said.text != scenario.exact:
        yield f"final text is {said.text!r}, expected {scenario.exact!r}"
    at = 0
    for piece in scenario.says:
        found = said.text.find(piece, at if scenario.in_order else 0)
        if found == -1:
            where = "at all" if piece not in said.text else "in this order"
            yield f"final text does not say {piece!r} {where}: {said.text!r}"
            return
        at = found + len(piece)


def _files(scenario: Scenario, workspace: Path) -> Iterator[str]:
    for name, content in scenario.made.items():
        file = workspace / name
        found = file.read_text(encoding="utf-8") if file.is_file() else None
        if found != content:
            yield f"{name} holds {found!r}, expected {content!r}"


# --- the wire between client and gateway


def _wire(cell: Cell, scenario: Scenario, exchanges: list[Exchange]) -> Iterator[str]:
    if cell.client.launched:
        return  # it was told the gateway's own address; the upstream's records say that it went there
    asked = [e for e in exchanges if any(path in e.target for path in PATHS[cell.client.own])]
    if not asked:
        yield f"the client asked nothing in its own protocol: {[str(e) for e in exchanges]}"
        return
    if cell.client.websocket:
        yield from _websocket(asked)
        return
    odd = sorted({e.status for e in asked if e.status and e.status not in scenario.statuses})
    if odd:
        yield f"the client saw status {odd}"
    if scenario.must_see and not any(e.status == scenario.must_see for e in asked):
        yield f"the client never saw a {scenario.must_see}: {[str(e) for e in asked]}"


def _websocket(asked: list[Exchange]) -> Iterator[str]:
    """Every request for an answer went over the WebSocket: upgraded, and nothing posted beside it."""
    if not any(e.method == "GET" and e.status == 101 for e in asked):
        yield f"no WebSocket was opened: {[str(e) for e in asked]}"
    posted = [str(e) for e in asked if e.method == "POST"]
    if posted:
        yield f"the client left the WebSocket: {posted}"


# --- the upstreams


def _upstreams(scenario: Scenario, ran: Ran, targets: list[Target]) -> Iterator[str]:
    conversations = max(1, len(ran.said))
    for index, (target, (least, most)) in enumerate(zip(targets, scenario.calls, strict=True)):
        records = target.generated
        spared = scenario.cools_down and index == 0  # the first target of such a case is the one that refuses
        fewest, limit = least if spared else least * conversations, most * conversations
        if not fewest <= len(records) <= limit:
            wanted = str(fewest) if fewest == limit else f"{fewest} to {limit}"
            yield f"{target.provider} was asked {len(records)} times, expected {wanted}"
        for record in target.fake.requests:
            for violation in record.violations:
                yield f"violation at {target.provider}: {violation.rule}: {violation.message}"
            if record.status in (401, 403, 404, 405):
                yield f"{target.provider} answered {record.status} to {record.method} {record.path}"
        for record in records:
            if record.protocol != PROTOCOLS[target.protocol] or not record.path.endswith(PATHS[target.protocol]):
                yield f"{target.provider} was asked by {record.protocol} at {record.path}"
