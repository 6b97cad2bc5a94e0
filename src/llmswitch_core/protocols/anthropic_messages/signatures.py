"""Foreign reasoning tokens inside the `signature` of a thinking block.

A Messages client keeps and replays thinking blocks only with a signature: the API demands one ("signature: Field
required"), and clients built on it drop or refuse blocks without. So thinking that came from another protocol gets a
signature that says whose token it holds, `routecodex.gemini.<token>`, or that it never had one, `routecodex.unsigned`.
The reader of the next request takes the envelope off again: the token returns to its issuer, plain reasoning stays
plain (MP-07, MP-08), and no foreign text can be taken for a signature of Anthropic's. A signature without envelope is
Anthropic's own. An empty one is what other gateways send for "none".
"""

from __future__ import annotations

from typing import Final

from llmswitch_core.canonical.model import Protocol, Thinking

_PREFIX: Final = "routecodex."
UNSIGNED: Final = "routecodex.unsigned"

_WORDS: Final[dict[tuple[Protocol, bool], str]] = {
    (Protocol.GEMINI, False): "gemini",
    (Protocol.OPENAI_RESPONSES, False): "responses-raw",
    (Protocol.OPENAI_RESPONSES, True): "responses",
    (Protocol.OPENAI_CHAT, False): "chat",
}
"""Origin and "the text is a summary" -> the word in the envelope."""

_ORIGINS: Final = {word: key for key, word in _WORDS.items()}


def to_wire(signature: str | None, origin: Protocol | None, summary: bool) -> str:
    """The `signature` member for a thinking part."""
    if not signature:
        return "" if origin is Protocol.ANTHROPIC_MESSAGES else UNSIGNED
    if origin is None or origin is Protocol.ANTHROPIC_MESSAGES:
        return signature
    word = _WORDS.get((origin, summary)) or _WORDS[(origin, False)]
    return f"{_PREFIX}{word}.{signature}"


def read_thinking(text: str, signature: str | None) -> Thinking:
    """A thinking block of a request as the part it once was."""
    if not signature or signature == UNSIGNED:
        return Thinking(text=text)
    if signature.startswith(_PREFIX):
        word, dot, token = signature[len(_PREFIX) :].partition(".")
        known = _ORIGINS.get(word)
        if known is not None and dot and token:
            return Thinking(text=text, signature=token, origin=known[0], summary=known[1])
    return Thinking(text=text, signature=signature, origin=Protocol.ANTHROPIC_MESSAGES)
