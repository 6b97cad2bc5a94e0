"""What our server offers beyond ASGI: a whole answer in one write with uvicorn's bytes, and the end of a connection."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from routecodex.app.server import head_of, server
from routecodex.blocks.http_adapter.connection import Connection, connection_of
from routecodex.config.compiled import ServerSettings
from tests.host.adapters.table import ask
from tests.host.adapters.wire import Answer, HangUp, Pause, Step, converse

Headers = list[tuple[bytes, bytes]]
GOOD: Headers = [(b"content-type", b"text/plain"), (b"x-note", b"a\tb \xfc"), (b"content-length", b"2")]


class Nothing:
    running = 0

    def stop_all(self) -> None:
        """There is nothing to stop."""


@asynccontextmanager
async def serving(application: Any) -> AsyncIterator[int]:
    """An ASGI application on our server; yields the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    running = server(application, Nothing(), lambda: None, lambda: None, ServerSettings(port=0))
    task = asyncio.create_task(running.serve(sockets=[listener]))
    while not running.started and not task.done():  # noqa: ASYNC110 - uvicorn offers nothing to wait for
        await asyncio.sleep(0.002)
    try:
        yield listener.getsockname()[1]
    finally:
        running.should_exit = True
        await task


def answering(headers: Headers, body: bytes, taken: list[bool] | None = None) -> Any:
    """An application that offers its answer to the connection first; with `taken` None it only uses ASGI."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        connection = connection_of(scope)
        assert connection is not None
        if taken is not None:
            taken.append(connection.answer(200, headers, body))
            if taken[-1]:
                return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    return application


REQUESTS: tuple[tuple[Step, ...], ...] = (
    (ask("GET", "/"), Answer()),
    (ask("GET", "/"), Answer(), ask("GET", "/"), Answer()),
    (ask("GET", "/", "connection: close"), Answer()),
    (ask("GET", "/", version="1.0"), Answer()),
    (ask("GET", "/", "connection: keep-alive", version="1.0"), Answer()),
    (ask("POST", "/", "expect: 100-continue", "content-length: 2"), Answer()),
)


@pytest.mark.parametrize("steps", REQUESTS)
@pytest.mark.parametrize("size", [2, 70_000])
async def test_a_whole_answer_has_the_bytes_uvicorn_gives_it(steps: tuple[Step, ...], size: int) -> None:
    headers = [*GOOD[:2], (b"content-length", b"%d" % size)]
    taken: list[bool] = []
    async with serving(answering(headers, b"x" * size)) as port:
        expected = await converse(port, steps)
    async with serving(answering(headers, b"x" * size, taken)) as port:
        assert await converse(port, steps) == expected
    assert taken
    assert all(taken)


async def test_while_other_requests_wait_on_the_connection_answers_go_by_asgi() -> None:
    taken: list[bool] = []
    async with serving(answering(GOOD, b"hi", taken)) as port:
        came = await converse(port, (3 * ask("GET", "/"), Answer(), Answer(), Answer()))
    assert came.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert taken == [False, False, True]


@pytest.mark.parametrize(
    "header",
    [
        (b"x-a", b"b\r\nset-cookie: c"),
        (b"x-a", b"b\nc"),
        (b"x-a", b"b\x00"),
        (b"x-a", b"\x7f"),
        (b"x a", b"b"),
        (b"x:a", b"b"),
        (b"X-A", b"b"),
        (b"connection", b"close"),
        (b"transfer-encoding", b"chunked"),
    ],
)
async def test_headers_nobody_should_send_are_left_to_uvicorn(header: tuple[bytes, bytes]) -> None:
    taken: list[bool] = []
    async with serving(answering([*GOOD, header], b"hi", taken)) as port:
        await converse(port, (ask("GET", "/", "connection: close"), Answer()))
    assert taken == [False]


@pytest.mark.parametrize("keep_alive", [True, False])
def test_a_head_holds_what_uvicorn_lets_through(keep_alive: bool) -> None:
    refused = {code for code in range(256) if head_of(200, [(b"a", bytes([code]))], keep_alive) is None}
    assert refused == {*range(9), *range(10, 32), 127}


@pytest.mark.parametrize("reset", [False, True])
async def test_the_end_of_a_connection_is_told_once(reset: bool) -> None:
    told: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        lost = asyncio.Event()
        connection_of(scope).watch(_noting(told, "first"))  # type: ignore[union-attr]
        connection_of(scope).watch(_noting(told, "second", lost))  # type: ignore[union-attr]
        await lost.wait()

    async with serving(application) as port:
        await converse(port, (ask("GET", "/"), Pause(), HangUp(reset)))
        await asyncio.sleep(0.05)
    assert told == ["second"]


async def test_one_who_watches_too_late_is_told_at_once() -> None:
    told: list[str] = []
    watched: list[Connection] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        connection = connection_of(scope)
        assert connection is not None
        watched.append(connection)
        assert (await receive())["type"] == "http.request"
        assert (await receive())["type"] == "http.disconnect"
        connection.watch(_noting(told, "late"))
        assert connection.answer(200, GOOD, b"hi"), "an answer to nobody is taken and forgotten"

    async with serving(application) as port:
        await converse(port, (ask("GET", "/"), Pause(), HangUp()))
        await asyncio.sleep(0.05)
    assert told == ["late"]


def _noting(told: list[str], word: str, event: asyncio.Event | None = None) -> Callable[[], None]:
    def note() -> None:
        told.append(word)
        if event is not None:
            event.set()

    return note
