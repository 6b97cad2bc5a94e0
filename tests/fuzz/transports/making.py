"""From a seed to what an upstream does. It knows HTTP/1.1 well enough to break it; nothing here knows a transport."""

from __future__ import annotations

import gzip
import random
import sys
import zlib
from collections.abc import Callable
from itertools import pairwise
from typing import Final

import brotli
import msgspec

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class Exchange(msgspec.Struct, frozen=True):
    """What the upstream does with one request: the bytes, cut as they arrive, and how it ends."""

    cuts: tuple[bytes, ...]
    ending: str
    """`keep` the connection, `fin` or `rst`."""
    early: bool = False
    """Sent before anything of the request was read."""


class Case(msgspec.Struct, frozen=True):
    """One connection's worth of misbehaviour, or several."""

    seed: int
    kind: str
    methods: tuple[str, ...]
    """The client's requests, one after the other."""
    exchanges: tuple[Exchange, ...]


_STATUSES: Final = (200, 200, 200, 200, 200, 201, 204, 304, 301, 400, 401, 404, 413, 429, 500, 503, 529, 299, 599)
_REASONS: Final = (b"OK", b"", b"Not\tFound", b"Caf\xe9", b"a b c", b"x" * 300)
_PLAIN_HEADERS: Final = (
    b"Content-Type: application/json",
    b"content-type: text/event-stream; charset=utf-8",
    b"Server: nginx",
    b"Date: Sun, 22 Nov 2026 10:00:00 GMT",
    b"X-Request-Id: 7f3a",
    b"Retry-After: 3",
    b"Set-Cookie: a=b; Path=/",
    b"Set-Cookie: c=d",
    b"Cache-Control: no-cache",
    b"Vary: Accept",
    b"vary:Origin",
    b"X-Empty:",
    b"X-Blank:   \t ",
    b"X-Trailing: value  \t",
    b"X-Utf8: \xe2\x82\xac",
    b"X-Latin: \xe9\xff",
    b"X-Folded: one\r\n two",
    b"X-Folded: one\r\n\tthree\r\n  four",
    b"X-Folded:\r\n later",
    b"X-Control: a\x01b",
    b"X-Del: a\x7fb",
    b"Keep-Alive: timeout=5",
    b"Connection: keep-alive",
    b'Alt-Svc: h3=":443"',
    b"!#$%&'*+-.^_`|~: token",
)
_ODD_HEADERS: Final = (
    b"Connection: close",
    b"Connection: Close, x",
    b"connection: upgrade",
    b"Upgrade: websocket",
    b"Connection:",
    b"Upgrade:",
    b"Content-Encoding:",
    b"Proxy-Connection: keep-alive",
    b"Content-Encoding: identity",
    b"Content-Encoding: gzip, br",
    b"Content-Encoding: GZIP",
    b"Content-Length: 5",
    b"Content-Length: 5",
    b"Content-Length: 05",
    b"Content-Length: +5",
    b"Content-Length: -1",
    b"Content-Length: 5, 5",
    b"Content-Length: 5 5",
    b"Content-Length: 0x5",
    b"Content-Length:",
    b"Content-Length: 18446744073709551615",
    b"Content-Length: 18446744073709551616",
    b"Content-Length : 5",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked, gzip",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: chunkedx",
    b"Transfer-Encoding: chunked;q=1",
    b"Transfer-Encoding:\x0bchunked",
    b"Transfer-Encoding: \tchunked ",
    b"Transfer-Encoding:",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding\x00: chunked",
    b"transfer-encoding: CHUNKED",
    b" leading: space",
    b"no colon at all",
    b": no name",
    b"X Y: blank in name",
    b"X-Nul: a\x00b",
    b"X-Cr: a\rb",
    b"X(Y): parenthesis",
    b"Sec-WebSocket-Key1: x",
)
_VERSIONS: Final = (b"HTTP/1.1",) * 12 + (b"HTTP/1.0",) * 3
_ODD_VERSIONS: Final = (
    b"HTTP/2.0",
    b"HTTP/0.9",
    b"HTTP/1.2",
    b"http/1.1",
    b"HTTP/1.10",
    b"HTTP/11",
    b"ICY",
    b"RTSP/1.0",
)
_TOKENS: Final = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b"0\r\n\r\n",
    b"\r\n\r\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"ffffffffffffffff\r\n",
    b"10000000000000000\r\n",
    b"\xff\xfe",
    b"-",
    b"0",
    b";a=b",
)
_GARBAGE: Final = (
    b"SSH-2.0-OpenSSH_9.6\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x15\x03\x01\x00\x02\x02\x46",
    b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
    b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
    b"<html>no HTTP here</html>",
    b"\r\n\r\n\r\n",
    b"HTTP/1.1\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 2000 OK\r\n\r\n",
    b"HTTP/1.1 abc OK\r\n\r\n",
    b"HTTP/1.1  200 OK\r\n\r\n",
    b"HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 000 Zero\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 199 Odd\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nafter",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\nafter",
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: Upgrade\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 2\r\n\r\nok",
)


