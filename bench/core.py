"""`python -m bench.core`: the shared module's part of each scenario, in this process, without sockets.

Microseconds per request of each step of the pipeline, the least of several rounds: what is compared before and after
a change, because no other program's noise is in it.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.scenarios import SCENARIOS, Scenario, chat_answer, chat_events
from bench.subjects import ours
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.compat import BUILT_IN, compile_profiles, rule_set
from llmswitch_core.hub.exchange import Exchange, Inbound, Surroundings
from llmswitch_core.hub.pipeline import HubPipeline, PipelineSettings
from llmswitch_core.protocols.contract import RequestHead
from llmswitch_core.router.state import RouterState
from routecodex.app.ids import new_id
from routecodex.cli.configuration import compiled
from routecodex.config.compiled import CompiledConfig

STEPS = ("admit", "plan", "answer")
_PROTOCOLS = {"/v1/chat/completions": Protocol.OPENAI_CHAT, "/v1/messages": Protocol.ANTHROPIC_MESSAGES}
_CLOCK = time.perf_counter
_HEADERS = {"host": "127.0.0.1:1", "content-type": "application/json", "content-length": "1"}


class _Empty:
    """Both stores, with nothing in them."""

    def lookup(self, key: str) -> bytes | None:
        return None

    def get(self, response_id: str) -> None:
        return None

    def put(self, response: object) -> None:
        return None

    def delete(self, response_id: str) -> None:
        return None

    def response_of_item(self, item_id: str, account: str) -> None:
        return None


def passage(pipeline: HubPipeline, scenario: Scenario) -> Callable[[], tuple[float, float, float]]:
    """A function that runs the scenario once and gives the seconds of each step."""
    empty = _Empty()
    surroundings = Surroundings(now=time.time, new_id=new_id, tokens=empty, responses=empty)
    head = RequestHead("POST", scenario.path, {}, {**_HEADERS, **scenario.headers})
    inbound = Inbound("req_bench", _PROTOCOLS[scenario.path], "generate", head, scenario.body)
    state = RouterState()
    kind = "text/event-stream; charset=utf-8" if scenario.stream else "application/json"
    chunks = [event.encode() for event in chat_events()] if scenario.stream else [chat_answer()]

    def once() -> tuple[float, float, float]:
        begin = _CLOCK()
        exchange: Exchange = pipeline.admit(inbound, surroundings)
        admitted = _CLOCK()
        plan = pipeline.plan(exchange, state, frozenset(), time.time())
        planned = _CLOCK()
        way = pipeline.respond(exchange, plan, 200, {"content-type": kind})
        for chunk in chunks:
            way.feed(chunk)
        if not way.finished:
            way.end()
        way.outcome()
        if way.failure is not None:
            raise way.failure
        return admitted - begin, planned - admitted, _CLOCK() - planned

    return once


def least(once: Callable[[], tuple[float, float, float]], rounds: int = 12, seconds: float = 0.15) -> list[float]:
    """Microseconds of each step: the mean of a round, the least of the rounds."""
    best: list[float] = []
    for _ in range(rounds):
        sums, count, until = [0.0, 0.0, 0.0], 0, _CLOCK() + seconds
        while _CLOCK() < until:
            for step, spent in enumerate(once()):
                sums[step] += spent
            count += 1
        means = [spent / count * 1e6 for spent in sums]
        if not best or sum(means) < sum(best):
            best = means
    return best


def configured() -> CompiledConfig:
    """The gateway's configuration of the benchmark."""
    with tempfile.TemporaryDirectory(prefix="routecodex-bench-") as name:
        subject = ours(Path(name), 1, 2)
        environ = {**os.environ, **subject.environment}
        return compiled(Path(environ["ROUTECODEX_CONFIG"]), environ)[1]


def main() -> int:
    config = configured()
    profiles = rule_set(compile_profiles(BUILT_IN, config.profiles), "stable")
    pipeline = HubPipeline(config.routing, profiles, PipelineSettings(key_secret=b"bench" * 8))
    wanted = sys.argv[1:]
    table = Table(title="The shared module alone, µs per request (least round)")
    for heading in ("scenario", *STEPS, "all"):
        table.add_column(heading, justify="left" if heading == "scenario" else "right")
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    for scenario in SCENARIOS:
        if not wanted or scenario.key in wanted:
            steps = least(passage(pipeline, scenario))
            table.add_row(scenario.title, *(f"{step:.1f}" for step in (*steps, sum(steps))))
    Console(width=100).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
