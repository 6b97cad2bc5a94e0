"""The configuration page: every section and setting, from the models and their JSON Schema.

What a setting means comes, in this order, from the docstring below its field, from the docstring of the same field in
`config/compiled.py`, or from `MEANINGS`. A setting without a meaning, and a meaning without a setting, are faults.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pydantic.alias_generators import to_snake
from tools.docs.source import attribute_docs, class_doc
from tools.docs.text import DocumentationError, clean, code, literal, table

from routecodex.app.switches import TABLE
from routecodex.config.models import SECTIONS_TO_COME, configuration_model
from routecodex.config.schema import json_schema

TITLE: Final = "Configuration"
SOURCES: Final = ("src/routecodex/config/models.py", "src/routecodex/config/routing_models.py")

_HOMES: Final = {
    "models.py": (
        "Admin",
        "Compat",
        "ConfigurationBase",
        "ResponsesSurface",
        "Rollout",
        "Server",
        "ServerKey",
        "ServerLimits",
        "Snapshots",
        "Store",
        "Telemetry",
    ),
    "routing_models.py": (
        "Classifier",
        "ContextRouting",
        "Health",
        "Hints",
        "PoolTarget",
        "Retry",
        "RouteItem",
        "Sticky",
        "VirtualRouter",
    ),
    "provider_models.py": ("Auth", "Endpoint", "Model", "Provider", "ProviderTimeouts"),
}
_FILE_OF: Final = {name: file for file, names in _HOMES.items() for name in names}

_COMPILED: Final = {
    "Server": ("routecodex/config/compiled.py", "ServerSettings"),
    "ServerLimits": ("routecodex/config/compiled.py", "Limits"),
    "Classifier": ("llmswitch_core/router/contract.py", "ClassifierSettings"),
}
"""Where the same field is explained in its compiled form."""

MEANINGS: Final = {
    "server": "The listener, its keys and its limits.",
    "virtualrouter": "Providers, routes, aliases, and how a target is chosen.",
    "compat": "Compat profiles of your own.",
    "rollout": f"Nothing yet: {SECTIONS_TO_COME['rollout']}.",
    "snapshots": f"Nothing yet: {SECTIONS_TO_COME['snapshots']}.",
    "telemetry": "Logs and metrics.",
    "store": "What the gateway remembers: Responses by id, issuers of opaque tokens.",
    "architecture": "The switch table; see [switches](switches.md).",
    "server.host": "Address to bind. Anything but loopback is refused without `apiKeys`.",
    "server.backlog": "Connections the system keeps waiting before they are accepted.",
    "server.admin": "The admin surface: `/metrics` and the details of `/health` and `/ready`.",
    "server.admin.enabled": "Off: the surface answers 404.",
    "server.limits": "What one client may ask of the server.",
    "server.limits.maxJsonDepth": "Levels a request body may be nested.",
    "server.limits.maxHeaderBytes": "Bytes of one request's head.",
    "server.limits.maxConcurrentRequests": "Requests under way at once; more are answered 503.",
    "server.limits.maxWebsocketConnections": "Open Responses WebSockets; 0 switches them off.",
    "server.responses": "How Responses streams look.",
    "server.accessLog": "One record per request in the log; failed ones are logged either way.",
    "server.apiKeys[].key": "The reference.",
    "server.apiKeys[].account": "Name of the owner; responses and stickiness are kept apart by it. Default `key-N`.",
    "virtualrouter.providers": "Upstreams by id. An id has no dots.",
    "virtualrouter.unknownModel": "What becomes of a model name nothing addresses: classified, or a 404.",
    "virtualrouter.classifier": "When a request takes which route.",
    "virtualrouter.classifier.longContextTokens": "Estimated tokens from which a request takes `longcontext`.",
    "virtualrouter.classifier.backgroundModels": "Names of small models; a small side request to one is `background`.",
    "virtualrouter.classifier.codingTools": "Tool names that count as coding, in place of the built-in ones.",
    "virtualrouter.classifier.searchTools": "Tool names that count as searching, in place of the built-in ones.",
    "virtualrouter.classifier.webTools": "Tool names that count as searching the web, in place of the built-in ones.",
    "virtualrouter.classifier.order": "In which order routes are tried.",
    "virtualrouter.health": "When a target is left alone, and for how long.",
    "virtualrouter.health.failureThreshold": "Failures within `window` that open the circuit.",
    "virtualrouter.health.window": "Seconds failures are remembered for the threshold.",
    "virtualrouter.health.openSeconds": "Seconds a circuit stays open the first time; doubled each further time.",
    "virtualrouter.health.maxOpenSeconds": "Most seconds a circuit stays open.",
    "virtualrouter.health.halfOpenProbes": "Requests let through at once while a circuit is half-open.",
    "virtualrouter.health.rateLimitCooldown": "Seconds after a 429 that names no wait.",
    "virtualrouter.health.authCooldown": "Seconds a key is left alone after it was refused.",
    "virtualrouter.health.billingCooldown": "Seconds a key is left alone after the vendor asked for money.",
    "virtualrouter.contextRouting": "How full a model's context window may be.",
    "virtualrouter.contextRouting.warnRatio": "From this share on a target is avoided while another is free.",
    "virtualrouter.contextRouting.hardLimit": "A larger request goes there only when nobody else is left.",
    "virtualrouter.sticky": "Conversations stay with the target that served them.",
    "virtualrouter.sticky.enabled": "Off: each request is placed anew.",
    "virtualrouter.sticky.ttl": "Seconds after its last request a conversation is forgotten.",
    "virtualrouter.sticky.maxEntries": "Conversations remembered.",
    "virtualrouter.hints": "Whether clients may choose a route themselves.",
    "virtualrouter.retry": "How often a request is tried.",
    "virtualrouter.retry.attempts": "Upstream calls one request may cost.",
    "virtualrouter.routing[][].target": "One target: `provider[.keyAlias].model`.",
    "virtualrouter.routing[][].weight": "Share of this target among its neighbours.",
    "virtualrouter.routing[][].targets": "A pool of its own.",
    "virtualrouter.routing[][].mode": "`weighted`: smooth round robin; `priority`: the first that is healthy.",
    "virtualrouter.routing[][].priority": "Order among the pools of the route, lower first.",
    "virtualrouter.routing[][].id": "Name of the pool in decisions and logs.",
    "virtualrouter.routing[][].targets[].target": "`provider[.keyAlias].model`.",
    "virtualrouter.routing[][].targets[].weight": "Share in the pool; without it the provider's `weight`.",
    "virtualrouter.routing[][].targets[].priority": "Order in the pool, lower first.",
    "virtualrouter.providers.NAME.protocol": "What the upstream speaks.",
    "virtualrouter.providers.NAME.models": 'Models that may be named; without a list any name is passed on (`"*"`).',
    "virtualrouter.providers.NAME.models[].contextWindow": "Tokens; used by `contextRouting`.",
    "virtualrouter.providers.NAME.models[].maxOutputTokens": "Tokens; larger wishes are cut where the codec can.",
    "virtualrouter.providers.NAME.compatProfile": "See [compat profiles](compat-profiles.md); by vendor where known.",
    "virtualrouter.providers.NAME.auth": "How the credential under `keys` is used.",
    "virtualrouter.providers.NAME.auth.type": "`apiKey` is what the vendor's own SDK does.",
    "virtualrouter.providers.NAME.auth.tokenUrl": "OAuth2 token endpoint.",
    "virtualrouter.providers.NAME.auth.clientId": "OAuth2 client.",
    "virtualrouter.providers.NAME.auth.grant": "`client_credentials`: the key is the client secret.",
    "virtualrouter.providers.NAME.auth.scopes": "OAuth2 or service account scopes.",
    "virtualrouter.providers.NAME.auth.audience": "OAuth2 audience, where the endpoint wants one.",
    "virtualrouter.providers.NAME.auth.clientAuth": "Client id and secret in the form, or as Basic header.",
    "virtualrouter.providers.NAME.endpoint": "How the URL is made where it is not base URL + protocol path.",
    "virtualrouter.providers.NAME.endpoint.kind": "`azure` and `vertex` bring templates; `custom` needs `path`.",
    "virtualrouter.providers.NAME.endpoint.query": "Query parameters added to every request; may hold placeholders.",
    "virtualrouter.providers.NAME.endpoint.variables": "Placeholders of your own for the templates.",
    "virtualrouter.providers.NAME.endpoint.keyHeader": "Header the key goes into.",
    "virtualrouter.providers.NAME.endpoint.project": "vertex: the Google Cloud project.",
    "virtualrouter.providers.NAME.timeouts": "Seconds per phase.",
    "virtualrouter.providers.NAME.timeouts.connect": "Name resolution, connection, TLS, and waiting for the pool.",
    "virtualrouter.providers.NAME.timeouts.firstByte": "From the request's last byte to the answer's first.",
    "virtualrouter.providers.NAME.timeouts.idle": "Silence between two bytes of an answer.",
    "virtualrouter.providers.NAME.timeouts.total": "The whole request, from its first attempt on.",
    "virtualrouter.providers.NAME.proxy": "HTTP(S) proxy; credentials in it only as references.",
    "virtualrouter.providers.NAME.caFile": "PEM file with further certificate authorities.",
    "virtualrouter.providers.NAME.verify": "Off: any certificate is accepted; `config check` warns.",
    "virtualrouter.providers.NAME.maxConnections": "Connections to this provider at once.",
    "compat.files": "Files, relative to the configuration.",
    "compat.directories": "Folders; every `.toml` and `.json` in them is a profile.",
    "store.responsesTtl": "Seconds a stored response is kept.",
    "store.maxBytes": "Size of the file; the oldest go first.",
    "telemetry.logLevel": "Least level that is written.",
    "telemetry.logFormat": "`json`: one object per line; `console`: for eyes.",
    "telemetry.metrics": "Prometheus metrics at `/metrics`.",
}


def page() -> str:
    """The page's body. Raises DocumentationError naming every gap."""
    walk = _Walk()
    walk.section("", walk.schema, "ConfigurationBase")
    unused = set(MEANINGS) - walk.used
    if walk.missing or unused:
        told = [f"no meaning: {path} (write a docstring below the field)" for path in walk.missing]
        raise DocumentationError("\n".join([*told, *(f"no such setting: {path}" for path in sorted(unused))]))
    return "\n\n".join([_HEAD, *walk.out])


