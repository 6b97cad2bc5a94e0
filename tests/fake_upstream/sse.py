"""From operations to bytes: SSE framing, content encoding, and how bytes are cut into writes.

Knows neither protocols nor sockets. The result is a plan: a list of byte pieces and control steps, to be
played in order by the wire.
"""

from __future__ import annotations

import json
import random
import sys
import zlib
from collections.abc import Iterable
from typing import Any

import brotli  # type: ignore[import-untyped]

from .render import Event, Op, dumps
from .script import Comment, Cut, Delivery, Framing, Garbage, Gate, Hang, Slow

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Piece = bytes | Cut | Slow | Gate | Hang


def frame(op: Event | Comment | Garbage, framing: Framing, newline: str, *, names: bool) -> bytes:
    """One event, comment or garbage as bytes."""
    if isinstance(op, Garbage):
        return op.data
    if isinstance(op, Comment):
        return f": {op.text}{newline}{newline}".encode()
    lead = "data: " if framing.space else "data:"
    lines: list[bytes] = []
    if op.name and names and framing.event_lines:
        lines.append((f"event: {op.name}" if framing.space else f"event:{op.name}").encode())
    if isinstance(op.data, str):
        payloads = [line.encode() for line in op.data.split("\n")]
    elif framing.multiline:
        payloads = _multiline(op.data)
    else:
        payloads = [dumps(op.data)]
    lines.extend(lead.encode() + payload for payload in payloads)
    end = newline.encode()
    return end.join(lines) + end + end


def _multiline(data: Any) -> list[bytes]:
    try:
        text = json.dumps(data, ensure_ascii=False, indent=1).encode()
    except UnicodeEncodeError:
        text = json.dumps(data, indent=1).encode()
    return text.split(b"\n")


def stream(ops: list[Op], framing: Framing, *, newline: str, names: bool) -> list[Piece]:
    """Every operation as a piece: the SSE body, before encoding and cutting."""
    out: list[Piece] = []
    for op in ops:
        if isinstance(op, Event | Comment | Garbage):
            out.append(frame(op, framing, newline, names=names))
        else:
            out.append(op)
    if framing.bom:
        out.insert(0, b"\xef\xbb\xbf")
    return out


def array(ops: list[Op]) -> list[Piece]:
    """Gemini's streamed answer without alt=sse: one JSON array, an element at a time."""
    out: list[Piece] = []
    first = True
    for op in ops:
        if isinstance(op, Event):
            data = op.data.encode() if isinstance(op.data, str) else dumps(op.data)
            out.append((b"[" if first else b",\r\n") + data)
            first = False
        elif isinstance(op, Garbage):
            out.append(op.data)
        elif not isinstance(op, Comment):
            out.append(op)
    truncated = bool(out) and isinstance(out[-1], Cut | Hang)
    if not truncated:
        out.append(b"]" if not first else b"[]")
    return out


def cut_after(pieces: list[Piece], cut: Cut) -> list[Piece]:
    """Stop after so many events or bytes of the (encoded) body."""
    out: list[Piece] = []
    events = size = 0
    for piece in pieces:
        if isinstance(piece, bytes):
            if cut.after_bytes is not None and size + len(piece) >= cut.after_bytes:
                out.append(piece[: cut.after_bytes - size])
                break
            if cut.after_events is not None and events >= cut.after_events:
                break
            events += 1
            size += len(piece)
        out.append(piece)
    out.append(cut)
    return out


def encode(pieces: list[Piece], encoding: str) -> list[Piece]:
    """Compress, flushing after every piece so that each can be read when it arrives."""
    if encoding == "none":
        return pieces
    compress, flush, finish = _compressor(encoding)
    out: list[Piece] = []
    for piece in pieces:
        if not isinstance(piece, bytes):
            out.append(piece)
        elif piece:
            out.append(compress(piece) + flush())
    if not (out and isinstance(out[-1], Cut | Hang)):
        out.append(finish())
    return out


def _compressor(encoding: str) -> tuple[Any, Any, Any]:
    if encoding == "gzip":
        gz = zlib.compressobj(wbits=31)
        return gz.compress, lambda: gz.flush(zlib.Z_SYNC_FLUSH), gz.flush
    if encoding == "deflate":
        zl = zlib.compressobj(wbits=15)
        return zl.compress, lambda: zl.flush(zlib.Z_SYNC_FLUSH), zl.flush
    if encoding == "br":
        br = brotli.Compressor(quality=4)
        return br.process, br.flush, br.finish
    zs = zstd.ZstdCompressor()
    return zs.compress, lambda: zs.flush(zstd.ZstdCompressor.FLUSH_BLOCK), zs.flush


def decode(data: bytes, encoding: str | None) -> bytes:
    """A request body as it was before its content encoding."""
    if encoding in ("gzip", "deflate"):
        return zlib.decompress(data, wbits=47)
    if encoding == "br":
        return bytes(brotli.decompress(data))
    if encoding == "zstd":
        return bytes(zstd.decompress(data))
    return data


def chunk(pieces: list[Piece], delivery: Delivery) -> list[Piece]:
    """Cut the bytes between control steps into the writes the delivery wants."""
    if delivery.chunking == "per_event":
        return [p for p in pieces if p != b""]
    out: list[Piece] = []
    run: list[bytes] = []
    rng = random.Random(delivery.seed)

    def settle() -> None:
        data = b"".join(run)
        run.clear()
        out.extend(_cut(data, delivery, rng))

    for piece in pieces:
        if isinstance(piece, bytes):
            run.append(piece)
        else:
            settle()
            out.append(piece)
    settle()
    return out


def _cut(data: bytes, delivery: Delivery, rng: random.Random) -> Iterable[bytes]:
    if not data:
        return
    if delivery.chunking == "one":
        yield data
        return
    at = 0
    while at < len(data):
        step = delivery.size if delivery.chunking == "bytes" else rng.randint(1, 40)
        yield data[at : at + step]
        at += step
