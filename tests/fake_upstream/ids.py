"""Identifiers and signatures, deterministic from a seed.

A signature names the vendor and the realm that issued it, so that a validator can tell its own from a
foreign one, in this process or another. Knows no protocol beyond the shape of its ids.
"""

from __future__ import annotations

import base64
import hashlib

_ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_MARK = b"fku1:"

# kind -> (prefix, alphabet, length), as the vendors' ids look
_SHAPES: dict[str, tuple[str, str, int]] = {
    "chat": ("chatcmpl-", _ALNUM, 29),
    "call": ("call_", _ALNUM, 24),
    "resp": ("resp_", "0123456789abcdef", 50),
    "msg_r": ("msg_", "0123456789abcdef", 50),
    "rs": ("rs_", "0123456789abcdef", 50),
    "fc": ("fc_", "0123456789abcdef", 50),
    "ctc": ("ctc_", "0123456789abcdef", 50),
    "tsc": ("tsc_", "0123456789abcdef", 50),
    "cmp": ("cmp_", "0123456789abcdef", 50),
    "msg_m": ("msg_01", _BASE58, 22),
    "toolu": ("toolu_01", _BASE58, 22),
    "req_m": ("req_011", _BASE58, 21),
    "req_o": ("req_", "0123456789abcdef", 32),
    "gemini": ("", _ALNUM, 22),
    "gcall": ("", "abcdefghijklmnopqrstuvwxyz0123456789", 8),
    "token": ("fku-at-", _ALNUM, 32),
    "pad": ("", _ALNUM, 14),
}


class Ids:
    """A counter that yields ids of the vendors' shapes; equal seeds give equal ids in equal order."""

    def __init__(self, seed: int = 0, realm: str = "main") -> None:
        self.seed = seed
        self.realm = realm
        self.issued: dict[str, str] = {}
        self._count = 0

    def new(self, kind: str) -> str:
        """The next id of that kind."""
        prefix, alphabet, length = _SHAPES[kind]
        self._count += 1
        digest = hashlib.sha512(f"{self.seed}:{self.realm}:{kind}:{self._count}".encode()).digest()
        return prefix + "".join(alphabet[b % len(alphabet)] for b in digest[:length])

    def sign(self, vendor: str, text: str = "") -> str:
        """A signature of this realm for the text; remembered, so that a changed replay is noticed."""
        self._count += 1
        tail = hashlib.sha256(f"{self.seed}:{self._count}:{text}".encode()).digest()
        raw = _MARK + f"{vendor}:{self.realm}:{self._count}:".encode() + tail
        # OpenAI's encrypted content is a Fernet token: URL-safe base64. Anthropic and Google use the standard alphabet.
        encode = base64.urlsafe_b64encode if vendor == "openai" else base64.b64encode
        signature = encode(raw).decode()
        self.issued[signature] = text
        return signature

    def owns(self, vendor: str, signature: object) -> bool:
        """Was it issued by that vendor in this realm? Text that is no signature of ours is foreign."""
        if not isinstance(signature, str):
            return False
        standard = signature
        if vendor == "openai" and ("+" in signature or "/" in signature):
            return False
        if vendor in ("gemini", "openai"):
            standard = signature.replace("-", "+").replace("_", "/")  # bytes in JSON: both alphabets are read
        try:
            raw = base64.b64decode(standard, validate=True)
        except ValueError:
            return False
        return raw.startswith(_MARK + f"{vendor}:{self.realm}:".encode())
