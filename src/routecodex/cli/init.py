"""`routecodex init`: write the smallest useful configuration, commented, for the API keys that are already here.

It looks for the *names* of well-known variables in the environment and never at their values. It asks nothing and
overwrites nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from routecodex.app.switches import SWITCHES
from routecodex.cli.failures import EXIT_CONFIGURATION, CommandError
from routecodex.cli.options import ConfigOption, JsonOption


class KnownProvider(msgspec.Struct, frozen=True):
    """A vendor whose key people keep in a variable of a usual name."""

    id: str
    variables: tuple[str, ...]
    protocol: str
    base_url: str
    models: tuple[str, ...] = ("*",)


KNOWN: Final[tuple[KnownProvider, ...]] = (
    KnownProvider("anthropic", ("ANTHROPIC_API_KEY",), "anthropic-messages", "https://api.anthropic.com"),
    KnownProvider("openai", ("OPENAI_API_KEY",), "openai-responses", "https://api.openai.com/v1"),
    KnownProvider(
        "gemini", ("GEMINI_API_KEY", "GOOGLE_API_KEY"), "gemini", "https://generativelanguage.googleapis.com"
    ),
    KnownProvider("deepseek", ("DEEPSEEK_API_KEY",), "openai-chat", "https://api.deepseek.com/v1"),
    KnownProvider("glm", ("ZAI_API_KEY", "ZHIPUAI_API_KEY"), "openai-chat", "https://api.z.ai/api/paas/v4"),
    KnownProvider(
        "qwen", ("DASHSCOPE_API_KEY",), "openai-chat", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"
    ),
    KnownProvider("kimi", ("MOONSHOT_API_KEY",), "openai-chat", "https://api.moonshot.ai/v1"),
    KnownProvider("openrouter", ("OPENROUTER_API_KEY",), "openai-chat", "https://openrouter.ai/api/v1"),
)


def init(
    config: ConfigOption = None,
    port: Annotated[int, typer.Option("--port", "-p", min=1, max=65535, help="Port to serve on.")] = 5555,
    as_json: JsonOption = False,
) -> int:
    """Write a small commented configuration; refuses to overwrite one."""
    from routecodex.cli.output import emit_json, say
    from routecodex.config.loading import config_path, gateway_home

    path = config_path(config, os.environ, gateway_home(os.environ))
    if path.suffix.lower() != ".toml":
        raise CommandError(
            EXIT_CONFIGURATION, f"{path.name} is no TOML file.", "Name one that ends in .toml.", code="unknown_format"
        )
    found = detected(os.environ)
    write_new(path, text(found, port))
    variables = [variable for _, variable in found]
    if as_json:
        emit_json({"config": str(path), "providers": [known.id for known, _ in found], "variables": variables})
        return 0
    say(f"Wrote {path}.")
    if found:
        say(f"  Providers for the keys found: {', '.join(variables)}.")
    else:
        say("  No well-known API key is in the environment: fill in the example provider.")
    which = "" if config is None else f" --config {path}"
    say(f"  Next: name your models in it, then `routecodex config check{which}` and `routecodex start{which}`.")
    return 0


def detected(environ: Mapping[str, str]) -> list[tuple[KnownProvider, str]]:
    """Known providers whose variable is set, with the variable's name."""
    return [
        (known, next(name for name in known.variables if environ.get(name)))
        for known in KNOWN
        if any(environ.get(name) for name in known.variables)
    ]


def write_new(path: Path, content: str) -> None:
    """Create the file, mode 0600, in a folder made if need be. Raises CommandError if it exists."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(content)
    except FileExistsError:
        raise CommandError(
            EXIT_CONFIGURATION,
            f"{path} exists and is not overwritten.",
            "Edit it, remove it, or name another file with --config.",
            code="exists",
        ) from None
    except OSError as error:
        raise CommandError(
            EXIT_CONFIGURATION,
            f"{path} cannot be written: {error.strerror or 'the system refused'}.",
            "Name a writable file with --config.",
            code="cannot_write",
        ) from None


def text(found: list[tuple[KnownProvider, str]], port: int) -> str:
    """The file's content: valid as it is, each line explained once."""
    lines = [
        "# RouteCodex configuration. `routecodex config check` looks it over, `routecodex config schema` describes it.",
        "# Secrets are references only: ${ENVIRONMENT_VARIABLE} or file:/path/to/secret.",
        "",
        "[server]",
        f"port = {port}                # on 127.0.0.1; any other host needs apiKeys",
        "",
    ]
    providers = found or [(_EXAMPLE, _EXAMPLE.variables[0])]
    for known, variable in providers:
        lines += _provider(known, variable)
    lines += [
        "[virtualrouter.routing]",
        "# What is not addressed by name ends here: provider[.keyAlias].model. Further routes: thinking, longcontext,",
        "# background, vision, web_search, coding, search, tools, multimodal, and your own.",
        *_default_route(providers),
        "",
        "[virtualrouter.aliases]",
        "# What clients ask for -> a target or a route; * matches anything. Without a match the request is classified.",
        f'# "gpt-*" = "{providers[0][0].id}.MODEL"',
        "",
        "[architecture]",
        *(f'{row.key} = "{row.default}"' for row in SWITCHES if row.has_both_sides and "." not in row.key),
        "",
    ]
    return "\n".join(lines)


_EXAMPLE: Final = KnownProvider(
    "acme", ("ACME_API_KEY",), "openai-chat", "https://api.acme.example/v1", ("large", "small")
)
_USUAL_MODELS: Final[Mapping[str, str]] = {
    "anthropic": "claude-sonnet-4-5",
    "openai": "gpt-5.5",
    "gemini": "gemini-3.8-flash",
    "deepseek": "deepseek-chat",
    "glm": "glm-4.6",
    "qwen": "qwen3-coder-plus",
    "kimi": "kimi-k2-turbo-preview",
    "openrouter": "openrouter/auto",
}


def _provider(known: KnownProvider, variable: str) -> list[str]:
    models = ", ".join(f'"{model}"' for model in known.models)
    every = "          # every name is passed on; a list is checked" if known.models == ("*",) else ""
    return [
        f"[virtualrouter.providers.{known.id}]",
        f'protocol = "{known.protocol}"   # openai-chat | openai-responses | anthropic-messages | gemini',
        f'baseUrl  = "{known.base_url}"',
        f'keys     = {{ main = "${{{variable}}}" }}',
        f"models   = [{models}]{every}",
        "",
    ]


def _default_route(providers: list[tuple[KnownProvider, str]]) -> list[str]:
    first = providers[0][0]
    model = _USUAL_MODELS.get(first.id, first.models[0])
    return [f'default = ["{first.id}.{model}"]']
