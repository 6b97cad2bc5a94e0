"""What a configuration compiles to: frozen structs the app, the blocks and the providers are built from.

Data only: no defaults are looked up, no file or environment is read here. Every secret is resolved and wrapped
in `Secret`; every reference (profile, vendor, target) is already checked. It must not know the configuration's
file format or pydantic: this is what the data plane imports. Times are seconds, sizes bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.router.contract import RoutingTable
from routecodex.config.secret import Secret

SwitchValue: TypeAlias = str | bool | tuple[str, ...]
"""A side (`v1`, `canary`, `observe`), a flag, or a list of names."""


# --- providers -----------------------------------------------------------------------------------------


class OAuthSpec(msgspec.Struct, frozen=True):
    """How to get a bearer token from an OAuth2 token endpoint (RFC 6749 §4.4 or §6).

    `grant` `client_credentials` needs `client_secret`, `refresh_token` needs `refresh_token`.
    """

    token_url: str
    client_id: str
    grant: Literal["client_credentials", "refresh_token"] = "client_credentials"
    client_secret: Secret | None = None
    refresh_token: Secret | None = None
    scopes: tuple[str, ...] = ()
    audience: str | None = None
    client_auth: Literal["post", "basic"] = "post"
    """Client credentials in the form body or as HTTP Basic."""


class ServiceAccountSpec(msgspec.Struct, frozen=True):
    """A Google service account: its key file's JSON text, exchanged for a bearer token by a signed JWT (RFC 7523)."""

    key: Secret
    """The JSON text of the key file (client_email, private_key, token_uri)."""
    scopes: tuple[str, ...] = ("https://www.googleapis.com/auth/cloud-platform",)


class AuthSpec(msgspec.Struct, frozen=True):
    """How one keyAlias proves itself. `kind` says where the credential comes from, the rest where it goes.

    kind:  `none`            nothing is sent
           `static`          `secret`
           `token_file`      the stripped content of `token_file`, read again when the file changes
           `oauth2`          a token by `oauth`
           `service_account` a token by `service_account`
    The credential goes into query parameter `query` if set, else into header `header` behind `prefix`.
    """

    kind: Literal["none", "static", "token_file", "oauth2", "service_account"]
    header: str = "authorization"
    """Lower case."""
    prefix: str = "Bearer "
    query: str | None = None
    secret: Secret | None = None
    token_file: str | None = None
    oauth: OAuthSpec | None = None
    service_account: ServiceAccountSpec | None = None


class EndpointSpec(msgspec.Struct, frozen=True):
    """How the URL is made from `base_url` and an UpstreamRequest.

    URL = base_url + template + "?" + request query + `query`. The template is `paths[operation]` if there, else
    `path`. Placeholders: `{path}` the request's own path; `{model}` the upstream model, percent-encoded;
    `{verb}` what a Google-style path ends in: for gemini the part behind the last colon of the request's path,
    for anthropic-messages `streamRawPredict` or `rawPredict`, else ""; and every key of `variables`.
    """

    kind: Literal["standard", "azure", "vertex", "custom"] = "standard"
    path: str = "{path}"
    paths: Mapping[str, str] = {}
    """By operation: generate, count_tokens, embed, compact, forward."""
    query: Mapping[str, str] = {}
    variables: Mapping[str, str] = {}


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds. `first_byte` runs from the request's last byte to the answer's first, `idle` between two bytes."""

    connect: float = 10.0
    first_byte: float = 300.0
    idle: float = 300.0
    total: float = 3600.0


class TlsSpec(msgspec.Struct, frozen=True):
    """`ca_file` is added to the system's roots; `verify` false accepts any certificate."""

    verify: bool = True
    ca_file: str | None = None


class ProviderSpec(msgspec.Struct, frozen=True):
    """One provider as Provider V2 needs it: a Provider V2 instance is made per entry of `auth` (per runtimeKey)."""

    id: str
    protocol: Protocol
    base_url: str
    """Without a trailing slash; the version segment is part of it for the two OpenAI protocols only."""
    vendor: str
    profile: str
    auth: Mapping[str, AuthSpec]
    """keyAlias -> credential, in the order of the configuration."""
    endpoint: EndpointSpec = EndpointSpec()
    timeouts: Timeouts = Timeouts()
    tls: TlsSpec = TlsSpec()
    proxy: Secret | None = None
    """http(s) proxy URL, maybe with credentials; None: the connection is direct."""
    headers: Mapping[str, Secret] = {}
    """Static headers added to every request; names in lower case."""
    max_connections: int = 1024


