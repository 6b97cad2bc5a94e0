"""Is a request legal for the vendor it was sent to? The door to one validator per protocol.

A validator yields violations with the vendor's own words; the server answers the first of them with the
vendor's status. Rules have names, so that a test can relax one on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .ids import Ids
from .records import RecordedRequest, Violation


def words(text: str) -> frozenset[str]:
    """The words of a text: how the field tables are written."""
    return frozenset(text.split())


@dataclass
class Judge:
    """What every validator needs: who signs, and which foreign signatures a test allows."""

    ids: Ids
    trusted: tuple[str, ...] = ()
    history: list[dict[str, Any]] = field(default_factory=list)
    """R: the items that previous_response_id brings along."""
    call_id_length: int = 64

    def owns(self, vendor: str, signature: object) -> bool:
        """Issued here, or trusted by prefix."""
        return self.ids.owns(vendor, signature) or (
            isinstance(signature, str) and bool(self.trusted) and signature.startswith(self.trusted)
        )


def check(request: RecordedRequest, judge: Judge, relaxed: frozenset[str]) -> list[Violation]:
    """All violations of the request, without those of relaxed rules."""
    from . import strict_chat, strict_gemini, strict_messages, strict_responses

    validators = {
        "openai-chat": strict_chat.validate,
        "openai-responses": strict_responses.validate,
        "anthropic-messages": strict_messages.validate,
        "gemini": strict_gemini.validate,
    }
    found: Iterator[Violation] = validators[request.protocol](request, judge)
    return [v for v in found if v.rule not in relaxed]
