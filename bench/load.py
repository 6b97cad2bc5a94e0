"""Load: wrk for throughput, CPU and latency; plain sockets for the first byte of a stream and for checking answers."""

from __future__ import annotations

import http.client
import re
import shutil
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench.processes import BenchError
from bench.scenarios import Scenario
from bench.subjects import Subject

_LUA = """\
local file = io.open("{body}", "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
wrk.headers["content-type"] = "application/json"
{headers}
done = function(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %.1f %.1f %.6f\\n", summary.requests,
    summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write,
    summary.errors.timeout, latency:percentile(50), latency:percentile(99), summary.duration / 1e6))
end
"""


@dataclass(frozen=True)
class Load:
    """One wrk run: requests done, milliseconds at two percentiles, wall seconds."""

    requests: int
    p50: float
    p99: float
    seconds: float


def request_headers(subject: Subject, scenario: Scenario) -> dict[str, str]:
    """Headers a scenario's request carries to a subject."""
    return {"authorization": "Bearer sk-bench", **scenario.headers, **subject.headers(scenario)}


def wrk(subject: Subject, scenario: Scenario, connections: int, seconds: float, core: int, folder: Path) -> Load:
    """Load `subject` from one pinned thread. Raises BenchError if any answer failed."""
    program = shutil.which("wrk")
    if program is None:
        raise BenchError("wrk is missing: apt-get install wrk")
    body = folder / f"{scenario.key}.json"
    body.write_bytes(scenario.body)
    script = folder / f"{subject.name}-{scenario.key}.lua"
    lines = [f'wrk.headers["{name}"] = "{value}"' for name, value in request_headers(subject, scenario).items()]
    script.write_text(_LUA.format(body=body, headers="\n".join(lines)))
    url = f"http://127.0.0.1:{subject.port}{subject.path(scenario)}"
    command = ["taskset", "-c", str(core), program, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    done = subprocess.run(
        [*command, "--timeout", "30s", "-s", str(script), url], capture_output=True, text=True, check=False
    )
    match = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+) ([\d.]+)", done.stdout)
    if match is None:
        raise BenchError(f"wrk gave no result for {subject.name}/{scenario.key}: {done.stdout} {done.stderr}")
    requests, status, broken, late = (int(match[index]) for index in range(1, 5))
    if not requests and not (status or broken or late) and seconds < 30:
        # Too slow for one answer in this time: a longer look, not a failure.
        return wrk(subject, scenario, connections, seconds * 4, core, folder)
    if not requests or status or broken or late:
        raise BenchError(
            f"{subject.name}/{scenario.key}: {requests} requests, {status} bad statuses, {broken} socket errors, "
            f"{late} time-outs; a benchmark of failures is none."
        )
    return Load(requests, float(match[5]) / 1000, float(match[6]) / 1000, float(match[7]))


def checked(subject: Subject, scenario: Scenario) -> None:
    """One real request; raises BenchError unless the answer is the whole right one."""
    text = "".join(_post(subject, scenario)[0])
    missing = [mark for mark in scenario.marks if mark not in text]
    if missing:
        raise BenchError(f"{subject.name}/{scenario.key} answered without {missing}: {text[:600]!r}")


def first_byte(subject: Subject, scenario: Scenario, count: int) -> float:
    """Median milliseconds to the first body byte over `count` requests, one after the other."""
    return statistics.median(_post(subject, scenario)[1] for _ in range(count)) * 1000


def _post(subject: Subject, scenario: Scenario) -> tuple[list[str], float]:
    connection = http.client.HTTPConnection("127.0.0.1", subject.port, timeout=60)
    try:
        headers = {"content-type": "application/json", **request_headers(subject, scenario)}
        started = time.perf_counter()
        connection.request("POST", subject.path(scenario) or "", scenario.body, headers)
        response = connection.getresponse()
        first = response.read(1)
        elapsed = time.perf_counter() - started
        rest = response.read()
        if response.status != 200:
            raise BenchError(f"{subject.name}/{scenario.key}: HTTP {response.status}: {(first + rest)[:600]!r}")
        return [(first + rest).decode()], elapsed
    finally:
        connection.close()
