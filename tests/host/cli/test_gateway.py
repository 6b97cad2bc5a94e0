"""Commands around a running gateway: start, status, stop, run, doctor; a real process on a real port."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path

import pytest

from tests.host.cli.conftest import CONFIG, SECRETS, Cli, free_port


def _wait_for(condition: object, what: str) -> None:
    deadline = time.monotonic() + 20
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_a_gateway_is_started_seen_and_stopped(cli: Cli) -> None:
    port = free_port()
    cli.write(CONFIG.format(port=port))

    started = cli("start", "--daemon", "--json").json
    seen = cli("status", "--json")
    with urllib.request.urlopen(started["url"] + "/health") as answer:
        assert answer.status == 200
    stopped = cli("stop", "--json").json
    after = cli("status")

    assert started["url"] == f"http://127.0.0.1:{port}"
    assert seen.code == 0
    assert (seen.json["ready"], seen.json["pid"], seen.json["url"]) == (True, started["pid"], started["url"])
    assert [each["providerKey"] for each in seen.json["health"]["targets"]] == ["acme.main.large", "acme.main.small"]
    assert stopped == {"stopped": True, "pid": started["pid"], "port": port}
    assert after.code == 75
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_what_a_gateway_writes_is_private(gateway: Cli) -> None:
    files = [path for path in gateway.home.rglob("*") if path.is_file() and path != gateway.config]

    assert {"admin-token"} <= {path.name for path in files}
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        content = path.read_bytes()
        for secret in SECRETS.values():
            assert secret.encode() not in content, path


def test_a_gateway_may_open_as_many_files_as_the_system_lets_it(cli: Cli) -> None:
    cli.write(CONFIG.format(port=free_port()))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        pid = cli("start", "--daemon", "--json").json["pid"]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    most = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    assert resource.prlimit(pid, resource.RLIMIT_NOFILE) == (most, hard)


def test_status_shows_targets_in_a_table(gateway: Cli) -> None:
    shown = gateway("status").out

    assert "ready" in shown
    assert "acme.main.large" in shown
    assert "healthy" in shown


def test_a_second_gateway_on_the_port_is_refused(gateway: Cli) -> None:
    again = gateway("start", "--daemon")

    assert again.code == 75
    assert "A gateway already runs on port" in again.err
    assert "routecodex stop --port" in again.err


def test_two_gateways_must_be_told_apart(gateway: Cli) -> None:
    second = gateway("start", "--daemon", "--port", "0", "--json").json
    port = second["url"].rpartition(":")[2]

    unclear = gateway("status")
    clear = gateway("status", "--port", port, "--json")

    assert unclear.code == 75
    assert "--port" in unclear.err
    assert clear.json["pid"] == second["pid"]
    assert gateway("stop", "--port", port).code == 0
    assert gateway("status").code == 0


def test_a_running_gateway_is_found_when_its_file_has_become_broken(gateway: Cli) -> None:
    gateway.config.write_text("[server\n")

    assert gateway("status").code == 0
    assert gateway("env", "openai").code == 0
    assert gateway("stop").code == 0
    assert gateway("status").code == 78


def test_a_gateway_is_found_by_its_configuration(gateway: Cli, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(CONFIG.format(port=0))
    second = gateway("start", "--daemon", "--config", str(other), "--json").json

    assert gateway("status", "--json", "--config", str(other)).json["pid"] == second["pid"]
    assert gateway("status", "--json", "--config", str(gateway.config)).json["pid"] != second["pid"]


def test_a_gateway_that_was_killed_leaves_nothing_in_the_way(gateway: Cli) -> None:
    pid = gateway("status", "--json").json["pid"]
    os.kill(pid, signal.SIGKILL)
    _wait_for(lambda: gateway("status").code == 75, "the gateway is still seen")

    assert gateway("start", "--daemon").code == 0
    assert gateway("status", "--json").json["pid"] != pid


def test_the_foreground_gateway_ends_on_sigterm_with_exit_code_0(cli: Cli) -> None:
    cli.write(CONFIG.format(port=free_port()))
    with subprocess.Popen(
        [sys.executable, "-m", "routecodex.cli", "start"],
        env=cli.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            _wait_for(lambda: cli("status").code == 0, "the gateway does not answer")
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            said = process.stderr.read()
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert "serves http://127.0.0.1:" in said
    assert "Traceback" not in said
    for secret in SECRETS.values():
        assert secret not in said


def test_doctor_asks_the_running_gateway(gateway: Cli) -> None:
    found = {finding["check"]: finding["verdict"] for finding in gateway("doctor", "--json").json["findings"]}

    assert (found["server"], found["targets"]) == ("ok", "ok")


def test_doctors_probe_goes_through_the_gateway_and_tells_its_error(gateway: Cli) -> None:
    done = gateway("doctor", "--probe", "--json")
    probes = [finding for finding in done.json["findings"] if finding["check"] == "probe"]

    assert done.code == 75
    assert [probe["verdict"] for probe in probes] == ["fault"]
    assert probes[0]["message"].startswith("acme.main.large: 5")


CLIENT = """\
    #!/usr/bin/env python3
    import json, os, sys
    home = os.environ.get("GEMINI_CLI_HOME")
    content = json.load(open(home + "/.gemini/settings.json")) if home else None
    files = {name: open(home + "/.gemini/" + name).read() for name in os.listdir(home + "/.gemini")} if home else {}
    with open(os.environ["REPORT"], "w") as report:
        json.dump({"args": sys.argv[1:], "env": dict(os.environ), "settings": content, "files": files}, report)
    sys.exit(int(os.environ.get("EXIT", "0")))
