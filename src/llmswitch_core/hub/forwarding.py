"""What of a request outside its body goes upstream in the same protocol: paths, query parameters, headers.

Tables only. Credentials, cookies and hop-by-hop headers are never in them; the host adds its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.upstream import Operation
from llmswitch_core.protocols.contract import RequestHead
from llmswitch_core.protocols.gemini.wire import resource_path

_API_ROOT: Final[Mapping[Protocol, str]] = {Protocol.GEMINI: "/v1beta"}
"""What the vendor's own SDK puts between its base URL and the resource."""

FORWARDED_HEADERS: Final[Mapping[Protocol, frozenset[str]]] = {
    Protocol.OPENAI_CHAT: frozenset({"openai-beta", "openai-organization", "openai-project", "idempotency-key"}),
    Protocol.OPENAI_RESPONSES: frozenset(
        {
            "openai-beta",
            "openai-organization",
            "openai-project",
            "idempotency-key",
            "conversation_id",
            "originator",
            "session-id",
            "session_id",
            "thread-id",
            "x-client-request-id",
            "x-codex-beta-features",
            "x-codex-installation-id",
            "x-codex-parent-thread-id",
            "x-codex-turn-metadata",
            "x-codex-turn-state",
            "x-codex-window-id",
            "x-openai-subagent",
        }
    ),
    Protocol.ANTHROPIC_MESSAGES: frozenset(
        {
            "anthropic-beta",
            "anthropic-version",
            "anthropic-dangerous-direct-browser-access",
            "idempotency-key",
            "x-app",
            "x-claude-code-session-id",
        }
    ),
    Protocol.GEMINI: frozenset({"x-goog-api-client", "x-goog-user-project", "x-gemini-api-privileged-user-id"}),
}
"""Client headers that have meaning for the vendor and go upstream where inbound and outbound protocol are equal."""

_FORWARDED_QUERY: Final[Mapping[Protocol, frozenset[str]]] = {
    Protocol.OPENAI_CHAT: frozenset(),
    Protocol.OPENAI_RESPONSES: frozenset(),
    Protocol.ANTHROPIC_MESSAGES: frozenset({"beta"}),
    Protocol.GEMINI: frozenset(),
}

_DEFAULT_HEADERS: Final[Mapping[Protocol, Mapping[str, str]]] = {
    Protocol.ANTHROPIC_MESSAGES: {"anthropic-version": "2023-06-01"},
}

_FIXED_PATHS: Final[Mapping[tuple[Protocol, Operation], str]] = {
    (Protocol.OPENAI_CHAT, "generate"): "/chat/completions",
    (Protocol.OPENAI_CHAT, "embed"): "/embeddings",
    (Protocol.OPENAI_RESPONSES, "generate"): "/responses",
    (Protocol.OPENAI_RESPONSES, "count_tokens"): "/responses/input_tokens",
    (Protocol.OPENAI_RESPONSES, "compact"): "/responses/compact",
    (Protocol.OPENAI_RESPONSES, "embed"): "/embeddings",
    (Protocol.ANTHROPIC_MESSAGES, "generate"): "/v1/messages",
    (Protocol.ANTHROPIC_MESSAGES, "count_tokens"): "/v1/messages/count_tokens",
}


def same_protocol_path(
    protocol: Protocol, operation: Operation, model: str, stream: bool, inbound_path: str
) -> tuple[str, dict[str, str]]:
    """Path relative to the provider's base URL, and the query the path itself needs."""
    if protocol is not Protocol.GEMINI:
        return _FIXED_PATHS[protocol, operation], {}
    action = _gemini_action(operation, stream, inbound_path)
    return rooted(protocol, resource_path(model, action)), {"alt": "sse"} if action == "streamGenerateContent" else {}


def rooted(protocol: Protocol, path: str) -> str:
    """A codec's path relative to the provider's base URL, which for Gemini has no version in it."""
    return _API_ROOT.get(protocol, "") + path


def _gemini_action(operation: Operation, stream: bool, inbound_path: str) -> str:
    if operation == "count_tokens":
        return "countTokens"
    if operation == "embed":
        return "batchEmbedContents" if inbound_path.endswith(":batchEmbedContents") else "embedContent"
    return "streamGenerateContent" if stream else "generateContent"


def forwarded_headers(protocol: Protocol, head: RequestHead) -> dict[str, str]:
    """The client's headers that go upstream unchanged."""
    allowed = FORWARDED_HEADERS[protocol]
    headers = {name: value for name, value in head.headers.items() if name in allowed}
    for name, value in _DEFAULT_HEADERS.get(protocol, {}).items():
        headers.setdefault(name, value)
    return headers


def forwarded_query(protocol: Protocol, head: RequestHead) -> dict[str, str]:
    """The client's query parameters that go upstream unchanged."""
    allowed = _FORWARDED_QUERY[protocol]
    return {name: value for name, value in head.query.items() if name in allowed}
