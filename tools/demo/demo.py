"""The first five minutes: a real small model behind the gateway, one streamed answer in each of the four dialects.

    nox -s demo                 run, print, end
    nox -s demo -- --serve      keep running and say how to connect Codex, Claude Code and Gemini CLI
    nox -s demo -- --port 5555  on a fixed port

It talks plain HTTP with the standard library, as a stranger would.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
QUESTION = "Name three primary colours."
ROUNDS = 5

console = Console(highlight=False)


@dataclass(frozen=True)
class Dialect:
    """One protocol as a client speaks it: where to post, what, and where the text is in an event."""

    name: str
    path: str
    body: Callable[[str, int], dict[str, Any]]
    text: Callable[[dict[str, Any]], str]
    headers: dict[str, str]


def chat_text(event: dict[str, Any]) -> str:
    choices = event.get("choices") or [{}]
    return choices[0].get("delta", {}).get("content") or ""


def gemini_text(event: dict[str, Any]) -> str:
    candidates = event.get("candidates") or [{}]
    return "".join(part.get("text", "") for part in candidates[0].get("content", {}).get("parts", []))


DIALECTS = (
    Dialect(
        "OpenAI Chat Completions",
        "/v1/chat/completions",
        lambda text, limit: {
            "model": "smollm2",
            "stream": True,
            "max_tokens": limit,
            "temperature": 0,
            "messages": [{"role": "user", "content": text}],
        },
        chat_text,
        {},
    ),
    Dialect(
        "OpenAI Responses",
        "/v1/responses",
        lambda text, limit: {
            "model": "smollm2",
            "stream": True,
            "max_output_tokens": limit,
            "temperature": 0,
            "input": text,
        },
        lambda event: event.get("delta", "") if event.get("type") == "response.output_text.delta" else "",
        {},
    ),
    Dialect(
        "Anthropic Messages",
        "/v1/messages",
        lambda text, limit: {
            "model": "smollm2",
            "stream": True,
            "max_tokens": limit,
            "temperature": 0,
            "messages": [{"role": "user", "content": text}],
        },
        lambda event: event.get("delta", {}).get("text", "") if event.get("type") == "content_block_delta" else "",
        {"anthropic-version": "2023-06-01"},
    ),
    Dialect(
        "Gemini generateContent",
        "/v1beta/models/smollm2:streamGenerateContent?alt=sse",
        lambda text, limit: {
            "contents": [{"role": "user", "parts": [{"text": text}]}],
            "generationConfig": {"maxOutputTokens": limit, "temperature": 0},
        },
        gemini_text,
        {},
    ),
)


@dataclass(frozen=True)
class Streamed:
    """One streamed answer: its text, and seconds to the first text and to the end."""

    text: str
    first: float
    total: float


def stream(base: str, dialect: Dialect, question: str, limit: int) -> Streamed:
    """Post one request and read its server-sent events. Raises RuntimeError with the server's words on failure."""
    host, _, port = base.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=120)
    try:
        started = time.perf_counter()
        headers = {"content-type": "application/json", "authorization": "Bearer demo", **dialect.headers}
        connection.request("POST", dialect.path, json.dumps(dialect.body(question, limit)), headers)
        response = connection.getresponse()
        if response.status != 200:
            raise RuntimeError(f"{dialect.name}: HTTP {response.status}: {response.read(2000).decode()}")
        pieces: list[str] = []
        first = 0.0
        for line in response:
            if not line.startswith(b"data:") or line[5:].strip() == b"[DONE]":
                continue
            piece = dialect.text(json.loads(line[5:]))
            if piece and not first:
                first = time.perf_counter() - started
            pieces.append(piece)
        if not "".join(pieces):
            raise RuntimeError(f"{dialect.name}: the answer came without text.")
        return Streamed("".join(pieces), first, time.perf_counter() - started)
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def model_server() -> Iterator[str]:
    """llama.cpp's server as a child process; yields its base URL."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "model_server.py"), "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None and process.stdin is not None
    tail: list[str] = []
    threading.Thread(target=lambda: tail.extend(process.stderr or ()), daemon=True).start()
    try:
        base = process.stdout.readline().strip()
        if not base:
            process.wait(10)
            raise RuntimeError("The model server did not start:\n" + "".join(tail[-20:]))
        yield base
    finally:
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()


CONFIG = """\
[server]
port = {port}

