"""The fourth hash: of what is really in force, configuration and every switch together."""

from __future__ import annotations

import hashlib

import msgspec

from routecodex.app.applying import Candidate


def effective_hash(candidate: Candidate) -> str:
    """sha256 (hex) over the configuration's hash and the switches' effective values."""
    values = msgspec.json.encode(candidate.switches.values(), order="sorted")
    return hashlib.sha256(candidate.compiled.hash.encode() + b"\0" + values).hexdigest()
