"""`routecodex doctor`: what on this machine would keep the gateway from working, and what to do about it.

Each check is one function that answers with findings. No check contacts an upstream: the running server is asked for
its targets' health, and `--probe` sends one small request per provider through the gateway, the way clients do.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
import typer

from routecodex.cli.failures import EXIT_CONFIGURATION, EXIT_TEMPORARY, CommandError
from routecodex.cli.options import ConfigOption, JsonOption, PortOption

if TYPE_CHECKING:
    from routecodex.cli.target_server import TargetServer
    from routecodex.config.compiled import CompiledConfig

_OLDEST_PYTHON: Final = (3, 11)
_TROUBLED: Final = frozenset({"open", "cooling", "disabled"})


class Finding(msgspec.Struct, frozen=True, rename="camel"):
    """One thing looked at."""

    check: str
    verdict: Literal["ok", "warning", "fault"]
    message: str
    next_step: str = ""


def doctor(
    config: ConfigOption = None,
    port: PortOption = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="Send one small request per provider through the running gateway.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Look for what would keep the gateway from working."""
    from routecodex.cli.output import emit_json

    findings = [*_python(), *_dependencies()]
    compiled, found = _configuration(config)
    findings += found
    sound = compiled is not None
    findings += _server(config, port, compiled, probe)
    findings += _clients()
    if as_json:
        emit_json({"findings": msgspec.to_builtins(findings)})
    else:
        _show(findings)
    if not sound:
        return EXIT_CONFIGURATION
    return EXIT_TEMPORARY if any(finding.verdict == "fault" for finding in findings) else 0


def _python() -> Iterator[Finding]:
    told = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info >= _OLDEST_PYTHON:
        yield Finding("python", "ok", f"Python {told}")
    else:
        yield Finding("python", "fault", f"Python {told} is too old.", "Use 3.11 or newer.")


def _dependencies() -> Iterator[Finding]:
    """Every requirement of the distribution that holds here is installed."""
    from importlib.metadata import PackageNotFoundError, requires, version

    count = 0
    for requirement in requires("routecodex") or ():
        specifier, _, marker = requirement.partition(";")
        if "extra ==" in marker or ("python_version" in marker and not _marker_holds(marker)):
            continue
        name = _distribution_name(specifier)
        try:
            version(name)
            count += 1
        except PackageNotFoundError:
            yield Finding("dependencies", "fault", f"{name} is not installed.", "Install routecodex again.")
    yield Finding("dependencies", "ok", f"{count} packages installed")


def _distribution_name(specifier: str) -> str:
    for index, character in enumerate(specifier):
        if not (character.isalnum() or character in "-_."):
            return specifier[:index].strip()
    return specifier.strip()


def _marker_holds(marker: str) -> bool:
    """`python_version < '3.14'`, the one form our requirements use."""
    operator, _, bound = marker.strip().removeprefix("python_version").strip().partition(" ")
    wanted = tuple(int(part) for part in bound.strip(" '\"").split("."))
    return sys.version_info[:2] < wanted if operator == "<" else sys.version_info[:2] >= wanted


def _configuration(config: Path | None) -> tuple[CompiledConfig | None, list[Finding]]:
    from routecodex.cli.configuration import compiled

    try:
        loaded, result = compiled(config)
    except CommandError as error:
        if not error.faults:
            return None, [Finding("configuration", "fault", error.cause, error.next_step)]
        return None, [
            Finding("configuration", "fault" if fault.severity == "error" else "warning", fault.text)
            for fault in error.faults
        ]
    warnings = [Finding("configuration", "warning", fault.text) for fault in loaded.faults]
    return result, [Finding("configuration", "ok", str(loaded.path)), *warnings]


