"""The fake upstream in a thread of its own, for tests without an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, TypeVar

from .records import RecordedRequest, Violation
from .script import Script, Step
from .server import FakeUpstream

T = TypeVar("T")


class ThreadedUpstream:
    """`with ThreadedUpstream() as up:`; takes FakeUpstream's arguments, `up.upstream` is that one.

    Every method runs on the upstream's own loop and returns when it is done.
    """

    def __init__(self, **options: Any) -> None:
        self.upstream = FakeUpstream(**options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-upstream", daemon=True)

    def __enter__(self) -> ThreadedUpstream:
        self._thread.start()
        self.run(self.upstream.start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self.upstream.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the upstream's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def do(self, function: Callable[[], T]) -> T:
        """Run a function on the upstream's loop."""

        async def call() -> T:
            return function()

        return self.run(call())

    @property
    def url(self) -> str:
        """`http://host:port`, without a path."""
        return self.upstream.url

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request, in the order of arrival."""
        return self.upstream.requests

    @property
    def last(self) -> RecordedRequest:
        """The latest request."""
        return self.upstream.last

    @property
    def violations(self) -> list[Violation]:
        """Every violation found."""
        return self.upstream.violations

    def script(self, *steps: Step | Script, model: str | None = None, times: int = 1) -> None:
        """As FakeUpstream.script."""
        self.do(lambda: self.upstream.script(*steps, model=model, times=times))

    def always(self, *steps: Step | Script, model: str | None = None) -> None:
        """As FakeUpstream.always."""
        self.do(lambda: self.upstream.always(*steps, model=model))

    def wait_requests(self, number: int, within: float = 10) -> None:
        """As FakeUpstream.wait_requests."""
        self.run(self.upstream.wait_requests(number, within))

    def wait_disconnect(self, number: int = 1, within: float = 10) -> None:
        """As FakeUpstream.wait_disconnect."""
        self.run(self.upstream.wait_disconnect(number, within))

    def wait_idle(self, within: float = 10) -> None:
        """As FakeUpstream.wait_idle."""
        self.run(self.upstream.wait_idle(within))
