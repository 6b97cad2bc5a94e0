"""A client of plain sockets, which shows the bytes as they came and when each read ended."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Answer:
    """Head and body as received; `reads` are the sizes of the single reads; `reset` tells RST from FIN."""

    head: bytes
    body: bytes
    reads: list[int]
    reset: bool

    @property
    def headers(self) -> dict[str, str]:
        """Header names in lower case."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}

    @property
    def status(self) -> int:
        """The status code; 0 when nothing came."""
        return int(self.head.split(b" ", 2)[1]) if self.head else 0

    @property
    def chunks(self) -> list[bytes]:
        """The chunks of a chunked body; a truncated one keeps what there was."""
        out: list[bytes] = []
        rest = self.body
        while rest:
            line, found, rest = rest.partition(b"\r\n")
            size = int(line, 16) if found else 0
            if size == 0:
                break
            out.append(rest[:size])
            rest = rest[size + 2 :]
        return out

    @property
    def plain(self) -> bytes:
        """The body without its transfer coding."""
        return b"".join(self.chunks) if self.headers.get("transfer-encoding") == "chunked" else self.body

    @property
    def ended_well(self) -> bool:
        """Did the body end as its framing promised?"""
        if self.headers.get("transfer-encoding") == "chunked":
            return self.body.endswith(b"0\r\n\r\n")
        return len(self.body) == int(self.headers.get("content-length", len(self.body)))


def request_bytes(path: str, body: Any, headers: dict[str, str] | None = None, close: bool = True) -> bytes:
    """A POST request."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"host": "x", "content-type": "application/json", "content-length": str(len(raw)), **(headers or {})}
    if close:
        given["connection"] = "close"
    head = "".join(f"{k}: {v}\r\n" for k, v in given.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + raw


async def post(url: str, path: str, body: Any, headers: dict[str, str] | None = None) -> Answer:
    """Send one request on a fresh connection and read until the server closes it."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request_bytes(path, body, headers))
    data, reads, reset = b"", [], False
    try:
        while got := await reader.read(65536):
            reads.append(len(got))
            data += got
    except ConnectionResetError:
        reset = True
    writer.close()
    head, _, rest = data.partition(b"\r\n\r\n")
    return Answer(head, rest, reads, reset)


def chat(text: str = "hi", *, stream: bool = True, **more: Any) -> dict[str, Any]:
    """A chat completion request."""
    return {"model": "m", "messages": [{"role": "user", "content": text}], "stream": stream, **more}


def messages(text: str = "hi", *, stream: bool = True, **more: Any) -> dict[str, Any]:
    """A messages request."""
    return {**chat(text, stream=stream), "max_tokens": 50, **more}


CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
VERSION = {"anthropic-version": "2023-06-01"}
