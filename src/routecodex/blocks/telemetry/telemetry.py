"""Where a request's record goes: a ring in memory, the metrics, the log."""

from __future__ import annotations

from collections import deque
from typing import Final

from routecodex.blocks.telemetry.logs import LogWriter
from routecodex.blocks.telemetry.metrics import Metrics
from routecodex.blocks.telemetry.records import OutcomeClass, OutcomeRecord

RING: Final = 1000
"""Records kept in memory."""


class Telemetry:
    """Takes one record per request."""

    def __init__(self, log: LogWriter, metrics: Metrics, access_log: bool) -> None:
        self.log = log
        self.metrics = metrics
        self.recent: deque[OutcomeRecord] = deque(maxlen=RING)
        self._access_log = access_log

    def record(self, record: OutcomeRecord) -> None:
        """Keep, count and log it. Costs about a microsecond: formatting happens in the writer's thread."""
        self.recent.append(record)
        self.metrics.take(record)
        if self._access_log or record.outcome is not OutcomeClass.OK:
            self.log.record(record)
