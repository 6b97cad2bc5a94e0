"""Tool governance: makes a conversation legal for a foreign target, and keeps opaque tokens with their issuers.

Two jobs, both on the canonical model and both told in the notes. Pairing (MP-04, MP-05): every result follows its call
at once and in call order, an unanswered call gets an error result, an orphan or second result becomes user text; done
only across protocols, because the same protocol is sent as received. Tokens (MP-07): a signature, encrypted reasoning
or thoughtSignature goes only to the vendor that issued it; done for every target.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import (
    Conversation,
    Issuer,
    Media,
    Part,
    Protocol,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from llmswitch_core.hub.tokens import TokenLedger
from llmswitch_core.protocols.contract import Notes
from llmswitch_core.router.contract import Target

UNANSWERED: Final = "[No result was recorded for this tool call.]"

NATIVE_VENDOR: Final[Mapping[Protocol, str]] = {
    Protocol.ANTHROPIC_MESSAGES: "anthropic",
    Protocol.OPENAI_RESPONSES: "openai",
    Protocol.OPENAI_CHAT: "openai",
    Protocol.GEMINI: "gemini",
}
"""The vendor an opaque token is taken to be from when nobody recorded who issued it: the client's own."""

_KEY_BOUND: Final = frozenset({"openai"})
"""Vendors whose tokens only the issuing credential can read (encrypted reasoning is bound to the organisation)."""


_CALLS_BEAR_SIGNATURES: Final = frozenset({Protocol.GEMINI, Protocol.OPENAI_CHAT})
"""Protocols with a place for a thoughtSignature on a tool call."""

_BY_REFERENCE: Final[Mapping[Protocol, tuple[str, ...]]] = {
    Protocol.OPENAI_CHAT: (),
    Protocol.OPENAI_RESPONSES: ("background", "conversation", "prompt"),
    Protocol.ANTHROPIC_MESSAGES: (),
    Protocol.GEMINI: ("cachedContent", "cached_content"),
}
"""Members that stand for content or work only the vendor has: without them it would be another request."""


def refuse_references(conversation: Conversation, target: Target) -> None:
    """Raises GatewayError (400) naming the member that cannot cross to a foreign protocol."""
    for name in _BY_REFERENCE[conversation.protocol]:
        if conversation.extensions.get(name) not in (None, False, ""):
            raise invalid(
                f"`{name}` means something to the {conversation.protocol.value} vendor only; "
                f"the target speaks {target.protocol.value}.",
                param=name,
                code=f"unsupported_{name}",
                next_step=f"Route this model to a provider with protocol {conversation.protocol.value}, "
                f"or send the request without `{name}`.",
            )


_VENDOR_ADDRESSES: Final = ("https://generativelanguage.googleapis.com/", "gs://")
"""Addresses of Google's file stores: nobody else can open them."""


def refuse_files(turns: Iterable[Turn], inbound: Protocol, target: Target) -> None:
    """Raises GatewayError (400) for a file that is stored at a vendor `target` does not belong to."""
    for turn in turns:
        for part in turn.parts:
            media = part.content if isinstance(part, ToolResult) else (part,)
            for item in media:
                if isinstance(item, Media) and _stored_elsewhere(item, inbound, target):
                    raise invalid(
                        f"The {item.kind} {item.file_id or item.url!r} is stored at a vendor the target "
                        f"{target.provider_key} does not belong to.",
                        param="messages",
                        code="unsupported_media_source",
                        next_step="Send its content as base64, or at an address everybody can open.",
                    )


def _stored_elsewhere(media: Media, inbound: Protocol, target: Target) -> bool:
    if media.file_id is not None and media.data is None and media.url is None:
        return NATIVE_VENDOR[inbound] != target.vendor
    return media.url is not None and media.url.startswith(_VENDOR_ADDRESSES) and target.vendor != "gemini"


def pair_tools(turns: list[Turn], notes: Notes) -> list[Turn]:
    """Turns in which every call is answered directly behind it, in call order, and no result stands alone.

    The input is not changed. Turns that end up empty vanish.
    """
    out: list[Turn] = []
    position = 0
    while position < len(turns):
        turn = turns[position]
        position += 1
        if turn.role != "assistant":
            kept = _without_results(turn, notes)
            if kept is not None:
                out.append(kept)
            continue
        run = [turn]
        while position < len(turns) and turns[position].role == "assistant":
            run.append(turns[position])
            position += 1
        calls = [part for item in run for part in item.parts if isinstance(part, ToolCall)]
        if not calls:
            out.extend(item for item in run if item.parts)
            continue
        # What the assistant said after its calls belongs to the same turn: the results come right behind it.
        out.append(run[0] if len(run) == 1 else _with_parts(run[0], [part for item in run for part in item.parts]))
        wanted = {call.id for call in calls}
        answers: dict[str, ToolResult] = {}
        rest: list[Turn] = []
        # Results may be spread over several client turns (one per result) before the assistant speaks again.
        while position < len(turns) and turns[position].role != "assistant":
            remainder = _collect(turns[position], wanted, answers, notes)
            if remainder is not None:
                rest.append(remainder)
            position += 1
        out.append(Turn("user", _in_call_order(calls, answers, notes)))
        _append_rest(out, rest)
    return out


