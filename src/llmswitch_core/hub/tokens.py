"""Who issued which opaque token: the facts behind "signatures return only to their issuer" (MP-07).

Keys are hashes of signatures, encrypted reasoning and call ids; values say who issued them. Reading goes through the
injected store, writing into a delta the host applies after the answer. No token itself is ever a key, and only a
call's signature (which its client protocol could not carry) is ever a value.
"""

from __future__ import annotations

import hashlib
from typing import Protocol as Interface

import msgspec

from llmswitch_core.canonical.model import Issuer


class TokenStore(Interface):
    """The injected store of opaque-token facts. Keys are hashes, values small JSON bytes. Synchronous and fast."""

    def lookup(self, key: str) -> bytes | None: ...


class _CallFact(msgspec.Struct, frozen=True):
    issuer: Issuer
    signature: str


_ONE_ALPHABET = str.maketrans("-_", "+/")
_ISSUER = msgspec.json.Decoder(Issuer)
_CALL = msgspec.json.Decoder(_CallFact)


def token_key(kind: str, token: str) -> str:
    """`kind:` + 128 bits of BLAKE2 over the token.

    Both base64 alphabets are one: some SDKs (google-genai) send a signature back in the other than they got it.
    """
    folded = token.translate(_ONE_ALPHABET).rstrip("=")
    digest = hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{kind}:{digest}"


class TokenLedger:
    """The token store as governance reads it. Counts its reads, so that a record can replay them."""

    __slots__ = ("_store", "reads")

    def __init__(self, store: TokenStore) -> None:
        self._store = store
        self.reads: dict[str, bytes | None] = {}

    def issuer(self, token: str) -> Issuer | None:
        """Who issued a signature or encrypted reasoning; None = nobody recorded it."""
        value = self._read(token_key("sig", token))
        return None if value is None else _ISSUER.decode(value)

    def signature_of_call(self, call_id: str) -> tuple[Issuer, str] | None:
        """The thoughtSignature a tool call came with, if its client's protocol had no place for it."""
        value = self._read(token_key("call", call_id))
        if value is None:
            return None
        fact = _CALL.decode(value)
        return fact.issuer, fact.signature

    def original_id(self, hashed: str) -> str | None:
        """The upstream's own id behind a hashed one (canonical/ids.py)."""
        value = self._read(token_key("id", hashed))
        return None if value is None else value.decode()

    def _read(self, key: str) -> bytes | None:
        if key not in self.reads:
            self.reads[key] = self._store.lookup(key)
        return self.reads[key]


def issued(token: str, issuer: Issuer) -> tuple[str, bytes]:
    """The store entry for a token an answer carried."""
    return token_key("sig", token), msgspec.json.encode(issuer)


def call_signed(call_id: str, signature: str, issuer: Issuer) -> tuple[str, bytes]:
    """The store entry for a signature that came with a tool call."""
    return token_key("call", call_id), msgspec.json.encode(_CallFact(issuer, signature))


def id_hashed(hashed: str, original: str) -> tuple[str, bytes]:
    """The store entry that undoes a hashed id."""
    return token_key("id", hashed), original.encode("utf-8", "surrogatepass")
