"""The pool as a state machine, over real sockets: any order of asking, answering, breaking, leaving and waiting.

The model knows who asked when, who was answered and who left; after every step the upstream must see exactly the
requests the model expects, in the order they were asked, on no more connections than there are places.
"""

from __future__ import annotations

import asyncio
import contextlib

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from llmswitch_core.canonical.model import Protocol
from routecodex.blocks.provider_runtime.http1 import Http1Transport
from routecodex.blocks.provider_runtime.http1.pool import KEPT_ALIVE
from routecodex.config.compiled import ProviderSpec, Timeouts
from routecodex.providers.transport import TransportError, TransportFault, TransportRequest

LIMIT = 3
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time the test can move on; its timers believe it."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


class Line(asyncio.Protocol):
    """One accepted connection; `asking` is the number of the request it holds unanswered."""

    def __init__(self, lines: list[Line], arrivals: list[int]) -> None:
        self._lines = lines
        self._arrivals = arrivals
        self._buffer = b""
        self.asking: int | None = None
        self.answered_at = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._lines.append(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if b"\r\n\r\n" in self._buffer:
            assert self.asking is None, "a request behind one that is not answered"
            self.asking = int(self._buffer.split(b" ")[1][1:])
            self._arrivals.append(self.asking)
            self._buffer = b""

    def connection_lost(self, exc: Exception | None) -> None:
        self._lines.remove(self)


class PoolMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = Clock()
        self.lines: list[Line] = []
        self.arrivals: list[int] = []
        """Numbers of requests in the order the upstream got them."""
        self.expected: list[int] = []
        """Numbers in the order they must arrive."""
        self.queue: list[int] = []
        """Asked, no place yet."""
        self.held: set[int] = set()
        """Asked, have a place, not answered."""
        self.again: set[int] = set()
        """Had their kept connection broken: on their one more try."""
        self.tasks: dict[int, asyncio.Task[bytes]] = {}
        self.answers = 0
        self.server = self.run(self.loop.create_server(lambda: Line(self.lines, self.arrivals), "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        self.transport = Http1Transport(
            ProviderSpec(
                "p",
                Protocol.OPENAI_CHAT,
                self.url,
                "p",
                "plain",
                {},
                timeouts=Timeouts(1e6, 1e6, 1e6, 1e6),
                max_connections=LIMIT,
            )
        )

    def run(self, coroutine):  # type: ignore[no-untyped-def]
        return self.loop.run_until_complete(coroutine)

    def settled(self) -> None:
        async def turns() -> None:
            for _ in range(40):
                await asyncio.sleep(0)

        self.run(turns())

    async def _whole(self, number: int) -> bytes:
        stream = await self.transport.open(TransportRequest("POST", f"{self.url}/{number}", {}, b""))
        body = b""
        while data := await stream.read():
            body += data
        return body

    def _freed(self, number: int) -> None:
        """The model's side of a place given back."""
        self.held.discard(number)
        self.again.discard(number)
        while self.queue and len(self.held) < LIMIT:
            following = self.queue.pop(0)
            self.held.add(following)
            self.expected.append(following)

    def _line_of(self, number: int) -> Line:
        return next(line for line in self.lines if line.asking == number)

    # --- what may happen ---------------------------------------------------------------------------------

    @rule()
    def ask(self) -> None:
        number = len(self.tasks)
        idle = sorted((line for line in self.lines if line.asking is None), key=lambda line: line.answered_at)
        self.tasks[number] = self.loop.create_task(self._whole(number))
        if len(self.held) < LIMIT:
            self.held.add(number)
            self.expected.append(number)
            self.settled()
            if idle:
                assert idle[-1].asking == number, "the connection freed last is used first"
        else:
            self.queue.append(number)
            self.settled()

    @precondition(lambda self: self.held)
    @rule(pick=st.integers(0, LIMIT - 1), close=st.booleans())
    def answer(self, pick: int, close: bool) -> None:
        number = sorted(self.held)[pick % len(self.held)]
        line = self._line_of(number)
        line.asking = None
        self.answers += 1
        line.answered_at = self.answers
        line.transport.write(OK.replace(b"200 OK\r\n", b"200 OK\r\nconnection: close\r\n") if close else OK)
        self._freed(number)
        self.settled()
        assert self.tasks[number].result() == b"ok"

    @precondition(lambda self: self.held)
    @rule(pick=st.integers(0, LIMIT - 1), begun=st.booleans())
    def break_off(self, pick: int, begun: bool) -> None:
        """The upstream hangs up on a request, before or behind the first bytes of an answer."""
        number = sorted(self.held)[pick % len(self.held)]
        line = self._line_of(number)
        served = line.answered_at > 0
        if begun:
            line.transport.write(b"HTTP/1.1 2")
            self.settled()
        line.transport.close()
        if served and not begun:
            self.expected.append(number)
            self.again.add(number)
            self.settled()
            assert not self.tasks[number].done()
            return
        self._freed(number)
        self.settled()
        error = self.tasks[number].exception()
        assert isinstance(error, TransportError)
        assert error.fault is TransportFault.CONNECTION_LOST

    @precondition(lambda self: self.held or self.queue)
    @rule(pick=st.integers(0, 50))
    def leave(self, pick: int) -> None:
        """An asker goes away, with a place or from the queue."""
        there = sorted({*self.held, *self.queue})
        number = there[pick % len(there)]
        self.tasks[number].cancel()
        if number in self.queue:
            self.queue.remove(number)
        else:
            self._freed(number)
        self.settled()
        assert self.tasks[number].cancelled()

    @precondition(lambda self: self.lines)
    @rule(pick=st.integers(0, LIMIT - 1), speak=st.booleans())
    def upstream_stirs(self, pick: int, speak: bool) -> None:
        """A free connection is closed by the upstream, or spoken on though nobody asked."""
        idle = [line for line in self.lines if line.asking is None]
        if idle:
            line = idle[pick % len(idle)]
            if speak:
                line.transport.write(OK)
            else:
                line.transport.close()
            self.settled()
            assert line not in self.lines

    @rule(seconds=st.sampled_from([1.0, KEPT_ALIVE - 1, KEPT_ALIVE + 1]))
    def time_passes(self, seconds: float) -> None:
        self.loop.ahead += seconds
        self.settled()
        if seconds > KEPT_ALIVE:
            assert all(line.asking is not None for line in self.lines), "a free connection is kept for a time only"

    # --- what must hold ----------------------------------------------------------------------------------

    @invariant()
    def the_upstream_sees_what_was_asked_in_order(self) -> None:
        assert self.arrivals == self.expected
        assert {line.asking for line in self.lines if line.asking is not None} == self.held

    @invariant()
    def places_are_kept_count_of(self) -> None:
        pool = self.transport._pool
        if pool is not None:
            assert (pool.held, pool.waiting, pool.open) == (len(self.held), len(self.queue), len(self.lines))
            assert pool.open <= LIMIT
            assert not (self.queue and len(self.held) < LIMIT)

    def teardown(self) -> None:
        async def end() -> None:
            await self.transport.close()
            for number in (*self.held, *self.queue):
                with contextlib.suppress(TransportError):
                    await self.tasks[number]
                error = self.tasks[number].exception()
                assert isinstance(error, TransportError)
                assert error.fault is TransportFault.CLOSED
            self.server.close()
            for _ in range(20):
                await asyncio.sleep(0)
            assert self.lines == []
            assert asyncio.all_tasks() == {asyncio.current_task()}

        self.run(end())
        self.loop.close()


TestPool = PoolMachine.TestCase
TestPool.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