def _append_rest(out: list[Turn], rest: list[Turn]) -> None:
    """What the client said beside its results: plain user parts share the results' turn, other turns follow it."""
    for turn in rest:
        if turn.role == "user" and out[-1].role == "user":
            out[-1].parts.extend(turn.parts)
        else:
            out.append(_with_parts(turn, [*turn.parts]))  # its own list: a later turn may be added to it


def _collect(turn: Turn, wanted: set[str], answers: dict[str, ToolResult], notes: Notes) -> Turn | None:
    if not any(isinstance(part, (ToolResult, ToolCall)) for part in turn.parts):
        return turn if turn.parts or turn.role == "system" else None
    others: list[Part] = []
    for part in turn.parts:
        if isinstance(part, ToolCall):
            notes.repaired("user.tool_call")
        elif not isinstance(part, ToolResult):
            others.append(part)
        elif part.call_id in wanted and part.call_id not in answers:
            answers[part.call_id] = part
        else:
            others.extend(_as_user_parts(part))
            notes.repaired("orphan_tool_result")
    return _with_parts(turn, others) if others else None


def _without_results(turn: Turn, notes: Notes) -> Turn | None:
    if not any(isinstance(part, (ToolResult, ToolCall)) for part in turn.parts):
        return turn if turn.parts else None
    parts: list[Part] = []
    for part in turn.parts:
        if isinstance(part, ToolCall):
            notes.repaired("user.tool_call")  # nobody but the assistant calls
        elif isinstance(part, ToolResult):
            parts.extend(_as_user_parts(part))
            notes.repaired("orphan_tool_result")
        else:
            parts.append(part)
    return _with_parts(turn, parts) if parts else None


def _in_call_order(calls: Iterable[ToolCall], answers: Mapping[str, ToolResult], notes: Notes) -> list[Part]:
    parts: list[Part] = []
    seen: set[str] = set()
    for call in calls:
        if call.id in seen:
            continue
        seen.add(call.id)
        result = answers.get(call.id)
        if result is None:
            notes.repaired("unanswered_tool_call")
            result = ToolResult(call.id, [Text(UNANSWERED)], name=call.name, is_error=True, kind=call.kind)
        elif result.name is None:
            result = msgspec.structs.replace(result, name=call.name)
        parts.append(result)
    return parts


def _as_user_parts(result: ToolResult) -> list[Part]:
    name = result.name or result.call_id
    parts: list[Part] = [Text(f"[Result of the tool call {name}, whose call is not in this conversation:]")]
    parts.extend(part for part in result.content if isinstance(part, Text | Media))
    if not result.content and result.structured is not None:
        parts.append(Text(msgspec.json.encode(result.structured).decode()))
    return parts


def _with_parts(turn: Turn, parts: list[Part]) -> Turn:
    return msgspec.structs.replace(turn, parts=parts)


def unique_calls(turns: list[Turn], notes: Notes) -> list[Turn]:
    """Call ids that are unique in the whole conversation.

    A call stated twice in one assistant run keeps its first statement. An id that comes again in a later run (models
    that count from `call_0` each time) gets a number, and so do the results that answer it there.
    """
    out: list[Turn] = []
    used: dict[str, int] = {}
    renamed: dict[str, str] = {}
    run: set[str] = set()
    for turn in turns:
        if turn.role == "assistant":
            if not out or out[-1].role != "assistant":
                run, renamed = set(), {}
            parts = _stated_once(turn.parts, run, used, renamed, notes)
        else:
            parts = [
                msgspec.structs.replace(part, call_id=renamed[part.call_id])
                if isinstance(part, ToolResult) and part.call_id in renamed
                else part
                for part in turn.parts
            ]
        same = len(parts) == len(turn.parts) and all(new is old for new, old in zip(parts, turn.parts, strict=True))
        out.append(turn if same else _with_parts(turn, parts))
    return out


def _stated_once(
    parts: list[Part], run: set[str], used: dict[str, int], renamed: dict[str, str], notes: Notes
) -> list[Part]:
    out: list[Part] = []
    for part in parts:
        if not isinstance(part, ToolCall):
            out.append(part)
            continue
        if part.id in run:
            notes.repaired("duplicate_tool_call")
            continue
        run.add(part.id)
        if part.id in used:
            renamed[part.id] = _numbered(part.id, used)
            notes.repaired("repeated_tool_call_id")
            part = msgspec.structs.replace(part, id=renamed[part.id])
        used.setdefault(part.id, 1)
        out.append(part)
    return out


