"""`routecodex service install`: have systemd keep the gateway running.

Writes the unit file for this installation and this configuration, and has `systemd-analyze verify` judge it where that
is there. It enables and starts nothing: the commands for that are printed.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from routecodex.cli.failures import EXIT_CONFIGURATION, EXIT_TEMPORARY, CommandError
from routecodex.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from routecodex.cli.systemd import Unit


def install(
    user: Annotated[bool, typer.Option("--user", help="For you alone, under your own manager (the default).")] = False,
    system: Annotated[bool, typer.Option("--system", help="For the machine, under /etc/systemd/system.")] = False,
    run_as: Annotated[
        str, typer.Option("--run-as", metavar="USER", help="With --system: whom the gateway runs as.")
    ] = "routecodex",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the unit and write nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a unit that was edited.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> int:
    """Write the systemd unit that runs this gateway with this configuration."""
    from routecodex.cli import systemd
    from routecodex.cli.output import emit_json, note, say

    if user and system:
        raise CommandError(EXIT_CONFIGURATION, "--user and --system exclude each other.", "Choose one.", code="usage")
    unit = _unit(system, run_as, config)
    text = systemd.text(unit)
    path = systemd.folder(unit.scope, Path.home(), os.environ.get("XDG_CONFIG_HOME")) / systemd.NAME
    found = verified(text, unit.scope)
    if not dry_run:
        _write(path, text, system=system, force=force)
    if as_json:
        emit_json({"path": str(path), "written": not dry_run, "unit": text, "verify": found})
        return 0
    if dry_run:
        say(text.rstrip())
        note(f"# It would be {path}.")
    else:
        say(f"Wrote {path}.")
    for line in found if found is not None else ["systemd-analyze is not here: the unit was not verified"]:
        note(f"  {line}")
    if not dry_run:
        manager = "systemctl --user" if unit.scope == "user" else "sudo systemctl"
        say(f"  {manager} daemon-reload && {manager} enable --now {systemd.NAME}")
        if unit.scope == "system":
            say(f"  sudo useradd --system --home-dir {unit.home} {unit.user}    # if there is no such user yet")
        if unit.scope == "user":
            say("  loginctl enable-linger    # to have it run while you are not logged in")
        say(f"Keys may stand in {unit.environment_file}, one NAME=value a line, mode 0600.")
    return 0


def verified(text: str, scope: str) -> list[str] | None:
    """What `systemd-analyze verify` has to say of this unit; None where it is not installed."""
    import tempfile

    from routecodex.cli.programs import ask
    from routecodex.cli.systemd import NAME

    program = shutil.which("systemd-analyze")
    if program is None:
        return None
    with tempfile.TemporaryDirectory(prefix="routecodex-unit-") as folder:
        file = Path(folder) / NAME
        file.write_text(text, encoding="utf-8")
        manager = "--user" if scope == "user" else "--system"
        environment = {**os.environ, "SYSTEMD_LOG_TARGET": "console", "SYSTEMD_COLORS": "0"}
        environment.setdefault("XDG_RUNTIME_DIR", folder)
        done = ask([program, manager, "--man=no", "verify", str(file)], environment=environment)
    if done is None:
        return ["systemd-analyze did not end in time"]
    said = [line.strip() for line in (done.out + done.err).splitlines() if line.strip()]
    own = [line.replace(str(file), NAME) for line in said if NAME in line]
    if done.code and not own:
        return said or [f"systemd-analyze ended with exit code {done.code}"]
    return own


def _unit(system: bool, run_as: str, config: Path | None) -> Unit:
    """The unit for the configuration as it would be started. Raises CommandError if it cannot be."""
    from routecodex.cli.configuration import shaped
    from routecodex.cli.systemd import Unit
    from routecodex.config.compiling import admin_token_file
    from routecodex.config.loading import gateway_home

    environ = dict(os.environ)
    if system:
        environ.setdefault("ROUTECODEX_HOME", "/var/lib/routecodex")
    loaded = shaped(config, environ)
    model = loaded.model
    assert model is not None  # noqa: S101 - shaped() has refused everything else
    home = gateway_home(environ)
    path = loaded.path.absolute()
    written = [Path(admin_token_file(model.server, home, path.parent)).parent]
    if model.store.path not in (None, ":memory:"):
        written.append((path.parent / Path(str(model.store.path)).expanduser()).parent)
    keys = Path("/etc/routecodex/environment") if system else home / "environment"
    return Unit(
        scope="system" if system else "user",
        command=[sys.executable, "-m", "routecodex", "start", "--config", str(path)],
        home=str(home),
        writable=[str(folder) for folder in written if not folder.is_relative_to(home)],
        read=[str(path), sys.executable, os.path.realpath(sys.executable), sys.base_prefix],
        environment_file=str(keys),
        drain=model.server.drain,
        port=model.server.port,
        user=run_as,
    )


def _write(path: Path, text: str, *, system: bool, force: bool) -> None:
    from routecodex.cli import systemd

    try:
        there = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        there = None
    if there is not None and there != text and not systemd.is_ours(there) and not force:
        raise CommandError(
            EXIT_CONFIGURATION,
            f"{path} was edited and is not overwritten.",
            "Compare it with --dry-run; --force replaces it.",
            code="edited_unit",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.chmod(0o644)
        unfinished.rename(path)
    except PermissionError:
        raise CommandError(
            EXIT_TEMPORARY,
            f"{path} cannot be written by you.",
            "Run it with sudo, or leave --system out." if system else "Make its folder yours, or print it: --dry-run.",
            code="not_permitted",
        ) from None
