"""Metrics as the gateway exports them, and the record every request leaves in the log."""

from __future__ import annotations

import typing
from typing import Any, Final

import msgspec
from tools.docs.running import of_gateway
from tools.docs.source import argument, attribute_docs, called, calls, modules, words
from tools.docs.text import clean, code, codes, table

from routecodex.app.kernel.assembly import Assembly
from routecodex.blocks.telemetry import AttemptRecord, OutcomeClass, OutcomeRecord

TITLE: Final = "Metrics and logs"
SOURCES: Final = ("src/routecodex/blocks/telemetry/metrics.py", "src/routecodex/blocks/telemetry/records.py")

_RECORDS: Final = "routecodex/blocks/telemetry/records.py"
_LEVELS: Final = ("debug", "info", "warning", "error")
_SUFFIX: Final = {"counter": "_total"}


def page() -> str:
    """The page's body."""
    return "\n\n".join(
        [
            (
                "`GET /metrics` answers in Prometheus' format to the admin token. Beside these stand the usual "
                "process, platform and garbage collector metrics."
            ),
            "## Metrics",
            table(("metric", "type", "labels", "meaning"), of_gateway(_families)),
            (
                "Label values come from configuration and enumerations; beyond 2000 label sets of one metric the rest "
                "counts as `(other)`."
            ),
            "## The request record",
            (
                'One JSON object per line on standard error, `event = "request"`. '
                "It holds no text of the conversation. "
                "Members at their default are left out."
            ),
            _fields(OutcomeRecord),
            "### Each of `attempts`",
            _fields(AttemptRecord),
            "### Outcome classes",
            codes(member.value for member in OutcomeClass) + ".",
            "## Other events",
            table(("event", "level"), _events()),
        ]
    )


def _families(gateway: Assembly) -> list[tuple[str, str, str, str]]:
    return [
        (code(family.name + _SUFFIX.get(family.type, "")), family.type, codes(family._labelnames), family.documentation)
        for family in (typing.cast("Any", each) for each in gateway.metrics.collect())
    ]


def _fields(kind: type[msgspec.Struct]) -> str:
    docs = attribute_docs(_RECORDS, kind.__name__)
    rows = [
        (code(field.encode_name), clean(docs.get(field.name)) or _PLAIN.get(field.name, ""))
        for field in msgspec.structs.fields(kind)
    ]
    return table(("member", "meaning"), rows)


_PLAIN: Final = {
    "event": "`request`",
    "at": "Unix seconds.",
    "request_id": "`x-routecodex-request-id`",
    "outcome": "See below.",
    "inbound": "Protocol of the client.",
    "operation": "generate, count_tokens, embed, compact or forward.",
    "code": "See [errors](errors.md).",
    "message": "The cause, in words.",
    "account": "Owner of the API key.",
    "conversation": "Keyed hash; unit of stickiness.",
    "conversation_source": "Where the conversation key came from.",
    "requested_model": "What the client asked for.",
    "route": "Route that was chosen.",
    "provider_key": "`provider.keyAlias.model`",
    "outbound": "Protocol of the upstream.",
    "stream": "The client wanted a stream.",
    "attempts": "Every call of an upstream, in order.",
    "finish": "Why the answer ended.",
    "tool_calls": "Calls in the answer.",
    "input_tokens": "Without what came from a cache.",
    "output_tokens": "Reasoning included.",
    "cached_tokens": "Read from the upstream's cache.",
    "notes": "`x-routecodex-notes`",
    "total_ms": "The whole request.",
    "generation": "Which configuration served it.",
    "layer": "Whose failure; see [errors](errors.md#layers).",
    "probe": "The request was a half-open circuit's probe.",
}


def _events() -> list[tuple[str, str]]:
    found: dict[str, set[str]] = {}
    for path, tree in modules().items():
        if not path.startswith("routecodex/"):
            continue
        for call in calls(tree):
            if called(call) in (*_LEVELS, "tell"):
                text = words(argument(call, 0, "event"))
                if text and "." in text and " " not in text:
                    found.setdefault(text, set()).add(called(call))
    return [(code(event), ", ".join(sorted("info or warning" if each == "tell" else each for each in levels)))
            for event, levels in sorted(found.items())]  # fmt: skip