[virtualrouter.providers.local]
protocol = "openai-chat"
baseUrl = "{model}/v1"
compatProfile = "llamacpp"
auth = {{ type = "none" }}
models = ["smollm2"]

[virtualrouter.routing]
default = ["local.smollm2"]
"""


@contextlib.contextmanager
def gateway(model: str, port: int, home: Path) -> Iterator[str]:
    """The gateway as a child process in front of `model`; yields its base URL."""
    config = home / "config.toml"
    config.write_text(CONFIG.format(port=port, model=model))
    log = (home / "gateway.log").open("w+")
    environment = {**os.environ, "ROUTECODEX_CONFIG": str(config), "ROUTECODEX_HOME": str(home)}
    process = subprocess.Popen([sys.executable, "-m", "routecodex", "start"], stdout=log, stderr=log, env=environment)
    base = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(f"{base}/health", timeout=2).close()
                break
            if process.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                raise RuntimeError("The gateway did not start:\n" + log.read()[-4000:])
            time.sleep(0.05)
        yield base
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


def answers(base: str) -> None:
    """One streamed request in each dialect; prints what the model said."""
    for dialect in DIALECTS:
        result = stream(base, dialect, QUESTION, 48)
        console.print(f"[bold]{dialect.name}[/bold]  [dim]{dialect.path}[/dim]")
        console.print(f"  {' '.join(result.text.split())}", markup=False)
        console.print(
            f"  [dim]first text after {result.first * 1000:.0f} ms, whole answer {result.total:.2f} s[/dim]\n"
        )


def added_latency(model: str, base: str) -> Table:
    """The same short request to the model and through the gateway, in turn; medians."""
    table = Table(title=f"Added latency (medians of {ROUNDS} rounds, in turn; same request, one token)")
    for column in ("dialect", "model alone, ms", "through the gateway, ms", "added, ms"):
        table.add_column(column, justify="left" if column == "dialect" else "right")
    direct_dialect = DIALECTS[0]
    for dialect in DIALECTS:
        direct, through = [], []
        for _ in range(ROUNDS):
            direct.append(stream(model, direct_dialect, QUESTION, 1).first * 1000)
            through.append(stream(base, dialect, QUESTION, 1).first * 1000)
        alone, gated = statistics.median(direct), statistics.median(through)
        table.add_row(dialect.name, f"{alone:.1f}", f"{gated:.1f}", f"{gated - alone:.1f}")
    return table


def routecodex(home: Path, *arguments: str) -> None:
    """Run the gateway's own command line and show what it prints."""
    environment = {**os.environ, "ROUTECODEX_CONFIG": str(home / "config.toml"), "ROUTECODEX_HOME": str(home)}
    subprocess.run([sys.executable, "-m", "routecodex", *arguments], env=environment, check=True)


def main() -> int:
    """Run the demo; the exit code is 0 only if every dialect was answered by the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", action="store_true", help="keep running until interrupted")
    parser.add_argument("--port", type=int, default=0, help="port of the gateway (default: a free one)")
    options = parser.parse_args()
    port = options.port or free_port()
    with tempfile.TemporaryDirectory(prefix="routecodex-demo-") as folder, model_server() as model:
        home = Path(folder)
        with gateway(model, port, home) as base:
            console.print(f"\nSmolLM2-135M behind the gateway at [bold]{base}[/bold]. Question: {QUESTION}\n")
            answers(base)
            console.print(added_latency(model, base))
            console.print()
            routecodex(home, "status")
            if options.serve:
                routecodex(home, "env")
                console.print(f"\nServing at {base}; interrupt to stop.")
                with contextlib.suppress(KeyboardInterrupt):
                    threading.Event().wait()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        console.print(str(error), style="red", markup=False)
        sys.exit(1)
