"""`service install`: the unit's text, what systemd says of it, and whose unit is never overwritten."""

from __future__ import annotations

import getpass
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from routecodex.cli import systemd
from routecodex.cli.service import verified
from tests.host.cli.conftest import CONFIG, Cli

STORE = "/tmp/store"  # noqa: S108 - a path to compare with
ANALYZE = shutil.which("systemd-analyze")


@pytest.fixture
def configured(cli: Cli) -> Cli:
    cli.write(CONFIG.format(port=5999).replace("[server]\n", "[server]\ndrain = 12.0\n"))
    cli.environ["XDG_CONFIG_HOME"] = str(cli.home.parent / "xdg")
    return cli


def unit_file(cli: Cli) -> Path:
    return Path(cli.environ["XDG_CONFIG_HOME"]) / "systemd" / "user" / "routecodex.service"


def directives(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))


def test_the_users_unit_runs_this_installation_with_this_configuration(configured: Cli) -> None:
    done = configured("service", "install")
    found = directives(unit_file(configured).read_text())

    assert done.code == 0
    assert f"Wrote {unit_file(configured)}." in done.out
    assert "systemctl --user daemon-reload" in done.out
    start = [sys.executable, "-m", "routecodex", "start", "--config", str(configured.config)]
    assert shlex.split(found["ExecStart"]) == start
    assert found["Environment"] == f"ROUTECODEX_HOME={configured.home}"
    assert (found["Type"], found["ExecReload"]) == ("notify", "/bin/kill -HUP $MAINPID")
    assert (found["KillMode"], found["TimeoutStopSec"]) == ("mixed", "27")
    assert (found["Restart"], found["RestartPreventExitStatus"]) == ("on-failure", "78")
    assert found["WantedBy"] == "default.target"
    assert "User" not in found


def test_a_dry_run_prints_the_unit_and_writes_nothing(configured: Cli) -> None:
    done = configured("service", "install", "--system", "--run-as", "gw", "--dry-run")
    found = directives(done.out)

    assert done.code == 0
    assert not unit_file(configured).exists()
    assert (found["User"], found["WantedBy"], found["ProtectSystem"]) == ("gw", "multi-user.target", "strict")
    assert found["ReadWritePaths"] == str(configured.home)
    assert "/etc/systemd/system/routecodex.service" in done.err


def test_the_systems_own_home_is_a_state_directory(configured: Cli) -> None:
    environ = {"ROUTECODEX_HOME": "/var/lib/routecodex"}
    done = configured(
        "service", "install", "--system", "--dry-run", "--config", str(configured.config), environ=environ
    )
    found = directives(done.out)

    assert found["StateDirectory"] == "routecodex"
    assert "ReadWritePaths" not in found


def test_an_edited_unit_is_kept_and_our_own_is_renewed(configured: Cli) -> None:
    configured("service", "install")
    configured.write(CONFIG.format(port=5999).replace("[server]\n", "[server]\ndrain = 40.0\n"))
    renewed = configured("service", "install")
    again = unit_file(configured).read_text()
    unit_file(configured).write_text(again.replace("RestartSec=2", "RestartSec=9"))
    refused = configured("service", "install")
    forced = configured("service", "install", "--force")

    assert renewed.code == 0
    assert directives(again)["TimeoutStopSec"] == "55"
    assert refused.code == 78
    assert "was edited and is not overwritten" in refused.err
    assert forced.code == 0
    assert directives(unit_file(configured).read_text())["RestartSec"] == "2"


def test_without_a_sound_configuration_nothing_is_installed(cli: Cli) -> None:
    done = cli("service", "install", "--dry-run")

    assert done.code == 78
    assert "routecodex init" in done.err


def test_user_and_system_exclude_each_other(configured: Cli) -> None:
    assert configured("service", "install", "--user", "--system").code == 78


def made(**more: object) -> systemd.Unit:
    given: dict[str, object] = {
        "scope": "system",
        "command": ["/usr/bin/env", "true"],
        "home": "/var/lib/routecodex",
        "environment_file": "/etc/routecodex/environment",
        "drain": 30.0,
        "port": 5555,
        "user": getpass.getuser(),
    }
    return systemd.Unit(**{**given, **more})  # type: ignore[arg-type]


def test_words_are_quoted_as_systemd_reads_them() -> None:
    text = systemd.text(made(command=["/opt/a b/python", "--config", "/etc/100%/$x.toml"]))

    assert directives(text)["ExecStart"] == '"/opt/a b/python" --config "/etc/100%%/$$x.toml"'


def test_a_port_below_1024_gets_the_one_capability_it_needs() -> None:
    low, high = directives(systemd.text(made(port=443))), directives(systemd.text(made()))

    assert low["AmbientCapabilities"] == low["CapabilityBoundingSet"] == "CAP_NET_BIND_SERVICE"
    assert high["CapabilityBoundingSet"] == ""
    assert "AmbientCapabilities" not in high


def test_homes_and_temporary_folders_are_taken_away_unless_needed() -> None:
    away = directives(systemd.text(made()))
    needed = directives(systemd.text(made(read=["/home/alice/venv/bin/python"], writable=[STORE])))

    assert (away["ProtectHome"], away["PrivateTmp"]) == ("yes", "yes")
    assert (needed["ProtectHome"], needed["PrivateTmp"]) == ("read-only", "no")
    assert needed["ReadWritePaths"] == STORE


@pytest.mark.parametrize("scope", ["user", "system"])
def test_systemd_where_it_is_there_has_nothing_to_say_about_the_unit(scope: str) -> None:
    unit = made(scope=scope, command=[sys.executable, "-m", "routecodex", "start", "--config", "/etc/x.toml"])

    assert verified(systemd.text(unit), scope) == ([] if ANALYZE else None)


def test_what_systemd_does_not_understand_is_told() -> None:
    said = verified(systemd.text(made()).replace("KillMode=mixed", "KillMode=gently"), "system")

    assert any("gently" in line for line in said) if said is not None else not ANALYZE
