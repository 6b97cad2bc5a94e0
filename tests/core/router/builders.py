"""Small routing tables, conversations and errors for the router's tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.model import Conversation, Part, Protocol, Text, ToolCall, ToolResult, Turn
from llmswitch_core.router.contract import (
    Features,
    Pool,
    PoolEntry,
    ProviderModels,
    Route,
    RoutingTable,
    Target,
)


def target(provider_key: str, **more: Any) -> Target:
    provider, alias, model = provider_key.split(".", 2)
    return Target(provider, alias, model, Protocol.OPENAI_CHAT, "openai", provider, **more)


def pool(*names: str | tuple[str, int], id: str = "main", mode: str = "weighted", priority: int = 0) -> Pool:  # noqa: A002
    """Entries by provider_key, or (provider_key, weight); in mode `priority` the number is the priority."""
    entries = []
    for name in names:
        key, number = name if isinstance(name, tuple) else (name, 1 if mode == "weighted" else 0)
        entries.append(PoolEntry(key, weight=number) if mode == "weighted" else PoolEntry(key, priority=number))
    return Pool(id, tuple(entries), mode, priority)  # type: ignore[arg-type]


def table(
    routes: Mapping[str, Sequence[Pool]],
    *,
    targets: Sequence[Target] = (),
    providers: Sequence[ProviderModels] | None = None,
    **more: Any,
) -> RoutingTable:
    """A table whose targets and providers follow from the pools, unless given."""
    known = {each.provider_key: each for each in targets}
    for pools in routes.values():
        for each in pools:
            for entry in each.entries:
                known.setdefault(entry.provider_key, target(entry.provider_key))
    if providers is None:
        aliases: dict[str, dict[str, None]] = {}
        models: dict[str, dict[str, None]] = {}
        for each_target in known.values():
            aliases.setdefault(each_target.provider, {})[each_target.key_alias] = None
            models.setdefault(each_target.provider, {})[each_target.model] = None
        providers = [ProviderModels(name, tuple(aliases[name]), tuple(models[name])) for name in aliases]
    return RoutingTable(
        targets=known,
        routes={name: Route(name, tuple(pools)) for name, pools in routes.items()},
        providers={provider.id: provider for provider in providers},
        **more,
    )


def features(**changes: Any) -> Features:
    """Features of a plain question, changed as told."""
    plain: dict[str, Any] = {
        "model": "some-model",
        "estimated_tokens": 100,
        "latest_text": "hello",
        "latest_media": (),
        "has_media": False,
        "tool_names": (),
        "last_tool": None,
        "last_tool_category": None,
        "hosted_tools": (),
        "thinking": False,
        "has_tools": False,
    }
    return Features(**(plain | changes))


def conversation(*turns: Turn, **more: Any) -> Conversation:
    more.setdefault("model", "some-model")
    return Conversation(protocol=Protocol.ANTHROPIC_MESSAGES, turns=list(turns), **more)


def user(*parts: Part | str) -> Turn:
    return Turn("user", [Text(part) if isinstance(part, str) else part for part in parts])


def assistant(*parts: Part | str) -> Turn:
    return Turn("assistant", [Text(part) if isinstance(part, str) else part for part in parts])


def system(text: str) -> Turn:
    return Turn("system", [Text(text)])


def call(name: str, arguments: str = "{}", id: str = "call_1") -> ToolCall:  # noqa: A002
    return ToolCall(id, name, arguments)


def result(*parts: Part | str, id: str = "call_1", name: str | None = None) -> ToolResult:  # noqa: A002
    return ToolResult(id, [Text(part) if isinstance(part, str) else part for part in parts], name=name)


def failure(kind: ErrorKind, code: str = "upstream_said_so", **more: Any) -> GatewayError:
    more.setdefault("layer", Layer.UPSTREAM)
    return GatewayError(kind, code, "It failed.", **more)
