"""Foreign opaque tokens inside `encrypted_content`, so that a client can replay them without knowing whose they are.

A Responses client sends reasoning items back as it got them; `encrypted_content` is the only member it neither
reads nor changes. A token of another protocol (an Anthropic signature, a Gemini thoughtSignature) therefore rides
in it behind a mark that names its form: `rcx1.<form>.<token>`. The mark makes replay stateless: it survives a
restart and a change of gateway. A token without a mark is the vendor's own.

Gemini also signs calls and text, for which this wire has no member. Such a signature travels in an otherwise empty
reasoning item of its own, right before (`next`) or after (`previous`) the part it belongs to. Reasoning that has no
token at all (plain `reasoning_content`) bears the bare mark `rcx1.t.`: a Responses upstream that is handed the
conversation later must not be shown an item id it never issued.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import msgspec

from llmswitch_core.canonical.model import JsonValue, Protocol

Slot: TypeAlias = Literal["thinking", "redacted", "next", "previous"]

_MARK: Final = "rcx1."
PLAIN: Final = "rcx1.t."
"""`encrypted_content` of reasoning that no vendor signed."""

_FORMS: Final[dict[str, tuple[Protocol, Slot]]] = {
    "r": (Protocol.OPENAI_RESPONSES, "thinking"),
    "m": (Protocol.ANTHROPIC_MESSAGES, "thinking"),
    "mr": (Protocol.ANTHROPIC_MESSAGES, "redacted"),
    "mn": (Protocol.ANTHROPIC_MESSAGES, "next"),
    "mp": (Protocol.ANTHROPIC_MESSAGES, "previous"),
    "g": (Protocol.GEMINI, "thinking"),
    "gr": (Protocol.GEMINI, "redacted"),
    "gn": (Protocol.GEMINI, "next"),
    "gp": (Protocol.GEMINI, "previous"),
    "c": (Protocol.OPENAI_CHAT, "thinking"),
    "cr": (Protocol.OPENAI_CHAT, "redacted"),
    "cn": (Protocol.OPENAI_CHAT, "next"),
    "cp": (Protocol.OPENAI_CHAT, "previous"),
}
_NAMES: Final = {form: name for name, form in _FORMS.items()}


class Token(msgspec.Struct, frozen=True):
    """An opaque token, the protocol whose form it has (None: no token, plain text), and what it belongs to."""

    origin: Protocol | None
    slot: Slot
    value: str


def seal(value: str, origin: Protocol | None, slot: Slot = "thinking") -> str:
    """`value` as `encrypted_content`; tokens of this protocol's own form stay as they are.

    Unless they bear a mark already: then another gateway upstream made them, and only it may undo it.
    """
    if origin is None or (origin is Protocol.OPENAI_RESPONSES and not value.startswith(_MARK)):
        return value
    name = _NAMES.get((origin, slot))
    return value if name is None else f"{_MARK}{name}.{value}"


def unseal(encrypted: str) -> Token:
    """What `encrypted_content` holds; without a (known) mark it is the vendor's own token."""
    if encrypted == PLAIN:
        return Token(None, "thinking", "")
    if encrypted.startswith(_MARK):
        name, dot, value = encrypted[len(_MARK) :].partition(".")
        form = _FORMS.get(name)
        if dot and form is not None:
            return Token(form[0], form[1], value)
    return Token(Protocol.OPENAI_RESPONSES, "thinking", encrypted)


def without_foreign(items: JsonValue) -> list[Any] | None:
    """`input` without the reasoning items this gateway made from other protocols' answers; None if it has none.

    For a Responses upstream that gets the client's own items: it would refuse tokens and ids it did not issue.
    """
    if not isinstance(items, list):
        return None
    kept = [item for item in items if not _is_foreign(item)]
    return kept if len(kept) < len(items) else None


def _is_foreign(item: JsonValue) -> bool:
    if not isinstance(item, dict) or item.get("type") != "reasoning":
        return False
    encrypted = item.get("encrypted_content")
    if not isinstance(encrypted, str) or not encrypted.startswith(_MARK):
        return False
    return unseal(encrypted).origin is not Protocol.OPENAI_RESPONSES