def _numbered(call_id: str, used: dict[str, int]) -> str:
    """The id with its next free number; `used` remembers for each id how far it has counted."""
    number = used[call_id] + 1
    while f"{call_id}-{number}" in used:
        number += 1
    used[call_id] = number
    return f"{call_id}-{number}"


def keep_tokens(
    turns: list[Turn], inbound: Protocol, target: Target, ledger: TokenLedger, notes: Notes
) -> list[Turn] | None:
    """Turns without the opaque tokens `target` may not see; None if nothing had to change.

    A thinking part that loses its token stays as plain text (the writer decides whether its protocol can carry that);
    redacted thinking is nothing but its token and goes whole. A tool call whose thoughtSignature the client could
    not carry gets it back when the target is its issuer.
    """
    changed = False
    out: list[Turn] = []
    sight = _Sight(inbound, target, ledger, notes)
    for turn in turns:
        if turn.role != "assistant":
            out.append(turn)
            continue
        parts: list[Part] = []
        touched = False
        for part in turn.parts:
            kept = sight.kept(part)
            touched = touched or kept is not part
            if kept is not None:
                parts.append(kept)
        out.append(_with_parts(turn, parts) if touched else turn)
        changed = changed or touched
    return out if changed else None


class _Sight:
    """Which tokens of a conversation one target may see."""

    __slots__ = ("_inbound", "_ledger", "_notes", "_target")

    def __init__(self, inbound: Protocol, target: Target, ledger: TokenLedger, notes: Notes) -> None:
        self._inbound = inbound
        self._target = target
        self._ledger = ledger
        self._notes = notes

    def kept(self, part: Part) -> Part | None:
        """The part itself, a copy without its token, or None."""
        if isinstance(part, Thinking):
            return self._thinking(part)
        if isinstance(part, ToolCall):
            return self._call(part)
        if isinstance(part, Text) and part.signature is not None and not self._may_pass(part.signature, None):
            self._notes.dropped("text.signature")
            return msgspec.structs.replace(part, signature=None)
        return part

    def _thinking(self, part: Thinking) -> Part | None:
        token = part.signature or part.redacted
        if token is None:
            if self._inbound is Protocol.ANTHROPIC_MESSAGES is self._target.protocol:
                # Messages demands a signature: the one the client holds is an envelope of the gateway's own.
                self._notes.dropped("thinking")
                return Thinking(text=part.text) if part.text else None
            return part
        if self._may_pass(token, part.origin):
            return part
        self._notes.dropped("thinking.signature")
        if part.redacted is not None or not part.text:
            return None
        return Thinking(text=part.text, summary=part.summary)

    def _call(self, part: ToolCall) -> Part:
        if part.signature is not None:
            if self._may_pass(part.signature, Protocol.GEMINI):
                return part
            self._notes.dropped("tool_call.signature")
            return msgspec.structs.replace(part, signature=None)
        if self._target.protocol not in _CALLS_BEAR_SIGNATURES:
            return part
        known = self._ledger.signature_of_call(part.id)
        if known is not None and may_see(known[0], self._target):
            return msgspec.structs.replace(part, signature=known[1])
        return part

    def _may_pass(self, token: str, origin: Protocol | None) -> bool:
        """The target is the issuer's, and its protocol has a place for a token of this origin."""
        if origin is not None and origin is not self._target.protocol and self._inbound is self._target.protocol:
            return False
        issuer = self._ledger.issuer(token) or Issuer(NATIVE_VENDOR[origin or self._inbound])
        return may_see(issuer, self._target)


def may_see(issuer: Issuer, target: Target) -> bool:
    """True where `target` belongs to the issuer of a token (and holds its key, where tokens are bound to one)."""
    if issuer.vendor != target.vendor:
        return False
    if issuer.vendor in _KEY_BOUND and issuer.runtime_key:
        return issuer.runtime_key == target.runtime_key
    return True


def governed(conversation: Conversation, target: Target, ledger: TokenLedger, notes: Notes) -> Conversation:
    """The conversation as a foreign protocol's target may receive it; the original is untouched."""
    refuse_references(conversation, target)
    refuse_files(conversation.turns, conversation.protocol, target)
    turns = unique_calls(conversation.turns, notes)
    turns = pair_tools(turns, notes)
    kept = keep_tokens(turns, conversation.protocol, target, ledger, notes)
    extensions = conversation.extensions
    if conversation.user is not None and extensions.get("safety_identifier") == conversation.user:
        # Kept by its wire name for its own protocol; what other protocols get of it is `user`.
        extensions = {name: value for name, value in extensions.items() if name != "safety_identifier"}
    return msgspec.structs.replace(conversation, turns=turns if kept is None else kept, extensions=extensions)
