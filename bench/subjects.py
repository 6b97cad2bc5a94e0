"""Who is measured, how each is started, and which scenarios it can do at all. Versions and settings are pinned here.

Every subject runs with one worker, without a database and with logging off.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.processes import BenchError
from bench.scenarios import Scenario
from bench.upstream import nginx, proxy_config

LITELLM = Path(__file__).parent.parent / "requirements" / "bench-litellm.txt"
"""Locked: litellm[proxy] 1.106.0, the newest whose own requirements can be met (1.107-1.109 pin absent packages)."""
PORTKEY = "@portkey-ai/gateway@1.15.2"


@dataclass(frozen=True)
class Subject:
    """One program under test: command line, environment, and how a scenario's request must be addressed to it."""

    name: str
    port: int
    command: tuple[str, ...]
    ready: str
    environment: Mapping[str, str] = field(default_factory=dict)
    headers: Callable[[Scenario], dict[str, str]] = lambda scenario: {}
    path: Callable[[Scenario], str | None] = lambda scenario: scenario.path
    """Path for a scenario, or None where the program cannot do it."""
    pinned: bool = True


def direct(upstream: int) -> Subject:
    """No gateway: the load generator talks to the upstream."""

    def path(scenario: Scenario) -> str | None:
        if scenario.path != "/v1/chat/completions":
            return None
        return f"/{'stream' if scenario.stream else 'json'}{scenario.path}"

    return Subject("direct", upstream, (), "", path=path, pinned=False)


def proxy(folder: Path, port: int, upstream: int) -> Subject:
    """nginx `proxy_pass`: the floor of any proxy."""

    def path(scenario: Scenario) -> str | None:
        if scenario.path != "/v1/chat/completions":
            return None
        return f"/stream{scenario.path}" if scenario.stream else scenario.path

    config = proxy_config(folder, port, upstream)
    command = (nginx(), "-c", str(config), "-p", str(folder))
    return Subject("nginx", port, command, f"http://127.0.0.1:{port}/", path=path)


_OURS = """\
[server]
port = {port}
accessLog = false

[virtualrouter.providers.json]
protocol = "openai-chat"
baseUrl = "http://127.0.0.1:{upstream}/json/v1"
keys = {{ main = "${{BENCH_KEY}}" }}
models = ["bench"]

[virtualrouter.providers.stream]
protocol = "openai-chat"
baseUrl = "http://127.0.0.1:{upstream}/stream/v1"
keys = {{ main = "${{BENCH_KEY}}" }}
models = ["bench-stream"]

[virtualrouter.routing]
default = ["json.bench"]

[virtualrouter.aliases]
"bench" = "json.bench"
"bench-stream" = "stream.bench-stream"
"""


_SECOND = """
[architecture]
appKernel = "v2"

[architecture.hostBlocks]
runtimeBootstrap = "v2"
providerRuntime = "v2"
httpAdapter = "v2"
"""


def ours(folder: Path, port: int, upstream: int, *, second: bool = False) -> Subject:
    """This gateway as shipped; `second`: with every second side of its switches."""
    name = "routecodex v2" if second else "routecodex"
    home = folder / name.replace(" ", "-")
    home.mkdir()
    config = home / "routecodex.toml"
    config.write_text(_OURS.format(port=port, upstream=upstream) + (_SECOND if second else ""))
    environment = {"BENCH_KEY": "sk-bench", "ROUTECODEX_CONFIG": str(config), "ROUTECODEX_HOME": str(home)}
    command = (sys.executable, "-m", "routecodex", "start")
    return Subject(name, port, command, f"http://127.0.0.1:{port}/health", environment)


_LITELLM = """\
model_list:
  - model_name: bench
    litellm_params: {{model: openai/bench, api_base: "http://127.0.0.1:{upstream}/json/v1", api_key: sk-bench}}
  - model_name: bench-stream
    litellm_params: {{model: openai/bench-stream, api_base: "http://127.0.0.1:{upstream}/stream/v1", api_key: sk-bench}}
litellm_settings: {{telemetry: false, use_chat_completions_url_for_anthropic_messages: true}}
"""


def litellm(folder: Path, port: int, upstream: int, tools: Path) -> Subject:
    """LiteLLM's proxy, in an environment of its own."""
    home = tools / "litellm"
    program = home / "bin" / "litellm"
    if not program.exists():
        _run(sys.executable, "-m", "venv", str(home))
        _run(str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "-r", str(LITELLM))
    config = folder / "litellm.yaml"
    config.write_text(_LITELLM.format(upstream=upstream))
    environment = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    environment["LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"] = "true"  # as open as the others here
    command = (str(program), "--config", str(config), "--port", str(port), "--num_workers", "1")
    return Subject("litellm", port, command, f"http://127.0.0.1:{port}/health/liveliness", environment)


def portkey(folder: Path, port: int, upstream: int, tools: Path) -> Subject:
    """Portkey's open-source gateway under node."""
    home = tools / "portkey"
    program = home / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    if not program.exists():
        home.mkdir(parents=True, exist_ok=True)
        _run("npm", "install", "--silent", "--prefix", str(home), PORTKEY)

    def headers(scenario: Scenario) -> dict[str, str]:
        kind = "stream" if scenario.stream else "json"
        return {
            "x-portkey-provider": "openai",
            "authorization": "Bearer sk-bench",
            "x-portkey-custom-host": f"http://127.0.0.1:{upstream}/{kind}/v1",
        }

    def path(scenario: Scenario) -> str | None:
        # Its /v1/messages serves Anthropic, Bedrock and Vertex upstreams only: no M→C. Its streams end in HTTP 500
        # under Node 20 (`TypeError: immutable` where it appends its own headers to the fetched response).
        return scenario.path if scenario.path == "/v1/chat/completions" and not scenario.stream else None

    command = ("node", str(program), f"--port={port}", "--headless")
    return Subject(
        "portkey",
        port,
        command,
        f"http://127.0.0.1:{port}/",
        {"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "localhost,127.0.0.1"},
        headers,
        path,
    )


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    if done.returncode:
        raise BenchError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-3000:]}")
