"""The fake upstream: accepts, records, judges, chooses a script, answers, and leaves nothing behind.

Knows how the parts fit together. Choice of the script, first that applies: matchers, the queue of the
model, the general queue, the prompt language, structured output, the default.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType

from .answer import Answering
from .extras import ResponseStore, TokenOffice
from .http import Connection, Exchange, Registry
from .ids import Ids
from .prompt import Language
from .records import RecordedRequest, Violation
from .script import Delivery, Framing, Script, Step, Text

Matcher = Callable[[RecordedRequest], Script | None]
PROTOCOLS = ("openai-chat", "openai-responses", "anthropic-messages", "gemini")


class FakeUpstream(Answering):
    """`async with FakeUpstream() as up:` listens on a free port of 127.0.0.1; `up.url` has no path.

    realm: names this provider in its signatures, so that another one's are foreign. strict: refuse what the
    vendors refuse; `relaxed` names rules that do not apply. api_keys: accepted keys (None: any or none).
    trusted_signatures: prefixes of signatures accepted besides its own. prompts: obey the prompt language.
    call_id_length: the longest call id OpenAI takes (some of its chat models: 40).
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        protocols: Iterable[str] = PROTOCOLS,
        seed: int = 0,
        realm: str = "main",
        strict: bool = True,
        relaxed: Iterable[str] = (),
        api_keys: Iterable[str] | None = None,
        oauth_required: bool = False,
        trusted_signatures: Iterable[str] = (),
        delivery: Delivery | None = None,
        framing: Framing | None = None,
        default: Script | None = None,
        prompts: bool = True,
        model_names: Iterable[str] = ("fake-model",),
        call_id_length: int = 64,
    ) -> None:
        self.host = host
        self.port = port
        self.protocols = frozenset(protocols)
        self.ids = Ids(seed, realm)
        self.strict = strict
        self.relaxed = frozenset(relaxed)
        self.api_keys = None if api_keys is None else frozenset(api_keys)
        self.oauth_required = oauth_required
        self.trusted_signatures = tuple(trusted_signatures)
        self.delivery = delivery or Delivery()
        self.framing = framing or Framing()
        self.default = default or Script((Text("Hello from the fake upstream."),), name="default")
        self.prompts = prompts
        self.model_names = list(model_names)
        self.call_id_length = call_id_length
        self.language = Language()
        self.tokens = TokenOffice(self.ids)
        self.store = ResponseStore()
        self.violations: list[Violation] = []
        self.matchers: list[Matcher] = []
        self._queue: deque[Script] = deque()
        self._models: dict[str, deque[Script] | Script] = {}
        self._registry = Registry(self._handle, time.monotonic)
        self._registry.changed = self._notify
        self._server: asyncio.Server | None = None
        self._waiters: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    # --- scripting

    def script(self, *steps: Step | Script, model: str | None = None, times: int = 1) -> None:
        """Queue an answer: steps of one script, or whole scripts. With `model`, only for that model."""
        scripts = [s for s in steps if isinstance(s, Script)]
        loose = tuple(s for s in steps if not isinstance(s, Script))
        if scripts and loose:
            raise TypeError("give either steps or scripts")
        queue = self._queue
        if model is not None:
            queue = self._models.setdefault(model, deque())  # type: ignore[assignment]
            if not isinstance(queue, deque):
                raise TypeError(f"{model} already has a fixed script")
        for _ in range(times):
            queue.extend(scripts or [Script(loose)])

    def always(self, *steps: Step | Script, model: str | None = None) -> None:
        """Answer every further request like this (with `model`: every one for that model)."""
        first = steps[0] if steps else None
        script = first if isinstance(first, Script) else Script(tuple(s for s in steps if not isinstance(s, Script)))
        if model is None:
            self.default = script
            self.prompts = False
        else:
            self._models[model] = script

    def match(self, matcher: Matcher) -> None:
        """Ask this function first; it returns a script or None."""
        self.matchers.append(matcher)

    def open_gate(self, name: str = "gate") -> None:
        """Let every Gate of that name pass, now and later."""
        self._registry.gate(name).set()

    def close_gate(self, name: str = "gate") -> None:
        """Hold at that gate again."""
        self._registry.gate(name).clear()

    def drop_reused(self, times: int = 1) -> None:
        """The next requests on reused connections are met by a close, before any response byte."""
        self._registry.drop_reused = times

    def close_idle(self) -> int:
        """Close the idle connections, as a server's own time-out does; how many there were."""
        idle = [c for c in self._registry.live if c.idle]
        for connection in idle:
            connection.end("fin")
        return len(idle)

    def kill(self) -> int:
        """Reset every connection, as `kill -9` of the upstream does; how many there were."""
        live = list(self._registry.live)
        for connection in live:
            for request in connection.queue:
                request.outcome = "cut"
            connection.end("rst")
        return len(live)

    def _choose(self, request: RecordedRequest) -> Script | None:
        for matcher in self.matchers:
            script = matcher(request)
            if script is not None:
                return script
        fixed = self._models.get(request.model)
        if isinstance(fixed, Script):
            return fixed
        if fixed:
            return fixed.popleft()
        return self._queue.popleft() if self._queue else None

    # --- what was seen

    @property
    def url(self) -> str:
        """`http://host:port`, without a path."""
        return f"http://{self.host}:{self.port}"

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request, in the order of arrival."""
        return self._registry.requests

    @property
    def last(self) -> RecordedRequest:
        """The latest request."""
        return self._registry.requests[-1]

    @property
    def connections_open(self) -> int:
        """Connections open now."""
        return len(self._registry.live)

    @property
    def connections_total(self) -> int:
        """Connections ever accepted."""
        return self._registry.total

    @property
    def in_flight(self) -> int:
        """Requests being answered now."""
        return sum(len(c.queue) for c in self._registry.live)

    def clear(self) -> None:
        """Forget requests, violations, queues and matchers; keep connections, tokens and stored responses."""
        self._registry.requests.clear()
        self.violations.clear()
        self._queue.clear()
        self._models.clear()
        self.matchers.clear()

    async def wait_requests(self, number: int, within: float = 10) -> None:
        """Until so many requests have arrived in total."""
        await self._wait(lambda: len(self.requests) >= number, within, f"{number} requests")

    async def wait_disconnect(self, number: int = 1, within: float = 10) -> None:
        """Until so many requests were abandoned by their client."""
        await self._wait(lambda: sum(r.client_gone for r in self.requests) >= number, within, f"{number} disconnects")

    async def wait_held(self, number: int = 1, held: str | None = None, within: float = 10) -> None:
        """Until so many answers stand at a gate, a pause or a hang (`held`: a gate's name, slow, hang)."""

        def count() -> int:
            waiting = [r.held for r in self.requests if r.outcome == "open" and r.held]
            return len(waiting) if held is None else waiting.count(held)

        await self._wait(lambda: count() >= number, within, f"{number} held answers")

    async def wait_idle(self, within: float = 10) -> None:
        """Until nothing is being answered."""
        await self._wait(lambda: self.in_flight == 0, within, "no request in flight")

    async def wait_closed(self, within: float = 10) -> None:
        """Until every connection is closed."""
        await self._wait(lambda: self.connections_open == 0, within, "no open connection")

    async def wait_for(self, predicate: Callable[[], bool], within: float = 10) -> None:
        """Until the predicate holds; it is asked at every change of connections, requests and answers."""
        await self._wait(predicate, within, "the predicate")

    async def _wait(self, predicate: Callable[[], bool], within: float, what: str) -> None:
        if predicate():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((predicate, future))
        try:
            async with asyncio.timeout(within):
                await future
        except TimeoutError:
            seen = [(r.order, r.method, r.path, r.stage, r.outcome) for r in self.requests]
            raise AssertionError(f"waited {within} s for {what}; seen: {seen}") from None
        finally:
            self._waiters = [w for w in self._waiters if w[1] is not future]

    def _notify(self) -> None:
        for predicate, future in self._waiters:
            if not future.done() and predicate():
                future.set_result(None)

    # --- life

    async def start(self) -> FakeUpstream:
        """Listen; `port` holds the real one afterwards."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self._registry), self.host, self.port, backlog=2048)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Stop listening, end every connection and task."""
        if self._server is None:
            return
        self._server.close()
        tasks = [c.task for c in self._registry.live if c.task is not None]
        for connection in list(self._registry.live):
            connection.end("rst")
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        await self._wait(lambda: not self._registry.live, 10, "all connections closed")
        await self._server.wait_closed()
        self._server = None
        if self._registry.errors:
            raise ExceptionGroup("the fake upstream itself failed", self._registry.errors)

    async def __aenter__(self) -> FakeUpstream:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _handle(self, exchange: Exchange) -> None:
        await self.answer(exchange)

    def _record_violations(self, found: list[Violation], request: RecordedRequest) -> None:
        request.violations = found
        self.violations.extend(found)

    def _extra_headers(self, request: RecordedRequest, request_id: str) -> list[tuple[str, str]]:
        if request.protocol == "anthropic-messages":
            return [("request-id", request_id), ("anthropic-organization-id", "org-fake")]
        if request.protocol == "gemini":
            return [("Server-Timing", "gfet4t7; dur=1"), ("Vary", "Origin")]
        return [
            ("x-request-id", request_id),
            ("openai-version", "2020-10-01"),
            ("openai-processing-ms", "1"),
        ]
