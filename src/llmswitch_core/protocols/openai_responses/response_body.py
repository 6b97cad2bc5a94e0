"""The `response` object: what the real API echoes of the request, and what changes as the answer grows.

The echo is encoded once per request; each lifecycle event appends the few members that change to those bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.model import FunctionTool, HostedTool, JsonValue, Protocol
from llmswitch_core.protocols.contract import Notes, Scope
from llmswitch_core.protocols.openai_responses.tools import ToolWriter

_DEFAULTS: Final[Mapping[str, JsonValue]] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""Echoed members and what the vendor's API shows for a request that did not name them."""

_ECHOED_IF_GIVEN: Final = ("conversation", "prompt", "prompt_cache_retention", "prompt_cache_options", "moderation")


class ResponseBody:
    """One response object over its life. `id` and the echo are fixed when the stream opens."""

    def __init__(self, scope: Scope, response_id: str, model: str, created: int, service_tier: str | None) -> None:
        self.id = response_id
        echo = _echo(scope)
        if service_tier is not None:
            echo["service_tier"] = service_tier
        self._fixed: dict[str, JsonValue] = {
            "id": response_id,
            "object": "response",
            "created_at": created,
            "model": model,
            **echo,
        }
        self._prefix = jsonio.encode(self._fixed)[:-1]
        self._created = created

    def encode(self, changing: Mapping[str, JsonValue]) -> bytes:
        """The object as JSON bytes with these changing members."""
        return self._prefix + b"," + jsonio.encode(changing)[1:]

    def whole(self, changing: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """The object as a tree, for whoever keeps state."""
        return {**self._fixed, **changing}


def changing(
    status: str,
    output: Sequence[JsonValue],
    usage: JsonValue,
    *,
    error: JsonValue = None,
    incomplete: str | None = None,
    completed_at: int | None = None,
) -> dict[str, Any]:
    """The members that change from event to event."""
    return {
        "status": status,
        "error": error,
        "incomplete_details": {"reason": incomplete} if incomplete is not None else None,
        "completed_at": completed_at,
        "output": list(output),
        "usage": usage,
    }


def _echo(scope: Scope) -> dict[str, JsonValue]:
    request = scope.request_wire
    if not isinstance(request, Mapping):
        request = _request_of(scope)
    echo: dict[str, JsonValue] = {}
    for name, default in _DEFAULTS.items():
        value = request.get(name)
        echo[name] = default if value is None else value
    for part in ("reasoning", "text"):
        value, default = echo[part], _DEFAULTS[part]
        if isinstance(value, Mapping) and value is not default:
            echo[part] = {**default, **value}
    for name in _ECHOED_IF_GIVEN:
        if request.get(name) is not None:
            echo[name] = request[name]
    return echo


def _request_of(scope: Scope) -> Mapping[str, JsonValue]:
    """The echoed members of a request whose body is not at hand, from the conversation."""
    conversation = scope.conversation
    request: dict[str, JsonValue] = {
        "max_output_tokens": conversation.sampling.max_output_tokens,
        "temperature": conversation.sampling.temperature,
        "top_p": conversation.sampling.top_p,
        "parallel_tool_calls": conversation.parallel_tool_calls,
        "previous_response_id": conversation.previous_response_id,
        "prompt_cache_key": conversation.cache_key,
        "store": conversation.store,
        "metadata": conversation.metadata,
    }
    if conversation.reasoning is not None:
        request["reasoning"] = {"effort": conversation.reasoning.effort, "summary": conversation.reasoning.summary}
    known = [
        tool
        for tool in conversation.tools
        if not isinstance(tool, HostedTool) or tool.protocol is Protocol.OPENAI_RESPONSES
    ]
    if any(isinstance(tool, FunctionTool) for tool in known):
        request["tools"] = ToolWriter(known, conversation.protocol, {}, Notes()).write(known)
    return request
