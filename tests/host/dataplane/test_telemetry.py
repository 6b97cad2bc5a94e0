"""Logs and metrics: one record per request, bounded labels, nothing lost at the end."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from io import StringIO

import msgspec
import structlog

from routecodex.blocks.telemetry import AttemptRecord, LogWriter, Metrics, OutcomeClass, OutcomeRecord, Telemetry
from routecodex.blocks.telemetry.logs import MOST_WAITING, configure


def made(number: int, **more: object) -> OutcomeRecord:
    base = OutcomeRecord("request", 1.5, f"req_{number}", OutcomeClass.OK, 200, "openai-chat", "generate")
    return msgspec.structs.replace(base, **more)


async def test_records_are_written_in_order_and_none_is_lost() -> None:
    log = StringIO()
    writer = LogWriter(log)
    telemetry = Telemetry(writer, Metrics(), access_log=True)
    for number in range(10_000):
        telemetry.record(made(number))
        if number % 3000 == 0:
            await asyncio.sleep(0)
    writer.close()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["requestId"] for line in lines] == [f"req_{number}" for number in range(10_000)]
    assert len(telemetry.recent) == 1000
    assert writer.lost == 0


async def test_without_an_access_log_only_failures_are_written() -> None:
    log = StringIO()
    writer = LogWriter(log)
    telemetry = Telemetry(writer, Metrics(), access_log=False)
    telemetry.record(made(1))
    telemetry.record(made(2, outcome=OutcomeClass.TIMEOUT, code="idle_timeout"))
    writer.close()
    (line,) = [json.loads(line) for line in log.getvalue().splitlines()]
    assert line["requestId"] == "req_2"


def test_labels_that_clients_choose_are_bounded() -> None:
    metrics = Metrics()
    for number in range(5000):
        attempt = AttemptRecord(f"a.main.model-{number}", 200)
        metrics.take(made(number, provider_key=f"a.main.model-{number}", attempts=(attempt,), input_tokens=1))
    text = metrics.render()[0].decode()
    series = [line for line in text.splitlines() if line.startswith("routecodex_upstream_attempts_total{")]
    assert len(series) <= 2001
    assert 'routecodex_upstream_attempts_total{code="(other)",provider_key="(other)"} 3000.0' in series
    assert metrics.outcomes() == {"ok": 5000}


def test_histograms_add_up() -> None:
    metrics = Metrics()
    for milliseconds in (1.0, 30.0, 700.0, 10**7):
        metrics.take(made(1, total_ms=milliseconds, ttft_ms=milliseconds, overhead_ms=0.3))
    text = metrics.render()[0].decode()
    assert 'routecodex_request_seconds_count{inbound="openai-chat"} 4.0' in text
    assert 'routecodex_request_seconds_bucket{inbound="openai-chat",le="0.005"} 1.0' in text
    assert 'routecodex_request_seconds_bucket{inbound="openai-chat",le="1.0"} 3.0' in text
    assert 'routecodex_request_seconds_bucket{inbound="openai-chat",le="+Inf"} 4.0' in text
    assert 'routecodex_overhead_seconds_bucket{inbound="openai-chat",le="0.0005"} 4.0' in text


def test_events_of_any_thread_and_any_library_meet_in_one_log() -> None:
    log = StringIO()
    writer = LogWriter(log)
    logger: structlog.typing.FilteringBoundLogger = configure(writer, "info")
    threads = [threading.Thread(target=lambda: logger.warning("from.thread", number=1)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logging.getLogger("uvicorn.error").error("library %s", "speaks")
    logger.debug("not.at.this.level")
    try:
        raise ValueError("inside")
    except ValueError as error:
        logger.error("gateway.fault", exc_info=error)
    writer.close()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["event"] for line in lines].count("from.thread") == 20
    assert {"event": "library", "message": "library speaks"}.items() <= lines[20].items()
    assert "ValueError: inside" in lines[21]["exception"]
    assert all(isinstance(line["at"], float) for line in lines)
    assert "not.at.this.level" not in log.getvalue()


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    class Full(StringIO):
        def write(self, text: str) -> int:
            raise OSError("No space left on device")

    writer = LogWriter(Full())
    logger = configure(writer, "info")
    for _ in range(3):
        logger.info("x")
    writer.close()
    assert writer.lost == 3


class _Stuck(StringIO):
    """A pipe nobody reads, until somebody does."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()

    def write(self, text: str) -> int:
        self.free.wait(300)
        return super().write(text)


def test_a_log_nobody_reads_costs_bounded_memory_and_says_what_it_lost() -> None:
    log = _Stuck()
    writer = LogWriter(log)
    for number in range(MOST_WAITING + 5000):
        writer.event({"event": "tick", "number": number})
    assert writer.lost == 5000
    log.free.set()
    while writer._handed_over:
        threading.Event().wait(0.01)
    writer.event({"event": "after"})
    writer.close()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert sum(line["lines"] for line in lines if line["event"] == "log.lost") == 5000
    assert len([line for line in lines if line["event"] == "tick"]) == MOST_WAITING
    assert lines[-1]["event"] in {"after", "log.lost"}


def test_the_console_form_is_one_line_per_event() -> None:
    log = StringIO()
    writer = LogWriter(log, "console")
    configure(writer, "info").info("server.started", port=5555, note="")
    writer.close()
    assert "server.started port=5555" in log.getvalue()
    assert log.getvalue().count("\n") == 1
