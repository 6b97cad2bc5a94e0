"""A token endpoint over a real socket that remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import parse_qsl


class TokenEndpoint:
    """Issues `token-1`, `token-2`, …; `answer` replaces what it says, `rotate` adds `r1`, `r2`, … as refresh tokens."""

    def __init__(
        self,
        *,
        expires_in: int | None = 3600,
        rotate: bool = False,
        slow: float = 0.0,
        answer: tuple[int, bytes] | None = None,
    ) -> None:
        self.expires_in = expires_in
        self.rotate = rotate
        self.slow = slow
        self.answer = answer
        self.forms: list[dict[str, str]] = []
        self.authorizations: list[str] = []
        self._issued = 0
        self._server: asyncio.Server | None = None
        self.url = ""

    async def __aenter__(self) -> TokenEndpoint:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/token"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    async def asked(self, times: int) -> None:
        """Wait until it was asked so often."""
        async with asyncio.timeout(5):
            while len(self.forms) < times:  # noqa: ASYNC110 - the endpoint is the test's own
                await asyncio.sleep(0.005)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            original = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            form = dict(parse_qsl((await reader.readexactly(int(lines["content-length"]))).decode()))
            self.forms.append(form)
            self.authorizations.append(
                next((value for name, value in original.items() if name.lower() == "authorization"), "")
            )
            await asyncio.sleep(self.slow)
            status, body = self.answer or (200, self._token())
            writer.write(
                b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
                % (status, len(body), body)
            )
            await writer.drain()
        finally:
            writer.close()

    def _token(self) -> bytes:
        self._issued += 1
        told: dict[str, object] = {"access_token": f"token-{self._issued}", "token_type": "Bearer"}
        if self.expires_in is not None:
            told["expires_in"] = self.expires_in
        if self.rotate:
            told["refresh_token"] = f"r{self._issued}"
        return json.dumps(told).encode()
