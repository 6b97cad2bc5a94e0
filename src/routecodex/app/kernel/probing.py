"""Tries a generation before anybody else does: sample requests through its pipeline, for every protocol and target.

A target that is out is no fault of the configuration; anything that is a fault of our own is. It sends nothing: the
plan is made and thrown away, on a router state of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

import msgspec

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.exchange import Inbound, Surroundings
from llmswitch_core.protocols.contract import RequestHead
from llmswitch_core.router.state import RouterState
from routecodex.app.generation import Generation

BUDGET: Final = 3.0
"""Seconds a probe may take."""
_MOST: Final = 64
"""Targets that are tried."""

_BODIES: Final[Mapping[Protocol, tuple[str, Mapping[str, Any]]]] = {
    Protocol.OPENAI_CHAT: ("/v1/chat/completions", {"messages": [{"role": "user", "content": "probe"}]}),
    Protocol.OPENAI_RESPONSES: ("/v1/responses", {"input": "probe", "store": False}),
    Protocol.ANTHROPIC_MESSAGES: (
        "/v1/messages",
        {"max_tokens": 16, "messages": [{"role": "user", "content": "probe"}]},
    ),
    Protocol.GEMINI: (
        "/v1beta/models/{model}:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "probe"}]}]},
    ),
}


def probe(generation: Generation, surroundings: Surroundings) -> str:
    """What is wrong with it; empty if nothing is."""
    deadline = time.monotonic() + BUDGET
    for inbound in islice(_samples(generation), _MOST * len(_BODIES)):
        if time.monotonic() > deadline:
            return f"The probe took longer than {BUDGET:g} s."
        try:
            exchange = generation.artifacts.pipeline.admit(inbound, surroundings)
            generation.artifacts.pipeline.plan(exchange, RouterState(), frozenset(), surroundings.now())
        except GatewayError as error:
            if error.kind is ErrorKind.INTERNAL:
                return f"A sample request ({inbound.protocol.value}) fails: {error.message}"
        except Exception as error:
            return f"A sample request ({inbound.protocol.value}) fails: {type(error).__name__}: {error}"
    return ""


def _samples(generation: Generation) -> Iterator[Inbound]:
    """One request per listed target and protocol; the pipeline's own classification where nothing is listed."""
    models = list(generation.config.routing.targets) or [""]
    for model in models:
        for protocol, (path, body) in _BODIES.items():
            asked = body if protocol is Protocol.GEMINI else {"model": model, **body}
            head = RequestHead("POST", path.replace("{model}", model), {}, {"content-type": "application/json"})
            yield Inbound("req_probe", protocol, "generate", head, msgspec.json.encode(asked), "")
