"""The bytes themselves: writes, chunks, framing, encodings, cuts and resets, read by a plain socket."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

import brotli
import pytest
from tests.fake_upstream import (
    Comment,
    Cut,
    Delivery,
    FakeUpstream,
    Framing,
    Garbage,
    Gate,
    Ping,
    RawEvent,
    Script,
    Slow,
    Text,
    ToolCall,
)
from tests.fake_upstream import sse as upstream_sse
from tests.upstream_selftest.raw import CHAT, MESSAGES, VERSION, chat, messages, post, request_bytes

SAY = Text("a 🙂 b", pieces=("a ", "🙂", " b"))


def events(body: bytes) -> list[tuple[str | None, str]]:
    """(event, data) of each frame, by the SSE grammar."""
    found: list[tuple[str | None, str]] = []
    text = body.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    for block in text.split("\n\n"):
        name, data = None, []
        for line in block.split("\n"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
        if data:
            found.append((name, "\n".join(data)))
    return found


async def test_per_event_makes_every_event_its_own_chunk() -> None:
    async with FakeUpstream() as up:
        up.script(SAY)
        answer = await post(up.url, CHAT, chat())
        assert all(c.startswith(b"data: ") and c.endswith(b"\n\n") and c.count(b"\n\n") == 1 for c in answer.chunks)
        assert len(answer.chunks) == 1 + 3 + 1 + 1  # role, three pieces, finish, [DONE]
        assert answer.chunks[-1] == b"data: [DONE]\n\n"
        assert up.last.events_written == len(answer.chunks)


async def test_with_a_pause_every_chunk_is_its_own_read() -> None:
    async with FakeUpstream(delivery=Delivery(pause=0.02)) as up:
        up.script(SAY)
        answer = await post(up.url, CHAT, chat())
        assert len(answer.reads) >= 1 + len(answer.chunks)


async def test_one_joins_head_and_body_in_one_read() -> None:
    async with FakeUpstream(delivery=Delivery("one", transfer="length")) as up:
        up.script(SAY)
        answer = await post(up.url, CHAT, chat())
        assert len(answer.reads) == 1
        assert answer.ended_well


async def test_bytes_and_seeded_cut_inside_utf8_and_crlf() -> None:
    whole = None
    crlf = Framing(newline="\r\n")
    for delivery in (Delivery("one"), Delivery("bytes", size=1), Delivery("seeded", seed=5)):
        async with FakeUpstream(delivery=delivery, framing=crlf) as up:
            up.script(SAY)
            answer = await post(up.url, CHAT, chat())
            whole = whole or answer.plain
            assert answer.plain == whole
            if delivery.chunking == "bytes":
                assert {len(c) for c in answer.chunks} == {1}
            if delivery.chunking == "seeded":
                assert len({len(c) for c in answer.chunks}) > 3
    assert whole is not None
    assert b"\r\n\r\n" in whole


async def test_seeds_repeat_and_differ() -> None:
    sizes: list[list[int]] = []
    for seed in (1, 1, 2):
        async with FakeUpstream(delivery=Delivery("seeded", seed=seed)) as up:
            up.script(SAY)
            sizes.append([len(c) for c in (await post(up.url, CHAT, chat())).chunks])
    assert sizes[0] == sizes[1] != sizes[2]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("chunking", ["per_event", "bytes"])
async def test_encodings_decode_to_the_same_events(encoding: Any, chunking: Any) -> None:
    async with FakeUpstream() as up:
        up.script(Script.of(SAY, delivery=Delivery(chunking, size=3, encoding=encoding)), Script.of(SAY))
        coded = await post(up.url, CHAT, chat())
        plain = await post(up.url, CHAT, chat())
        assert coded.headers["content-encoding"] == encoding
        texts = [
            "".join(json.loads(d)["choices"][0]["delta"].get("content") or "" for _, d in events(body) if d != "[DONE]")
            for body in (upstream_sse.decode(coded.plain, encoding), plain.plain)
        ]
        assert texts == ["a 🙂 b", "a 🙂 b"]


@pytest.mark.parametrize("encoding", ["gzip", "br"])
async def test_each_encoded_chunk_can_be_read_at_once(encoding: Any) -> None:
    async with FakeUpstream(delivery=Delivery(encoding=encoding)) as up:
        up.script(SAY)
        chunks = (await post(up.url, CHAT, chat())).chunks
        if encoding == "gzip":
            stream = zlib.decompressobj(wbits=31)
            first = stream.decompress(chunks[0])
        else:
            first = brotli.Decompressor().process(chunks[0])
        assert first.endswith(b"\n\n")


async def test_whole_answers_can_be_encoded_too() -> None:
    async with FakeUpstream(delivery=Delivery(encoding="gzip")) as up:
        answer = await post(up.url, CHAT, chat(stream=False))
        assert json.loads(zlib.decompress(answer.body, wbits=31))["object"] == "chat.completion"
        assert answer.ended_well


async def test_event_lines_per_protocol() -> None:
    async with FakeUpstream() as up:
        up.always(SAY)
        assert {n for n, _ in events((await post(up.url, CHAT, chat())).plain)} == {None}
        named = events((await post(up.url, MESSAGES, messages(), VERSION)).plain)
        assert all(n == json.loads(d)["type"] for n, d in named)
        assert [n for n, _ in named] == [
            "message_start",
            "content_block_start",
            "ping",
            *["content_block_delta"] * 3,
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
        rows = events((await post(up.url, "/v1/responses", {"model": "m", "input": "x", "stream": True})).plain)
        assert [json.loads(d)["sequence_number"] for _, d in rows] == list(range(len(rows)))
        assert rows[-1][0] == "response.completed"
        path = "/v1beta/models/gemini-2.5-pro:streamGenerateContent"
        body = {"contents": [{"role": "user", "parts": [{"text": "x"}]}]}
        google = (await post(up.url, path + "?alt=sse", body)).plain
        assert google.startswith(b"data: {")
        assert google.endswith(b"}\r\n\r\n")
        array = json.loads((await post(up.url, path, body)).plain)
        assert array == [json.loads(d) | {"responseId": array[0]["responseId"]} for _, d in events(google)]


async def test_framing_variations_are_on_the_wire() -> None:
    async with FakeUpstream() as up:
        up.script(
            Script.of(SAY, framing=Framing(space=False)),
            Script.of(SAY, framing=Framing(multiline=True)),
            Script.of(SAY, framing=Framing(terminal="missing")),
            Script.of(SAY, framing=Framing(terminal="double")),
            Script.of(SAY, framing=Framing(bom=True)),
            Script.of(Comment("x"), Ping(), RawEvent('{"a":1}', "strange"), SAY),
        )
        tight, several, missing, double, bom, extra = [(await post(up.url, CHAT, chat())).plain for _ in range(6)]
        assert tight.startswith(b'data:{"')
        assert several.count(b"data: ") > 20
        assert b"[DONE]" not in missing
        assert double.count(b"[DONE]") == 2
        assert bom.startswith(b"\xef\xbb\xbfdata: ")
        assert extra.startswith(b': x\n\n: ping\n\ndata: {"a":1}\n\n')


async def test_lone_surrogates_are_escaped() -> None:
    async with FakeUpstream() as up:
        up.script(Text("\ud83d\ude42"[:1] + "|", pieces=("\ud83d", "|")))
        answer = await post(up.url, CHAT, chat())
        assert b'"content":"\\ud83d"' in answer.plain


async def test_a_cut_by_fin_ends_without_the_last_chunk() -> None:
    async with FakeUpstream() as up:
        up.script(SAY, Cut())
        answer = await post(up.url, CHAT, chat())
        assert not answer.ended_well
        assert not answer.reset
        assert len(answer.chunks) == 4
        assert up.last.outcome == "cut"


async def test_a_cut_by_rst_resets() -> None:
    async with FakeUpstream() as up:
        up.script(SAY, Slow(0.05), Cut(how="rst"))
        answer = await post(up.url, CHAT, chat())
        assert answer.reset
        assert len(answer.chunks) == 4


async def test_a_cut_counts_events_or_bytes() -> None:
    async with FakeUpstream() as up:
        up.script(Script.of(SAY, Cut(after_events=2)), Script.of(SAY, Cut(after_bytes=100)))
        assert len((await post(up.url, CHAT, chat())).chunks) == 2
        assert len((await post(up.url, CHAT, chat())).plain) == 100


async def test_a_cut_before_the_head_sends_nothing() -> None:
    async with FakeUpstream() as up:
        up.script(SAY, Cut(before_head=True))
        answer = await post(up.url, CHAT, chat())
        assert answer.head == b""
        assert up.last.stage == "received"


async def test_a_cut_with_a_content_length_is_short() -> None:
    async with FakeUpstream() as up:
        up.script(SAY, Cut())
        assert not (await post(up.url, CHAT, chat(stream=False))).ended_well


async def test_garbage_stands_in_the_body() -> None:
    async with FakeUpstream() as up:
        up.script(Script.of(SAY, Garbage(b"\x00\xff<html>")), Script.of(Garbage(b"<html>")))
        assert b"\x00\xff<html>" in (await post(up.url, CHAT, chat())).plain
        assert (await post(up.url, CHAT, chat(stream=False))).body == b"<html>"


async def test_a_gate_holds_until_it_is_opened() -> None:
    async with FakeUpstream() as up:
        up.script(SAY, Gate("g"), Text("after"))
        task = asyncio.create_task(post(up.url, CHAT, chat()))
        await up.wait_held(1, "g")
        assert not task.done()
        up.open_gate("g")
        assert b"after" in (await task).plain


async def test_keep_alive_and_silent_close() -> None:
    async with FakeUpstream() as up:
        up.script(Script.of(SAY), Script.of(SAY, delivery=Delivery(transfer="length", connection="silent-close")))
        reader, writer = await asyncio.open_connection(up.host, up.port)
        for _ in range(2):
            writer.write(request_bytes(CHAT, chat(), close=False))
        data = await reader.read(-1)
        writer.close()
        assert data.count(b"HTTP/1.1 200 OK") == 2
        assert data.count(b"Connection: keep-alive") == 2
        assert [r.on_connection for r in up.requests] == [0, 1]
        assert up.connections_total == 1


async def test_pieces_of_calls_join_to_the_arguments_on_c() -> None:
    async with FakeUpstream() as up:
        up.script(ToolCall("t", '{"a": "🙂"}', chunks="late_name", id="call_1"))
        answer = await post(up.url, CHAT, chat(tools=[{"type": "function", "function": {"name": "t"}}]))
        deltas = [
            json.loads(d)["choices"][0]["delta"]["tool_calls"][0]
            for _, d in events(answer.plain)
            if 'tool_calls":[' in d
        ]
        assert deltas[0]["id"] == "call_1"
        assert "name" not in deltas[0]["function"]
        assert deltas[1]["function"] == {"name": "t"}
        assert "".join(d["function"].get("arguments", "") for d in deltas) == '{"a": "🙂"}'


async def test_expect_continue_bad_http_and_bad_json() -> None:
    async with FakeUpstream() as up:
        reader, writer = await asyncio.open_connection(up.host, up.port)
        writer.write(request_bytes(CHAT, chat(), {"expect": "100-continue"}))
        assert (await reader.read(-1)).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")
        writer.close()
        reader, writer = await asyncio.open_connection(up.host, up.port)
        writer.write(b"NONSENSE\r\n\r\n")
        assert (await reader.read(-1)).startswith(b"HTTP/1.1 400 ")
        writer.close()
        assert (await post(up.url, CHAT, b"{nope")).status == 400
        assert (await post(up.url, CHAT, b"[]")).status == 400
        assert (await post(up.url, "/v1/nothing", {})).status == 404
