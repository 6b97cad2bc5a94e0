"""Endpoints and headers, from the adapter's own tables; a path or header that no table knows is a fault."""

from __future__ import annotations

import re
from typing import Final, get_args

import msgspec
from tools.docs.running import of_gateway
from tools.docs.source import modules, strings
from tools.docs.text import DocumentationError, code, codes, table

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.forwarding import FORWARDED_HEADERS
from llmswitch_core.hub.upstream import Operation
from llmswitch_core.router.conversation_key import SESSION_HEADERS
from routecodex.app import sides
from routecodex.app.adapter_rules import rules
from routecodex.app.ids import new_id
from routecodex.app.kernel.assembly import Assembly
from routecodex.app.supervisor.asking import PATIENCE, SILENCE, UNDER_WAY
from routecodex.blocks.control_plane.commands import ARGUMENTS
from routecodex.blocks.http_adapter import daemon
from routecodex.blocks.http_adapter.admin import Admin
from routecodex.blocks.http_adapter.data_plane import DataPlane
from routecodex.blocks.http_adapter.endpoints import FIXED, GEMINI_ACTIONS, GEMINI_PREFIXES, RESPONSE_STATE, Endpoint
from routecodex.blocks.http_adapter.headers import RESPONSE_HEADERS, RESPONSE_PREFIXES
from routecodex.blocks.http_adapter.policy import Policy
from routecodex.blocks.http_adapter.port import watching_port
from routecodex.blocks.http_adapter.resources import MODEL_LISTS, RESPONSES
from routecodex.providers.provider import NEVER_SENT

TITLE: Final = "Endpoints and headers"
SOURCES: Final = (
    "src/routecodex/blocks/http_adapter/endpoints.py",
    "src/routecodex/blocks/http_adapter/headers.py",
    "src/routecodex/blocks/http_adapter/daemon.py",
    "src/routecodex/blocks/control_plane/commands.py",
)

_OPERATIONS: Final = {
    "generate": "an answer, streamed or whole, over any upstream",
    "count_tokens": "a token count; estimated where the upstream has none, and flagged as such",
    "embed": "embeddings; the target must speak the client's dialect",
    "compact": "forwarded to an openai-responses upstream, else 404",
    "forward": "a stored response",
}
_STATE: Final = {
    "": "read or delete a stored response",
    "/cancel": "cancel a running background response at the upstream that holds it",
    "/input_items": "what a stored response was asked with",
}
_OTHERS: Final = {
    "/v1/models": ("GET", "the model list; OpenAI's, Anthropic's or Gemini's shape by the asking SDK's headers"),
    "/v1beta/models": ("GET", "the model list in Gemini's shape"),
    "/health": ("GET", "the process is alive; `?verbose` with the admin token: targets, switches, counts"),
    "/ready": ("GET", "200 while requests are taken on, 503 while stopping"),
    "/metrics": ("GET", "Prometheus metrics; admin token"),
}
_OWN_HEADERS: Final = {
    "x-routecodex-route": ("request", "choose a route or a `provider[.keyAlias].model` for this one request"),
    "x-routecodex-conversation": ("request", "name the conversation; unit of stickiness"),
    "x-routecodex-request-id": ("answer", "the id under which this request stands in the log"),
    "x-routecodex-target": (
        "answer",
        "`provider.keyAlias.model` that answered; absent from a head that left before the first content",
    ),
    "x-routecodex-notes": (
        "answer",
        "what could not be carried as it was: `name;dropped`, `;mapped` or `;repaired`; [all names](notes.md)",
    ),
    "x-routecodex-generation": ("answer", "which configuration served the request"),
    daemon.ACTOR: ("command", "who asks, for the ledger"),
    "x-routecodex-estimate": ("answer", "`tokens`: the count is the gateway's estimate"),
}


