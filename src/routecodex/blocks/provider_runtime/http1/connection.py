"""One HTTP/1.1 connection: writes a request, lets the answer be parsed, watches time and flow.

It knows bytes and one exchange at a time. It must not know how it was connected, nor who comes next: its owner is told
when it is free again and when it is gone. One timer per connection is armed lazily: it looks at when somebody began to
wait, and is not moved by what arrives.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast
from typing import Protocol as Interface

from routecodex.blocks.provider_runtime import wording
from routecodex.blocks.provider_runtime.http1.answer import Answer
from routecodex.blocks.provider_runtime.http1.parsing import FIELD_LIMIT, MalformedError, Parsing
from routecodex.blocks.provider_runtime.http1.target import Origin
from routecodex.providers.transport import TransportError

UNREAD: Final = 256 * 1024
"""Bytes the reader may be behind before the peer is not listened to any more."""
_JOINED: Final = 64 * 1024
"""A body up to this size goes out in one write with its head."""
_SLICE: Final = 128 * 1024
_TURN: Final = 8
"""Slices of a large body written before the loop gets its turn."""
_TICK: Final = 0.001
"""Loops round their clocks; a timer may fire this much early."""


class UnheardError(TransportError):
    """The connection ended, having served before, without any byte of the answer: what was sent reached nobody."""


class Owner(Interface):
    """Whoever keeps connections."""

    def freed(self, connection: Connection) -> None:
        """The exchange ended well and the connection can carry another."""
        ...

    def ended(self, connection: Connection, *, unheard: bool) -> None:
        """The exchange ended and the connection with it; with `unheard` its asker goes on to another one."""
        ...

    def gone(self, connection: Connection) -> None:
        """The socket is closed."""
        ...


class Connection(asyncio.Protocol):
    """A connected socket. `ask` writes a request; then await `waiter` for the head."""

    __slots__ = (
        "_answer",
        "_early",
        "_first_byte",
        "_heard",
        "_limit",
        "_loop",
        "_opened",
        "_owner",
        "_parsing",
        "_paused",
        "_rest",
        "_since",
        "_timer",
        "_transport",
        "_used",
        "_wake",
        "_writing_paused",
        "idle_since",
        "origin",
        "waiter",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, owner: Owner, origin: Origin) -> None:
        self.origin = origin
        self.idle_since = 0.0
        """The loop's time when it became free."""
        self.waiter: asyncio.Future[None] | None = None
        """Resolved when the awaited head or bytes have come; fails if the head does not come."""
        self._loop = loop
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._parsing = Parsing()
        self._answer: Answer | None = None
        self._opened = False
        """Whether the answer's asker has its head."""
        self._heard = False
        """Whether anything came since the request went out."""
        self._used = False
        """Whether an exchange ended well before."""
        self._early = b""
        self._timer: asyncio.TimerHandle | None = None
        self._wake = 0.0
        self._since = 0.0
        """When the present waiting began; 0 while nobody waits."""
        self._limit = 0.0
        self._first_byte = 0.0
        self._paused = False
        self._writing_paused = False
        self._rest: memoryview | None = None
        """What of the request's body is not written yet."""

    # --- the owner's and the reader's side ---------------------------------------------------------------

    @property
    def alive(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def ask(
        self, method: str, head: bytes, body: bytes, first_byte: float, idle: float
    ) -> tuple[Answer, asyncio.Future[None]]:
        """Send. The future tells when the head of the answer has come. The connection must be alive and free."""
        transport = self._transport
        assert transport is not None  # noqa: S101 (the owner hands out live connections only)
        answer = self._answer = Answer(self, idle)
        self._parsing.expect(answer, head_only=method == "HEAD")
        self._heard = self._opened = False
        self._first_byte = first_byte
        waiter = self.waiter = self._loop.create_future()
        if len(body) <= _JOINED:
            transport.write(head + body if body else head)
            self._wait(first_byte)
        else:
            transport.write(head)
            self._rest = memoryview(body)
            self._write_on()
        if self._early:
            self._loop.call_soon(self.data_received, self._early)
            self._early = b""
        return answer, waiter

    def arrival(self, seconds: float) -> asyncio.Future[None]:
        """To be awaited while the answer has not ended: something came, or it ended. If not, see `abandoned`."""
        waiter = self.waiter = self._loop.create_future()
        self._wait(seconds)
        return waiter

    def abandoned(self, waiter: asyncio.Future[None]) -> None:
        """Whoever awaited this went away: nobody waits now, and silence is nobody's concern."""
        if self.waiter is waiter:
            self.waiter = None
            self._since = 0.0

    def taken(self) -> None:
        """The reader took what had come."""
        self._parsing.unread = 0
        if self._paused:
            self._resume()

    def give_up(self, reason: TransportError) -> None:
        """End the exchange, if there is one, with this failure, and close the socket without waiting for anything."""
        if self._answer is not None:
            self._fail(reason)
        elif self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close a free connection in good manners."""
        if self._transport is not None:
            self._transport.close()

    # --- asyncio's side ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None:
            self._unasked(data)
            return
        self._heard = True
        parsing = self._parsing
        try:
            parsing.feed(data)
        except MalformedError as error:
            failure = wording.malformed()
            failure.__cause__ = error
            self._fail(failure)
            return
        if not self._opened:
            if not parsing.judged:
                self._stir()
                return
            self._opened = True
        elif not parsing.complete and not answer.pieces:
            self._stir()
            return
        waiter = self.waiter
        if waiter is not None:
            self.waiter = None
            self._since = 0.0
            if not waiter.done():
                waiter.set_result(None)
        if parsing.complete:
            self._end(answer)
        elif parsing.unread > UNREAD and not self._paused:
            self._paused = True
            if self._transport is not None:
                self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None:
            self._lost(exc)
        self._transport = None
        self._parsing.release()
        self._rest = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._owner.gone(self)

    def pause_writing(self) -> None:
        self._writing_paused = True

    def resume_writing(self) -> None:
        self._writing_paused = False
        if self._rest is not None:
            self._write_on()

    # --- inside ------------------------------------------------------------------------------------------

    def _wait(self, seconds: float) -> None:
        """Somebody begins to wait: see to it that a timer looks after him."""
        now = self._loop.time()
        self._since = now
        self._limit = seconds
        due = now + seconds
        if self._timer is not None:
            if self._wake <= due:
                return
            self._timer.cancel()
        self._wake = due
        self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        since = self._since
        if not since:
            return
        now = self._loop.time()
        due = since + self._limit
        if now + _TICK < due:
            self._wake = due
            self._timer = self._loop.call_later(due - now, self._look)
            return
        make = wording.idle_timeout if self._opened else wording.first_byte_timeout
        self._fail(make(self._limit))

    def _unasked(self, data: bytes) -> None:
        """What came while nobody asked must not become the next request's answer; unless it is the first one.

        Front ends that are full say so (503 and the like) before they have read anything.
        """
        if not self._used and len(self._early) < FIELD_LIMIT:
            self._early += data
        elif self._transport is not None:
            self._transport.abort()

    def _stir(self) -> None:
        """Something came that is nothing to hand out yet: the peer is alive."""
        if self._since:
            self._since = self._loop.time()

    def _write_on(self) -> None:
        """Write the body's next slices, as long as the socket takes them."""
        rest, transport = self._rest, self._transport
        if rest is None or transport is None or transport.is_closing():
            return
        for _ in range(_TURN):
            if self._writing_paused:
                return
            transport.write(rest[:_SLICE])
            rest = self._rest = rest[_SLICE:]
            if not rest:
                self._rest = None
                if not self._opened and self._answer is not None:
                    self._wait(self._first_byte)
                return
        self._loop.call_soon(self._write_on)

    def _resume(self) -> None:
        self._paused = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _end(self, answer: Answer) -> None:
        """The answer is whole: its reader needs the connection no more."""
        answer.connection = None
        self._answer = None
        self._used = True
        transport = self._transport
        if self._parsing.keep and self._rest is None and transport is not None and not transport.is_closing():
            if self._paused:
                self._resume()
            self._owner.freed(self)
            return
        self._rest = None
        self._owner.ended(self, unheard=False)
        if transport is not None:
            transport.close()

    def _fail(self, failure: TransportError) -> None:
        """The exchange ends here. Whoever waits is told; what had come before stays readable."""
        answer, waiter = self._answer, self.waiter
        self._answer = self.waiter = None
        self._since = 0.0
        self._rest = None
        unheard = False
        if answer is not None:
            answer.failure = failure
            answer.connection = None
        if waiter is not None and not waiter.done():
            if self._opened:
                waiter.set_result(None)
            else:
                unheard = isinstance(failure, UnheardError)
                waiter.set_exception(failure)
        self._owner.ended(self, unheard=unheard)
        if self._transport is not None:
            self._transport.abort()

    def _lost(self, exc: Exception | None) -> None:
        answer = self._answer
        if self._opened and self._parsing.until_close and exc is None and answer is not None:
            waiter, self.waiter = self.waiter, None
            if waiter is not None and not waiter.done():
                waiter.set_result(None)
            self._end(answer)
            return
        failure = wording.truncated() if self._opened else wording.connection_lost()
        if not self._opened and self._used and not self._heard:
            failure = UnheardError(failure.fault, failure.detail)
        failure.__cause__ = exc
        self._fail(failure)
