"""Google service accounts: the signed assertion that is exchanged for a bearer token (RFC 7523).

Pure: the key file's text and a clock reading in, a JWT out. No request is made here.
"""

from __future__ import annotations

import base64
from typing import Final

import msgspec

LIFETIME: Final = 3600
"""Seconds an assertion is valid: the longest Google accepts."""


class ServiceAccountKey(msgspec.Struct, frozen=True):
    """The members of a key file that matter."""

    client_email: str
    private_key: str
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 (an address)
    private_key_id: str = ""


class ServiceAccountKeyError(ValueError):
    """The key file's text is not a usable service account key; the message says why without quoting it."""


def read_key(text: str) -> ServiceAccountKey:
    """Parse a key file's JSON text."""
    try:
        return msgspec.json.decode(text.encode(), type=ServiceAccountKey)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise ServiceAccountKeyError("The service account key is not the JSON of a Google key file.") from error


def assertion(key: ServiceAccountKey, scopes: tuple[str, ...], now: float) -> str:
    """A JWT signed with RS256 that asks for `scopes`; `now` in Unix seconds."""
    # Some megabytes that only a gateway with such a key has to carry.
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    try:
        private = serialization.load_pem_private_key(key.private_key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ServiceAccountKeyError("private_key of the service account is not a PEM key.") from error
    if not isinstance(private, rsa.RSAPrivateKey):
        raise ServiceAccountKeyError("private_key of the service account is not an RSA key.")
    header = {"alg": "RS256", "typ": "JWT", **({"kid": key.private_key_id} if key.private_key_id else {})}
    claims = {
        "iss": key.client_email,
        "sub": key.client_email,
        "aud": key.token_uri,
        "iat": int(now),
        "exp": int(now) + LIFETIME,
        "scope": " ".join(scopes),
    }
    signed = _part(msgspec.json.encode(header)) + b"." + _part(msgspec.json.encode(claims))
    signature = private.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return (signed + b"." + _part(signature)).decode()


def _part(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
