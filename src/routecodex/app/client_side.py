"""The client's side of one running request: head, pieces, keepalives, and the ways it is interrupted.

One timer per streamed request covers the wait for the head and the keepalives; it never touches the upstream's
time-outs. An interruption (hang-up, total time-out, stopping gateway) cancels the flow's task once, with its reason
kept here, so that the flow can tell it from a cancellation by somebody else. It knows no protocol.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from routecodex.app.interruptions import Interruption
from routecodex.blocks.http_adapter import ClientPort

_Headers = list[tuple[bytes, bytes]]


class ClientSide:
    """One client as the flow writes to it. Made in the task that runs the flow."""

    __slots__ = (
        "_beat",
        "_beating",
        "_client",
        "_deadline",
        "_head_due",
        "_keepalive",
        "_last",
        "_loop",
        "_task",
        "_timer",
        "_writing",
        "closed",
        "headers",
        "interrupted",
        "started",
    )

    def __init__(self, client: ClientPort, task: asyncio.Task[None], loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._task = task
        self._loop = loop
        self._beat: Callable[[], bytes] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._keepalive = 0.0
        self._last = 0.0
        self._head_due = 0.0
        self._writing = False
        self.headers: _Headers = []
        """Of the head that goes out next: of the gateway alone, until one attempt is known to be the last."""
        self.started = False
        """The head of a stream is out."""
        self.closed = False
        self.interrupted: Interruption | None = None
        client.disconnected.add_done_callback(self._hung_up)

    # --- interruptions ---------------------------------------------------------------------------------

    def interrupt(self, why: Interruption) -> None:
        """Cancel the flow where it waits, once."""
        if self.interrupted is None and not self.closed:
            self.interrupted = why
            self._task.cancel()

    def within(self, seconds: float) -> None:
        """The total time-out; the first call counts."""
        if self._deadline is None:
            self._deadline = self._loop.call_later(seconds, self.interrupt, Interruption.TOTAL_TIMEOUT)

    def _hung_up(self, _: asyncio.Future[None]) -> None:
        self.interrupt(Interruption.HUNG_UP)

    def close(self) -> None:
        """Nothing is written and nobody is interrupted from here on."""
        self.closed = True
        self._client.disconnected.remove_done_callback(self._hung_up)
        for timer in (self._timer, self._deadline):
            if timer is not None:
                timer.cancel()
        if self._beating is not None:
            self._beating.cancel()

    # --- writing ---------------------------------------------------------------------------------------

    def open(self, headers: _Headers, head_wait: float, keepalive: float, beat: Callable[[], bytes]) -> None:
        """The client wants a stream: after `head_wait` seconds the head goes out, whatever the upstream does; after
        `keepalive` seconds of silence (0: never) what `beat` makes."""
        self.headers = headers
        self._keepalive = keepalive
        self._beat = beat
        self._last = self._loop.time()
        self._head_due = self._last + head_wait
        self._timer = self._loop.call_later(min(head_wait, keepalive) if keepalive else head_wait, self._silent)

    def heard(self) -> None:
        """The upstream has spoken, without content yet: the head waits no longer than the first keepalive."""
        if self._keepalive:
            self._head_due = min(self._head_due, self._last + self._keepalive)

    async def start(self) -> None:
        """Send the head of the stream, if it is not out yet."""
        if self._beating is not None:
            await self._beating
        if not self.started:
            self.started = True
            await self._client.start(200, self.headers)

    async def write(self, data: bytes) -> None:
        """Send a piece; waits while the client is too far behind."""
        self._writing = True  # from here on a keepalive would overtake what it comes after
        if self._beating is not None or not self.started:
            await self.start()
        await self._client.send(data)
        self._writing = False
        self._last = self._loop.time()

    async def finish(self) -> None:
        """The clean end of the stream."""
        if not self.started:
            await self.start()
        self.closed = True
        await self._client.finish()

    async def reply(self, status: int, headers: _Headers, body: bytes) -> None:
        """A whole answer; nothing was sent before."""
        self.closed = True
        await self._client.reply(status, headers, body)

    async def break_off(self) -> None:
        """End without an end: the client's protocol has no word for the failure."""
        self.closed = True
        await self._client.break_off()

    # --- keepalives ------------------------------------------------------------------------------------

    def _silent(self) -> None:
        now = self._loop.time()
        silence = now - self._last
        if self._writing:
            # The client is too far behind to be told anything; it has unread bytes to be alive by.
            self._timer = self._loop.call_later(self._keepalive or 60.0, self._silent)
            return
        left = self._keepalive - silence if self.started else self._head_due - now
        if left > 0:
            self._timer = self._loop.call_later(left, self._silent)
            return
        if self._beating is None and not self.closed:
            # Made now, while the flow waits for the upstream: made later, it could carry a number past those of frames
            # that are on their way already.
            data = self._beat() if self._beat is not None and self._keepalive else b""
            self._beating = self._loop.create_task(self._send_beat(data))
            self._beating.add_done_callback(self._beaten)
        self._timer = self._loop.call_later(self._keepalive, self._silent) if self._keepalive else None

    async def _send_beat(self, data: bytes) -> None:
        if not self.started:
            self.started = True
            await self._client.start(200, self.headers)
        if data:
            await self._client.send(data)
        self._last = self._loop.time()

    def _beaten(self, task: asyncio.Task[None]) -> None:
        self._beating = None
        if not task.cancelled() and task.exception() is not None:
            self.interrupt(Interruption.HUNG_UP)
