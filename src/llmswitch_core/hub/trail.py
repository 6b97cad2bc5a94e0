"""A client's stream that is made of an upstream's own frames, and what the gateway must say into it (MP-10, MP-26).

Forwarded frames carry ids and numbers of the upstream's. A keepalive or a failure of the gateway's, spoken into such a
stream, has to go on with them: the chunk's id on C, the response and its sequence numbers on R. After a numbered event
of ours the upstream's later numbers are moved up. M and G need nothing of this. Knows two wire formats' envelopes and
nothing of attempts or time.
"""

from __future__ import annotations

import re
from typing import Any, Final

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.protocols.contract import SseFrame
from llmswitch_core.protocols.openai_responses.errors import stream_error
from llmswitch_core.protocols.sse import data_frame, event_frame

_NUMBER: Final = re.compile(rb'("sequence_number"\s*:\s*)(\d+)')
_CHUNK: Final = ("id", "object", "created", "model", "service_tier", "system_fingerprint")


class Trail:
    """First and last forwarded frame of one client stream, and how many events the gateway put between them."""

    __slots__ = ("_protocol", "first", "inserted", "last")

    def __init__(self, protocol: Protocol, first: SseFrame) -> None:
        self._protocol = protocol
        self.first = first
        self.last = first
        self.inserted = 0

    def moved(self, frame: SseFrame) -> SseFrame:
        """The frame as it must go out behind the gateway's own events."""
        return SseFrame(frame.event, frame.data, self._moved_up(frame.raw))

    def _moved_up(self, raw: bytes) -> bytes:
        return _NUMBER.sub(lambda found: b"%b%d" % (found[1], int(found[2]) + self.inserted), raw, count=1)

    def keepalive(self) -> bytes | None:
        """An event that belongs to the forwarded stream; None where the protocol's ordinary keepalive does."""
        if self._protocol is Protocol.OPENAI_CHAT:
            seen = _object(self.last) or _object(self.first)
            chunk: dict[str, Any] = {name: seen[name] for name in _CHUNK if name in seen}
            chunk["choices"] = [{"index": 0, "delta": {}, "finish_reason": None}]
            return data_frame(jsonio.encode(chunk)) if seen else None
        if self._protocol is Protocol.OPENAI_RESPONSES:
            return self._lifecycle("response.in_progress", {})
        return None

    def fail(self, error: GatewayError) -> bytes | None:
        """The stream's terminal error event; None where the protocol's ordinary one fits."""
        if self._protocol is not Protocol.OPENAI_RESPONSES:
            return None
        return self._lifecycle("response.failed", {"status": "failed", "error": stream_error(error)})

    def _lifecycle(self, name: str, members: dict[str, Any]) -> bytes | None:
        response = _object(self.first).get("response")
        number = _NUMBER.search(self.last.data)
        if not isinstance(response, dict) or number is None:
            return None
        self.inserted += 1
        event = {
            "type": name,
            "response": {**response, **members},
            "sequence_number": int(number[2]) + self.inserted,
        }
        return event_frame(name.encode(), jsonio.encode(event))


def _object(frame: SseFrame) -> dict[str, Any]:
    try:
        tree = jsonio.decode(frame.data)
    except ValueError:
        return {}
    return tree if isinstance(tree, dict) else {}