def page() -> str:
    """The page's body. Raises DocumentationError for what the tables do not know."""
    _check(of_gateway(_paths))
    rows = [*_fixed(), *_state(), *_gemini(), *_rest()]
    return "\n\n".join(
        [
            (
                "Every path of the OpenAI and Anthropic protocols is served with and without `/v1`: some clients' base "
                "URLs already hold it."
            ),
            "## Endpoints",
            table(("method", "path", "protocol", "what it does"), rows),
            (
                "`GET /v1/responses` with an upgrade is the Responses WebSocket: text frames of type "
                "`response.create`, answers as the same events. With `server.limits.maxWebsocketConnections = 0` "
                "it is refused with 426."
            ),
            "A Gemini path may begin with any of " + codes(GEMINI_PREFIXES) + ".",
            "## Control commands",
            (
                "Below `/daemon/`; the admin token always, on loopback too. Arguments are members of a JSON object "
                "of at most 1 MiB; `If-Match` is the argument `ifMatch`, the hash the configuration in force must "
                "have. The answer is a receipt: `command`, `id`, `state` (`done`, `accepted`, `pending`, `refused`) "
                "and, where there is one, `reason`, `nextStep`, `result`. A command that is still being carried out "
                f"after {PATIENCE:g} s, or when the worker that took it has drained, is answered with 202 and code "
                f"`{UNDER_WAY}`: sent again with that `id`, it is not done twice and gets its receipt. A supervisor "
                f"that is gone, or silent for {SILENCE:g} s, is a 503."
            ),
            table(
                ("method", "path", "command", "arguments", "what it does"),
                [
                    (each.method, code(each.path), code(each.name), codes(_arguments(each.name)), each.description)
                    for each in daemon.COMMANDS
                ],
            ),
            "## Keys",
            (
                "Where `server.apiKeys` is set, a request carries one of them as `Authorization: Bearer`, `x-api-key`, "
                "`x-goog-api-key`, `api-key` or `?key=`. It ends at the gateway. The admin surface asks for the admin "
                "token as `Authorization: Bearer`, on loopback too."
            ),
            "## Headers of the gateway's own",
            table(
                ("header", "in", "meaning"),
                [(code(name), place, told) for name, (place, told) in _OWN_HEADERS.items()],
            ),
            "A session is also recognised by " + codes(SESSION_HEADERS) + ".",
            "## What passes towards the upstream",
            "Only where client and upstream speak the same protocol, and only these:",
            table(
                ("protocol", "headers"),
                [(protocol.value, codes(sorted(FORWARDED_HEADERS[protocol]))) for protocol in Protocol],
            ),
            "Never, whatever asks for it: " + codes(sorted(NEVER_SENT)) + ". The gateway puts its own credential in.",
            "## What passes back to the client",
            codes(sorted(RESPONSE_HEADERS)) + ", and whatever begins with " + codes(RESPONSE_PREFIXES) + ".",
        ]
    )


def _arguments(name: str) -> list[str]:
    """What a command takes, as it is written in JSON."""
    return [field.encode_name for field in msgspec.structs.fields(ARGUMENTS[name])]


def _fixed() -> list[tuple[str, str, str, str]]:
    return [
        (_methods(endpoint), code(path), endpoint.protocol.value, _OPERATIONS[endpoint.operation])
        for path, endpoint in FIXED.items()
        if path.startswith("/v1/")
    ]


def _state() -> list[tuple[str, str, str, str]]:
    return [
        (_methods(endpoint), code("/v1/responses/{id}" + rest), endpoint.protocol.value, _STATE[rest])
        for rest, endpoint in RESPONSE_STATE.items()
    ]


def _gemini() -> list[tuple[str, str, str, str]]:
    return [
        (
            _methods(endpoint),
            code(f"{GEMINI_PREFIXES[0]}{{model}}:{action}"),
            endpoint.protocol.value,
            _OPERATIONS[endpoint.operation],
        )
        for action, endpoint in GEMINI_ACTIONS.items()
    ]


def _rest() -> list[tuple[str, str, str, str]]:
    return [(method, code(path), "", told) for path, (method, told) in _OTHERS.items()]


def _methods(endpoint: Endpoint) -> str:
    return ", ".join(sorted(endpoint.methods))


def _paths(gateway: Assembly) -> set[str]:
    """Every path of the tables that both adapters are built from, patterns without their last part."""
    generation = gateway.current()
    plane = DataPlane(Policy(rules(generation.config)), gateway.flow, new_id, watching_port)
    admin = Admin(plane, sides.control_plane(generation.switches)(gateway.overview))
    below = {f"{path}/" for path in RESPONSES}
    return {
        *FIXED,
        *RESPONSES,
        *MODEL_LISTS,
        *GEMINI_PREFIXES,
        *below,
        *(_begin(route.path) for route in admin.routes()),
    }


def _begin(pattern: str) -> str:
    return pattern.partition("{")[0]


def _check(paths: set[str]) -> None:
    if set(_OPERATIONS) != set(get_args(Operation)):
        differ = ", ".join(sorted(set(_OPERATIONS) ^ set(get_args(Operation))))
        raise DocumentationError(f"tools/docs/http.py: _OPERATIONS and hub/upstream.py: Operation differ on: {differ}")
    if set(_STATE) != set(RESPONSE_STATE):
        differ = ", ".join(sorted(set(_STATE) ^ set(RESPONSE_STATE)))
        raise DocumentationError(f"tools/docs/http.py: _STATE and endpoints.py: RESPONSE_STATE differ on: {differ}")
    known = {daemon.PREFIX, *FIXED, *GEMINI_PREFIXES, *_OTHERS, "/models", "/v1/responses/", "/responses/"}
    unknown = sorted(paths - known) + sorted(path for path in _OTHERS if path not in paths)
    said = {found.lower() for tree in modules().values() for text in strings(tree) for found in _HEADER.findall(text)}
    unknown += sorted(said ^ set(_OWN_HEADERS))
    if unknown:
        raise DocumentationError(f"tools/docs/http.py and the code differ on: {', '.join(unknown)}")


_HEADER: Final = re.compile(r"x-routecodex-[a-z-]*[a-z]", re.IGNORECASE)