def case(seed: int) -> Case:
    """The case of a seed; always the same."""
    rng = random.Random(seed)
    kind = rng.choices(list(_KINDS), _WEIGHTS)[0]
    methods, exchanges = _KINDS[kind][1](rng)
    return Case(seed, kind, tuple(methods), tuple(exchanges))


# --- answers ---------------------------------------------------------------------------------------------


def _words(rng: random.Random, size: int) -> bytes:
    return bytes(rng.choices(b'abcdefgh {}[]":,\n0123456789\xc3\xa9', k=size))


def _size(rng: random.Random) -> int:
    return rng.choice((0, 1, 2, 5, 17, 100, 100, 1000, 3000))


def _squeezed(rng: random.Random, body: bytes) -> tuple[bytes | None, bytes]:
    """(content-encoding, body in it)."""
    name = rng.choice((b"gzip", b"deflate", b"br", b"zstd", b"raw", b"members"))
    if name == b"raw":
        squeezer = zlib.compressobj(wbits=-15)
        return b"deflate", squeezer.compress(body) + squeezer.flush()
    if name == b"members":
        half = len(body) // 2
        coding = rng.choice((b"gzip", b"zstd", b"deflate"))
        make = _SQUEEZERS[coding]
        return coding, make(body[:half]) + make(body[half:]) + (make(b"") if rng.random() < 0.3 else b"")
    return name, _SQUEEZERS[name](body)


_SQUEEZERS: Final[dict[bytes, Callable[[bytes], bytes]]] = {
    b"gzip": lambda body: gzip.compress(body, 6, mtime=0),
    b"deflate": zlib.compress,
    b"br": lambda body: brotli.compress(body, quality=4),
    b"zstd": lambda body: zstd.compress(body),
}


def _chunked(rng: random.Random, body: bytes, end: bytes) -> bytes:
    out = bytearray()
    place = 0
    while place < len(body):
        size = min(rng.choice((1, 3, 10, 100, 1000)), len(body) - place)
        digits = b"%x" % size
        if rng.random() < 0.2:
            digits = rng.choice(
                (digits.upper(), b"00" + digits, digits + b";name=value", digits + b' ;q="a b"', digits + b" ")
            )
        out += digits + end + body[place : place + size] + end
        place += size
    out += rng.choice((b"0", b"0", b"0", b"000", b"0;last")) + end
    if rng.random() < 0.2:
        for _ in range(rng.randint(1, 3)):
            out += rng.choice(_PLAIN_HEADERS) + end
    return bytes(out + end)


def _answer(rng: random.Random, *, odd: bool, head_only: bool = False, size: int | None = None) -> tuple[bytes, bool]:
    """One answer's bytes, and whether the connection can be kept after it as far as its maker knows."""
    end = b"\n" if odd and rng.random() < 0.1 else b"\r\n"
    version = rng.choice(_ODD_VERSIONS) if odd and rng.random() < 0.05 else rng.choice(_VERSIONS)
    status = rng.choice(_STATUSES)
    headers = rng.sample(_PLAIN_HEADERS, rng.randint(0, 6))
    body = _words(rng, _size(rng) if size is None else size)
    if rng.random() < 0.35:
        coding, body = _squeezed(rng, body)
        headers.append(b"Content-Encoding: " + (coding or b""))
    framing = rng.choice(("length", "length", "chunked", "chunked", "close"))
    empty = head_only or status in (204, 304)
    keep = framing != "close" or empty
    if framing == "length":
        headers.append(b"Content-Length: %d" % len(body))
        content = body
    elif framing == "chunked":
        headers.append(b"Transfer-Encoding: chunked")
        content = _chunked(rng, body, end)
    else:
        content = body
    if version == b"HTTP/1.0" or rng.random() < 0.1:
        keep = False
    if rng.random() < 0.1:
        headers.append(b"Connection: close")
        keep = False
    if odd:
        headers += rng.sample(_ODD_HEADERS, rng.choice((0, 1, 1, 2)))
    rng.shuffle(headers)
    interim = b""
    for _ in range(rng.choice((0, 0, 0, 0, 0, 1, 2))):
        interim += b"HTTP/1.1 %d Soon%sLink: </a>%s%s" % (rng.choice((100, 102, 103, 199)), end, end, end)
    head = b"%s %d %s" % (version, status, rng.choice(_REASONS))
    return interim + end.join((head, *headers)) + end + end + (b"" if empty else content), keep