"""


@pytest.fixture
def clients(gateway: Cli, tmp_path: Path) -> Path:
    """Programs named like the clients that write down how they were started."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("codex", "claude", "gemini"):
        program = folder / name
        program.write_text(textwrap.dedent(CLIENT))
        program.chmod(0o755)
    gateway.environ["PATH"] = f"{folder}:{gateway.environ['PATH']}"
    gateway.environ["REPORT"] = str(tmp_path / "report.json")
    return tmp_path / "report.json"


def test_run_claude_sets_its_environment_and_passes_arguments_and_exit_code(gateway: Cli, clients: Path) -> None:
    url = gateway("status", "--json").json["url"]
    done = gateway("run", "claude", "--", "-p", "hi", "--json", environ={"EXIT": "7", "ANTHROPIC_AUTH_TOKEN": "x"})
    started = json.loads(clients.read_text())

    assert done.code == 7
    assert started["args"] == ["-p", "hi", "--json"]
    assert started["env"]["ANTHROPIC_BASE_URL"] == url
    assert started["env"]["ANTHROPIC_API_KEY"] == "routecodex"
    assert "ANTHROPIC_AUTH_TOKEN" not in started["env"]


def test_run_codex_puts_its_provider_before_the_arguments(gateway: Cli, clients: Path) -> None:
    url = gateway("status", "--json").json["url"]
    done = gateway("run", "codex", "--", "exec", "--skip-git-repo-check", "-c", "x=1", "hi")
    started = json.loads(clients.read_text())

    assert done.code == 0
    assert started["args"][-5:] == ["exec", "--skip-git-repo-check", "-c", "x=1", "hi"]
    assert f'model_providers.routecodex.base_url="{url}/v1"' in started["args"]
    assert 'model_providers.routecodex.wire_api="responses"' in started["args"]
    assert started["env"]["ROUTECODEX_API_KEY"] == "routecodex"


def test_run_gemini_gets_a_home_with_its_sign_in_and_everything_the_user_has(
    gateway: Cli, clients: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "user" / ".gemini"
    mine.mkdir(parents=True)
    text = '{"security": {"folderTrust": true, /* mine */ "auth": {"selectedType": "oauth"}}, "ui": "a // b"} // end'
    (mine / "settings.json").write_text(text)
    (mine / "GEMINI.md").write_text("Be brief.")
    done = gateway("run", "gemini", "--", "-p", "hi", environ={"GEMINI_CLI_HOME": str(tmp_path / "user")})
    started = json.loads(clients.read_text())

    assert done.code == 0
    assert started["settings"] == {
        "security": {"folderTrust": True, "auth": {"selectedType": "gemini-api-key"}},
        "ui": "a // b",
    }
    assert started["files"]["GEMINI.md"] == "Be brief."
    assert (mine / "settings.json").read_text() == text
    assert sorted(path.name for path in mine.iterdir()) == ["GEMINI.md", "settings.json"]
    copies = [path for path in (gateway.home / "clients").rglob("*") if not path.is_symlink()]
    assert len(copies) >= 4
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in copies)  # a user's settings may hold keys


