"""A fake upstream: the four vendors' wire protocols over real sockets, scripted, recorded and strict.

It is an oracle: it implements the vendors' formats by itself and imports nothing of the code under test.
What an answer says is a `Script` of steps; how it travels is `Framing` and `Delivery`; what was asked is in
`upstream.requests`, what was illegal in it is in `upstream.violations`.
"""

from .records import RecordedRequest, Violation
from .script import (
    Comment,
    Cut,
    Delivery,
    ErrorIn200,
    ErrorStatus,
    Finish,
    Framing,
    Garbage,
    Gate,
    Hang,
    MidStreamError,
    Parallel,
    Ping,
    RawEvent,
    Refusal,
    Script,
    Slow,
    Step,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from .server import FakeUpstream
from .threaded import ThreadedUpstream

__all__ = [
    "Comment",
    "Cut",
    "Delivery",
    "ErrorIn200",
    "ErrorStatus",
    "FakeUpstream",
    "Finish",
    "Framing",
    "Garbage",
    "Gate",
    "Hang",
    "MidStreamError",
    "Parallel",
    "Ping",
    "RawEvent",
    "RecordedRequest",
    "Refusal",
    "Script",
    "Slow",
    "Step",
    "Text",
    "Thinking",
    "ThreadedUpstream",
    "ToolCall",
    "Usage",
    "Violation",
]
