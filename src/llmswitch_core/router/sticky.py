"""Which target a conversation is bound to: prompt caches and signatures live where the conversation was.

A conversation has one binding per route, so that a coding route and a search route each keep theirs. Bindings end by
time and by number. A binding to a second choice is not renewed by use: the conversation goes home after the TTL.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from llmswitch_core.router.classify import NEEDS_ROUTES
from llmswitch_core.router.contract import StickySettings
from llmswitch_core.router.pools import Chain, Member
from llmswitch_core.router.state import RouterState, Sticky

_ROUTES_PER_CONVERSATION: Final = 16
_EVICTED_SHARE: Final = 16
"""One in so many bindings makes room when the map is full: a single scan of a dict's old end pays for many inserts."""


def bound_member(state: RouterState, chain: Chain, conversation_key: str, now: float) -> tuple[int, Member] | None:
    """(stage index, member) the conversation is bound to in this chain.

    Without a binding of this route the latest of the conversation's other routes counts, if its target is in this
    route's own pools: the same prompt cache. A route of needs (media, long context) takes no other route's binding.
    """
    bindings = state.sticky.get(conversation_key)
    if not bindings:
        return None
    mine = bindings.get(chain.binding)
    if mine is not None and mine.until > now:
        return chain.places.get(mine.provider_key)
    if chain.route in NEEDS_ROUTES:
        return None
    latest = bindings[next(reversed(bindings))]
    place = chain.places.get(latest.provider_key) if latest.until > now else None
    return place if place is not None and chain.stages[place[0]].own else None


def bind(
    state: RouterState,
    settings: StickySettings,
    chain: Chain,
    conversation_key: str,
    provider_key: str,
    fallback: bool,
    now: float,
) -> None:
    """Bind the conversation to the chosen target, and move it to the young end of the map."""
    bindings = state.sticky.pop(conversation_key, None)
    if bindings is None:
        bindings = {}
        _make_room(state.sticky, settings.max_entries)
    state.sticky[conversation_key] = bindings
    before = bindings.pop(chain.binding, None)
    if before is not None and before.provider_key == provider_key and before.fallback and before.until > now:
        bindings[chain.binding] = before
    else:
        bindings[chain.binding] = Sticky(provider_key, now + settings.ttl, fallback)
    if len(bindings) > _ROUTES_PER_CONVERSATION:
        del bindings[next(iter(bindings))]


def _make_room(sticky: dict[str, dict[str, Sticky]], max_entries: int) -> None:
    if len(sticky) >= max_entries:
        for key in list(islice(sticky, max(1, max_entries // _EVICTED_SHARE))):
            del sticky[key]
