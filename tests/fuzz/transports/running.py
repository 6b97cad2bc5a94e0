"""One side against one case: what came of every request."""

from __future__ import annotations

import asyncio

import msgspec

from llmswitch_core.canonical.model import Protocol
from routecodex.config.compiled import ProviderSpec, Timeouts
from routecodex.providers.transport import TransportError, TransportRequest
from tests.fuzz.transports.making import Case
from tests.fuzz.transports.serving import Upstream
from tests.host.transports.sides import Make

BODY = b'{"question":"?"}'
TIMEOUTS = Timeouts(connect=5, first_byte=5, idle=5, total=60)
HANG = 20.0


class Outcome(msgspec.Struct, frozen=True):
    """What one request came to."""

    status: int
    """0: no head came."""
    headers: tuple[tuple[str, str], ...]
    body: bytes
    fault: str
    """Empty: a clean end; `hang`: neither end nor fault; `crash: …`: something that is no TransportError."""
    detail: str = ""


class Run(msgspec.Struct, frozen=True):
    """What one case came to on one side."""

    outcomes: tuple[Outcome, ...]
    requests: int
    """How often the upstream was asked, second tries included."""


async def run(make: Make, upstream: Upstream, case: Case) -> Run:
    """Play the case against this side. Raises TimeoutError where it leaves a connection open."""
    upstream.play(case)
    transport = make(
        ProviderSpec(
            "fuzz", Protocol.OPENAI_CHAT, f"http://127.0.0.1:{upstream.port}", "f", "plain", {}, timeouts=TIMEOUTS
        )
    )
    outcomes = []
    for number, method in enumerate(case.methods):
        url = f"http://127.0.0.1:{upstream.port}/{number}"
        body = b"" if method in ("GET", "HEAD") else BODY
        outcome = await _asked(make, transport, TransportRequest(method, url, {"accept": "*/*"}, body))
        outcomes.append(outcome)
    await transport.close()
    await upstream.quiet()
    return Run(tuple(outcomes), len(upstream.requests))


async def _asked(make: Make, transport: object, request: TransportRequest) -> Outcome:
    status, headers, body = 0, (), bytearray()
    fault = detail = ""
    try:
        async with asyncio.timeout(HANG):
            stream = await transport.open(request)  # type: ignore[attr-defined]
            status, headers = stream.status, tuple(sorted(stream.headers.items()))
            try:
                while data := await stream.read():
                    body += data
            finally:
                stream.close()
    except TransportError as error:
        fault, detail = error.fault.value, error.detail
    except TimeoutError:
        fault = "hang"
    except Exception as error:
        fault = f"crash: {type(error).__name__}: {error}"[:200]
    return Outcome(status, headers, bytes(body), fault, detail)
