"""Wrong types everywhere: a client gets a 400 that names the field, an upstream a failure; never an exception."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.compat import BUILT_IN
from llmswitch_core.protocols.sse import SseParser
from tests.core.hub.support import NAMES, Bench
from tests.core.review.hostile import REQUESTS, STREAMS, WHOLE, C, G, M, R, encoded, spoilt
from tests.core.review.test_attempts import Written

RELAXED = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
LOWERING = Written("lowering", {"features": {"tool_schema": "parameters", "output_schema": "responseSchema"}})
BENCHES = [
    Bench(),
    Bench("lowering", documents=[LOWERING]),
    *(Bench(name) for name in sorted(BUILT_IN) if name != "passthrough"),
]


def path_of(protocol: Protocol, target: str, stream: bool = False) -> str | None:
    action = "streamGenerateContent" if stream else "generateContent"
    return f"/v1beta/models/{target}.main.m:{action}" if protocol is G else None


def addressed(protocol: Protocol, body: Any, target: str) -> Any:
    if protocol is not G and isinstance(body, dict) and body.get("model") == "":
        return {**body, "model": f"{target}.main.m"}
    return body


@RELAXED
@pytest.mark.parametrize("protocol", list(NAMES))
@given(data=st.data())
def test_a_request_of_wrong_types_is_sent_or_refused_and_never_changed(protocol: Protocol, data: st.DataObject) -> None:
    bench, target = data.draw(st.sampled_from(BENCHES)), data.draw(st.sampled_from(sorted(NAMES.values())))
    body = encoded(addressed(protocol, data.draw(spoilt(REQUESTS[protocol])), target))
    refused: GatewayError | None = None
    try:
        exchange = bench.admit(protocol, body, path=path_of(protocol, target))
        before = json.dumps(exchange.tree)
        plan = bench.plan(exchange)
    except GatewayError as error:
        refused = error
    if refused is not None:
        assert refused.kind in {ErrorKind.INVALID_REQUEST, ErrorKind.NOT_FOUND}
        return
    assert json.dumps(exchange.tree) == before
    assert plan.upstream is not None
    assert isinstance(json.loads(plan.upstream.body), dict)


@RELAXED
@pytest.mark.parametrize("outbound", list(NAMES))
@given(data=st.data())
def test_an_answer_of_wrong_types_is_read_or_a_failure_of_the_upstream(outbound: Protocol, data: st.DataObject) -> None:
    bench = data.draw(st.sampled_from(BENCHES))
    inbound, stream = data.draw(st.sampled_from(list(NAMES))), data.draw(st.booleans())
    exchange = bench.admit(inbound, _asking(inbound, NAMES[outbound], stream), path=_path(inbound, outbound, stream))
    sse = data.draw(st.booleans())
    way = bench.way(exchange, bench.plan(exchange), "text/event-stream" if sse else "application/json")
    chunks = _frames(outbound, data) if sse else [encoded(data.draw(spoilt(WHOLE[outbound])))]
    for chunk in chunks:
        way.feed(chunk)
    way.end()
    assert (way.failure is None) is way.finished
    if way.failure is not None:
        assert way.failure.code != "internal_error", way.failure
        assert bench.pipeline.refuse(inbound, way.failure, "r").body


def _frames(outbound: Protocol, data: st.DataObject) -> list[bytes]:
    frames = data.draw(spoilt(STREAMS[outbound]))
    return [_event(frame) for frame in frames] + ([b"data: [DONE]\n\n"] if outbound is C else [])


def _event(frame: Any) -> bytes:
    kind = frame.get("type") if isinstance(frame, dict) else None
    name = f"event: {kind}\n".encode() if isinstance(kind, str) and kind.isascii() else b""
    return name + b"data: " + encoded(frame) + b"\n\n"


def _asking(protocol: Protocol, target: str, stream: bool) -> dict[str, Any]:
    model = {"model": f"{target}.main.m", "stream": stream}
    bodies: dict[Protocol, dict[str, Any]] = {
        C: {**model, "messages": [{"role": "user", "content": "x"}]},
        R: {**model, "input": "x", "tools": [{"type": "custom", "name": "c"}]},
        M: {**model, "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]},
        G: {"contents": [{"parts": [{"text": "x"}]}]},
    }
    return bodies[protocol]


def _path(inbound: Protocol, outbound: Protocol, stream: bool) -> str | None:
    return path_of(inbound, NAMES[outbound], stream)


# --- growth ----------------------------------------------------------------------------------------------------


def _said(protocol: Protocol, role: str, text: str) -> Any:
    return (
        {"role": "model" if role == "assistant" else role, "parts": [{"text": text}]}
        if protocol is G
        else {
            "role": role,
            "content": text,
        }
    )


def _call(protocol: Protocol, name: str) -> Any:
    return {
        C: {
            "role": "assistant",
            "tool_calls": [{"id": name, "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        R: {"type": "function_call", "call_id": name, "name": "f", "arguments": "{}"},
        M: {"role": "assistant", "content": [{"type": "tool_use", "id": name, "name": "f", "input": {}}]},
        G: {"role": "model", "parts": [{"functionCall": {"id": name, "name": "f", "args": {}}}]},
    }[protocol]


def _result(protocol: Protocol, name: str) -> Any:
    return {
        C: {"role": "tool", "tool_call_id": name, "content": "r"},
        R: {"type": "function_call_output", "call_id": name, "output": "r"},
        M: {"role": "user", "content": [{"type": "tool_result", "tool_use_id": name, "content": "r"}]},
        G: {"role": "user", "parts": [{"functionResponse": {"id": name, "name": "f", "response": {"output": "r"}}}]},
    }[protocol]


SHAPES: dict[str, Callable[[Protocol, int], list[Any]]] = {
    "one speaker": lambda p, n: [_said(p, "user", f"u{i}") for i in range(n)],
    "one id for every call": lambda p, n: [t for i in range(n) for t in (_call(p, "c"), _result(p, "c"))],
    "parallel calls": lambda p, n: [*(_call(p, f"c{i}") for i in range(n)), *(_result(p, f"c{i}") for i in range(n))],
    "orphans": lambda p, n: [*(_result(p, f"c{i}") for i in range(n)), _said(p, "user", "x")],
    "calls nobody answers": lambda p, n: [
        *(_call(p, f"c{i}") for i in range(n)),
        *(_result(p, f"o{i}") for i in range(n)),
    ],
}


def _lines_run(work: Callable[[], object]) -> int:
    """Lines of Python that the work runs: time without a clock."""
    lines = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("target", sorted(NAMES.values()))
@pytest.mark.parametrize("protocol", list(NAMES))
def test_mp28_work_grows_no_faster_than_the_history(protocol: Protocol, target: str, shape: str) -> None:
    bench = BENCHES[0]

    def work(turns: int) -> Callable[[], object]:
        history = [_said(protocol, "user", "x"), *SHAPES[shape](protocol, turns)]
        member = {C: "messages", R: "input", M: "messages", G: "contents"}[protocol]
        body = encoded({member: history, **({} if protocol is G else {"model": f"{target}.main.m", "max_tokens": 9})})
        return lambda: bench.plan(bench.admit(protocol, body, path=path_of(protocol, target)))

    work(2)()
    assert _lines_run(work(300)) < 2.1 * _lines_run(work(150))


# --- framing ---------------------------------------------------------------------------------------------------

PIECES = (
    b"data: a",
    b"data:b",
    b"\n",
    b"\n\n",
    b"\r\n",
    b"\r",
    b"\r\n\r\n",
    b"event: x\n",
    b": c\n",
    b"xx",
    b"{",
    b"\n\r",
)


def _framed(chunks: list[bytes]) -> list[tuple[str, bytes]]:
    parser = SseParser()
    frames = [frame for chunk in chunks for frame in parser.feed(chunk)] + parser.flush()
    return [(frame.event, frame.data) for frame in frames]


@settings(deadline=None, max_examples=400)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=14), cuts=st.lists(st.integers(0, 80), max_size=5))
def test_mp11_mixed_line_ends_give_the_same_frames_however_they_are_split(pieces: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(pieces)
    at = sorted(min(cut, len(stream)) for cut in cuts)
    split = [stream[begin:end] for begin, end in zip([0, *at], [*at, len(stream)], strict=True)]
    assert _framed(split) == _framed([stream])
    assert _framed([bytes([byte]) for byte in stream]) == _framed([stream])


def test_mp28_a_long_frame_is_put_together_once() -> None:
    parser = SseParser()
    parser.feed(b"data: ")
    kept = parser._buffer
    for _ in range(1000):
        assert parser.feed(b"x" * 1400) == []
        assert parser._buffer is kept
    assert parser.pending == 6 + 1_400_000
    (frame,) = parser.feed(b"y\n\n")
    assert frame.data == b"x" * 1_400_000 + b"y"
