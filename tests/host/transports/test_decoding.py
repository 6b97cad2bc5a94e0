"""Content encodings: any cut gives the same bytes, pieces are bounded, what stops short is not whole."""

from __future__ import annotations

import gzip
import sys
import zlib
from itertools import pairwise

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routecodex.blocks.provider_runtime.http1.decoding import DECODERS, PIECE, Decoder, UndecodableError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def raw(body: bytes) -> bytes:
    squeezer = zlib.compressobj(wbits=-15)
    return squeezer.compress(body) + squeezer.flush()


SQUEEZED = {
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstd.compress),
}
MEMBERS = ("gzip", "zstd", "deflate")


def drained(decoder: Decoder, pieces: list[bytes]) -> bytes:
    out = []
    for piece in pieces:
        out.append(decoder.decode(piece))
        while decoder.pending:
            out.append(decoder.decode(b""))
    assert all(len(piece) <= 2 * PIECE for piece in out)
    return b"".join(out)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    marks = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in pairwise(marks)]


@pytest.mark.parametrize("name", SQUEEZED)
@given(body=st.binary(max_size=5000), repeat=st.integers(1, 300), places=st.lists(st.integers(0, 10**6), max_size=8))
@settings(deadline=None, max_examples=60)
def test_any_cut_gives_the_same(name: str, body: bytes, repeat: int, places: list[int]) -> None:
    coding, squeeze = SQUEEZED[name]
    whole = body * repeat
    decoder = DECODERS[coding]()
    assert drained(decoder, cut(squeeze(whole), places)) == whole
    assert decoder.whole


@pytest.mark.parametrize("name", MEMBERS)
@given(
    bodies=st.lists(st.binary(max_size=400), min_size=1, max_size=12),
    places=st.lists(st.integers(0, 10**6), max_size=8),
)
@settings(deadline=None, max_examples=60)
def test_members_in_a_row_are_one_body(name: str, bodies: list[bytes], places: list[int]) -> None:
    coding, squeeze = SQUEEZED[name]
    decoder = DECODERS[coding]()
    assert drained(decoder, cut(b"".join(map(squeeze, bodies)), places)) == b"".join(bodies)
    assert decoder.whole


@pytest.mark.parametrize("name", SQUEEZED)
@given(body=st.binary(min_size=1, max_size=2000), place=st.integers(1, 10**6))
@settings(deadline=None, max_examples=60)
def test_what_stops_short_is_not_whole(name: str, body: bytes, place: int) -> None:
    coding, squeeze = SQUEEZED[name]
    squeezed = squeeze(body)
    decoder = DECODERS[coding]()
    got = drained(decoder, [squeezed[: 1 + place % (len(squeezed) - 1)]])
    assert body.startswith(got)
    assert not decoder.whole


@pytest.mark.parametrize("name", SQUEEZED)
def test_a_bomb_comes_out_in_pieces(name: str) -> None:
    coding, squeeze = SQUEEZED[name]
    size = 20_000_000
    decoder = DECODERS[coding]()
    assert len(drained(decoder, [squeeze(b"\0" * size)])) == size
    assert decoder.whole


@pytest.mark.parametrize("coding", DECODERS)
def test_what_is_in_no_encoding_is_refused(coding: str) -> None:
    with pytest.raises(UndecodableError):
        drained(DECODERS[coding](), [b"\x07{}: no encoding at all, whatever the head says"])


def test_members_without_end_are_an_attack() -> None:
    with pytest.raises(UndecodableError, match="members"):
        drained(DECODERS["gzip"](), [gzip.compress(b"") * 2000])


@pytest.mark.parametrize("coding", DECODERS)
def test_an_empty_body_is_whole(coding: str) -> None:
    decoder = DECODERS[coding]()
    assert decoder.decode(b"") == b""
    assert decoder.whole
