"""`routecodex start`: bind the listener, then become the supervisor, or start a process of its own that does.

Binding comes first, so that a port in use is told before anything is built. It knows processes and sockets; what is
served on the listener is the app's. The process that checked the configuration is replaced (exec), so that the one
that keeps the listener open has imported no configuration model and no data plane; pid, listener and the lock on the
server's record go over to it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from routecodex.cli.failures import EXIT_CONFIGURATION, EXIT_INTERNAL, EXIT_TEMPORARY, CommandError
from routecodex.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from routecodex.cli.servers import ServerRecord
    from routecodex.config.compiled import CompiledConfig
    from routecodex.config.faults import Fault

READY_SECONDS: Final = 60.0
"""A configuration that does not come up gives way to the last good one, which takes its time too."""
_FREED_SECONDS: Final = 2.0
"""For the workers of a gateway that was killed to let go of its port."""
_OPEN_FILES: Final = 65536
"""A process's limit as the service's unit has it too (cli/systemd.py)."""
_LOG_TAIL: Final = 15
_HOST: Final = "ROUTECODEX_SERVER__HOST"
_PORT: Final = "ROUTECODEX_SERVER__PORT"


def start(
    config: ConfigOption = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to bind, instead of server.host.")] = None,
    port: Annotated[
        int | None, typer.Option("--port", "-p", min=0, max=65535, help="Port to bind; 0 lets the system choose.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", "-w", min=1, max=64, help="Worker processes.")] = 1,
    daemon: Annotated[bool, typer.Option("--daemon", "-d", help="Serve in the background.")] = False,
    listener_descriptor: Annotated[int | None, typer.Option("--listener-descriptor", hidden=True)] = None,
    log: Annotated[str | None, typer.Option("--log-file", hidden=True)] = None,
    as_json: JsonOption = False,
) -> int:
    """Start the gateway: in the foreground, or with --daemon in the background."""
    from routecodex.cli.configuration import compiled as compile_configuration

    environ = dict(os.environ)
    if host is not None:
        environ[_HOST] = host
    if port is not None:
        environ[_PORT] = str(port)
    try:
        loaded, compiled = compile_configuration(config, environ)
    except CommandError as error:
        error.faults = tuple(_as_given(fault, host=host, port=port) for fault in error.faults)
        raise
    if listener_descriptor is not None:
        listener = socket.socket(fileno=listener_descriptor)
    else:
        listener = _bound(compiled)
        _warn(loaded.faults)
    with listener:
        if daemon:
            return _start_daemon(loaded.path, environ, compiled, listener, workers, as_json=as_json)
        return _become_supervisor(compiled, environ, listener, workers, log, as_json=as_json)


def _as_given(fault: Fault, *, host: str | None, port: int | None) -> Fault:
    """A fault of what an option said names the option, not the variable it is handed on in."""
    import msgspec

    if fault.origin == _HOST and host is not None:
        return msgspec.structs.replace(fault, origin="--host")
    if fault.origin == _PORT and port is not None:
        return msgspec.structs.replace(fault, origin="--port")
    return fault


def _bound(compiled: CompiledConfig) -> socket.socket:
    """The listener; where a gateway was killed a moment ago, its workers are given the time to go."""
    from routecodex.cli.servers import read, record_path

    server = compiled.server
    deadline = time.monotonic() + _FREED_SECONDS
    left_behind = record_path(Path(compiled.paths.run), server.port)
    while True:
        try:
            return bind(server.host, server.port, server.backlog)
        except CommandError as error:
            if error.code != "port_in_use":
                raise
            living = read(left_behind)
            if living is not None:
                raise _already_runs(living) from None
            if not left_behind.exists() or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def _already_runs(record: ServerRecord) -> CommandError:
    return CommandError(
        EXIT_TEMPORARY,
        f"A gateway already runs on port {record.port} (pid {record.pid}).",
        f"See `routecodex status --port {record.port}`; end it with `routecodex stop --port {record.port}`, "
        "or choose another port with --port.",
        code="already_running",
    )


def bind(host: str, port: int, backlog: int) -> socket.socket:
    """A listening socket. Raises CommandError naming why there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise CommandError(
            EXIT_CONFIGURATION, f'"{host}" is no address of this machine.', "Mend server.host.", code="bad_address"
        ) from None
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(backlog)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise _cannot_bind(error, host, port) from None
    return listener


def _cannot_bind(error: OSError, host: str, port: int) -> CommandError:
    import errno

    if error.errno == errno.EADDRINUSE:
        return CommandError(
            EXIT_TEMPORARY,
            f"Port {port} on {host} is in use.",
            "See `routecodex status` whether it is a gateway; else choose another with --port.",
            code="port_in_use",
        )
    why = {errno.EACCES: "the port is reserved", errno.EADDRNOTAVAIL: "no interface here has it"}
    cause = why.get(error.errno or 0, error.strerror or "the system refused")
    return CommandError(
        EXIT_CONFIGURATION,
        f"{host}:{port} cannot be bound: {cause}.",
        "Choose another address with --host, or another port above 1023 with --port.",
        code="cannot_bind",
    )