def _server(config: Path | None, port: int | None, compiled: CompiledConfig | None, probe: bool) -> list[Finding]:
    from routecodex.cli.target_server import find

    try:
        target = find(config, port)
    except CommandError as error:
        return [Finding("server", "warning", error.cause, error.next_step)]
    if target.connect(timeout=5.0).is_up():
        findings = [Finding("server", "ok", f"answers at {target.url}"), *_control(target), *_targets(target)]
        if probe and compiled is not None:
            findings += _probe(target, compiled)
        return findings
    if compiled is None:
        return [Finding("server", "warning", "not running", "Mend the configuration, then `routecodex start`.")]
    return [_port(compiled)]


def _port(compiled: CompiledConfig) -> Finding:
    """Whether the server could be started where it is configured."""
    from routecodex.cli.start import bind

    try:
        bind(compiled.server.host, compiled.server.port, 1).close()
    except CommandError as error:
        return Finding("server", "fault", error.cause, error.next_step)
    return Finding("server", "warning", "not running; its port is free", "Start it with `routecodex start`.")


def _control(target: TargetServer) -> list[Finding]:
    """What keeps the gateway from serving what is configured, as its supervisor tells."""
    from routecodex.cli.status import SAFE_MODE_ASK, control_of, file_ask, ledger_troubles

    told = control_of(target)
    if told is None:
        return []
    findings = []
    if told.safe_mode:
        findings.append(Finding("control", "fault", f"Safe mode: {told.safe_mode}", SAFE_MODE_ASK))
    if told.file.state not in ("", "in force"):
        why = f"The configuration file is {told.file.state}: {told.file.reason}"
        findings.append(Finding("control", "warning", why, file_ask(told.file)))
    if told.forced:
        why = f"Forced to the first side: {', '.join(told.forced)}"
        findings.append(Finding("control", "warning", why, "`routecodex switch clear --all --forced` ends that."))
    findings += [Finding("control", "fault", cause, ask) for cause, ask in ledger_troubles(told.ledger)]
    return findings


def _targets(target: TargetServer) -> list[Finding]:
    from routecodex.cli.status import health_of

    detail = health_of(target)
    if detail is None:
        return [
            Finding(
                "targets",
                "warning",
                "The server does not tell: the admin token is missing, or not this server's.",
                f"It is in {target.token_file} while the server runs.",
            )
        ]
    troubled = [each for each in detail.targets if each.state in _TROUBLED]
    if not troubled:
        return [Finding("targets", "ok", f"{len(detail.targets)} known, none avoided")]
    return [
        Finding("targets", "fault", f"{each.provider_key} is {each.state}: {each.reason or each.last_error}")
        for each in troubled
    ]


def _probe(target: TargetServer, compiled: CompiledConfig) -> Iterator[Finding]:
    server = target.connect(with_key=True, timeout=60.0)
    tried: set[str] = set()
    for key, each in compiled.routing.targets.items():
        if each.runtime_key in tried:
            continue
        tried.add(each.runtime_key)
        body = {"model": key, "messages": [{"role": "user", "content": "Say ok."}], "max_tokens": 16}
        answer = server.post("/v1/chat/completions", body)
        if answer.status == 200:
            yield Finding("probe", "ok", f"{key} answers")
        else:
            decoded = answer.json()
            error = decoded.get("error") if isinstance(decoded, dict) else None
            message = error.get("message") if isinstance(error, dict) else None
            yield Finding("probe", "fault", f"{key}: {answer.status} {message or 'without a message'}")


def _clients() -> Iterator[Finding]:
    from routecodex.cli.clients import CLIENTS

    for client in CLIENTS.values():
        if client.program is None:
            continue
        path = shutil.which(client.program, path=os.environ.get("PATH"))
        if path is None:
            yield Finding("client", "warning", f"{client.program} is not installed.", client.install)
        else:
            yield Finding("client", "ok", f"{client.program}: {path}")


def _show(findings: list[Finding]) -> None:
    from routecodex.cli.output import say

    marks = {"ok": "ok     ", "warning": "warning", "fault": "FAULT  "}
    for finding in findings:
        say(f"{marks[finding.verdict]}  {finding.check}: {finding.message}")
        if finding.next_step:
            say(f"         {finding.next_step}")
