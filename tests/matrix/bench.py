"""The bench a cell is proven on: fake upstream, gateway and client, all over real sockets.

One bench lives as long as the test process. It scripts the fake, sends a client's request, and hands back what the
client received together with what the upstream was asked.
"""

from __future__ import annotations

import http.client
import itertools
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.fake_upstream import RecordedRequest, Script, ThreadedUpstream
from tests.fake_upstream.script import Step

from . import grammar, sdk, upstream_view
from .cases import Cell
from .dialects import Ask, Json, request
from .gateway import ERROR_KEYS, RunningGateway, target

HEADERS = {
    "openai-chat": {"authorization": "Bearer client-key"},
    "openai-responses": {"authorization": "Bearer client-key"},
    "anthropic-messages": {"x-api-key": "client-key", "anthropic-version": "2023-06-01"},
    "gemini": {"x-goog-api-key": "client-key"},
}


@dataclass
class Reply:
    """What the client received, and what it made the gateway ask."""

    protocol: str
    stream: bool
    status: int
    headers: dict[str, str]
    body: bytes
    broken: bool
    """The connection ended before the body did."""
    same: bool
    upstream: list[RecordedRequest] = field(default_factory=list)

    @property
    def asked(self) -> upstream_view.Seen:
        """The latest upstream request in neutral words; it must have been legal."""
        last = self.upstream[-1]
        return upstream_view.read(last.protocol, last.body)

    @property
    def notes(self) -> dict[str, str]:
        """field -> how, of x-routecodex-notes."""
        said = self.headers.get("x-routecodex-notes", "")
        return dict(part.strip().split(";", 1) for part in said.split(",") if part.strip())  # type: ignore[misc]

    def trace(self) -> grammar.Trace:
        """The raw stream, held to its grammar."""
        return grammar.check(self.protocol, self.body, forwarded=self.same)

    def answer(self) -> sdk.Answer:
        """The vendor's SDK's reading of a good answer, in either mode."""
        assert self.status == 200, f"{self.status}: {self.body[:400]!r}"
        assert not self.broken, "the answer broke off"
        return sdk.read(self.protocol, self.status, self.headers, self.body, stream=self.stream)

    def failure(self) -> Exception:
        """What the vendor's SDK raises for this answer; AssertionError when it takes it for a good one."""
        try:
            read = sdk.read(self.protocol, self.status, self.headers, self.body, stream=self.stream)
        except sdk.FAILURES as error:
            return error
        raise AssertionError(f"the SDK sees a good answer: {read}")

    @property
    def json(self) -> Json:
        """The body of a whole answer."""
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value


class Bench:
    """Fake upstream and gateway, started when first used, stopped by `close`."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="routecodex-matrix-")
        self.up = ThreadedUpstream()
        self._gateways: dict[str, RunningGateway] = {}
        self._fresh = itertools.count()
        self._names = itertools.count()

    def __enter__(self) -> Bench:
        self.up.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for gateway in self._gateways.values():
            gateway.__exit__()
        self.up.__exit__(kind, error, trace)
        self._directory.cleanup()

    # --- what listens

    def directory(self) -> Path:
        """A fresh directory, gone with the bench."""
        path = Path(self._directory.name) / f"d{next(self._names)}"
        path.mkdir()
        return path

    def start(self, directory: Path, **options: Any) -> RunningGateway:
        """One more gateway; the caller stops it."""
        return RunningGateway(self.up.url, directory, **options)

    def gateway(self, name: str = "main", **options: Any) -> RunningGateway:
        """The gateway of that name, started on first use."""
        if name not in self._gateways:
            self._gateways[name] = self.start(self.directory(), **options).__enter__()
        return self._gateways[name]

    def forget(self, name: str = "main") -> None:
        """Stop the gateway of that name; the next use starts another."""
        if name in self._gateways:
            self._gateways.pop(name).__exit__()

    def abandon(self) -> None:
        """End what hangs at the fake, and the gateway that waits for it."""
        self.up.do(self.up.upstream.kill)
        self.forget()

    def fresh_key(self, outbound: str) -> str:
        """A target behind a key no failure has cooled down yet."""
        number = next(self._fresh)
        if number and number % ERROR_KEYS == 0:
            self.forget()
        return target(outbound, key=f"e{number % ERROR_KEYS}")

    # --- scripting and asking

    def reset(self) -> None:
        """Forget what was asked and what would have been answered."""
        self.up.wait_idle()
        self.up.do(self._clear)

    def _clear(self) -> None:
        upstream = self.up.upstream
        upstream.clear()
        upstream.relaxed = frozenset()
        upstream.trusted_signatures = ()
        upstream.strict = True

    def relax(self, *rules: str) -> None:
        """These rules do not apply to the rest of the cell: the client itself broke them on purpose."""
        self.up.do(lambda: setattr(self.up.upstream, "relaxed", frozenset(rules)))

    def script(self, *steps: Step | Script, times: int = 1) -> None:
        """Queue an answer."""
        self.up.script(*steps, times=times)

    def ask(
        self,
        cell: Cell,
        ask: Ask | Json | bytes = Ask(),  # noqa: B008 - frozen
        *,
        model: str = "",
        gateway: str = "main",
        headers: dict[str, str] | None = None,
        path: str = "",
        running: RunningGateway | None = None,
    ) -> Reply:
        """Send the client's request over the cell's pair and read the whole answer.

        `ask` may be neutral, a body in the client's dialect (model and stream are put in), or raw bytes.
        """
        inbound = cell.inbound
        wanted = request(
            inbound, ask if isinstance(ask, Ask) else Ask(), model or target(cell.outbound), stream=cell.stream
        )
        body: Any = wanted.body
        if isinstance(ask, dict):
            body = dict(ask)
            if inbound != "gemini":
                body = {"model": wanted.body["model"], **({"stream": True} if cell.stream else {}), **body}
        raw = ask if isinstance(ask, bytes) else json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        query = "&".join(f"{k}={v}" for k, v in wanted.query.items())
        where = (path or wanted.path) + (f"?{query}" if query and not path else "")
        return self.post(
            inbound,
            where,
            raw,
            stream=cell.stream,
            same=cell.same,
            headers=headers,
            running=running or self.gateway(gateway),
        )

    def post(
        self,
        inbound: str,
        path: str,
        raw: bytes,
        *,
        stream: bool,
        same: bool,
        running: RunningGateway,
        headers: dict[str, str] | None = None,
        method: str = "POST",
    ) -> Reply:
        """One request on a fresh connection."""
        before = len(self.up.requests)
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
        broken = False
        try:
            given = {"content-type": "application/json", **HEADERS[inbound], **(headers or {})}
            connection.request(method, path, raw or None, given)
            response = connection.getresponse()
            try:
                body = response.read()
            except http.client.IncompleteRead as error:
                body, broken = error.partial, True
            except ConnectionResetError:
                body, broken = b"", True
        finally:
            connection.close()
        got = {k.lower(): v for k, v in response.getheaders()}
        seen = [r for r in self.up.requests[before:] if r.protocol != "models"]
        return Reply(inbound, stream, response.status, got, body, broken, same, seen)

    def legal(self) -> None:
        """No upstream request of this cell broke a rule of its vendor."""
        found = [(v.protocol, v.rule, v.message) for v in self.up.violations]
        assert not found, found