def _become_supervisor(
    compiled: CompiledConfig,
    environ: dict[str, str],
    listener: socket.socket,
    workers: int,
    log: str | None,
    *,
    as_json: bool,
) -> int:
    """Take the server's record, say where we serve, and become the supervisor. Returns only if that fails."""
    from routecodex.cli.output import emit_json, note
    from routecodex.cli.servers import ServerRecord, record_path, registered
    from routecodex.cli.version import own_version

    host, port = listener.getsockname()[:2]
    config = Path(compiled.source).absolute()
    record = ServerRecord(
        pid=os.getpid(),
        host=host,
        port=port,
        config=str(config),
        config_hash=compiled.hash,
        token_file=compiled.server.admin.token_file,
        key_reference=next((key.secret.reference for key in compiled.server.api_keys), None),
        version=own_version(),
        started_at=time.time(),
        log=log,
    )
    run = Path(compiled.paths.run)
    with registered(run, record) as descriptor:
        if as_json:
            emit_json({"url": record.url, "pid": record.pid, "config": record.config})
        elif log is None:
            note(f"routecodex {record.version} serves {record.url} (pid {record.pid}); Ctrl-C stops it.")
        sys.stdout.flush()
        sys.stderr.flush()
        command = [sys.executable, "-m", "routecodex.app.supervisor", "--config", str(config)]
        command += ["--home", compiled.paths.home, "--token-file", record.token_file, "--workers", str(workers)]
        command += ["--listener-descriptor", str(listener.fileno()), "--log-format", compiled.telemetry.log_format]
        command += ["--record-descriptor", str(descriptor), "--record", str(record_path(run, port))]
        if log is not None:
            command += ["--log-file", log]
        listener.set_inheritable(True)
        os.set_inheritable(descriptor, True)
        _allow_open_files()
        os.execve(sys.executable, command, environ)  # noqa: S606 - our own interpreter, no shell


def _allow_open_files() -> None:
    """As many as we may have: a connection beyond the limit is closed unanswered, and shells begin with few hundred."""
    import contextlib
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # some systems allow less than they say
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _start_daemon(
    config: Path,
    environ: dict[str, str],
    compiled: CompiledConfig,
    listener: socket.socket,
    workers: int,
    *,
    as_json: bool,
) -> int:
    """Start a process of its own on our listener and wait until it answers. Raises CommandError if it does not."""
    from routecodex.cli.output import emit_json, say
    from routecodex.cli.servers import base_url, read, record_path

    host, port = listener.getsockname()[:2]
    run, logs = Path(compiled.paths.run), Path(compiled.paths.logs)
    living = read(record_path(run, port))
    if living is not None:
        raise _already_runs(living)
    logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = logs / f"server-{port}.log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    begin = os.fstat(descriptor).st_size
    listener.set_inheritable(True)
    command = [sys.executable, "-m", "routecodex.cli", "start", "--config", str(config.absolute())]
    command += ["--listener-descriptor", str(listener.fileno()), "--log-file", str(log)]
    command += ["--workers", str(workers)]
    try:
        process = subprocess.Popen(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            pass_fds=(listener.fileno(),),
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    url = base_url(host, port)
    _await_ready(process, url, log, begin)
    if as_json:
        emit_json({"url": url, "pid": process.pid, "log": str(log)})
    else:
        say(f"routecodex serves {url} (pid {process.pid}, log {log}).")
    return 0


def _await_ready(process: subprocess.Popen[bytes], url: str, log: Path, begin: int) -> None:
    from routecodex.cli.client import OwnServer

    server = OwnServer(url, timeout=1.0)
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None:
        if server.is_up():
            return
        if time.monotonic() > deadline:
            process.terminate()
            process.wait(10)
            raise CommandError(
                EXIT_TEMPORARY,
                f"The gateway did not answer within {READY_SECONDS:.0f} s and was stopped.",
                f"Its log: {log}",
                code="not_ready",
            )
        time.sleep(0.05)
    with log.open("rb") as handle:
        handle.seek(begin)
        tail = handle.read().decode("utf-8", "replace").splitlines()[-_LOG_TAIL:]
    if not tail and not os.statvfs(log.parent).f_bavail:
        raise CommandError(
            EXIT_TEMPORARY,
            f"The gateway ended at start: there is no space left on the disk of {log.parent}.",
            "Make room, or choose another folder with ROUTECODEX_HOME.",
            code="disk_full",
        )
    raise CommandError(
        process.returncode if process.returncode in (EXIT_CONFIGURATION, EXIT_TEMPORARY) else EXIT_INTERNAL,
        f"The gateway ended at start (exit code {process.returncode}).",
        "\n  ".join([f"Its log, {log}, ends:", *tail]),
        code="start_failed",
    )


def _warn(faults: Sequence[Fault]) -> None:
    from routecodex.cli.output import note

    for fault in faults:
        if fault.severity == "warning":
            note(f"warning: {fault.text}")
