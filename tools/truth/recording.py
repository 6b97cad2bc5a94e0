"""Watches calls in all threads, and keeps one record of each pair of caller and callee.

`sys.monitoring` from Python 3.12 on; `sys.setprofile` before. It knows frames and code objects, and which files count;
it must not know what the names mean.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any, Final

from tools.truth.naming import Names, is_body, is_inline

_TOOL: Final = 4
"""The number under which `sys.monitoring` knows us; 0 to 3 and 5 have customary owners."""
_DEEPEST: Final = 200


@dataclass
class Record:
    """What ran. Code objects are kept by identity: hashing one hashes all of its constants."""

    direct: dict[tuple[int, int], int] = field(default_factory=dict)
    """Caller and callee, both in the files that count, to the line of the first call."""
    through: dict[tuple[int, int], tuple[int, str]] = field(default_factory=dict)
    """The same where foreign frames are between: the line, and what the callee was called by."""
    entered: set[int] = field(default_factory=set)
    """Callees with no caller in the files that count anywhere above them: threads, tasks, tests."""
    codes: dict[int, CodeType] = field(default_factory=dict)

    def saw(self, frame: FrameType, names: Names) -> None:
        """A function of the files that count starts in `frame`."""
        code = frame.f_code
        callee = id(code)
        self.codes[callee] = code
        above = frame.f_back
        foreign = ""
        for _ in range(_DEEPEST):
            if above is None:
                break
            calling = above.f_code
            if names.holds(calling.co_filename):
                key = (id(calling), callee)
                self.codes[key[0]] = calling
                if foreign:
                    self.through.setdefault(key, (above.f_lineno, foreign))
                else:
                    self.direct.setdefault(key, above.f_lineno)
                return
            foreign = foreign or f"{above.f_globals.get('__name__', '?')}.{calling.co_qualname}"
            above = above.f_back
        self.entered.add(callee)


@contextmanager
def recording(names: Names) -> Iterator[Record]:
    """Record while the block runs, in every thread that runs in it."""
    record = Record()
    with _monitored(record, names) if sys.version_info >= (3, 12) else _profiled(record, names):
        yield record


def _counts(code: CodeType, names: Names) -> bool:
    return names.holds(code.co_filename) and not is_body(code) and not is_inline(code)


if sys.version_info >= (3, 12):

    @contextmanager
    def _monitored(record: Record, names: Names) -> Iterator[None]:
        monitoring = sys.monitoring

        def started(code: CodeType, _offset: int) -> Any:
            if not _counts(code, names):
                return monitoring.DISABLE
            record.saw(sys._getframe(1), names)
            return None

        monitoring.use_tool_id(_TOOL, "truth")
        monitoring.register_callback(_TOOL, monitoring.events.PY_START, started)
        monitoring.set_events(_TOOL, monitoring.events.PY_START)
        try:
            yield
        finally:
            monitoring.set_events(_TOOL, 0)
            monitoring.register_callback(_TOOL, monitoring.events.PY_START, None)
            monitoring.free_tool_id(_TOOL)

else:

    @contextmanager
    def _monitored(record: Record, names: Names) -> Iterator[None]:
        raise RuntimeError("sys.monitoring came with Python 3.12")
        yield


@contextmanager
def _profiled(record: Record, names: Names) -> Iterator[None]:
    counted: dict[int, tuple[CodeType, bool]] = {}

    def watch(frame: FrameType, event: str, _argument: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        known = counted.get(id(code))
        if known is None or known[0] is not code:
            known = counted[id(code)] = (code, _counts(code, names))
        if known[1]:
            record.saw(frame, names)

    threading.setprofile(watch)
    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
