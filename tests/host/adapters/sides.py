"""Two whole gateways that differ in one thing, fed the same bytes; what each of them did.

Ids are counted and the clock stands still, so that what is equal is equal byte for byte: the client's bytes, the
record, the log lines, and what the upstream was sent. Durations are the one thing left out; conversation keys, which a
secret of each gateway's goes into, are numbered.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from routecodex.blocks.http_adapter import AdapterFactory
from routecodex.config.compiled import CompiledConfig
from tests.fake_upstream import FakeUpstream, Finish, Hang, RecordedRequest, Script, Text
from tests.host.adapters.table import Group
from tests.host.adapters.wire import Step, converse
from tests.host.dataplane.gateway import C, G, Host, M, R, compiled, host, provider

NOW: Final = 1_790_000_000.0
_TIMES: Final = ("at", "overhead_ms", "ttft_ms", "total_ms", "overheadMs", "ttftMs", "totalMs")
_NAMES_OF_SIDES: Final = ("switches",)
_MODELS: Final = {C: "chat", R: "responses", M: "messages", G: "gemini"}

Seen = dict[str, Any]
Result = TypeVar("Result")
Configure = Callable[[CompiledConfig], CompiledConfig]
"""Changes the configuration both sides serve."""


def held(request: RecordedRequest) -> Script | None:
    """Answers that stop where the conversation says so."""
    if b"hold mid" in request.raw:
        return Script.of(Text("first words"), Hang(), Finish())
    if b"hold head" in request.raw or request.path.endswith("/hold-head"):
        return Script.of(Hang("head"), Text("never"))
    return None


class Side:
    """One gateway and its upstream."""

    def __init__(self, gateway: Host, upstream: FakeUpstream) -> None:
        self.gateway = gateway
        self.upstream = upstream
        self._conversations: dict[str, int] = {"": 0}

    async def seen(self, steps: tuple[Step, ...]) -> Seen:
        """What these steps lead to."""
        recent = self.gateway.gateway.telemetry.recent
        recent.clear()
        asked = len(self.upstream.requests)
        came = await converse(self.gateway.port, steps)
        await self.gateway.settled()
        return {
            "bytes": came,
            "records": [self._comparable(msgspec.structs.asdict(record)) for record in recent],
            "upstream": [_sent(request) for request in self.upstream.requests[asked:]],
        }

    def logged(self) -> list[dict[str, Any]]:
        """Every line of its log; requests first, because they are written later, then the rest.

        What libraries log is the process', not the gateway's: left out.
        """
        lines = [json.loads(line) for line in self.gateway.log.getvalue().splitlines()]
        own = (self._comparable(line) for line in lines if line["event"] != "library")
        return sorted(own, key=lambda line: bool(line["event"] != "request"))

    def _comparable(self, fields: dict[str, Any]) -> dict[str, Any]:
        if "conversation" in fields:
            fields["conversation"] = self._conversations.setdefault(fields["conversation"], len(self._conversations))
        return {name: value for name, value in fields.items() if name not in _TIMES + _NAMES_OF_SIDES}

    async def messages(self, scope: dict[str, Any], *received: dict[str, Any]) -> list[dict[str, Any]]:
        """What the application says when it is called as plain ASGI, without a server."""
        said: list[dict[str, Any]] = []
        waiting = list(received)

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop(0)
            await asyncio.get_running_loop().create_future()
            raise AssertionError

        async def send(message: Any) -> None:
            said.append(dict(message, headers=list(message["headers"])) if "headers" in message else dict(message))

        await self.gateway.gateway.application(scope, receive, send)
        return said


class Pair:
    """`with Pair(tmp_path) as pair:`; `pair.differences(...)` asks both sides."""

    def __init__(
        self,
        folder: Path,
        configure: Configure = lambda config: config,
        builds: tuple[AdapterFactory | None, AdapterFactory | None] = (None, None),
        prepare: Callable[[Side], None] = lambda side: None,
        over: tuple[Mapping[str, str] | None, Mapping[str, str] | None] = (None, None),
    ) -> None:
        """`builds` make the adapters, `over` are the sides of the switches; both per gateway, where they are said."""
        self._folder = folder
        self._configure = configure
        self._builds = builds
        self._over = over
        self._prepare = prepare
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.sides: list[Side] = []

    def __enter__(self) -> Pair:
        for number, (build, over) in enumerate(zip(self._builds, self._over, strict=True)):
            (self._folder / str(number)).mkdir()
            self.sides.append(self.run(self._side(self._folder / str(number), build, over)))
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._stack.aclose())
        self._runner.close()

    def run(self, work: Awaitable[Result]) -> Result:
        """Let the gateways run until this is done."""

        async def wait() -> Result:
            return await work

        return self._runner.run(wait())

    async def _side(self, folder: Path, build: AdapterFactory | None, over: Mapping[str, str] | None) -> Side:
        upstream = await self._stack.enter_async_context(FakeUpstream())
        upstream.match(held)
        specs = tuple(provider(name, upstream.url, protocol) for protocol, name in _MODELS.items())
        config = msgspec.structs.replace(compiled(folder, specs), source="config.toml")
        count = 0

        def new_id(prefix: str) -> str:
            nonlocal count
            count += 1
            return f"{prefix}{count:024x}"

        gateway = await self._stack.enter_async_context(
            host(self._configure(config), build, new_id=new_id, now=lambda: NOW, over=over)
        )
        side = Side(gateway, upstream)
        self._prepare(side)
        return side

    def differences(self, steps: tuple[Step, ...]) -> list[str]:
        """What the sides did differently, in words; empty if nothing."""
        first, second = (self.run(side.seen(steps)) for side in self.sides)
        return differing(first, second)

    def said(self, scope: dict[str, Any], *received: dict[str, Any]) -> tuple[Any, Any]:
        """What each application says to a call as plain ASGI."""
        first, second = (self.run(side.messages(dict(scope), *received)) for side in self.sides)
        return first, second


def differing(first: Any, second: Any, where: str = "") -> list[str]:
    """Where two values differ, and both values there, cut short."""
    if first == second:
        return []
    if isinstance(first, dict) and isinstance(second, dict):
        names = [*first, *(name for name in second if name not in first)]
        found = [differing(first.get(name), second.get(name), f"{where}.{name}") for name in names]
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        found = [differing(*both, f"{where}[{at}]") for at, both in enumerate(zip(first, second, strict=True))]
    else:
        return [f"{where[1:]}: {repr(first)[:600]} / {repr(second)[:600]}"]
    return [difference for part in found for difference in part]


def stop(side: Side) -> None:
    side.gateway.gateway.stop_accepting()


def compared(group: Group, pair: Pair) -> str:
    """What differs, a line each."""
    found = [(name, pair.differences(steps)) for name, steps in group.cases]
    return "\n".join(f"{name}: {difference}" for name, differences in found for difference in differences)


def _sent(request: RecordedRequest) -> tuple[Any, ...]:
    headers = [(name.lower(), value) for name, value in request.headers if name.lower() != "host"]
    return request.method, request.path, request.query, headers, request.raw
