"""RequestFlow: the one way of every request, from admission to its record.

    admit -> ( plan -> send -> respond )* -> answer -> state -> record

Theory of operation. The pipeline is pure and decides; the provider runtime carries; this file owns time, attempts and
the client. Each attempt plans anew from the original request with the failed targets excluded. No attempt starts after
the first content went out: then a failure is the client's terminal error event. Before, nothing of an attempt has
reached the client, because the responder holds it back. Failures are raised as GatewayError inside and told in one
place at the end (`_tell`); an interruption arrives as a cancellation whose reason the client's side keeps.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.exchange import Exchange, Inbound, Plan, Surroundings, Way
from llmswitch_core.hub.prepare import prepare
from llmswitch_core.hub.responder import truncated
from llmswitch_core.hub.responses_state import ConnectionStore, ResponseStore, keep
from llmswitch_core.protocols.contract import ErrorReply, RequestHead
from llmswitch_core.router.state import RouterState
from routecodex.app import outcome
from routecodex.app.client_side import ClientSide, Interruption
from routecodex.app.error_handling import ErrorHandlingCenter
from routecodex.app.generation import Generation
from routecodex.app.outcome import Facts
from routecodex.app.provider_errors import ProviderErrorCenter
from routecodex.blocks.http_adapter import ClientPort
from routecodex.blocks.http_adapter.headers import answered
from routecodex.blocks.telemetry import Telemetry
from routecodex.providers.provider import UpstreamStream

FAILS_OVER: Final = frozenset(
    {
        ErrorKind.AUTHENTICATION,
        ErrorKind.PERMISSION,
        ErrorKind.BILLING,
        ErrorKind.NOT_FOUND,
        ErrorKind.RATE_LIMIT,
        ErrorKind.TIMEOUT,
        ErrorKind.OVERLOADED,
        ErrorKind.UPSTREAM,
    }
)
"""Failures another target may not have. A request that is wrong is wrong everywhere."""

MAX_ERROR_BODY: Final = 1024 * 1024
_NO_HEAD: Final = RequestHead("", "", {}, {})
_ALL_TRIED: Final = "no_target_left"
_LAST_WORDS: Final = 10.0
"""Seconds a client gets to take the terminal error of its stream."""
_CONTROLS: Final = dict.fromkeys((*range(32), 127), " ")
"""Characters a header value cannot hold; names that clients choose may."""
_SETTLING: Final = 1.0
"""Seconds an upstream gets to end its body after the terminal event, so that the connection can be used again."""


class RequestFlow:
    """Runs requests. One per process; the generation is pinned per request."""

    def __init__(
        self,
        generation: Callable[[], Generation],
        state: RouterState,
        surroundings: Surroundings,
        keep_tokens: Callable[[Mapping[str, bytes]], None],
        errors: ErrorHandlingCenter,
        provider_errors: ProviderErrorCenter,
        telemetry: Telemetry,
    ) -> None:
        """`generation` gives the current one; `keep_tokens` stores facts about opaque tokens."""
        self._generation = generation
        self._state = state
        self._surroundings = surroundings
        self._keep_tokens = keep_tokens
        self._errors = errors
        self._provider_errors = provider_errors
        self._telemetry = telemetry
        self._running: set[ClientSide] = set()

    @property
    def running(self) -> int:
        """Requests under way."""
        return len(self._running)

    def stop_all(self) -> None:
        """End every running request with a terminal error."""
        for side in tuple(self._running):
            side.interrupt(Interruption.STOPPING)

    # --- one request -----------------------------------------------------------------------------------

    def connection(self) -> ResponseStore:
        """What one WebSocket connection remembers, in front of the store."""
        return ConnectionStore(self._surroundings.responses)

    async def run(
        self,
        inbound: Inbound,
        client: ClientPort,
        connection: ResponseStore | None = None,
        *,
        generate: bool = True,
    ) -> None:
        """Answer this request on this port; see `blocks.http_adapter.contract.RequestFlow`."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("RequestFlow.run needs a task of its own.")
        generation = self._generation().pin()
        facts = Facts(loop.time())
        side = ClientSide(client, task, loop)
        self._running.add(side)
        try:
            try:
                await self._answer(generation, inbound, side, facts, connection, generate)
            except asyncio.CancelledError:
                if side.interrupted is None:
                    facts.error = _INTERRUPTED[Interruption.STOPPING]()
                    raise
                task.uncancel()
                await self._interrupted(generation, inbound, side, facts)
            except GatewayError as error:
                await self._tell(generation, inbound, side, facts, error)
            except Exception as error:
                fault = self._errors.unexpected(error, inbound.request_id)
                await self._tell(generation, inbound, side, facts, fault)
        finally:
            side.close()
            self._running.discard(side)
            at = self._surroundings.now()
            self._telemetry.record(outcome.record(facts, inbound, at, loop.time(), generation.id))
            generation.release()

    async def _answer(
        self,
        generation: Generation,
        inbound: Inbound,
        side: ClientSide,
        facts: Facts,
        connection: ResponseStore | None,
        generate: bool,
    ) -> None:
        pipeline = generation.artifacts.pipeline
        surroundings = self._surroundings
        if connection is not None:
            surroundings = msgspec.structs.replace(surroundings, responses=connection)
        exchange = pipeline.admit(inbound, surroundings)
        facts.exchange = exchange
        if not generate:
            side.headers = self._head(generation, exchange, None, None)
            await side.write(prepare(exchange))
            facts.complete = True
            facts.status = 200
            await side.finish()
            return
        if exchange.stream:
            server = generation.config.server
            side.open(
                self._head(generation, exchange, None, None),
                server.head_wait,
                server.keepalive,
                lambda: pipeline.keepalive(exchange),
            )
        await self._attempts(generation, exchange, side, facts)

    # --- attempts --------------------------------------------------------------------------------------

    async def _attempts(self, generation: Generation, exchange: Exchange, side: ClientSide, facts: Facts) -> None:
        retry = generation.config.retry
        most = 1 if exchange.inbound.operation == "forward" else retry.attempts
        excluded: frozenset[str] = frozenset()
        failure: GatewayError | None = None
        waited_for_lone = False
        while True:
            try:
                plan = generation.artifacts.pipeline.plan(exchange, self._state, excluded, self._surroundings.now())
            except GatewayError as nobody:
                if failure is None:
                    raise
                pause = failure.retry_after
                lone = nobody.code == _ALL_TRIED and len(excluded) == 1 and not waited_for_lone
                if not lone or pause is None or pause > retry.lone_retry_after:
                    raise failure from None
                waited_for_lone = True
                excluded = frozenset()
                await asyncio.sleep(pause + 0.002)  # the cooldown ends at the same instant, on a coarser clock
                continue
            facts.plan = plan
            if plan.upstream is None:
                await self._reply_at_once(generation, exchange, plan, side, facts)
                return
            failure = await self._attempt(generation, exchange, plan, side, facts)
            if failure is None:
                return
            if facts.content_at or not _may_fail_over(failure) or len(facts.attempts) >= most or plan.target is None:
                raise failure
            excluded = excluded | {plan.target.provider_key}

    async def _attempt(
        self, generation: Generation, exchange: Exchange, plan: Plan, side: ClientSide, facts: Facts
    ) -> GatewayError | None:
        """One call of an upstream; None if the client has its answer, else why not. Reported exactly once."""
        request_id = exchange.inbound.request_id
        status = 0
        try:
            stream = await self._send(generation, plan, side, facts)
            status = stream.status
            self._provider_errors.heard(plan, stream.headers)
            try:
                if status >= 300:
                    body = await stream.read_bounded(MAX_ERROR_BODY)
                    raise generation.artifacts.pipeline.failure(plan, status, stream.headers, body)
                await self._relay(generation, exchange, plan, stream, side, facts)
            finally:
                stream.close()
        except GatewayError as error:
            facts.attempts.append(outcome.attempt(plan, status, error))
            self._provider_errors.failed(generation, plan, error, request_id)
            return error
        except asyncio.CancelledError:
            self._cut_short(generation, plan, side, facts, status, request_id)
            raise
        except BaseException:
            self._provider_errors.cancelled(generation, plan)
            raise
        return None

    def _cut_short(
        self, generation: Generation, plan: Plan, side: ClientSide, facts: Facts, status: int, request_id: str
    ) -> None:
        if facts.complete:
            return
        if side.interrupted is Interruption.TOTAL_TIMEOUT:
            error = _INTERRUPTED[Interruption.TOTAL_TIMEOUT]()
            self._provider_errors.failed(generation, plan, error, request_id)
        else:
            error = _INTERRUPTED[side.interrupted or Interruption.STOPPING]()
            self._provider_errors.cancelled(generation, plan)
        facts.attempts.append(outcome.attempt(plan, status, error))

    async def _send(self, generation: Generation, plan: Plan, side: ClientSide, facts: Facts) -> UpstreamStream:
        if plan.upstream is None or plan.target is None:
            raise RuntimeError("Only a plan with an upstream request is sent.")
        spec = generation.config.providers.get(plan.target.provider)
        if spec is not None:
            side.within(spec.timeouts.total)
        clock = asyncio.get_running_loop().time
        since = clock()
        try:
            return await generation.runtime.send(plan.upstream)
        finally:
            facts.waited += clock() - since

    # --- the way back ----------------------------------------------------------------------------------

    async def _relay(
        self,
        generation: Generation,
        exchange: Exchange,
        plan: Plan,
        stream: UpstreamStream,
        side: ClientSide,
        facts: Facts,
    ) -> None:
        """Bring the upstream's answer to the client. Raises GatewayError when it is a failure."""
        way = generation.artifacts.pipeline.respond(exchange, plan, stream.status, stream.headers)
        try:
            if exchange.stream:
                await self._relay_stream(generation, exchange, plan, stream, way, side, facts)
            else:
                await self._relay_whole(generation, exchange, plan, stream, way, side, facts)
        finally:
            result = way.outcome()
            facts.result = result
            if not facts.complete and result.delta.tokens:
                # A client that leaves keeps what it has seen: its signatures must find their issuer.
                self._keep_tokens(result.delta.tokens)

    async def _relay_stream(
        self,
        generation: Generation,
        exchange: Exchange,
        plan: Plan,
        stream: UpstreamStream,
        way: Way,
        side: ClientSide,
        facts: Facts,
    ) -> None:
        clock = asyncio.get_running_loop().time
        feed, read, write = way.feed, stream.read, side.write
        if not side.started:
            side.headers = self._head(generation, exchange, plan, stream)
        ended = False
        broken: GatewayError | None = None
        while True:
            since = 0.0 if facts.content_at else clock()
            try:
                chunk = await read()
            except GatewayError as error:
                # Cut off: whether that harms depends on what had come, which the responder knows.
                broken, chunk = error, b""
            if since:
                facts.waited += clock() - since
            out = feed(chunk) if chunk else way.end()
            if way.content and not facts.content_at:
                facts.content_at = clock()
            if way.failure is not None:
                if out and way.content:
                    await write(out)
                raise broken or way.failure
            finished = way.finished
            if finished:
                self._completed(generation, plan, way, facts, stream.status)
            if out:
                await write(out)
            elif way.judged and not side.started:
                await side.start()
            if not chunk:
                ended = True
                if not finished:
                    raise broken or truncated()
            if finished:
                break
        await side.finish()
        if not ended:
            await self._settle(stream)

    async def _relay_whole(
        self,
        generation: Generation,
        exchange: Exchange,
        plan: Plan,
        stream: UpstreamStream,
        way: Way,
        side: ClientSide,
        facts: Facts,
    ) -> None:
        clock = asyncio.get_running_loop().time
        since = clock()
        out: list[bytes] = []
        broken: GatewayError | None = None
        while not way.finished and way.failure is None:
            try:
                chunk = await stream.read()
            except GatewayError as error:
                broken, chunk = error, b""
            out.append(way.feed(chunk) if chunk else way.end())
            if not chunk:
                break
        now = clock()
        facts.waited += now - since
        if broken is not None and not way.finished:
            raise broken
        if way.failure is not None:
            raise way.failure
        if not way.finished:
            raise truncated()
        facts.content_at = now
        self._completed(generation, plan, way, facts, stream.status)
        headers = self._head(generation, exchange, plan, stream)
        await side.reply(facts.status, headers, b"".join(out))

    def _completed(self, generation: Generation, plan: Plan, way: Way, facts: Facts, status: int) -> None:
        """The whole answer is translated: a client that closes after its last event has what it wanted."""
        facts.complete = True
        facts.status = status if plan.same_protocol else 200
        facts.attempts.append(outcome.attempt(plan, status, None))
        self._provider_errors.succeeded(generation, plan)
        delta = way.outcome().delta
        if delta.tokens:
            self._keep_tokens(delta.tokens)
        if delta.response is not None and facts.exchange is not None:
            keep(facts.exchange.surroundings.responses, delta.response)

    async def _settle(self, stream: UpstreamStream) -> None:
        with contextlib.suppress(GatewayError, TimeoutError):
            async with asyncio.timeout(_SETTLING):
                while await stream.read():
                    pass

    async def _reply_at_once(
        self, generation: Generation, exchange: Exchange, plan: Plan, side: ClientSide, facts: Facts
    ) -> None:
        """The pipeline knows the answer without an upstream: an estimate, a stored response."""
        headers = self._head(generation, exchange, plan, None)
        headers.extend((name.encode("latin-1"), value.encode("latin-1")) for name, value in plan.answer_headers.items())
        if plan.decision is not None:
            self._provider_errors.cancelled(generation, plan)
        facts.complete = True
        facts.status = 200
        await side.reply(200, headers, plan.answer or b"")

    # --- what the client is told -----------------------------------------------------------------------

    def _head(
        self, generation: Generation, exchange: Exchange, plan: Plan | None, stream: UpstreamStream | None
    ) -> list[tuple[bytes, bytes]]:
        kind = generation.artifacts.pipeline.content_type(exchange)
        headers = [
            (b"content-type", kind.encode("ascii")),
            (b"x-routecodex-request-id", exchange.inbound.request_id.encode("latin-1")),
            generation.id_header,
        ]
        if exchange.stream:
            headers.append((b"cache-control", b"no-cache"))
            headers.append((b"x-accel-buffering", b"no"))
        if plan is not None and plan.target is not None:
            headers.append((b"x-routecodex-target", _header_value(plan.target.provider_key)))
        notes = exchange.notes.header()
        if notes:
            headers.append((b"x-routecodex-notes", _header_value(notes)))
        if stream is not None:
            headers.extend(answered(stream.headers))
        return headers

    def refuse(self, protocol: Protocol, error: GatewayError, request_id: str, account: str = "") -> ErrorReply:
        """A request the adapter turned away: told and recorded like any other failure."""
        reply = self._errors.reply(protocol, error, request_id)
        facts = Facts(0.0)
        facts.error = error
        facts.status = reply.status
        refused = Inbound(request_id, protocol, "generate", _NO_HEAD, b"", account)
        generation = self._generation()
        self._telemetry.record(outcome.record(facts, refused, self._surroundings.now(), 0.0, generation.id))
        return reply

    async def _interrupted(self, generation: Generation, inbound: Inbound, side: ClientSide, facts: Facts) -> None:
        if facts.complete or side.interrupted is None:
            return
        error = _INTERRUPTED[side.interrupted]()
        if side.interrupted is Interruption.HUNG_UP:
            facts.error = error
            facts.status = 200 if side.started else outcome.CANCELLED_STATUS
            self._errors.cancelled(error, inbound.request_id)
            return
        await self._tell(generation, inbound, side, facts, error)

    async def _tell(
        self, generation: Generation, inbound: Inbound, side: ClientSide, facts: Facts, error: GatewayError
    ) -> None:
        """The final failure, in the client's protocol: as an HTTP answer, or as the stream's terminal event."""
        facts.error = error
        exchange = facts.exchange
        if side.started and exchange is not None:
            facts.status = 200
            last = self._errors.stream_end(generation.artifacts.pipeline, exchange, error)
            try:
                async with asyncio.timeout(_LAST_WORDS):
                    if last:
                        await side.write(last)
                        await side.finish()
            except TimeoutError:
                last = b""  # the client reads nothing any more
            if not last:
                await side.break_off()
            return
        plan = facts.plan
        same = plan is not None and plan.same_protocol
        reply = self._errors.reply(inbound.protocol, error, inbound.request_id, same)
        facts.status = reply.status
        headers = [
            (b"content-type", b"application/json"),
            (b"x-routecodex-request-id", inbound.request_id.encode("latin-1")),
            generation.id_header,
        ]
        if plan is not None and plan.target is not None:
            headers.append((b"x-routecodex-target", _header_value(plan.target.provider_key)))
        headers.extend((name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items())
        await side.reply(reply.status, headers, reply.body)


def _header_value(text: str) -> bytes:
    return (text if text.isprintable() else text.translate(_CONTROLS)).encode("ascii", "replace")


def _may_fail_over(error: GatewayError) -> bool:
    return error.kind in FAILS_OVER or (error.kind is ErrorKind.INTERNAL and error.layer is Layer.UPSTREAM)


def _hung_up() -> GatewayError:
    return GatewayError(
        ErrorKind.CANCELLED, "client_cancelled", "The client closed the connection.", layer=Layer.CLIENT
    )


def _timed_out() -> GatewayError:
    return GatewayError(
        ErrorKind.TIMEOUT,
        "total_timeout",
        "The answer was not complete within the total time-out.",
        next_step="Raise timeouts.total of the provider, or ask for less.",
        layer=Layer.PROVIDER,
    )


def _stopping() -> GatewayError:
    return GatewayError(
        ErrorKind.OVERLOADED,
        "gateway_stopping",
        "The gateway is stopping.",
        next_step="Send the request again.",
        retry_after=1.0,
        layer=Layer.HOST,
    )


_INTERRUPTED: Final[dict[Interruption, Callable[[], GatewayError]]] = {
    Interruption.HUNG_UP: _hung_up,
    Interruption.TOTAL_TIMEOUT: _timed_out,
    Interruption.STOPPING: _stopping,
}
