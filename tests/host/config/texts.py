"""Configurations the tests share, and the ways to load them without touching the machine's environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from routecodex.app.switches import TABLE
from routecodex.config import CompiledConfig
from routecodex.config.compiling import compile_config
from routecodex.config.faults import ConfigError, Fault
from routecodex.config.loading import Loaded, load_text

SECRET = "s3cr3t-value-of-acme"
ENVIRON = {"ACME_API_KEY": SECRET, "HOME": "/nowhere"}

SMALLEST = """\
[server]
port = 5555

[virtualrouter.providers.acme]
protocol = "openai-chat"
baseUrl  = "https://api.acme.example/v1"
keys     = { main = "${ACME_API_KEY}" }
models   = ["large", "small"]
compatProfile = "openai"

[virtualrouter.routing]
default = ["acme.large"]

[virtualrouter.aliases]
"gpt-*" = "acme.large"

[architecture]
controlBus = "v1"
"""

PROVIDER = """\
[virtualrouter.providers.acme]
protocol = "openai-chat"
baseUrl = "https://api.acme.example/v1"
keys = { main = "${ACME_API_KEY}" }
models = ["large", "small"]
"""
"""Five lines; a test's own text follows from line 6 on."""

DEFAULT = '[virtualrouter.routing]\ndefault = ["acme.large"]\n'


def loaded(text: str, environ: Mapping[str, str] = ENVIRON, *, path: Path = Path("config.toml")) -> Loaded:
    return load_text(text, environ, TABLE, path=path)


def compiled(text: str, environ: Mapping[str, str] = ENVIRON, *, path: Path = Path("config.toml")) -> CompiledConfig:
    return compile_config(loaded(text, environ, path=path), environ)


def faults(text: str, environ: Mapping[str, str] = ENVIRON, *, path: Path = Path("config.toml")) -> list[Fault]:
    """Everything that is said about a text, warnings included."""
    found = loaded(text, environ, path=path)
    try:
        compile_config(found, environ)
    except ConfigError as error:
        return list(error.faults)
    return found.faults