# --- server --------------------------------------------------------------------------------------------


class ApiKey(msgspec.Struct, frozen=True):
    """One key clients may present, and the account it belongs to."""

    account: str
    secret: Secret


class Limits(msgspec.Struct, frozen=True):
    """What one client may ask of the server; bytes and counts."""

    max_body_bytes: int = 32 * 1024 * 1024
    """After decoding of the content-encoding."""
    max_json_depth: int = 256
    max_header_bytes: int = 64 * 1024
    max_concurrent_requests: int = 2048
    max_websocket_connections: int = 512
    write_buffer_bytes: int = 256 * 1024
    """How far a client may lag behind the upstream before reading from the upstream stops."""


class AdminSettings(msgspec.Struct, frozen=True):
    """The admin surface (`/metrics`, `/health?verbose`, later `/daemon/…`): always behind this token."""

    enabled: bool = True
    token_file: str = ""
    """Absolute path; mode 0600; made at first start if absent."""


class ServerSettings(msgspec.Struct, frozen=True):
    host: str = "127.0.0.1"
    port: int = 5555
    """0: the system chooses one."""
    backlog: int = 2048
    api_keys: tuple[ApiKey, ...] = ()
    """Empty: no key is asked for (loopback only)."""
    admin: AdminSettings = AdminSettings()
    limits: Limits = Limits()
    keepalive: float = 15.0
    """Silence towards the client after which a keepalive is sent; 0: none."""
    head_wait: float = 15.0
    """How long the response head of a stream waits for the first content. One that went out sooner than that names no
    target: another attempt may still answer."""
    drain: float = 30.0
    """How long a stopping server waits for running requests before their streams get a terminal error."""
    hard_stop: float = 3600.0
    """How long requests of a replaced generation may run before their streams get a terminal error."""
    allowed_hosts: tuple[str, ...] = ()
    """Host header values accepted besides loopback names and the bound address; `*` accepts all."""
    allowed_origins: tuple[str, ...] = ()
    """Origins accepted besides the server's own; `*` accepts all."""
    responses_done_marker: bool = False
    """Append `data: [DONE]` to Responses streams (the vendor's API does not)."""
    access_log: bool = True


class RetrySettings(msgspec.Struct, frozen=True):
    """How often a request is tried. `lone_retry_after`: a lone target is retried once up to this Retry-After."""

    attempts: int = 3
    lone_retry_after: float = 5.0


# --- the rest ------------------------------------------------------------------------------------------


class ProfileDocument(msgspec.Struct, frozen=True):
    """One user-written compat profile as read from a file or from the configuration, not yet compiled."""

    name: str
    source: str
    """File path, or the configuration path for inline profiles; for messages."""
    data: Mapping[str, Any]


class StoreSettings(msgspec.Struct, frozen=True):
    """Embedded state: Responses by id, issuers of opaque tokens. `path` ":memory:" keeps it in the process."""

    path: str
    responses_ttl: float = 30 * 24 * 3600.0
    max_bytes: int = 1024 * 1024 * 1024


class TelemetrySettings(msgspec.Struct, frozen=True):
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    metrics: bool = True


class Paths(msgspec.Struct, frozen=True):
    """Where a running gateway keeps what it writes; absolute."""

    home: str
    run: str
    """pid files, admin token, force_stable sentinel; mode 0700."""
    logs: str


class Setting(msgspec.Struct, frozen=True):
    """One switch's value as configured, and by whom."""

    value: SwitchValue
    source: Literal["default", "file", "environment"]


class CompiledConfig(msgspec.Struct, frozen=True):
    """A whole configuration, checked and wired by name; what a Generation is built from."""

    hash: str
    """sha256 (hex) of the canonical effective configuration; secrets count by reference."""
    source: str
    """File it was read from, for messages."""
    server: ServerSettings
    providers: Mapping[str, ProviderSpec]
    routing: RoutingTable
    canary_routing: RoutingTable | None
    """The table `virtualRouterPolicy = canary` uses; None without a `virtualrouterCanary` section."""
    retry: RetrySettings
    route_hints: bool
    """Whether the request header `x-routecodex-route` is honoured."""
    profiles: tuple[ProfileDocument, ...]
    """User profiles; built-in ones are in the shared module."""
    architecture: Mapping[str, Setting]
    """Every row of the switch table by dotted key; input of `app.switches.resolve`."""
    store: StoreSettings
    telemetry: TelemetrySettings
    paths: Paths
