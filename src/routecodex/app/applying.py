"""From a desired configuration to a candidate that could be wired, and what that would change.

Pure but for the references it resolves (environment, secret files). It knows which part of a configuration takes what
to change; building and publishing are the kernels'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from llmswitch_core.compat import ProfileError
from routecodex.app.supervisor.messages import Change, Desired, Effect, Refusal
from routecodex.app.switches import SWITCHES, TABLE, SwitchVector, forced_keys, resolve
from routecodex.config.compiled import CompiledConfig, SwitchValue
from routecodex.config.compiling import compile_config
from routecodex.config.faults import ConfigError, Fault, json_path
from routecodex.config.loading import load_content

_EFFECTS: Final[tuple[tuple[str, Effect, str], ...]] = (
    ("server.host", "restart", "the listener: stop and start the gateway"),
    ("server.port", "restart", "the listener: stop and start the gateway"),
    ("server.backlog", "restart", "the listener: stop and start the gateway"),
    ("server.limits.maxHeaderBytes", "restart", "part of the connection's protocol"),
    ("server.limits.writeBufferBytes", "restart", "part of the connection's protocol"),
    ("server.limits.maxWebsocketConnections", "restart", "part of the server"),
    ("server.accessLog", "restart", "part of the log"),
    ("telemetry.logLevel", "restart", "part of the log"),
    ("telemetry.logFormat", "restart", "part of the log"),
    ("store", "restart", "the store is opened once"),
)
"""What does not go with a generation, by path; everything else is read by new requests (drain)."""
LISTENER: Final = frozenset({"server.host", "server.port", "server.backlog"})
"""Changes a new worker cannot carry out either."""
_SHOWN: Final = 200


class UnusableError(Exception):
    """The configuration cannot be taken."""

    def __init__(self, refusals: tuple[Refusal, ...]) -> None:
        super().__init__("; ".join(refusal.message for refusal in refusals))
        self.refusals = refusals


class Candidate(msgspec.Struct, frozen=True):
    """A configuration that was read, checked and compiled, with every switch decided."""

    desired: Desired
    compiled: CompiledConfig
    switches: SwitchVector
    shown: Mapping[str, Any]
    """The effective configuration as people may see it: camelCase, secrets as references."""
    configured: Mapping[str, SwitchValue]
    """Switch values without live overrides and force."""


def read(desired: Desired, environ: Mapping[str, str]) -> Candidate:
    """Raises UnusableError with every fault, each with its place."""
    loaded = load_content(desired.document.content, environ, TABLE, path=Path(desired.document.path))
    try:
        compiled = compile_config(loaded, environ)
    except ConfigError as error:
        raise UnusableError(tuple(_refusal(fault) for fault in error.faults if fault.severity == "error")) from None
    except ProfileError as error:
        raise UnusableError((Refusal("bad_profile", "$.compat", str(error)),)) from None
    configured = resolve(compiled.architecture)
    laid_over = resolve(compiled.architecture, ledger=desired.overrides)
    refused = TABLE.refusals(laid_over.values())
    if refused:
        raise UnusableError(
            tuple(Refusal("refused_combination", f"$.architecture.{key}", reason) for key, reason in refused)
        )
    forced = forced_keys(environ) | set(desired.forced)
    switches = resolve(compiled.architecture, ledger=desired.overrides, forced=forced)
    return Candidate(desired, compiled, switches, loaded.effective, configured.values())


def forced(candidate: Candidate, keys: tuple[str, ...], environ: Mapping[str, str]) -> Candidate:
    """The same configuration with these rows forced to their first side."""
    desired = msgspec.structs.replace(candidate.desired, forced=keys)
    rows = forced_keys(environ) | set(keys)
    switches = resolve(candidate.compiled.architecture, ledger=desired.overrides, forced=rows)
    return msgspec.structs.replace(candidate, desired=desired, switches=switches)


def changes(before: Candidate, after: Candidate) -> tuple[Change, ...]:
    """What differs, each with what it takes. Switches by their effective values, all else by the configuration."""
    old, new = dict(_leaves(before.shown)), dict(_leaves(after.shown))
    found = [
        _change(path, old.get(path), new.get(path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path) and not path.startswith("architecture.") and not _filled(path, old, new)
    ]
    for row in SWITCHES:
        was, now = before.switches.value(row.key), after.switches.value(row.key)
        if was != now:
            found.append(Change(f"architecture.{row.key}", row.effect, _text(was), _text(now)))
    return tuple(found)


def _filled(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """An empty table that has members on the other side: they are the change."""
    for here, there in ((old, new), (new, old)):
        if here.get(path) == {} and any(other.startswith(path + ".") for other in there):
            return True
    return False


def _change(path: str, before: object, after: object) -> Change:
    for prefix, effect, note in _EFFECTS:
        if path == prefix or path.startswith(prefix + "."):
            return Change(path, effect, _text(before), _text(after), note)
    return Change(path, "drain", _text(before), _text(after))


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, path + ".")
        else:
            yield path, value


def _text(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _refusal(fault: Fault) -> Refusal:
    return Refusal(fault.code, json_path(fault.path), fault.message, fault.next_step, fault.line)