def test_run_gemini_again_follows_what_the_user_changed(gateway: Cli, clients: Path, tmp_path: Path) -> None:
    mine = tmp_path / "user" / ".gemini"
    mine.mkdir(parents=True)
    (mine / "old.md").write_text("old")
    environ = {"GEMINI_CLI_HOME": str(tmp_path / "user")}
    assert gateway("run", "gemini", environ=environ).code == 0
    (mine / "old.md").rename(mine / "new.md")
    (mine / "settings.json").write_text('{"ui": 2}')
    assert gateway("run", "gemini", environ=environ).code == 0
    started = json.loads(clients.read_text())

    assert sorted(started["files"]) == ["new.md", "settings.json"]
    assert started["settings"]["ui"] == 2


def test_run_gemini_keeps_what_the_client_changed_until_the_user_changes_something(
    gateway: Cli, clients: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "user" / ".gemini"
    mine.mkdir(parents=True)
    (mine / "settings.json").write_text('{"ui": 1}')
    environ = {"GEMINI_CLI_HOME": str(tmp_path / "user")}
    ours = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
    assert gateway("run", "gemini", environ=environ).code == 0
    left = Path(json.loads(clients.read_text())["env"]["GEMINI_CLI_HOME"]) / ".gemini" / "settings.json"

    def settings_after(written: str) -> object:
        left.write_text(written)
        assert gateway("run", "gemini", environ=environ).code == 0
        return json.loads(clients.read_text())["settings"]

    assert settings_after(json.dumps({"ui": 1, "theme": "dark", **ours})) == {"ui": 1, "theme": "dark", **ours}
    assert settings_after('{"theme": "dark"}') == {"ui": 1, **ours}, "the sign-in was gone"
    assert settings_after("") == {"ui": 1, **ours}, "cut short"
    assert settings_after("{broken") == {"ui": 1, **ours}
    (mine / "settings.json").write_text('{"ui": 2}')
    assert settings_after(json.dumps({"ui": 1, "theme": "dark", **ours})) == {"ui": 2, **ours}


def test_run_gemini_refuses_settings_it_cannot_keep(gateway: Cli, clients: Path, tmp_path: Path) -> None:
    mine = tmp_path / "user" / ".gemini"
    mine.mkdir(parents=True)
    (mine / "settings.json").write_text("{broken")
    done = gateway("run", "gemini", environ={"GEMINI_CLI_HOME": str(tmp_path / "user")})

    assert done.code == 75
    assert str(mine / "settings.json") in done.err
    assert not clients.exists()


def test_run_gives_the_client_the_gateways_key(cli: Cli, tmp_path: Path) -> None:
    text = CONFIG.format(port=free_port()).replace("[server]\n", '[server]\napiKeys = ["${GATEWAY_KEY}"]\n')
    cli.write(text)
    program = tmp_path / "claude"
    program.write_text(textwrap.dedent(CLIENT))
    program.chmod(0o755)
    assert cli("start", "--daemon").code == 0
    environ = {"PATH": f"{tmp_path}:{cli.environ['PATH']}", "REPORT": str(tmp_path / "report.json")}

    assert cli("run", "claude", environ=environ).code == 0
    assert json.loads((tmp_path / "report.json").read_text())["env"]["ANTHROPIC_API_KEY"] == SECRETS["GATEWAY_KEY"]


def test_run_without_the_program_says_how_to_install_it(gateway: Cli) -> None:
    done = gateway("run", "codex", environ={"PATH": "/nowhere"})

    assert done.code == 127
    assert "npm install -g @openai/codex" in done.err


def test_run_without_a_gateway_says_how_to_start_one(gateway: Cli, clients: Path) -> None:
    gateway("stop")
    done = gateway("run", "codex")

    assert done.code == 75
    assert "routecodex start --daemon" in done.err
    assert not clients.exists()
