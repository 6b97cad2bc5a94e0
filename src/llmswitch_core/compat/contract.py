"""What a compat profile offers the Hub Pipeline. The rules themselves live in profile.py, actions.py and builtin/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from typing import Protocol as Interface

import msgspec

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import JsonValue, Protocol
from llmswitch_core.protocols.contract import Notes


class CompatContext(msgspec.Struct, frozen=True):
    """Facts a rule may look at (`when`): target model, protocols, stream mode, per-model options."""

    model: str
    inbound: Protocol
    outbound: Protocol
    stream: bool
    options: Mapping[str, Any] = {}


class CompatProfile(Interface):
    """One upstream's quirks, compiled. Stateless and shared between requests."""

    name: str
    vendor: str
    """Vendor family for signatures; "" = the provider's id."""
    features: Mapping[str, Any]
    """Facts the protocol writers read (WireTarget.features)."""
    model_name: Literal["upstream", "requested"]
    force_mode: Literal["stream", "json"] | None
    """The upstream is asked in this mode whatever the client wants."""
    edits_answers: bool
    """False: answers may be forwarded as bytes."""
    checks_answers: bool
    """True: `failure` knows shapes of errors, also in stream payloads."""
    edits_requests: bool

    def request(
        self, body: dict[str, JsonValue], headers: dict[str, str], context: CompatContext, notes: Notes
    ) -> set[str]:
        """Apply the request rules to `body` in place; returns the top-level members that changed, came or went.

        Nested values may be shared with the client's request: they are replaced, never changed."""
        ...

    def answer(self, body: dict[str, JsonValue], context: CompatContext) -> dict[str, JsonValue]:
        """Apply the answer rules to a non-streamed answer or one stream payload; returns the tree to read."""
        ...

    def failure(self, body: Mapping[str, JsonValue], context: CompatContext) -> GatewayError | None:
        """The error hidden in a 200 body or stream payload, if the profile knows that shape."""
        ...
