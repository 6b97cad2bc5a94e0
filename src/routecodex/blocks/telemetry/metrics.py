"""Prometheus metrics: plain dictionaries counted per request, rendered when somebody asks.

The metric names, their labels and buckets are the tables below. Label values come from configuration and enums only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, TypeVar, cast

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from routecodex.blocks.telemetry.records import OutcomeRecord

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_OVERHEAD: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)

_HISTOGRAMS: Final = {
    "routecodex_request_seconds": ("Whole request, from its last byte to the answer's.", _SECONDS),
    "routecodex_first_content_seconds": ("Until the first content went to the client.", _SECONDS),
    "routecodex_overhead_seconds": ("The gateway's own part of the time to first content.", _OVERHEAD),
}


_SERIES: Final = 2000
"""Label sets per metric: models behind a "*" are named by clients, so there must be a bound."""

_Labels = TypeVar("_Labels", bound=tuple[str, ...])


def _count(series: dict[_Labels, int], labels: _Labels, by: int = 1) -> None:
    known = series.get(labels)
    if known is not None:
        series[labels] = known + by
    elif len(series) < _SERIES:
        series[labels] = by
    else:
        rest = cast("_Labels", ("(other)",) * len(labels))
        series[rest] = series.get(rest, 0) + by


class _Histogram:
    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        told: list[tuple[str, float]] = []
        running = 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            running += count
            told.append((bound, running))
        return told


class Metrics(Collector):
    """Counts outcome records; gauges are read from functions at the time of asking."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str, str, str], int] = {}
        self._attempts: dict[tuple[str, str], int] = {}
        self._tokens: dict[tuple[str, str], int] = {}
        self._introduced = 0
        self._histograms: dict[str, dict[str, _Histogram]] = {name: {} for name in _HISTOGRAMS}
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def gauge(self, name: str, description: str, read: Callable[[], float]) -> None:
        """A value that is asked for when the metrics are."""
        self._gauges[name] = (description, read)

    def take(self, record: OutcomeRecord) -> None:
        """Count one request."""
        key = (record.inbound, record.operation, str(record.outcome), str(record.status))
        _count(self._requests, key)
        for attempt in record.attempts:
            _count(self._attempts, (attempt.provider_key, attempt.code or "ok"))
        if record.introduced:
            self._introduced += len(record.introduced)
        if record.provider_key:
            for kind, count in (
                ("input", record.input_tokens),
                ("output", record.output_tokens),
                ("cached", record.cached_tokens),
            ):
                if count:
                    _count(self._tokens, (record.provider_key, kind), count)
        self._observe("routecodex_request_seconds", record.inbound, record.total_ms)
        if record.ttft_ms:
            self._observe("routecodex_first_content_seconds", record.inbound, record.ttft_ms)
            self._observe("routecodex_overhead_seconds", record.inbound, record.overhead_ms)

    def outcomes(self) -> dict[str, int]:
        """Requests since the start by outcome class."""
        told: dict[str, int] = {}
        for (_, _, outcome, _), count in self._requests.items():
            told[outcome] = told.get(outcome, 0) + count
        return told

    def _observe(self, name: str, protocol: str, milliseconds: float) -> None:
        by_protocol = self._histograms[name]
        histogram = by_protocol.get(protocol)
        if histogram is None:
            histogram = by_protocol[protocol] = _Histogram(_HISTOGRAMS[name][1])
        histogram.add(milliseconds / 1000.0)

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "routecodex_requests",
            "Requests by how they ended.",
            labels=["inbound", "operation", "outcome", "status"],
        )
        for labels, count in list(self._requests.items()):
            requests.add_metric(list(labels), count)
        yield requests
        attempts = CounterMetricFamily(
            "routecodex_upstream_attempts", "Calls of upstreams by result.", labels=["provider_key", "code"]
        )
        for tried, count in list(self._attempts.items()):
            attempts.add_metric(list(tried), count)
        yield attempts
        tokens = CounterMetricFamily("routecodex_tokens", "Tokens by kind.", labels=["provider_key", "kind"])
        for spent, count in list(self._tokens.items()):
            tokens.add_metric(list(spent), count)
        yield tokens
        yield CounterMetricFamily(
            "routecodex_introduced_violations", "Violations the gateway introduced.", value=self._introduced
        )
        for name, by_protocol in self._histograms.items():
            family = HistogramMetricFamily(name, _HISTOGRAMS[name][0], labels=["inbound"])
            for protocol, histogram in list(by_protocol.items()):
                family.add_metric([protocol], histogram.buckets(), histogram.total)
            yield family
        for name, (description, read) in self._gauges.items():
            yield GaugeMetricFamily(name, description, value=read())

    def render(self) -> tuple[bytes, str]:
        """(text, content type)."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
