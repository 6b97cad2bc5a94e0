"""The conversation key: the unit of stickiness and of canary assignment, with the source it came from.

Sources in order (architecture.md §3): an explicit session or conversation id; the root of `previous_response_id`; a
keyed hash of api key, first system text and first user turn; the request id. Whatever the source, the key is a keyed
BLAKE2 digest: no text, no id and no key of a client can be read from it, and two accounts never share one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from llmswitch_core.canonical.model import Conversation, JsonValue, Media, Part, Text, ToolCall, ToolResult, Turn

Source: TypeAlias = Literal["header", "client-session", "body", "previous-response", "content", "request"]

OWN_HEADER: Final = "x-routecodex-conversation"

SESSION_HEADERS: Final = (
    "x-claude-code-session-id",
    "session-id",
    "session_id",
    "conversation-id",
    "conversation_id",
    "thread-id",
)
"""Headers in which coding agents name their session: Claude Code, then Codex (with `-`, earlier versions with `_`)."""

_BODY_MEMBERS: Final = ("conversation", "conversation_id", "session_id", "thread_id")
"""Top-level body members without a canonical field that name a conversation."""

_HEAD_CHARACTERS: Final = 65_536
"""Characters of a text and of media data that go into a content hash."""


class ConversationKey(msgspec.Struct, frozen=True):
    """`key`: 32 hex digits; `source`: where it came from."""

    key: str
    source: Source


def conversation_key(
    conversation: Conversation,
    headers: Mapping[str, str],
    *,
    account: str,
    api_key: str,
    request_id: str,
    secret: bytes,
    explicit: str | None = None,
    previous_root: str | None = None,
) -> ConversationKey:
    """The key of the conversation this request belongs to.

    `headers` lower-case names; `account` and `api_key` of the caller ("" where none is asked for); `secret` the
    gateway's own key of the hash (any length); `explicit` the value of `x-routecodex-conversation` where the host took
    it from the headers already; `previous_root` the first response of the chain `previous_response_id` stands in.
    """
    named = _named(conversation, headers, explicit, previous_root)
    if named is not None:
        return _key(named[0], secret, (account, named[1]))
    system, user = _openings(conversation.turns)
    if user is not None:
        return _key("content", secret, (account, api_key, *_fingerprint(system), "", *_fingerprint((user,))))
    return _key("request", secret, (account, request_id))


def _named(
    conversation: Conversation, headers: Mapping[str, str], explicit: str | None, previous_root: str | None
) -> tuple[Source, str] | None:
    """What the client calls its conversation, and where it said so."""
    own = explicit or headers.get(OWN_HEADER)
    if own:
        return "header", own
    for name in SESSION_HEADERS:
        session = headers.get(name)
        if session:
            return "client-session", session
    body = conversation.session or conversation.cache_key or _of_members(conversation.extensions)
    if body:
        return "body", body
    return ("previous-response", previous_root) if previous_root else None


def _of_members(members: Mapping[str, JsonValue]) -> str | None:
    if members:
        for name in _BODY_MEMBERS:
            value = members.get(name)
            if isinstance(value, dict):
                value = value.get("id")
            if isinstance(value, str) and value:
                return value
    return None


def _openings(turns: Iterable[Turn]) -> tuple[list[Turn], Turn | None]:
    """(system turns before the first user turn, that user turn)."""
    system: list[Turn] = []
    for turn in turns:
        if turn.role == "user":
            return system, turn
        if turn.role == "system":
            system.append(turn)
    return system, None


def _fingerprint(turns: Iterable[Turn]) -> Iterator[str]:
    """What identifies the turns, cut in length; cache breakpoints move from request to request and stay out."""
    for turn in turns:
        for part in turn.parts:
            yield from _marks(part)


def _marks(part: Part) -> Iterator[str]:
    if isinstance(part, Text):
        yield part.text[:_HEAD_CHARACTERS]
    elif isinstance(part, Media):
        yield part.kind
        yield (part.data or part.url or part.file_id or part.text or "")[:_HEAD_CHARACTERS]
    elif isinstance(part, ToolCall):
        yield part.id
    elif isinstance(part, ToolResult):
        yield part.call_id


def _key(source: Source, secret: bytes, values: Iterable[str]) -> ConversationKey:
    """Digest of the length-prefixed values, so that no two lists of values can spell the same bytes."""
    key = secret if len(secret) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(secret, digest_size=64).digest()
    pieces = [source.encode()]
    for value in values:
        data = value.encode("utf-8", "surrogatepass")
        pieces.append(len(data).to_bytes(8, "big"))
        pieces.append(data)
    digest = hashlib.blake2b(b"".join(pieces), key=key, digest_size=16, person=b"conversation")
    return ConversationKey(digest.hexdigest(), source)