def _mutated(rng: random.Random, data: bytes) -> bytes:
    for _ in range(rng.randint(1, 3)):
        place = rng.randint(0, len(data))
        # Heads are short and bodies are long: aim at the head half of the time.
        if rng.random() < 0.5:
            place = min(place, rng.randint(0, 200))
        data = rng.choice(_MUTATIONS)(rng, data, place)
    return data


_MUTATIONS: Final[tuple[Callable[[random.Random, bytes, int], bytes], ...]] = (
    lambda rng, data, at: data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :],
    lambda rng, data, at: data[:at] + bytes([rng.randrange(256)]) + data[at:],
    lambda rng, data, at: data[:at] + data[at + rng.randint(1, 8) :],
    lambda rng, data, at: data[:at],
    lambda rng, data, at: data[:at] + data[max(0, at - rng.randint(1, 60)) :],
    lambda rng, data, at: data[:at] + rng.choice(_TOKENS) + data[at:],
    lambda rng, data, at: data[:at] + rng.choice(_ODD_HEADERS) + b"\r\n" + data[at:],
    lambda rng, data, at: data + rng.choice((*_GARBAGE, *_TOKENS, b"x")),
    lambda rng, data, at: data + _answer(rng, odd=False)[0],
)


def _cut(rng: random.Random, data: bytes) -> tuple[bytes, ...]:
    """Boundaries: none, a few, at line ends, behind the head, or one per byte."""
    if not data:
        return ()
    way = rng.random()
    if way < 0.3:
        return (data,)
    if way < 0.4 and len(data) < 150:
        return tuple(data[place : place + 1] for place in range(len(data)))
    if way < 0.55:
        head = data.find(b"\r\n\r\n")
        places = [head + 4] if head >= 0 else []
        places += [rng.randint(0, len(data)) for _ in range(rng.randint(0, 2))]
    elif way < 0.7:
        ends = [place for place in range(len(data)) if data[place] in b"\r\n"]
        places = [place + rng.randint(0, 1) for place in rng.sample(ends, min(len(ends), 5))]
    else:
        places = [rng.randint(0, len(data)) for _ in range(rng.randint(1, 6))]
    marks = sorted({0, len(data), *places})
    return tuple(data[a:b] for a, b in pairwise(marks))


# --- kinds of cases --------------------------------------------------------------------------------------

_Made = tuple[list[str], list[Exchange]]


def _method(rng: random.Random) -> str:
    return rng.choice(("POST",) * 16 + ("GET", "GET", "GET", "HEAD"))


