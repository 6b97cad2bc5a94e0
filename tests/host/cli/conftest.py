"""A command line in a home of its own; whatever it prints is searched for the secrets it was given."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import routecodex

SECRETS = {
    "ACME_API_KEY": "acme-s3cr3t-0123456789",
    "GATEWAY_KEY": "gateway-s3cr3t-0123456789",
}

CONFIG = """\
[server]
port = {port}

[virtualrouter.providers.acme]
protocol = "openai-chat"
baseUrl  = "http://127.0.0.1:9/v1"
keys     = {{ main = "${{ACME_API_KEY}}" }}
models   = ["large", "small"]

[virtualrouter.routing]
default = ["acme.large"]

[virtualrouter.aliases]
"gpt-*" = "acme.large"
"""


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Cli:
    """Runs `routecodex`; every run is checked for secrets and tracebacks in what it prints."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.home / "config.toml"

    def write(self, text: str) -> Path:
        self.home.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text)
        return self.config

    def __call__(self, *arguments: str, environ: dict[str, str] | None = None, timeout: float = 60.0) -> Result:
        done = subprocess.run(
            [sys.executable, "-m", "routecodex.cli", *arguments],
            env={**self.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
        )
        for secret in SECRETS.values():
            assert secret not in done.stdout
            assert secret not in done.stderr
        assert "Traceback" not in done.stderr
        return Result(done.returncode, done.stdout, done.stderr)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """A command line with an empty home, the secrets in its environment, and no gateway left behind."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "ROUTECODEX_HOME": str(tmp_path / "home"),
        "NO_COLOR": "1",
        "PYTHONPATH": str(Path(routecodex.__file__).parents[1]),
        **SECRETS,
    }
    made = Cli(tmp_path / "home", environ)
    yield made
    for record in (made.home / "run").glob("server-*.json"):
        made("stop", "--port", record.stem.removeprefix("server-"), "--timeout", "5", "--force")


@pytest.fixture
def gateway(cli: Cli) -> Cli:
    """The same with a running gateway on a free port."""
    cli.write(CONFIG.format(port=free_port()))
    started = cli("start", "--daemon", "--json")
    assert started.code == 0, started
    return cli
