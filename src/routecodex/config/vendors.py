"""What is known of vendors by the host of their base URL: family, compat profile, where the key goes.

One table and its interpreter. It must not know any provider's configuration; an explicit `vendor`,
`compatProfile` or `auth` always wins over what stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.globs import matches

KeyPlace = Literal["authorization", "x-api-key", "x-goog-api-key", "api-key"]


class Vendor(msgspec.Struct, frozen=True):
    """One vendor's hosts. `family` "" means: the provider's id (signatures are nobody else's)."""

    hosts: tuple[str, ...]
    """`*` wildcards; a port makes the host exact."""
    family: str = ""
    profile: str = ""
    """"" means: by protocol."""
    profiles: Mapping[Protocol, str] = {}
    """Where one protocol of the vendor differs from `profile`."""
    key_header: KeyPlace | None = None
    """Where it differs from the protocol's own."""


_ANTHROPIC: Final = Protocol.ANTHROPIC_MESSAGES

_LOCAL: Final = {
    Protocol.OPENAI_RESPONSES: "openai-compatible",
    Protocol.ANTHROPIC_MESSAGES: "anthropic",
    Protocol.GEMINI: "gemini",
}

VENDORS: Final[tuple[Vendor, ...]] = (
    Vendor(("api.openai.com", "*.api.openai.com"), "openai", "openai"),
    Vendor(
        ("*.openai.azure.com", "*.services.ai.azure.com", "*.cognitiveservices.azure.com"),
        profile="openai",
        profiles={_ANTHROPIC: "anthropic"},
        key_header="api-key",
    ),
    Vendor(("api.anthropic.com",), "anthropic", "anthropic"),
    Vendor(("generativelanguage.googleapis.com",), "gemini"),
    Vendor(("aiplatform.googleapis.com", "*-aiplatform.googleapis.com"), "gemini"),
    Vendor(("api.deepseek.com",), "deepseek", "deepseek", {_ANTHROPIC: "anthropic"}),
    Vendor(("open.bigmodel.cn", "api.z.ai"), "glm", "glm", {_ANTHROPIC: "anthropic"}),
    Vendor(("dashscope*.aliyuncs.com",), "qwen", "qwen", {_ANTHROPIC: "anthropic"}),
    Vendor(("api.moonshot.cn", "api.moonshot.ai"), "kimi", "kimi", {_ANTHROPIC: "anthropic"}),
    Vendor(("openrouter.ai",), "openrouter", "openrouter", {_ANTHROPIC: "anthropic"}),
    Vendor(("api.mistral.ai",), "mistral", "mistral", {_ANTHROPIC: "anthropic"}),
    Vendor(("localhost:1234", "127.0.0.1:1234"), profile="lmstudio", profiles=_LOCAL),
    Vendor(("localhost:8080", "127.0.0.1:8080"), profile="llamacpp", profiles=_LOCAL),
)
"""First match wins. Sources: each vendor's API reference, "base URL"."""

PROTOCOL_PROFILE: Final[Mapping[Protocol, str]] = {
    Protocol.OPENAI_CHAT: "openai-compatible",
    Protocol.OPENAI_RESPONSES: "openai-compatible",
    Protocol.ANTHROPIC_MESSAGES: "anthropic",
    Protocol.GEMINI: "gemini",
}
PROTOCOL_KEY_HEADER: Final[Mapping[Protocol, KeyPlace]] = {
    Protocol.OPENAI_CHAT: "authorization",
    Protocol.OPENAI_RESPONSES: "authorization",
    Protocol.ANTHROPIC_MESSAGES: "x-api-key",
    Protocol.GEMINI: "x-goog-api-key",
}

_UNKNOWN: Final = Vendor(())
_VERTEX: Final = ("aiplatform.googleapis.com", "*-aiplatform.googleapis.com")


def vendor_of(base_url: str) -> Vendor:
    """The vendor behind a base URL; an empty `Vendor` where the host is nobody's we know."""
    host, with_port = _host(base_url)
    for vendor in VENDORS:
        if any(matches(pattern, with_port if ":" in pattern else host) for pattern in vendor.hosts):
            return vendor
    return _UNKNOWN


def family_of(base_url: str, protocol: Protocol, provider_id: str) -> str:
    """Whose signatures a provider issues and accepts: a vendor family, else the provider's own id."""
    host, _ = _host(base_url)
    if any(matches(pattern, host) for pattern in _VERTEX):
        return {_ANTHROPIC: "anthropic", Protocol.GEMINI: "gemini"}.get(protocol, provider_id)
    return vendor_of(base_url).family or provider_id


def profile_of(base_url: str, protocol: Protocol) -> str:
    """The built-in compat profile a provider has if it names none."""
    vendor = vendor_of(base_url)
    return vendor.profiles.get(protocol) or vendor.profile or PROTOCOL_PROFILE[protocol]


def key_header_of(base_url: str, protocol: Protocol) -> KeyPlace:
    """The header an API key goes into if the configuration does not say."""
    return vendor_of(base_url).key_header or PROTOCOL_KEY_HEADER[protocol]


def _host(base_url: str) -> tuple[str, str]:
    """(host, host:port) in lower case; empty texts for what is no URL."""
    try:
        parts = urlsplit(base_url)
        host = (parts.hostname or "").lower()
        return host, f"{host}:{parts.port}" if parts.port else host
    except ValueError:
        return "", ""
