"""What one field does to the upstream request: the request with it, compared with the request without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmswitch_core.canonical.errors import GatewayError

from .carrying import GONE, Field
from .cases import PROTOCOL, Cell
from .dialects import Json
from .gateway import MODEL, target
from .inprocess import InProcess

BASE: dict[str, Json] = {
    "C": {"messages": [{"role": "user", "content": "hi"}]},
    "R": {"input": [{"role": "user", "content": "hi"}]},
    "M": {"max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]},
    "G": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
}


@dataclass(frozen=True)
class Observed:
    """What was seen: members added, changed or gone; notes; or the refusal's code."""

    members: dict[str, Any]
    notes: dict[str, str]
    refused: str | None
    violations: tuple[str, ...]


def observe(inside: InProcess, letter: str, field: Field, outbound: str) -> Observed:
    """Send the base body and the body with the field, and compare what went upstream."""
    base = {**BASE[letter], **field.beside}
    before, before_notes, _, _ = _send(inside, letter, base, outbound)
    after, notes, refused, violations = _send(inside, letter, {**base, **field.put}, outbound)
    if refused is not None:
        return Observed({}, {}, refused, ())
    told = {name: how for name, how in notes.items() if before_notes.get(name) != how}
    return Observed(difference(before, after), told, None, violations)


def _send(
    inside: InProcess, letter: str, body: Json, outbound: str
) -> tuple[Json, dict[str, str], str | None, tuple[str, ...]]:
    inside.reset()
    cell = Cell("carrying", letter + outbound, "stream" if body.get("stream") else "whole")
    model = target(PROTOCOL[outbound])
    path = {"C": "/v1/chat/completions", "R": "/v1/responses", "M": "/v1/messages"}.get(letter, "")
    sent = dict(body) if letter == "G" else {"model": model, **body}
    try:
        passed = inside.send(cell, path or f"/v1beta/models/{model}:generateContent", {}, sent)
    except GatewayError as error:
        return {}, {}, error.code, ()
    asked = passed.reply.upstream[0]
    found = tuple(f"{v.rule}: {v.message}" for v in asked.violations)
    assert asked.model == MODEL[PROTOCOL[outbound]]
    if outbound == "G":
        asked.body.setdefault("generationConfig", {})  # its members are fields of their own
    return asked.body, passed.notes, None, found


def difference(before: Any, after: Any, path: str = "") -> dict[str, Any]:
    """Paths whose value is new, another or gone: a whole new subtree counts as one."""
    if isinstance(before, dict) and isinstance(after, dict):
        out: dict[str, Any] = {}
        for key in [*before, *(k for k in after if k not in before)]:
            here = f"{path}.{key}" if path else key
            if key not in after:
                out[here] = GONE
            elif key not in before:
                out[here] = after[key]
            else:
                out.update(difference(before[key], after[key], here))
        return out
    if before == after:
        return {}
    return {path: after}
