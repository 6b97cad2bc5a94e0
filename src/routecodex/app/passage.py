"""One request's passage: attempts until one answers, and the answer's way to the client.

    ( plan -> send -> respond )* -> answer

Each attempt plans anew from the original request with the failed targets excluded. No attempt starts after the first
content went out; before, nothing of an attempt has reached the client, because the way back holds it. Failures leave
as GatewayError: who tells them to the client is the flow. Every attempt is reported exactly once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.hub.exchange import Exchange, Plan, Way
from llmswitch_core.hub.responder import truncated
from llmswitch_core.hub.responses_state import keep
from llmswitch_core.router.state import RouterState
from routecodex.app import outcome
from routecodex.app.client_side import ClientSide
from routecodex.app.generation import Generation
from routecodex.app.heads import answer_head, plain
from routecodex.app.interruptions import Interruption
from routecodex.app.outcome import Facts
from routecodex.app.provider_errors import ProviderErrorCenter
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
_ALL_TRIED: Final = "no_target_left"
_COARSE_CLOCK: Final = 0.002
"""Seconds a pause is longer than asked for: the cooldown ends at the same instant, on another clock."""
_SETTLING: Final = 1.0
"""Seconds an upstream gets to end its body after the terminal event, so that the connection can be used again."""


class Surround(msgspec.Struct, frozen=True):
    """What all passages share: the router's memory, the clock (Unix seconds), where facts and outcomes go."""

    state: RouterState
    now: Callable[[], float]
    keep_tokens: Callable[[Mapping[str, bytes]], None]
    provider_errors: ProviderErrorCenter


