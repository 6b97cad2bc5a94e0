"""An answer's head and what follows it leave in one write, and nothing held back is ever lost or overtaken."""

from __future__ import annotations

import asyncio

from routecodex.app.server import HeadWithBody

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"


class Wire(asyncio.Transport):
    """The operating system's side: what was written, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


async def test_a_head_goes_out_with_the_body_behind_it() -> None:
    wire = Wire()
    client = HeadWithBody(wire, asyncio.get_running_loop())
    client.write(HEAD)
    client.write(b'{"a":1}')
    await asyncio.sleep(0)
    assert wire.writes == [HEAD + b'{"a":1}']


async def test_a_head_with_nothing_behind_it_goes_out_in_the_same_turn_of_the_loop() -> None:
    wire = Wire()
    HeadWithBody(wire, asyncio.get_running_loop()).write(HEAD)
    assert wire.writes == []
    await asyncio.sleep(0)
    assert wire.writes == [HEAD]


async def test_a_large_body_is_not_copied_behind_its_head() -> None:
    wire = Wire()
    client = HeadWithBody(wire, asyncio.get_running_loop())
    body = bytes(64 * 1024)
    client.write(HEAD)
    client.write(body)
    assert wire.writes == [HEAD, body]


async def test_a_body_that_looks_like_a_head_keeps_its_place() -> None:
    wire = Wire()
    client = HeadWithBody(wire, asyncio.get_running_loop())
    for piece in (HEAD, b"HTTP/1.1 is a protocol", b"HTTP/1.1 again", b"the end"):
        client.write(piece)
    await asyncio.sleep(0)
    assert b"".join(wire.writes) == HEAD + b"HTTP/1.1 is a protocol" + b"HTTP/1.1 again" + b"the end"


async def test_closing_sends_what_was_held_back_first() -> None:
    wire = Wire()
    client = HeadWithBody(wire, asyncio.get_running_loop())
    client.write(HEAD)
    client.close()
    await asyncio.sleep(0)
    assert (wire.writes, wire.closed) == ([HEAD], True)


async def test_a_connection_that_died_in_between_is_not_written_to() -> None:
    wire = Wire()
    HeadWithBody(wire, asyncio.get_running_loop()).write(HEAD)
    wire.close()
    await asyncio.sleep(0)
    assert wire.writes == []


async def test_a_whole_answer_goes_behind_what_was_held_back() -> None:
    wire = Wire()
    client = HeadWithBody(wire, asyncio.get_running_loop())
    for size in (2, 64 * 1024):
        client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        client.write_answer(HEAD, bytes(size))
        await asyncio.sleep(0)
        assert b"".join(wire.writes) == b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + bytes(size)
        wire.writes.clear()
