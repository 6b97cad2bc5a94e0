"""The heads of answers: content type, the gateway's own headers, and what passes of the upstream's.

Names of models and fields are chosen by clients; nothing of them can end a header line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from llmswitch_core.hub.exchange import Exchange, Plan
from llmswitch_core.protocols.contract import ErrorReply
from routecodex.app.generation import Generation
from routecodex.blocks.http_adapter.headers import answered

Head: TypeAlias = list[tuple[bytes, bytes]]

_CONTROLS: Final = dict.fromkeys((*range(32), 127), " ")
"""Characters a header value cannot hold."""


def answer_head(
    generation: Generation, exchange: Exchange, plan: Plan | None = None, upstream: Mapping[str, str] | None = None
) -> Head:
    """Of a successful answer; before an attempt has answered without `plan` and `upstream` (its headers)."""
    kind = generation.artifacts.pipeline.content_type(exchange)
    head = [(b"content-type", kind.encode("ascii")), *_own(generation, exchange.inbound.request_id, plan)]
    if exchange.stream:
        head.append((b"cache-control", b"no-cache"))
        head.append((b"x-accel-buffering", b"no"))
    notes = exchange.notes.header()
    if notes:
        head.append((b"x-routecodex-notes", _value(notes)))
    if upstream is not None:
        head.extend(answered(upstream))
    return head


def error_head(generation: Generation, request_id: str, plan: Plan | None, reply: ErrorReply) -> Head:
    """Of a failure."""
    return [
        (b"content-type", b"application/json"),
        *_own(generation, request_id, plan),
        *plain(reply.headers),
    ]


def plain(headers: Mapping[str, str]) -> Head:
    """Headers of the gateway's own making, as bytes."""
    return [(name.encode("latin-1"), _value(value)) for name, value in headers.items()]


def _own(generation: Generation, request_id: str, plan: Plan | None) -> Head:
    own = [(b"x-routecodex-request-id", request_id.encode("latin-1")), generation.id_header]
    if plan is not None and plan.target is not None:
        own.append((b"x-routecodex-target", _value(plan.target.provider_key)))
    return own


def _value(text: str) -> bytes:
    return (text if text.isprintable() else text.translate(_CONTROLS)).encode("ascii", "replace")
