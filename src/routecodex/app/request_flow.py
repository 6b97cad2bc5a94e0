"""RequestFlow: the one way of every request, from admission to its record.

    admit -> passage (attempts, answer) -> record

Theory of operation. The pipeline is pure and decides; the provider runtime carries; the passage (passage.py) owns
attempts and the way back. This file pins the generation, ends what has to end, and tells every failure once: as an
HTTP answer while nothing was sent, else as the terminal event of the client's stream. An interruption arrives as a
cancellation whose reason the client's side keeps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.exchange import Exchange, Inbound, Surroundings
from llmswitch_core.hub.prepare import prepare
from llmswitch_core.hub.responses_state import ConnectionStore, ResponseStore
from llmswitch_core.protocols.contract import ErrorReply, RequestHead
from llmswitch_core.router.state import RouterState
from routecodex.app import outcome
from routecodex.app.client_side import ClientSide
from routecodex.app.error_handling import ErrorHandlingCenter
from routecodex.app.generation import Generation
from routecodex.app.heads import answer_head, error_head
from routecodex.app.interruptions import Interruption
from routecodex.app.outcome import Facts
from routecodex.app.passage import Passage, Surround
from routecodex.app.provider_errors import ProviderErrorCenter
from routecodex.blocks.http_adapter import ClientPort
from routecodex.blocks.telemetry import Telemetry

_NO_HEAD: Final = RequestHead("", "", {}, {})
_LAST_WORDS: Final = 10.0
"""Seconds a client gets to take the terminal error of its stream."""


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
        self._surroundings = surroundings
        self._surround = Surround(state, surroundings.now, keep_tokens, provider_errors)
        self._errors = errors
        self._telemetry = telemetry
        self._running: dict[ClientSide, Generation] = {}

    @property
    def running(self) -> int:
        """Requests under way."""
        return len(self._running)

    def stop_all(self) -> None:
        """End every running request with a terminal error."""
        for side in tuple(self._running):
            side.interrupt(Interruption.STOPPING)

    def end_generation(self, generation: Generation) -> None:
        """The same for the requests of one generation."""
        for side, pinned in tuple(self._running.items()):
            if pinned is generation:
                side.interrupt(Interruption.SUPERSEDED)

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
        self._running[side] = generation
        try:
            try:
                exchange = self._admitted(generation, inbound, side, facts, connection)
                if generate:
                    await Passage(self._surround, generation, exchange, side, facts).go()
                else:
                    await self._prepare(exchange, side, facts)
            except asyncio.CancelledError:
                if side.interrupted is None:
                    facts.error = Interruption.STOPPING.failure
                    raise
                task.uncancel()
                await self._interrupted(generation, inbound, side, facts, side.interrupted)
            except GatewayError as error:
                await self._tell(generation, inbound, side, facts, error)
            except Exception as error:
                fault = self._errors.unexpected(error, inbound.request_id)
                await self._tell(generation, inbound, side, facts, fault)
        finally:
            side.close()
            self._running.pop(side, None)
            at = self._surroundings.now()
            self._telemetry.record(outcome.record(facts, inbound, at, loop.time(), generation))
            generation.release()

    def _admitted(
        self,
        generation: Generation,
        inbound: Inbound,
        side: ClientSide,
        facts: Facts,
        connection: ResponseStore | None,
    ) -> Exchange:
        pipeline = generation.artifacts.pipeline
        surroundings = self._surroundings
        if connection is not None:
            surroundings = msgspec.structs.replace(surroundings, responses=connection)
        exchange = pipeline.admit(inbound, surroundings)
        facts.exchange = exchange
        if exchange.stream:
            server = generation.config.server
            head = answer_head(generation, exchange)
            side.open(head, server.head_wait, server.keepalive, lambda: pipeline.keepalive(exchange))
        return exchange

    async def _prepare(self, exchange: Exchange, side: ClientSide, facts: Facts) -> None:
        """The client only wants the request kept, to go on from it."""
        await side.write(prepare(exchange))
        facts.complete = True
        facts.status = 200
        await side.finish()

    # --- failures --------------------------------------------------------------------------------------

    def refuse(self, protocol: Protocol, error: GatewayError, request_id: str, account: str = "") -> ErrorReply:
        """A request the adapter turned away: told and recorded like any other failure."""
        reply = self._errors.reply(protocol, error, request_id)
        facts = Facts(0.0)
        facts.error = error
        facts.status = reply.status
        refused = Inbound(request_id, protocol, "generate", _NO_HEAD, b"", account)
        generation = self._generation()
        self._telemetry.record(outcome.record(facts, refused, self._surroundings.now(), 0.0, generation))
        return reply

    async def _interrupted(
        self, generation: Generation, inbound: Inbound, side: ClientSide, facts: Facts, why: Interruption
    ) -> None:
        if facts.complete:
            return
        error = why.failure
        if why is not Interruption.HUNG_UP:
            await self._tell(generation, inbound, side, facts, error)
            return
        facts.error = error
        facts.status = 200 if side.started else outcome.CANCELLED_STATUS
        self._errors.cancelled(error, inbound.request_id)

    async def _tell(
        self, generation: Generation, inbound: Inbound, side: ClientSide, facts: Facts, error: GatewayError
    ) -> None:
        """The final failure, in the client's protocol."""
        plan = facts.plan
        if facts.exchange is not None and plan is not None:
            error = generation.artifacts.pipeline.told(facts.exchange, plan, error)
        facts.error = error
        if side.started and facts.exchange is not None:
            facts.status = 200
            last = self._errors.stream_end(generation.artifacts.pipeline, facts.exchange, error)
            await _end_stream(side, last)
            return
        same = plan is not None and plan.same_protocol
        reply = self._errors.reply(inbound.protocol, error, inbound.request_id, same)
        facts.status = reply.status
        await side.reply(reply.status, error_head(generation, inbound.request_id, plan, reply), reply.body)


async def _end_stream(side: ClientSide, last: bytes) -> None:
    """The terminal event and the end; without such an event, or for a client that reads nothing any more, no end."""
    if last:
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await side.write(last)
                await side.finish()
        except TimeoutError:
            await side.break_off()
    else:
        await side.break_off()
