"""The router's memory: plain data, handed in by the host, changed only by health.py and select.py.

Everything in it can be encoded, stored with a record and put back, so that a replayed or shadowed request meets the
same state. It knows no rules; times are seconds on whatever clock the caller reads.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

CooldownCause: TypeAlias = Literal["rate_limit", "auth", "billing", "model_missing", "overloaded", "quota", "operator"]


class Health(msgspec.Struct, omit_defaults=True):
    """What is known against one key or one model of a key. A healthy one has no entry."""

    failures: list[float] = []
    """Times of the failures since the last success, within the window; at most the threshold."""
    open_until: float = 0.0
    """End of the circuit's open time; meaningless while `openings` is 0."""
    openings: int = 0
    """How often the circuit opened since it was last closed; 0 = closed."""
    probes: list[float] = []
    """Start times of the half-open probes under way."""
    cool_until: float = 0.0
    cool_cause: CooldownCause | None = None
    last_error: str = ""
    """`kind/code` of the latest failure, for people."""
    touched: float = 0.0


class Quota(msgspec.Struct, omit_defaults=True):
    """What a provider still grants: `remaining` of `limit` units until `reset_at`; None = not said.

    `source` operator: a hard stop at zero. headers: zero is avoided, not obeyed (vendors round, and windows slide).
    """

    remaining: float | None = None
    limit: float | None = None
    reset_at: float | None = None
    source: Literal["headers", "operator"] = "headers"


class Sticky(msgspec.Struct):
    """The target a conversation is bound to until `until`. `fallback`: a second choice, which use does not renew."""

    provider_key: str
    until: float
    fallback: bool = False


class RouterState(msgspec.Struct):
    """All of it. `models` by provider_key, `keys` by runtime_key, `quota` by either then unit, `rotation` by pool then
    entry, `sticky` by conversation key then route (both in order of use), `disabled` by provider id, runtime_key or
    provider_key, with the reason."""

    models: dict[str, Health] = {}
    keys: dict[str, Health] = {}
    quota: dict[str, dict[str, Quota]] = {}
    rotation: dict[str, dict[str, float]] = {}
    sticky: dict[str, dict[str, Sticky]] = {}
    disabled: dict[str, str] = {}

    def snapshot(self, conversation_key: str | None = None) -> dict[str, Any]:
        """A copy as plain data (dict, list, str, numbers). With a conversation key only its own bindings are copied:
        what one request's record needs, whatever the number of conversations."""
        if conversation_key is None:
            bindings = self.sticky
        else:
            mine = self.sticky.get(conversation_key)
            bindings = {} if mine is None else {conversation_key: mine}
        copied: dict[str, Any] = msgspec.to_builtins(
            {
                "models": self.models,
                "keys": self.keys,
                "quota": self.quota,
                "rotation": self.rotation,
                "sticky": bindings,
                "disabled": self.disabled,
            }
        )
        return copied


def restore(snapshot: Any) -> RouterState:
    """The state a snapshot was taken of. Raises msgspec.ValidationError for anything else."""
    return msgspec.convert(snapshot, RouterState)
