"""How each client is pointed at the gateway: environment variables, flags, a settings file. One table.

It knows the clients' own settings as observed (versions in the table). It must not know where the gateway is nor its
key: both are put in by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

KEY: Final = "{key}"
"""Stands in the table for the API key the gateway asks for."""
URL: Final = "{url}"
"""Stands in the table for the gateway's base URL, without a trailing slash."""
NO_KEY: Final = "routecodex"
"""What clients are given that insist on a key where the gateway asks for none."""


class Client(msgspec.Struct, frozen=True):
    """One client program or SDK."""

    name: str
    title: str
    environment: Mapping[str, str]
    program: str | None = None
    """Executable, for clients that `run` can start."""
    flags: tuple[str, ...] = ()
    """Put before the user's own arguments."""
    settings: Mapping[str, Any] | None = None
    """What must stand in its settings file; the user's other settings are kept."""
    settings_file: str = ""
    """That file, below the client's home."""
    home_variable: str = ""
    """Environment variable that gives the client another home."""
    unset: tuple[str, ...] = ()
    """Variables that would lead the client past the gateway."""
    install: str = ""


_CODEX_FLAGS: Final = (
    "-c",
    'model_provider="routecodex"',
    "-c",
    'model_providers.routecodex.name="RouteCodex"',
    "-c",
    f'model_providers.routecodex.base_url="{URL}/v1"',
    "-c",
    'model_providers.routecodex.env_key="ROUTECODEX_API_KEY"',
    "-c",
    'model_providers.routecodex.wire_api="responses"',
)

CLIENTS: Final[Mapping[str, Client]] = {
    client.name: client
    for client in (
        Client(
            "codex",
            "Codex CLI (seen: 0.169.0)",
            {"ROUTECODEX_API_KEY": KEY},
            program="codex",
            flags=_CODEX_FLAGS,
            install="npm install -g @openai/codex",
        ),
        Client(
            "claude",
            "Claude Code (seen: 2.1.330)",
            {
                "ANTHROPIC_BASE_URL": URL,
                "ANTHROPIC_API_KEY": KEY,
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            },
            program="claude",
            unset=("ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX"),
            install="npm install -g @anthropic-ai/claude-code",
        ),
        Client(
            "gemini",
            "Gemini CLI (seen: 0.61.0)",
            {
                "GOOGLE_GEMINI_BASE_URL": URL,
                "GEMINI_API_KEY": KEY,
                "GEMINI_CLI_TRUST_WORKSPACE": "true",
                "GEMINI_CLI_NO_RELAUNCH": "true",
            },
            program="gemini",
            settings={"security": {"auth": {"selectedType": "gemini-api-key"}}},
            settings_file=".gemini/settings.json",
            # Its system settings (GEMINI_CLI_SYSTEM_SETTINGS_PATH) are read only where root owns file and folders.
            home_variable="GEMINI_CLI_HOME",
            unset=("GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI"),
            install="npm install -g @google/gemini-cli",
        ),
        Client("openai", "OpenAI SDKs", {"OPENAI_BASE_URL": f"{URL}/v1", "OPENAI_API_KEY": KEY}),
        Client("anthropic", "Anthropic SDKs", {"ANTHROPIC_BASE_URL": URL, "ANTHROPIC_API_KEY": KEY}),
        Client("google", "Google Gen AI SDKs", {"GOOGLE_GEMINI_BASE_URL": URL, "GEMINI_API_KEY": KEY}),
    )
}


def filled(template: str, url: str, key: str) -> str:
    """A value of the table with address and key put in."""
    return template.replace(URL, url).replace(KEY, key)