def _valid(rng: random.Random) -> _Made:
    """Answers by the rules, several on a connection."""
    methods = [_method(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
    exchanges = []
    for method in methods:
        data, keep = _answer(rng, odd=False, head_only=method == "HEAD")
        exchanges.append(Exchange(_cut(rng, data), "keep" if keep else "fin"))
    return methods, exchanges


def _broken(rng: random.Random) -> _Made:
    """One answer that was by the rules, mutated; then a good one."""
    method = _method(rng)
    data, _ = _answer(rng, odd=rng.random() < 0.3, head_only=method == "HEAD")
    return _then_good(rng, method, _mutated(rng, data))


def _smuggling(rng: random.Random) -> _Made:
    """Odd header lines, contradicting lengths, odd versions."""
    method = _method(rng)
    data, _ = _answer(rng, odd=True, head_only=method == "HEAD")
    return _then_good(rng, method, data)


def _garbage(rng: random.Random) -> _Made:
    data = rng.choice((*_GARBAGE, rng.randbytes(rng.randint(1, 400))))
    return _then_good(rng, "POST", data)


def _short(rng: random.Random) -> _Made:
    """A good answer that breaks off."""
    data, _ = _answer(rng, odd=False)
    place = rng.randint(0, len(data))
    return ["POST"], [Exchange(_cut(rng, data[:place]), rng.choice(("fin", "fin", "rst")))]


def _huge(rng: random.Random) -> _Made:
    """Around the limits: one header line, their number, the reason, trailers."""
    way = rng.randrange(5)
    line = rng.choice((65_000, 65_530, 65_535, 65_536, 65_537, 65_600, 70_000, 200_000))
    many = rng.choice((100, 126, 127, 128, 129, 200))
    start, rest = b"HTTP/1.1 200 OK\r\n", b"content-length: 2\r\n\r\nok"
    if way == 0:
        data = start + b"x-long: " + b"v" * (line - 6) + b"\r\n" + rest
    elif way == 1:
        data = start + b"n" * (line - 1) + b": v\r\n" + rest
    elif way == 2:
        data = b"HTTP/1.1 200 " + b"r" * line + b"\r\n" + rest
    elif way == 3:
        data = start + b"".join(b"x-%d: v\r\n" % n for n in range(many - 1)) + rest
    else:
        trailers = (
            b"".join(b"t-%d: v\r\n" % n for n in range(many)) if rng.random() < 0.5 else b"t: " + b"v" * line + b"\r\n"
        )
        data = start + b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n" + trailers + b"\r\n"
    cuts = rng.choice((1, 1, 2, 3))
    marks = sorted({0, len(data), *(rng.randint(0, len(data)) for _ in range(cuts - 1))})
    return ["POST"], [Exchange(tuple(data[a:b] for a, b in pairwise(marks)), "fin")]


def _squeezed_badly(rng: random.Random) -> _Made:
    """Encoded bodies that are not whole, damaged, followed by something, or not encoded at all."""
    body = _words(rng, rng.choice((0, 10, 500, 5000)))
    coding, squeezed = _squeezed(rng, body)
    way = rng.randrange(6)
    if way == 0:
        squeezed = squeezed[: rng.randint(0, len(squeezed))]
    elif way == 1:
        squeezed = _mutated(rng, squeezed)
    elif way == 2:
        squeezed += rng.choice((b"\0" * 8, b"junk", squeezed[:5], b"\n"))
    elif way == 3:
        squeezed = body
    elif way == 4:
        coding = rng.choice((b"gzip", b"deflate", b"br", b"zstd"))
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: " + (coding or b"") + b"\r\n"
    if rng.random() < 0.5:
        data = head + b"content-length: %d\r\n\r\n" % len(squeezed) + squeezed
    else:
        data = head + b"transfer-encoding: chunked\r\n\r\n" + _chunked(rng, squeezed, b"\r\n")
    return ["POST"], [Exchange(_cut(rng, data), rng.choice(("keep", "fin")))]


def _large(rng: random.Random) -> _Made:
    """Bodies past every buffer, plain and squeezed to nearly nothing."""
    size = rng.choice((70_000, 300_000, 1_100_000))
    if rng.random() < 0.5:
        body = gzip.compress(b"x" * size, 6, mtime=0)
        data = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    else:
        data = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + rng.randbytes(1000) * (size // 1000)
    return ["POST"], [Exchange((data,), "keep")]


def _pool(rng: random.Random) -> _Made:
    """Kept connections that die, are spoken on without being asked, or serve on."""
    good = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    second = rng.choice(
        (
            Exchange((), "fin"),
            Exchange((), "rst"),
            Exchange(_cut(rng, good), "keep"),
            Exchange(_cut(rng, good[: rng.randint(1, len(good))]), rng.choice(("fin", "rst"))),
        )
    )
    first = rng.choice((good, good + rng.choice((good, b"x", b"\r\n", b"HTTP/1.1 2", good[:30]))))
    methods = [rng.choice(("POST", "GET")) for _ in range(3)]
    plain = Exchange((good,), "keep")
    return methods, [Exchange(_cut(rng, first), rng.choice(("keep", "keep", "fin"))), second, plain, plain, plain]


def _early(rng: random.Random) -> _Made:
    """An answer before the question."""
    good = b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy"
    return ["POST"], [Exchange(_cut(rng, rng.choice((good, good[:20], b"junk"))), "keep", early=True)]


def _then_good(rng: random.Random, method: str, data: bytes) -> _Made:
    ending = rng.choice(("keep", "keep", "fin", "fin", "fin", "rst"))
    good = Exchange((b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood",), "keep")
    return [method, "POST"], [Exchange(_cut(rng, data), ending), good, good]


_KINDS: Final[dict[str, tuple[int, Callable[[random.Random], _Made]]]] = {
    "valid": (16, _valid),
    "broken": (40, _broken),
    "smuggling": (15, _smuggling),
    "garbage": (4, _garbage),
    "short": (8, _short),
    "huge": (2, _huge),
    "squeezed": (10, _squeezed_badly),
    "large": (1, _large),
    "pool": (4, _pool),
    "early": (1, _early),
}
_WEIGHTS: Final = [weight for weight, _ in _KINDS.values()]
