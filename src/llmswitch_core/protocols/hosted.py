"""Hosted tools a target does not run: when they may be left out, and when the request must be refused (MP-23).

Agents offer hosted tools beside their own on every request (Codex its web search): without one the agent still works,
so the offer is dropped with a note. Where the client demands the tool, or offers nothing else, leaving it out would
answer another question than the one asked: that is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from llmswitch_core.canonical.model import HostedTool, Tool, ToolChoice


def dispensable(tool: HostedTool, tools: Sequence[Tool], choice: ToolChoice | None) -> bool:
    """True where the request makes sense without `tool`: others are offered, and the choice does not demand it."""
    if all(isinstance(other, HostedTool) for other in tools):
        return False
    if choice is None:
        return True
    own = (tool.wire.get("type"), tool.wire.get("name")) if isinstance(tool.wire, dict) else ()
    names = {tool.label, *(name for name in own if isinstance(name, str))}
    if choice.mode == "named":
        return choice.name not in names
    return not choice.allowed or not set(choice.allowed) <= names
