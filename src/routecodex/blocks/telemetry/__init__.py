"""What the gateway tells about itself: outcome records, logs, metrics. All of it off the hot path.

A request leaves one `OutcomeRecord`; it is kept in a ring, counted, and written as one log line by a thread.
Nothing in here decides anything. Label sets are bounded by configuration, never by what clients send.
"""

from routecodex.blocks.telemetry.logs import LogWriter
from routecodex.blocks.telemetry.metrics import Metrics
from routecodex.blocks.telemetry.records import AttemptRecord, OutcomeClass, OutcomeRecord
from routecodex.blocks.telemetry.telemetry import Telemetry

__all__ = ["AttemptRecord", "LogWriter", "Metrics", "OutcomeClass", "OutcomeRecord", "Telemetry"]