class Passage:
    """An admitted request, its generation and its client."""

    __slots__ = ("_asks_again", "_clock", "_exchange", "_facts", "_generation", "_side", "_surround")

    def __init__(
        self, surround: Surround, generation: Generation, exchange: Exchange, side: ClientSide, facts: Facts
    ) -> None:
        self._surround = surround
        self._generation = generation
        self._exchange = exchange
        self._side = side
        self._facts = facts
        self._clock = asyncio.get_running_loop().time
        self._asks_again = False
        """The last attempt failed for the way it asked; the next plan asks the same target in another."""

    # --- attempts --------------------------------------------------------------------------------------

    async def go(self) -> None:
        """Until the client has its answer. Raises GatewayError: the last attempt's failure, or why there was none."""
        retry = self._generation.config.retry
        most = 1 if self._exchange.inbound.operation == "forward" else retry.attempts
        excluded: frozenset[str] = frozenset()
        failure: GatewayError | None = None
        paused = False
        while True:
            try:
                plan = self._plan(excluded)
            except GatewayError as nobody:
                if failure is None:
                    raise
                pause = failure.retry_after
                lone = nobody.code == _ALL_TRIED and len(excluded) == 1 and not paused
                if not lone or pause is None or pause > retry.lone_retry_after:
                    raise failure from None
                paused, excluded = True, frozenset()
                await asyncio.sleep(pause + _COARSE_CLOCK)
                continue
            if plan.upstream is None:
                await self._reply_at_once(plan)
                return
            failure = await self._attempt(plan)
            if failure is None:
                return
            if self._asks_again:
                self._asks_again = False
                continue
            facts = self._facts
            if facts.content_at or not _may_fail_over(failure) or len(facts.attempts) >= most or plan.target is None:
                raise failure
            excluded = excluded | {plan.target.provider_key}

    def _plan(self, excluded: frozenset[str]) -> Plan:
        surround = self._surround
        plan = self._generation.artifacts.pipeline.plan(self._exchange, surround.state, excluded, surround.now())
        self._facts.plan = plan
        return plan

    async def _attempt(self, plan: Plan) -> GatewayError | None:
        """One call of an upstream; None if the client has its answer, else why not."""
        centre = self._surround.provider_errors
        status = 0
        try:
            stream = await self._send(plan)
            status = stream.status
            centre.heard(plan, stream.headers)
            try:
                if status >= 300:
                    body = await stream.read_bounded(MAX_ERROR_BODY)
                    raise self._refused(plan, status, stream.headers, body)
                await self._relay(plan, stream)
            finally:
                stream.close()
        except GatewayError as error:
            self._facts.attempts.append(outcome.attempt(plan, status, error))
            if self._asks_again:
                centre.cancelled(self._generation, plan)
            else:
                centre.failed(self._generation, plan, error, self._exchange.inbound.request_id)
            return error
        except asyncio.CancelledError:
            self._cut_short(plan, status)
            raise
        except BaseException:
            centre.cancelled(self._generation, plan)
            raise
        return None

    def _refused(self, plan: Plan, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
        """What the upstream's error answer means; notes where the same target is to be asked in another way."""
        pipeline = self._generation.artifacts.pipeline
        failure = pipeline.failure(plan, status, headers, body)
        self._asks_again = pipeline.recover(self._exchange, plan, failure)
        return failure

    def _cut_short(self, plan: Plan, status: int) -> None:
        if self._facts.complete:
            return
        why = self._side.interrupted or Interruption.STOPPING
        error = why.failure
        if why is Interruption.TOTAL_TIMEOUT:
            request_id = self._exchange.inbound.request_id
            self._surround.provider_errors.failed(self._generation, plan, error, request_id)
        else:
            self._surround.provider_errors.cancelled(self._generation, plan)
        self._facts.attempts.append(outcome.attempt(plan, status, error))

    async def _send(self, plan: Plan) -> UpstreamStream:
        if plan.upstream is None or plan.target is None:
            raise RuntimeError("Only a plan with an upstream request is sent.")
        spec = self._generation.config.providers.get(plan.target.provider)
        if spec is not None:
            self._side.within(spec.timeouts.total)
        since = self._clock()
        try:
            return await self._generation.runtime.send(plan.upstream)
        finally:
            self._facts.waited += self._clock() - since

    async def _reply_at_once(self, plan: Plan) -> None:
        """The pipeline knows the answer without an upstream: an estimate, a stored response."""
        self._surround.provider_errors.cancelled(self._generation, plan)
        self._facts.complete = True
        self._facts.status = 200
        head = answer_head(self._generation, self._exchange, plan) + plain(plan.answer_headers)
        await self._side.reply(200, head, plan.answer or b"")

    # --- the way back ----------------------------------------------------------------------------------

    async def _relay(self, plan: Plan, stream: UpstreamStream) -> None:
        """Bring the upstream's answer to the client. Raises GatewayError when it is a failure."""
        way = self._generation.artifacts.pipeline.respond(self._exchange, plan, stream.status, stream.headers)
        try:
            if self._exchange.stream:
                await self._relay_stream(plan, stream, way)
            else:
                await self._relay_whole(plan, stream, way)
        finally:
            result = way.outcome()
            self._facts.result = result
            if not self._facts.complete and result.delta.tokens:
                # A client that leaves keeps what it has seen: its signatures must find their issuer.
                self._surround.keep_tokens(result.delta.tokens)

    async def _relay_stream(self, plan: Plan, stream: UpstreamStream, way: Way) -> None:
        facts, side, clock = self._facts, self._side, self._clock
        feed, read, write = way.feed, stream.read, side.write
        broken: GatewayError | None = None
        while True:
            since = 0.0 if facts.content_at else clock()
            try:
                chunk = await read()
            except GatewayError as error:
                # Cut off: whether that harms depends on what had come, which the way back knows.
                broken, chunk = error, b""
            if since:
                facts.waited += clock() - since
            out = feed(chunk) if chunk else way.end()
            if way.content and not facts.content_at:
                facts.content_at = clock()
                if not side.started:
                    # No other attempt follows: from here on a head may name this one.
                    side.headers = answer_head(self._generation, self._exchange, plan, stream.headers)
            if way.failure is not None:
                if out and way.content:
                    await write(out)
                raise broken or way.failure
            finished = way.finished
            if finished:
                self._completed(plan, stream.status, way)
            if out:
                await write(out)
            elif way.judged and not side.started:
                side.heard()
            if finished:
                break
            if not chunk:
                raise broken or truncated()
        await side.finish()
        if chunk:
            await _settle(stream)

    async def _relay_whole(self, plan: Plan, stream: UpstreamStream, way: Way) -> None:
        since = self._clock()
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
        now = self._clock()
        self._facts.waited += now - since
        if not way.finished:
            raise broken or way.failure or truncated()
        self._facts.content_at = now
        self._completed(plan, stream.status, way)
        head = answer_head(self._generation, self._exchange, plan, stream.headers)
        await self._side.reply(self._facts.status, head, b"".join(out))

    def _completed(self, plan: Plan, status: int, way: Way) -> None:
        """The whole answer is translated: a client that closes after its last event has what it wanted."""
        facts = self._facts
        facts.complete = True
        facts.status = status if plan.same_protocol else 200
        facts.attempts.append(outcome.attempt(plan, status, None))
        self._surround.provider_errors.succeeded(self._generation, plan)
        delta = way.outcome().delta
        if delta.tokens:
            self._surround.keep_tokens(delta.tokens)
        if delta.response is not None:
            keep(self._exchange.surroundings.responses, delta.response)
        if delta.deleted:
            self._exchange.surroundings.responses.delete(delta.deleted)


async def _settle(stream: UpstreamStream) -> None:
    with contextlib.suppress(GatewayError, TimeoutError):
        async with asyncio.timeout(_SETTLING):
            while await stream.read():
                pass


def _may_fail_over(error: GatewayError) -> bool:
    return error.kind in FAILS_OVER or (error.kind is ErrorKind.INTERNAL and error.layer is Layer.UPSTREAM)
