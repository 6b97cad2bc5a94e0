"""From a loaded configuration to `CompiledConfig`: meaning checked, references resolved, everything frozen.

The one place that decides whether a configuration can be run: `config check` and `start` both call it. It must not
start, open or connect anything; files it reads are the ones references and profiles name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from llmswitch_core.compat import BUILT_IN
from routecodex.config.compiled import (
    AdminSettings,
    ApiKey,
    CompiledConfig,
    Limits,
    Paths,
    ProfileDocument,
    ProviderSpec,
    RetrySettings,
    ServerSettings,
    Setting,
    StoreSettings,
    SwitchValue,
    TelemetrySettings,
)
from routecodex.config.faults import ConfigError, Path
from routecodex.config.loading import OVERLAY, Loaded, gateway_home
from routecodex.config.models import ConfigurationBase, Server
from routecodex.config.profiles import read_profiles
from routecodex.config.provider_compiling import ProviderCompiler, is_loopback
from routecodex.config.references import References, UnresolvedReferenceError
from routecodex.config.routing_compiling import compile_routing

ROUTER = "virtualrouter"


def compile_config(loaded: Loaded, environ: Mapping[str, str]) -> CompiledConfig:
    """The configuration, ready to be wired. Raises ConfigError naming every fault of shape and meaning."""
    model = loaded.model
    if model is None:
        raise ConfigError(loaded.faults)
    home = gateway_home(environ)
    folder = loaded.path.absolute().parent
    references = References(environ, folder)
    profiles = read_profiles(loaded, model.compat, folder)
    vendors = {**dict.fromkeys(BUILT_IN, ""), **{profile.name: _stated_vendor(profile) for profile in profiles}}
    providers = ProviderCompiler(loaded, references, vendors)
    specs = _specs(providers, model, (ROUTER,))
    routing = compile_routing(loaded, model.virtualrouter, specs, (ROUTER,), "stable")
    canary_routing = None
    if loaded.canary is not None:
        canary_specs = _specs(providers, loaded.canary, (OVERLAY,))
        _check_canary(loaded, specs, canary_specs)
        canary_routing = compile_routing(loaded, loaded.canary.virtualrouter, canary_specs, (OVERLAY,), "canary")
        specs = {**canary_specs, **specs}
    architecture = _architecture(loaded)
    server = _server(loaded, model.server, references, home, folder)
    if not specs and not model.virtualrouter.providers:
        loaded.fault(
            "missing_provider",
            (ROUTER, "providers"),
            "There is no provider.",
            "Add one under [virtualrouter.providers.NAME]; `routecodex init` shows how.",
        )
    if loaded.has_errors:
        raise ConfigError(loaded.faults)
    retry = model.virtualrouter.retry
    return CompiledConfig(
        hash=loaded.hash,
        source=str(loaded.path),
        server=server,
        providers=specs,
        routing=routing,
        canary_routing=canary_routing,
        retry=RetrySettings(attempts=retry.attempts, lone_retry_after=retry.lone_retry_after),
        route_hints=model.virtualrouter.hints.header,
        profiles=profiles,
        architecture=architecture,
        store=StoreSettings(
            path=_store_path(model.store.path, home, folder),
            responses_ttl=model.store.responses_ttl,
            max_bytes=model.store.max_bytes,
        ),
        telemetry=TelemetrySettings(
            log_level=model.telemetry.log_level,
            log_format=model.telemetry.log_format,
            metrics=model.telemetry.metrics,
        ),
        paths=paths_of(home),
    )


def _stated_vendor(profile: ProfileDocument) -> str:
    stated = profile.data.get("vendor", "")
    return stated if isinstance(stated, str) else ""


def paths_of(home: FilePath) -> Paths:
    """Where a gateway with this home keeps what it writes."""
    return Paths(home=str(home), run=str(home / "run"), logs=str(home / "logs"))


def admin_token_file(server: Server, home: FilePath, folder: FilePath) -> str:
    """Where the admin token of a server is kept."""
    if server.admin.token_file is None:
        return str(home / "run" / "admin-token")
    return str(folder / FilePath(server.admin.token_file).expanduser())


def _specs(compiler: ProviderCompiler, model: ConfigurationBase, root: Path) -> dict[str, ProviderSpec]:
    specs = {
        provider_id: compiler.compile(provider_id, provider, (*root, "providers", provider_id))
        for provider_id, provider in model.virtualrouter.providers.items()
    }
    return {provider_id: spec for provider_id, spec in specs.items() if spec is not None}


def _check_canary(loaded: Loaded, stable: Mapping[str, ProviderSpec], canary: Mapping[str, ProviderSpec]) -> None:
    """Both policies choose among the same providers: two ways to reach one id would make a comparison worthless."""
    for provider_id, spec in canary.items():
        if provider_id in stable and stable[provider_id] != spec:
            loaded.fault(
                "canary_provider",
                (OVERLAY, "providers", provider_id),
                "The overlay changes how an existing provider is reached.",
                "Add a provider with an id of its own and route to that.",
            )
    for section in ("hints", "retry"):
        if (OVERLAY, section) in loaded.tidied.written:
            loaded.fault(
                "canary_setting",
                (OVERLAY, section),
                f"{section} holds for both policies.",
                f"Write it under virtualrouter.{section}.",
            )


def switch_settings(loaded: Loaded) -> dict[str, Setting]:
    """Every row of the switch table with its value and who set it, as written. Needs `loaded.model`."""
    written = loaded.effective.get("architecture", {})
    settings: dict[str, Setting] = {}
    for row in loaded.switches.rows:
        steps = tuple(row.key.split("."))
        value: Any = written
        for step in steps:
            value = value[step]
        chosen: SwitchValue = tuple(value) if isinstance(value, list) else value
        settings[row.key] = Setting(chosen, loaded.source(("architecture", *steps)))
    return settings


def _architecture(loaded: Loaded) -> dict[str, Setting]:
    """Every row with its value and who set it; choices the table refuses are faults."""
    settings = switch_settings(loaded)
    for key, reason in loaded.switches.refusals({key: setting.value for key, setting in settings.items()}):
        loaded.fault("refused_switch", ("architecture", *key.split(".")), reason)
    return settings


def _server(loaded: Loaded, server: Server, references: References, home: FilePath, folder: FilePath) -> ServerSettings:
    keys = _api_keys(loaded, server, references)
    if not is_loopback(server.host) and not server.api_keys:
        loaded.fault(
            "open_server",
            ("server", "host"),
            "Anyone who reaches this address could use the gateway: it is not loopback and there are no API keys.",
            'Set server.apiKeys = ["${NAME}"], or bind 127.0.0.1.',
        )
    limits = server.limits
    return ServerSettings(
        host=server.host,
        port=server.port,
        backlog=server.backlog,
        api_keys=keys,
        admin=AdminSettings(enabled=server.admin.enabled, token_file=admin_token_file(server, home, folder)),
        limits=Limits(
            max_body_bytes=limits.max_body_bytes,
            max_json_depth=limits.max_json_depth,
            max_header_bytes=limits.max_header_bytes,
            max_concurrent_requests=limits.max_concurrent_requests,
            max_websocket_connections=limits.max_websocket_connections,
            write_buffer_bytes=limits.write_buffer_bytes,
        ),
        keepalive=server.keepalive,
        head_wait=server.head_wait,
        drain=server.drain,
        hard_stop=server.hard_stop,
        allowed_hosts=tuple(server.allowed_hosts),
        allowed_origins=tuple(server.allowed_origins),
        responses_done_marker=server.responses.done_marker,
        access_log=server.access_log,
    )


def _api_keys(loaded: Loaded, server: Server, references: References) -> tuple[ApiKey, ...]:
    keys: list[ApiKey] = []
    for index, entry in enumerate(server.api_keys):
        place: Path = ("server", "apiKeys", index)
        try:
            secret = references.secret(entry.key)
        except UnresolvedReferenceError as error:
            loaded.fault("unresolved_reference", place, error.message, error.next_step)
            continue
        if any(key.secret == secret for key in keys):
            loaded.fault("duplicate", place, "The same key is listed twice.", "Keep one.")
        keys.append(ApiKey(entry.account or f"key-{index + 1}", secret))
    return tuple(keys)


def _store_path(written: str | None, home: FilePath, folder: FilePath) -> str:
    if written is None:
        return str(home / "state.sqlite3")
    if written == ":memory:":
        return written
    return str(folder / FilePath(written).expanduser())
