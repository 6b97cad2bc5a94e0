"""Error codes: kinds and statuses from their tables, codes from every place in the source that raises one.

It reads calls of `GatewayError`, `invalid` and of functions that pass a code on to them. Codes made at run time (an
f-string) appear with `…` in them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tools.docs.source import argument, called, calls, modules, words
from tools.docs.text import code, codes, table

from llmswitch_core.canonical.errors import DEFAULT_STATUS, ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.protocols.registry import CODECS
from routecodex.app.outcome import class_of
from routecodex.providers.errors import _MEANING

TITLE: Final = "Errors"
SOURCES: Final = ("src/llmswitch_core/canonical/errors.py", "src/routecodex/providers/errors.py")

_KINDS: Final = {
    ErrorKind.INVALID_REQUEST: "the request is wrong; no other target is tried",
    ErrorKind.AUTHENTICATION: "a key was refused: the client's by the gateway, or the provider's by the upstream",
    ErrorKind.PERMISSION: "the key may not do this, or the request came from a foreign host or origin",
    ErrorKind.BILLING: "the upstream wants money",
    ErrorKind.NOT_FOUND: "no such model, response or path",
    ErrorKind.CONFLICT: "the state does not allow it",
    ErrorKind.TOO_LARGE: "the body or the context is too large",
    ErrorKind.RATE_LIMIT: "too many requests; `retry-after` is passed on",
    ErrorKind.TIMEOUT: "a phase took too long; the code names it",
    ErrorKind.OVERLOADED: "the upstream or the gateway is full, or the gateway is stopping",
    ErrorKind.UPSTREAM: "the upstream failed, or what it sent is no answer",
    ErrorKind.INTERNAL: "a fault of the gateway",
    ErrorKind.CANCELLED: "the client left",
}


@dataclass(frozen=True, order=True)
class Coded:
    """One code as one place raises it."""

    code: str
    kind: str
    message: str


def page() -> str:
    """The page's body."""
    return "\n\n".join(
        [
            (
                "Every failure has a kind, a code, a layer and a sentence that names the cause and the next step. It "
                "is answered in the client's protocol; the code is also in the request's log record. An upstream's own "
                "error keeps its status, type and `retry-after`; "
                "in the same protocol its body goes to the client as it is."
            ),
            "## Kinds",
            table(
                ("kind", "status", *(protocol.value for protocol in Protocol), "outcome class", "what happened"),
                [_kind(kind) for kind in ErrorKind],
            ),
            "The columns of the protocols: the status a client of that protocol sees.",
            "## Layers",
            table(("layer", "whose failure"), [(code(layer.value), _LAYERS[layer]) for layer in Layer]),
            "## Codes",
            "`…` stands for a value. Failures of the transport have the codes of the table below.",
            table(
                ("code", "kind", "message"), [(code(each.code), each.kind, each.message) for each in gateway_codes()]
            ),
            "## Codes of the transport",
            table(
                ("code", "kind", "cause", "next step"),
                [(code(name), kind.value, cause, step) for kind, name, cause, step in _MEANING.values()],
            ),
            "## Faults of the configuration",
            "`routecodex config check --json` names each with its path, file and line.",
            codes(sorted(_first_words("fault", "Fault", "PydanticCustomError"))) + ".",
            "## Failures of commands",
            'With `--json` a command that fails answers `{"error": {"code": …}}`.',
            codes(sorted(_command_codes())) + ".",
        ]
    )


_LAYERS: Final = {
    Layer.HOST: "the gateway's host: admission, limits, stopping, a fault of its own",
    Layer.SHARED_MODULE: "the shared module: translation and routing",
    Layer.PROVIDER: "the way to the upstream: credential, connection, time-outs",
    Layer.UPSTREAM: "the upstream's own answer",
    Layer.CLIENT: "the client's request",
}


def _kind(kind: ErrorKind) -> tuple[str, ...]:
    error = GatewayError(
        kind, "example", "An example.", layer=Layer.HOST if kind is ErrorKind.INTERNAL else Layer.UPSTREAM
    )
    statuses = [str(CODECS[protocol].write_error(error, "req_example").status) for protocol in Protocol]
    return code(kind.value), str(DEFAULT_STATUS[kind]), *statuses, class_of(error).value, _KINDS[kind]


def gateway_codes() -> list[Coded]:
    """Every code with kind and message, each once."""
    found: dict[Coded, None] = {}
    for path, tree in modules().items():
        if path.startswith("routecodex/cli/"):
            continue
        makers = dict(_wrappers(tree))
        for call in calls(tree):
            for coded in _coded(call, makers):
                found[coded] = None
    return sorted(found)


def _coded(call: ast.Call, makers: dict[str, tuple[list[str], str]]) -> Iterator[Coded]:
    name = called(call)
    if name == "GatewayError":
        spelled = words(argument(call, 1, "code"))
        if spelled:
            kind = _kind_name(argument(call, 0, "kind"))
            yield Coded(spelled, kind, words(argument(call, 2, "message")) or "…")
    elif name == "invalid":
        spelled = words(argument(call, 2, "code"))
        if spelled and spelled != "invalid_request":
            yield Coded(spelled, ErrorKind.INVALID_REQUEST.value, words(argument(call, 0, "message")) or "…")
    elif name in makers:
        parameters, kind = makers[name]
        spelled = words(argument(call, parameters.index("code"), "code"))
        if spelled:
            at = parameters.index("message") if "message" in parameters else len(call.args)
            yield Coded(spelled, kind, words(argument(call, at, "message")) or "…")


def _wrappers(tree: ast.Module) -> Iterator[tuple[str, tuple[list[str], str]]]:
    """Functions of a module that take `code` and make a GatewayError of it: name -> (parameters, kind)."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        parameters = [each.arg for each in (*node.args.posonlyargs, *node.args.args) if each.arg != "self"]
        if "code" not in parameters:
            continue
        for call in calls(node):
            given = argument(call, 1, "code")
            if called(call) == "GatewayError" and isinstance(given, ast.Name) and given.id == "code":
                yield node.name, (parameters, _kind_name(argument(call, 0, "kind")))


def _kind_name(node: ast.expr | None) -> str:
    """`ErrorKind.TIMEOUT` -> timeout; what is worked out at run time -> nothing."""
    if isinstance(node, ast.Attribute) and node.attr in ErrorKind.__members__:
        return ErrorKind[node.attr].value
    return "by cause"


def _first_words(*names: str) -> set[str]:
    """Codes of configuration faults: the first argument of these calls."""
    found: set[str] = set()
    for path, tree in modules().items():
        if path.startswith("routecodex/config/"):
            for call in calls(tree):
                if called(call) in (*names, "_fault"):
                    text = words(argument(call, 0, "code"))
                    if text and text.replace("_", "").isalpha() and text.islower():
                        found.add(text)
    return found


def _command_codes() -> set[str]:
    found: set[str] = set()
    for path, tree in modules().items():
        if path.startswith("routecodex/cli/"):
            for call in calls(tree):
                if called(call) == "CommandError":
                    text = words(next((each.value for each in call.keywords if each.arg == "code"), None))
                    if text:
                        found.add(text)
    return found
