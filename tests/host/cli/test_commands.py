"""Commands that need no running gateway: init, config, models, env, version, and how everything fails."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.host.cli.conftest import CONFIG, SECRETS, Cli


def test_init_writes_a_private_file_that_passes_its_own_check(cli: Cli) -> None:
    made = cli("init", environ={"ANTHROPIC_API_KEY": SECRETS["ACME_API_KEY"], "OPENAI_API_KEY": "x"})
    checked = cli("config", "check", environ={"ANTHROPIC_API_KEY": "x", "OPENAI_API_KEY": "x"})

    assert made.code == 0
    assert "ANTHROPIC_API_KEY, OPENAI_API_KEY" in made.out
    assert stat.S_IMODE(cli.config.stat().st_mode) == 0o600
    assert list(tomllib.loads(cli.config.read_text(encoding="utf-8"))["virtualrouter"]["providers"]) == [
        "anthropic",
        "openai",
    ]
    assert SECRETS["ACME_API_KEY"] not in cli.config.read_text(encoding="utf-8")
    assert (checked.code, checked.err) == (0, "")


def test_init_never_overwrites(cli: Cli) -> None:
    cli.write("# mine\n")
    again = cli("init")

    assert again.code == 78
    assert "is not overwritten" in again.err
    assert cli.config.read_text(encoding="utf-8") == "# mine\n"


def test_init_without_any_key_writes_an_example_that_names_what_is_missing(cli: Cli) -> None:
    cli.environ.pop("ACME_API_KEY")
    assert cli("init").code == 0
    checked = cli("config", "check")

    assert checked.code == 78
    assert "The environment variable ACME_API_KEY is not set." in checked.err


def test_check_names_every_fault_with_path_and_line(cli: Cli) -> None:
    cli.write(CONFIG.format(port=1).replace('"acme.large"]', '"acme.lareg"]') + "[telemtry]\n")
    text = cli("config", "check")
    as_json = cli("config", "check", "--json")

    assert (text.code, as_json.code) == (78, 78)
    assert 'config.toml:15: $.telemtry: Unknown key "telemtry". Did you mean "telemetry"?' in text.err
    assert "config.toml:11: $.virtualrouter.routing.default[0]" in text.err
    assert [(fault["path"], fault["line"]) for fault in as_json.json["faults"]] == [
        ("$.telemtry", 15),
        ("$.virtualrouter.routing.default[0]", 11),
    ]


def test_a_literal_secret_is_refused_and_not_repeated(cli: Cli) -> None:
    cli.write(CONFIG.format(port=1).replace("${ACME_API_KEY}", SECRETS["ACME_API_KEY"]))
    for arguments in (("config", "check"), ("config", "show"), ("start",), ("doctor",), ("models", "--json")):
        done = cli(*arguments)
        assert done.code == 78
        assert "in the clear" in done.err + done.out


def test_show_says_who_set_what_and_shows_references(cli: Cli) -> None:
    cli.write(CONFIG.format(port=5000))
    environ = {"ROUTECODEX_TELEMETRY__LOGLEVEL": "debug"}
    text = cli("config", "show", environ=environ).out.splitlines()
    as_json = cli("config", "show", "--json", environ=environ).json

    assert "$.server.port = 5000   # config.toml:2" in text
    assert '$.telemetry.logLevel = "debug"   # ROUTECODEX_TELEMETRY__LOGLEVEL' in text
    assert '$.server.host = "127.0.0.1"   # default' in text
    assert '$.virtualrouter.providers.acme.keys.main = "${ACME_API_KEY}"   # config.toml:7' in text
    assert '$.virtualrouter.routing.default[0].target = "acme.large"   # config.toml:11' in text
    assert as_json["sources"]["$.server.port"] == "config.toml:2"
    assert as_json["config"]["virtualrouter"]["providers"]["acme"]["keys"] == {"main": "${ACME_API_KEY}"}


def test_the_schema_is_printed_as_json(cli: Cli) -> None:
    printed = cli("config", "schema")

    assert printed.code == 0
    assert printed.json["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"server", "virtualrouter", "virtualrouterCanary", "architecture"} <= set(printed.json["properties"])


def test_models_lists_targets_aliases_and_routes(cli: Cli) -> None:
    cli.write(CONFIG.format(port=1))
    found = cli("models", "--json").json
    text = cli("models").out

    assert list(found["targets"]) == ["acme.main.large", "acme.main.small"]
    assert found["aliases"] == {"gpt-*": "acme.large"}
    assert [entry["target"] for entry in found["routes"]["default"][0]["entries"]] == ["acme.main.large"]
    assert "acme.main.small" in text


def _evaluated(code: str, environ: dict[str, str]) -> dict[str, str]:
    script = code + "\nenv -0"
    done = subprocess.run(["sh", "-c", script], env=environ, capture_output=True, encoding="utf-8", check=True)
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("codex", {"ROUTECODEX_API_KEY": "{key}"}),
        ("claude", {"ANTHROPIC_BASE_URL": "{url}", "ANTHROPIC_API_KEY": "{key}"}),
        (
            "gemini",
            {"GOOGLE_GEMINI_BASE_URL": "{url}", "GEMINI_API_KEY": "{key}", "GEMINI_CLI_TRUST_WORKSPACE": "true"},
        ),
        ("openai", {"OPENAI_BASE_URL": "{url}/v1", "OPENAI_API_KEY": "{key}"}),
        ("anthropic", {"ANTHROPIC_BASE_URL": "{url}", "ANTHROPIC_API_KEY": "{key}"}),
        ("google", {"GOOGLE_GEMINI_BASE_URL": "{url}", "GEMINI_API_KEY": "{key}"}),
    ],
)
@pytest.mark.parametrize("key", ["", "${GATEWAY_KEY}", "file:key file"])
def test_env_prints_exports_that_a_shell_can_evaluate(
    cli: Cli, client: str, expected: dict[str, str], key: str
) -> None:
    keys = f'apiKeys = ["{key}"]\n' if key else ""
    cli.write(CONFIG.format(port=5999).replace("[server]\n", "[server]\n" + keys))
    (cli.home / "key file").write_text(SECRETS["GATEWAY_KEY"] + "\n")

    printed = cli("env", client)
    exported = _evaluated(printed.out, cli.environ)

    value = SECRETS["GATEWAY_KEY"] if key else "routecodex"
    for name, template in expected.items():
        assert exported[name] == template.format(url="http://127.0.0.1:5999", key=value)


def test_env_as_json_holds_references(cli: Cli) -> None:
    cli.write(CONFIG.format(port=5999).replace("[server]\n", '[server]\napiKeys = ["${GATEWAY_KEY}"]\n'))
    found = cli("env", "--json").json

    assert set(found) == {"codex", "claude", "gemini", "openai", "anthropic", "google"}
    assert found["claude"]["environment"]["ANTHROPIC_API_KEY"] == "${GATEWAY_KEY}"
    assert 'model_providers.routecodex.base_url="http://127.0.0.1:5999/v1"' in found["codex"]["flags"]


def test_env_for_fish(cli: Cli) -> None:
    cli.write(CONFIG.format(port=5999))

    assert "set -gx OPENAI_BASE_URL http://127.0.0.1:5999/v1" in cli("env", "openai", "--shell", "fish").out


def test_the_version_is_told_by_the_option_people_try_first(cli: Cli) -> None:
    assert cli("--version") == cli("version")


@pytest.mark.parametrize("group", [(), ("config",), ("switch",), ("service",)])
def test_the_list_of_commands_cuts_no_sentence_off(cli: Cli, group: tuple[str, ...]) -> None:
    assert "..." not in cli(*group, "--help").out.partition("Commands:")[2]


def test_a_fault_of_an_option_names_the_option(cli: Cli) -> None:
    cli.write(CONFIG.format(port=1))
    refused = cli("start", "--host", "::")
    assert refused.code == 78
    assert "error: --host: $.server.host" in refused.err


def test_init_elsewhere_says_how_to_go_on_there(cli: Cli, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere" / "gateway.toml"
    assert f"routecodex start --config {place}" in cli("init", "--config", str(place)).out


def test_version_as_text_and_json(cli: Cli) -> None:
    assert cli("version").out.startswith("routecodex ")
    assert set(cli("version", "--json").json) == {"version", "python", "platform"}


@pytest.mark.parametrize("arguments", [(), ("bogus",), ("start", "--port", "70000"), ("env", "nobody"), ("config",)])
def test_wrong_usage_is_exit_code_2_with_help(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments)

    assert done.code == 2
    assert "Usage:" in done.err + done.out


@pytest.mark.parametrize(
    "arguments", [("start",), ("config", "check"), ("config", "show"), ("models",), ("env",), ("status",), ("doctor",)]
)
def test_without_a_configuration_every_command_says_what_to_do(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments)

    assert done.code == 78
    assert "routecodex init" in done.err + done.out


def test_failures_are_json_where_the_answer_would_be(cli: Cli) -> None:
    cli.write(CONFIG.format(port=1).replace("${ACME_API_KEY}", "${MISSING_KEY}"))
    done = cli("models", "--json")

    assert done.code == 78
    assert done.json["error"]["code"] == "bad_configuration"
    assert done.json["error"]["faults"][0]["path"] == "$.virtualrouter.providers.acme.keys.main"


def test_start_on_a_port_in_use_is_temporary_and_says_so(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        cli.write(CONFIG.format(port=taken.getsockname()[1]))
        done = cli("start")

    assert done.code == 75
    assert "is in use" in done.err
    assert "--port" in done.err


def test_start_on_an_address_that_is_not_ours_is_a_configuration_fault(cli: Cli) -> None:
    cli.write(CONFIG.format(port=5999).replace("[server]\n", '[server]\napiKeys = ["${GATEWAY_KEY}"]\n'))
    done = cli("start", "--host", "192.0.2.1")

    assert done.code == 78
    assert "cannot be bound" in done.err


def test_start_refuses_an_open_address_without_keys(cli: Cli) -> None:
    cli.write(CONFIG.format(port=5999))
    done = cli("start", "--host", "::")

    assert done.code == 78
    assert "server.apiKeys" in done.err


def test_commands_that_need_a_gateway_say_that_none_runs(cli: Cli) -> None:
    cli.write(CONFIG.format(port=1))

    status, stop = cli("status"), cli("stop")

    assert (status.code, stop.code) == (75, 0)
    assert "routecodex start" in status.err
    assert "No gateway is running" in stop.out


def test_an_unusable_home_is_told_in_the_systems_words(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = cli(
        "start", "--config", str(cli.write(CONFIG.format(port=0))), environ={"ROUTECODEX_HOME": str(tmp_path / "file")}
    )

    assert done.code == 75
    assert "The system refused" in done.err


def test_doctor_looks_at_everything_it_can(cli: Cli) -> None:
    cli.write(CONFIG.format(port=1))
    found = cli("doctor", "--json").json["findings"]
    verdicts = {(finding["check"], finding["verdict"]) for finding in found}

    assert {("python", "ok"), ("dependencies", "ok"), ("configuration", "ok")} <= verdicts
    assert any(finding["check"] == "server" and finding["verdict"] != "ok" for finding in found)


def test_a_pipe_that_closes_early_is_no_error(cli: Cli) -> None:
    import sys

    cli.write(CONFIG.format(port=1))
    with subprocess.Popen(
        [sys.executable, "-m", "routecodex.cli", "config", "schema"],
        env=cli.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_json_output_is_one_document(cli: Cli) -> None:
    cli.write(CONFIG.format(port=1))
    for arguments in (("config", "check"), ("config", "show"), ("models",), ("env",), ("version",), ("stop",)):
        assert json.loads(cli(*arguments, "--json").out)
