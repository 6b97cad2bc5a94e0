"""Wrong types everywhere: recorded requests with one value, any value, replaced by something it must not be.

The client's fault is a 400 in words that name it, or it does no harm; it is never a fault of the gateway's.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from tests.fake_upstream import Text

from .cases import LETTER, LETTERS, PROTOCOL, Cell
from .gateway import target
from .inprocess import InProcess, Passed
from .recorded import Recorded, all_recorded

INSIDE = InProcess(strict=False)
WRONG: list[Any] = [None, True, 0, -1, 1.5, 10**30, "", "x", "\ud83d", [], [None], [[]], {}, {"type": None}, {"a": {}}]
PLAIN = [
    r
    for r in all_recorded()
    if not r.counts and not r.websocket and "previous_response_id" not in r.body and len(json.dumps(r.body)) < 20_000
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON tree."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found.extend(places(inner, (*path, key)))
    return found


@st.composite
def damaged(draw: st.DrawFn, letter: str) -> tuple[Recorded, Any, tuple[Any, ...]]:
    """A recorded request of that protocol, its body with one value replaced, and where."""
    recorded = draw(st.sampled_from([r for r in PLAIN if r.letter == letter]))
    body = copy.deepcopy(recorded.body)
    where = draw(st.sampled_from(places(body)))
    holder = body
    for key in where[:-1]:
        holder = holder[key]
    holder[where[-1]] = draw(st.sampled_from(WRONG))
    return recorded, body, where


@pytest.mark.parametrize("outbound", LETTERS)
@pytest.mark.parametrize("inbound", LETTERS)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_wrong_types_are_the_clients_fault(inbound: str, outbound: str, data: st.DataObject) -> None:
    """A GatewayError that blames the client and names the cause, or an answer."""
    recorded, body, where = data.draw(damaged(inbound))
    INSIDE.reset()
    INSIDE.fake.script(Text("fine"))
    cell = Cell("hostile", inbound + outbound, "stream" if recorded.stream else "whole")
    model = target(PROTOCOL[outbound])
    path = recorded.path
    if inbound == "G":
        path = f"/v1beta/models/{model}:{path.rpartition(':')[2]}"
    elif where != ("model",):
        body["model"] = model
    passed: Passed | None = None
    refusal: GatewayError | None = None
    try:
        passed = INSIDE.send(cell, path, recorded.query, body, headers=recorded.headers)
    except GatewayError as error:
        refusal = error
    if passed is None:
        assert refusal is not None
        assert refusal.kind in (ErrorKind.INVALID_REQUEST, ErrorKind.NOT_FOUND), repr(refusal)
        assert refusal.message
        return
    assert passed.failure is None or passed.reply.status >= 400, passed.failure
    assert LETTER[passed.reply.upstream[0].protocol] == outbound or where == ("model",)
