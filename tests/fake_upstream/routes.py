"""Which request is what: path to protocol, operation and model.

Knows paths only. A prefix before the vendor's path is accepted (Azure, Vertex, a gateway's base path); tests
that care assert the recorded path itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Route:
    """What a request asks for; `name` is the path's own parameter: a model or a response id."""

    protocol: str
    operation: str
    name: str = ""


_ID = r"(?P<name>[^/]+)"
_PATTERNS: tuple[tuple[str, str, str, str], ...] = (
    ("POST", r"/oauth2?/token$|/token$", "oauth", "token"),
    ("POST", r"/chat/completions$", "openai-chat", "generate"),
    ("POST", r"/responses$", "openai-responses", "generate"),
    ("POST", r"/responses/compact$", "openai-responses", "compact"),
    ("POST", r"/responses/input_tokens$", "openai-responses", "count_tokens"),
    ("GET", rf"/responses/{_ID}/input_items$", "openai-responses", "input_items"),
    ("POST", rf"/responses/{_ID}/cancel$", "openai-responses", "cancel"),
    ("GET", rf"/responses/{_ID}$", "openai-responses", "retrieve"),
    ("DELETE", rf"/responses/{_ID}$", "openai-responses", "delete"),
    ("POST", r"/messages$", "anthropic-messages", "generate"),
    ("POST", r"/messages/count_tokens$", "anthropic-messages", "count_tokens"),
    ("POST", r"/models/(?P<name>[^/:]+):(?:stream)?[rR]awPredict$", "anthropic-messages", "raw_predict"),
    ("POST", r"/models/(?P<name>[^/:]+):generateContent$", "gemini", "generate"),
    ("POST", r"/models/(?P<name>[^/:]+):streamGenerateContent$", "gemini", "stream"),
    ("POST", r"/models/(?P<name>[^/:]+):countTokens$", "gemini", "count_tokens"),
    ("POST", r"/models/(?P<name>[^/:]+):embedContent$", "gemini", "embed"),
    ("POST", r"/models/(?P<name>[^/:]+):batchEmbedContents$", "gemini", "batch_embed"),
    ("POST", r"/embeddings$", "openai-chat", "embeddings"),
    ("GET", rf"/models/{_ID}$", "models", "get_model"),
    ("GET", r"/models$", "models", "list_models"),
)
_COMPILED = tuple((m, re.compile(p), proto, op) for m, p, proto, op in _PATTERNS)


def find(method: str, path: str) -> Route | int:
    """The route of a request, or 405 / 404."""
    wrong_method = False
    for wanted, pattern, protocol, operation in _COMPILED:
        match = pattern.search(path)
        if match is None:
            continue
        if wanted != method:
            wrong_method = True
            continue
        return Route(protocol, operation, match.groupdict().get("name") or "")
    return 405 if wrong_method else 404


def vendor_of(headers: dict[str, str], path: str) -> str:
    """Which of the three vendors' shapes `/v1/models` is asked in."""
    if "anthropic-version" in headers or "x-api-key" in headers:
        return "anthropic-messages"
    if "x-goog-api-key" in headers or "/v1beta" in path:
        return "gemini"
    return "openai-chat"
