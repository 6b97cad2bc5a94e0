"""The endpoints as data: which method and path is which protocol's which operation.

Paths work with and without the version prefix that some clients' base URLs already hold. It knows URLs only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.upstream import Operation

C: Final = Protocol.OPENAI_CHAT
R: Final = Protocol.OPENAI_RESPONSES
M: Final = Protocol.ANTHROPIC_MESSAGES
G: Final = Protocol.GEMINI


class Endpoint(msgspec.Struct, frozen=True):
    """One thing that can be asked. `methods`: what it is asked with."""

    protocol: Protocol
    operation: Operation
    methods: frozenset[str] = frozenset({"POST"})


_POST: Final = frozenset({"POST"})

FIXED: Final[Mapping[str, Endpoint]] = {
    prefix + path: endpoint
    for path, endpoint in {
        "/chat/completions": Endpoint(C, "generate"),
        "/responses": Endpoint(R, "generate"),
        "/messages": Endpoint(M, "generate"),
        "/messages/count_tokens": Endpoint(M, "count_tokens"),
        "/responses/compact": Endpoint(R, "compact"),
        "/embeddings": Endpoint(C, "embed"),
    }.items()
    for prefix in ("/v1", "")
}
"""Path -> endpoint, for paths without parameters."""

RESPONSE_STATE: Final[Mapping[str, Endpoint]] = {
    "": Endpoint(R, "forward", frozenset({"GET", "DELETE"})),
    "/cancel": Endpoint(R, "forward"),
    "/input_items": Endpoint(R, "forward", frozenset({"GET"})),
}
"""What follows `/v1/responses/{id}` -> endpoint."""

GEMINI_ACTIONS: Final[Mapping[str, Endpoint]] = {
    "generateContent": Endpoint(G, "generate"),
    "streamGenerateContent": Endpoint(G, "generate"),
    "countTokens": Endpoint(G, "count_tokens"),
    "embedContent": Endpoint(G, "embed"),
    "batchEmbedContents": Endpoint(G, "embed"),
}
"""What follows the last colon of a Gemini path -> endpoint."""

GEMINI_PREFIXES: Final = (
    "/v1beta/models/",
    "/v1/models/",
    "/v1alpha/models/",
    "/v1beta1/publishers/google/models/",
    "/v1/publishers/google/models/",
    "/models/",
)
"""What stands before the model's name: the Gemini API, and Vertex' express way."""

_RESPONSES: Final = ("/v1/responses/", "/responses/")


def protocol_of_path(path: str) -> Protocol:
    """Whose error shape a path that is no endpoint gets."""
    if "/messages" in path:
        return M
    if "/responses" in path:
        return R
    if path.startswith(("/v1beta", "/v1alpha")) or ("/models/" in path and ":" in path):
        return G
    return C


def response_state(path: str) -> tuple[Endpoint, str] | None:
    """(endpoint, response id) of a path below `/v1/responses/`; None if it is no such endpoint."""
    for prefix in _RESPONSES:
        if path.startswith(prefix):
            response_id, slash, rest = path[len(prefix) :].partition("/")
            endpoint = RESPONSE_STATE.get(slash + rest)
            if response_id and endpoint is not None:
                return endpoint, response_id
    return None


def gemini(path: str) -> Endpoint | None:
    """The endpoint of a path `…/models/{model}:{action}`; None if it is no such endpoint."""
    before, colon, action = path.rpartition(":")
    if not colon:
        return None
    for prefix in GEMINI_PREFIXES:
        if before.startswith(prefix) and len(before) > len(prefix):
            return GEMINI_ACTIONS.get(action)
    return None
