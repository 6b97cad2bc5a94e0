"""SSE framing (MP-10, MP-11)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.protocols.sse import SseParser, data_frame, event_frame

blocks = st.lists(
    st.tuples(
        st.sampled_from(
            [
                'data: {"a":1}',
                "data:x",
                "event: foo\ndata: y",
                "data: a\ndata: b",
                ": ping",
                "data: é🙂",
                "id: 7\ndata: z",
            ]
        ),
        st.sampled_from(["\n", "\r\n", "\r"]),
    ),
    max_size=6,
)


def parsed(raw: bytes, sizes: list[int]) -> list[tuple[str, bytes]]:
    parser = SseParser()
    frames = []
    position = 0
    for size in sizes:
        frames += parser.feed(raw[position : position + size])
        position += size
    frames += parser.feed(raw[position:])
    frames += parser.flush()
    return [(frame.event, frame.data) for frame in frames]


@given(blocks, st.integers(), st.booleans())
def test_mp11_any_split_gives_the_same_frames(parts: list[tuple[str, str]], seed: int, bom: bool) -> None:
    raw = (b"\xef\xbb\xbf" if bom else b"") + "".join((b + "\n\n").replace("\n", end) for b, end in parts).encode()
    rng = random.Random(seed)
    sizes = [rng.randint(1, 4) for _ in range(len(raw))]
    assert parsed(raw, sizes) == parsed(raw, [])


@given(blocks, st.integers())
def test_mp27_raw_bytes_of_the_frames_are_the_stream_without_its_comments(
    parts: list[tuple[str, str]], seed: int
) -> None:
    data = [(block, end) for block, end in parts if not block.startswith(":")]
    raw = "".join((b + "\n\n").replace("\n", "\r\n" if end == "\r" else end) for b, end in data).encode()
    parser = SseParser()
    rng = random.Random(seed)
    out: list[bytes] = []
    position = 0
    while position < len(raw):
        size = rng.randint(1, 5)
        out += [frame.raw for frame in parser.feed(raw[position : position + size])]
        position += size
    out += [frame.raw for frame in parser.flush()]
    assert b"".join(out) == raw


def test_mp10_data_without_space_multi_line_data_comments_and_unknown_fields() -> None:
    raw = b": hello\n\nretry: 5\ndata:a\ndata: b\nfoo: bar\n\nevent: e\ndata: c\n\n"
    assert parsed(raw, []) == [("", b"a\nb"), ("e", b"c")]


def test_mp11_a_last_frame_without_its_blank_line_is_not_lost() -> None:
    assert parsed(b"data: [DONE]", []) == [("", b"[DONE]")]
    assert parsed(b"data: a\n\ndata: b\n", []) == [("", b"a"), ("", b"b")]


def test_frames_are_made_as_they_are_read() -> None:
    assert parsed(data_frame(b"{}") + event_frame(b"ping", b"{}"), []) == [("", b"{}"), ("ping", b"{}")]


def test_a_hostile_frame_without_end_is_refused() -> None:
    parser = SseParser(limit=1000)
    with pytest.raises(GatewayError) as caught:
        parser.feed(b"data: " + b"x" * 1000)
    assert caught.value.code == "sse_frame_too_large"


def test_mp28_work_is_linear_in_one_long_frame() -> None:
    """A frame that comes in 4 000 pieces is scanned once: the parser never searches a byte twice (but for the last)."""
    parser = SseParser()
    piece = b"x" * 1000
    parser.feed(b"data: ")
    for _ in range(4000):
        parser.feed(piece)
        assert parser._scanned == parser.pending - 1
    assert len(parser.feed(b"\n\n")) == 1


def test_mp14_a_bare_json_line_in_a_stream_is_read_as_the_error_it_is() -> None:
    raw = b'data: {"a":1}\n\n{"error":{"code":500}}\n\n'
    assert parsed(raw, []) == [("", b'{"a":1}'), ("", b'{"error":{"code":500}}')]
