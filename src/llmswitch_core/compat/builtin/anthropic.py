"""Anthropic's own API, and vendors who offer it beside theirs."""

from __future__ import annotations

from typing import Any, Final

ANTHROPIC: Final[dict[str, Any]] = {
    "name": "anthropic",
    "description": "api.anthropic.com. What a model takes goes by its version; the Messages writer knows those rules.",
    "features": {},
}