_HEAD: Final = """\
The file is `~/.routecodex/config.toml` (or `.json`); `--config FILE` or `ROUTECODEX_CONFIG` name another. Keys are
camelCase; snake_case is read too. An unknown key is an error that names the nearest known one.

Secrets are references only: `${ENVIRONMENT_VARIABLE}` or `file:path` (relative to the configuration).

Any setting can be overridden from the environment: `ROUTECODEX_` and the path with two underscores between the levels,
such as `ROUTECODEX_SERVER__PORT=6000`. Text stays text, everything else is JSON. `routecodex config show` prints each
value and who set it; `routecodex config schema` prints the JSON Schema this page is made from.

`virtualrouterCanary` has the shape of `virtualrouter` and holds only what changes: tables are merged key by key, lists
are replaced."""


class _Walk:
    def __init__(self) -> None:
        self.schema: dict[str, Any] = json_schema(TABLE)
        self.model = configuration_model(TABLE.rows)
        self.out: list[str] = []
        self.used: set[str] = set()
        self.missing: list[str] = []

    def section(self, path: str, schema: dict[str, Any], name: str) -> None:
        """The heading, the table of plain settings, then every section below."""
        rows: list[tuple[str, ...]] = []
        inner: list[tuple[str, str]] = []
        for key, field in schema["properties"].items():
            if key == "virtualrouterCanary":
                continue
            here = f"{path}.{key}" if path else key
            below = list(self._sections(here, field))
            inner += below
            rows.append(
                (code(key), self._kind(field), self._default(field, schema, key), self.meaning(here, name, key, field))
            )
        if path:
            doc = clean(class_doc(f"routecodex/config/{_FILE_OF[name]}", name)) if name in _FILE_OF else ""
            self.out.append(f"## {code(path)}" + (f"\n\n{doc}" if doc else ""))
        else:
            self.out.append("## Sections")
        if rows:
            self.out.append(table(("setting", "type", "default", "meaning"), rows))
        for place, reference in inner:
            self.section(place, self._object(reference), reference)

    def meaning(self, path: str, name: str, key: str, field: dict[str, Any]) -> str:
        """What is said of a setting, from the nearest place."""
        if name.startswith("Architecture"):
            return str(field.get("description", "")) or "Rows below."
        snake = to_snake(key)
        said = attribute_docs(f"routecodex/config/{_FILE_OF[name]}", name).get(snake)
        if said is None and name in _COMPILED:
            said = attribute_docs(*_COMPILED[name]).get(snake)
        if said is None and path in MEANINGS:
            self.used.add(path)
            said = MEANINGS[path]
        if said is None:
            self.missing.append(path)
        return clean(said)

    def _object(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.schema["$defs"][name]
        for variant in found.get("anyOf", ()):
            if "properties" in variant:
                return dict(variant)
        return found

    def _sections(self, path: str, field: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """(path, definition) of each section behind a field, `NAME` for keys of a table and `[]` for list items."""
        reference = field.get("$ref")
        if reference is not None:
            yield path, reference.rpartition("/")[2]
        for choice in field.get("anyOf", ()):
            yield from self._sections(path, choice)
        if "items" in field:
            yield from self._sections(path + "[]", field["items"])
        for inner in _values_of(field):
            below = ".NAME" if "$ref" in inner else "[]" if path.endswith("routing") else ""
            yield from self._sections(path + below, inner)

    def _kind(self, field: dict[str, Any]) -> str:
        reference = field.get("$ref")
        if reference is not None:
            name = reference.rpartition("/")[2]
            return "text or table" if "anyOf" in self.schema["$defs"][name] else "table"
        if "anyOf" in field:
            return " or ".join(dict.fromkeys(self._kind(each) for each in field["anyOf"] if each.get("type") != "null"))
        if "enum" in field:
            return ", ".join(code(str(value)) for value in field["enum"])
        if "const" in field:
            return code(str(field["const"]))
        kind = field.get("type", "any")
        if kind == "array":
            return f"list of {self._kind(field['items'])}"
        if kind == "object":
            values = list(_values_of(field))
            return f"table of {self._kind(values[0])}" if values else "table"
        if "pattern" in field and "${" in str(field.get("description", "")):
            return "reference"
        return _TYPES.get(str(kind), str(kind)) + _bounds(field)

    def _default(self, field: dict[str, Any], schema: dict[str, Any], key: str) -> str:
        if key in schema.get("required", ()):
            return "required"
        value = field.get("default")
        if isinstance(value, dict):
            return ""
        if value is None and key in ("order", "backgroundModels"):
            value = self._factory_default(key)
        return literal(value)

    def _factory_default(self, key: str) -> Any:
        dumped = self.model().model_dump(mode="json", by_alias=True)
        found: Any = dumped["virtualrouter"]["classifier"][key]
        return found


def _values_of(field: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Schemas of a table's values, where the keys are the user's."""
    if field.get("type") == "object" and "properties" not in field:
        more = field.get("additionalProperties")
        if isinstance(more, dict):
            yield more
        yield from field.get("patternProperties", {}).values()


_TYPES: Final = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


def _bounds(field: dict[str, Any]) -> str:
    low = field.get("minimum", field.get("exclusiveMinimum"))
    high = field.get("maximum", field.get("exclusiveMaximum"))
    if low is None and high is None:
        return ""
    least = f"more than {low:g}" if "exclusiveMinimum" in field else f"from {_number(low)}" if low is not None else ""
    most = f"to {_number(high)}" if high is not None else ""
    return f", {least} {most}".rstrip()


def _number(value: float) -> str:
    return f"{int(value)}" if float(value).is_integer() else f"{value:g}"


__all__ = ["MEANINGS", "SOURCES", "TITLE", "page"]
