"""The same way without sockets: pipeline and fake upstream called as functions, with any cut of the upstream's bytes.

For what sockets add nothing to and hide much of: byte-exact re-chunking, generated conversations, recorded bodies.
Clock and ids are fixed, so equal input gives equal bytes. Attempts are not repeated here: failover is the server's.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.compat import BUILT_IN, compile_profiles, rule_set
from llmswitch_core.hub.exchange import AttemptOutcome, Exchange, Inbound, Surroundings
from llmswitch_core.hub.pipeline import HubPipeline
from llmswitch_core.hub.responses_state import StoredResponse
from llmswitch_core.hub.upstream import UpstreamRequest
from llmswitch_core.protocols.contract import RequestHead
from llmswitch_core.protocols.losses import is_known
from llmswitch_core.router.contract import Pool, PoolEntry, ProviderModels, Route, RoutingTable, Target
from llmswitch_core.router.state import RouterState
from tests.fake_upstream import FakeUpstream, RecordedRequest
from tests.fake_upstream.script import Cut, Gate, Hang, Slow

from .bench import HEADERS, Reply
from .cases import Cell
from .dialects import Ask, Json, request
from .gateway import MODEL, PROVIDER, target

_ROOT = {"openai-chat": "/v1", "openai-responses": "/v1", "anthropic-messages": "", "gemini": ""}
_VENDOR = {"openai-chat": "openai", "openai-responses": "openai", "anthropic-messages": "anthropic", "gemini": "gemini"}
_PROFILE = {
    "openai-chat": "openai",
    "openai-responses": "openai",
    "anthropic-messages": "anthropic",
    "gemini": "gemini",
}


class Memory:
    """Both stores, in two dictionaries."""

    def __init__(self) -> None:
        self.tokens: dict[str, bytes] = {}
        self.responses: dict[str, StoredResponse] = {}

    def lookup(self, key: str) -> bytes | None:
        return self.tokens.get(key)

    def get(self, response_id: str) -> StoredResponse | None:
        return self.responses.get(response_id)

    def put(self, response: StoredResponse) -> None:
        if response.stored:
            self.responses[response.id] = response

    def delete(self, response_id: str) -> None:
        self.responses.pop(response_id, None)

    def response_of_item(self, item_id: str, account: str) -> str | None:
        for response in self.responses.values():
            if response.account == account and item_id in json.dumps(msgspec.to_builtins(response)):
                return response.id
        return None


@dataclass
class Passed:
    """One way through: what the client got, what the upstream was asked, and what the pipeline judged."""

    reply: Reply
    exchange: Exchange
    outcome: AttemptOutcome | None = None
    failure: GatewayError | None = None
    sent: UpstreamRequest | None = None
    notes: dict[str, str] = field(default_factory=dict)


class _Reception:
    """The fake's view of a connection, without one: collects head and body."""

    def __init__(self, asked: RecordedRequest) -> None:
        self.request = asked
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    async def control(self, step: Cut | Slow | Gate | Hang) -> bool:
        return isinstance(step, Cut)

    async def respond(
        self, status: int, headers: list[tuple[str, str]], pieces: Iterable[Any], *_: Any, **__: Any
    ) -> None:
        self.status = self.request.status = status
        self.headers = {k.lower(): v for k, v in headers}
        out: list[bytes] = []
        for piece in pieces:
            if isinstance(piece, bytes):
                out.append(piece)
            elif isinstance(piece, Cut):
                break
        self.body = b"".join(out)


class InProcess:
    """A pipeline over four targets and the fake's mind. `fake` is scripted as ever, but must not be started."""

    def __init__(self, *, profile: str = "", **fake: Any) -> None:
        self.fake = FakeUpstream(**fake)
        self.memory = Memory()
        targets = {}
        for protocol, model in MODEL.items():
            chosen = profile or _PROFILE[protocol]
            one = Target(PROVIDER[protocol], "main", model, Protocol(protocol), chosen, _VENDOR[protocol])
            targets[one.provider_key] = one
        providers = {
            t.provider: ProviderModels(t.provider, ("main",), (t.model,), t.vendor, t.protocol, t.profile)
            for t in targets.values()
        }
        routes = {"default": Route("default", (Pool("p", (PoolEntry(next(iter(targets))),)),))}
        profiles = rule_set(compile_profiles(BUILT_IN, ()), "v1")
        self.pipeline = HubPipeline(RoutingTable(targets, routes, providers), profiles)

    def reset(self) -> None:
        """Forget scripts, requests and state; ids start over."""
        self.fake.clear()
        self.fake.ids = type(self.fake.ids)(0, self.fake.ids.realm)
        self.memory.tokens.clear()
        self.memory.responses.clear()

    def ask(self, cell: Cell, ask: Ask, *, cuts: Iterable[int] | random.Random | None = None) -> Passed:
        """A neutral question over the cell's pair."""
        wanted = request(cell.inbound, ask, target(cell.outbound), stream=cell.stream)
        return self.send(cell, wanted.path, wanted.query, wanted.body, cuts=cuts)

    def send(
        self,
        cell: Cell,
        path: str,
        query: Json,
        body: Json | bytes,
        *,
        headers: dict[str, str] | None = None,
        cuts: Iterable[int] | random.Random | None = None,
    ) -> Passed:
        """A body in the client's own dialect. Raises GatewayError where the pipeline refuses it."""
        numbers = itertools.count(1)
        surroundings = Surroundings(
            lambda: 1_790_000_000.0, lambda prefix: f"{prefix}{next(numbers):024x}", self.memory, self.memory
        )
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        given = {**HEADERS[cell.inbound], **{k.lower(): v for k, v in (headers or {}).items()}}
        head = RequestHead("POST", path, query, given)
        inbound = Inbound("req_1", Protocol(cell.inbound), "generate", head, raw, account="me")
        exchange = self.pipeline.admit(inbound, surroundings)
        plan = self.pipeline.plan(exchange, RouterState(), frozenset(), 1.0)
        sent = plan.upstream
        assert sent is not None, "no upstream is asked"
        asked = self._asked(cell.outbound, sent)
        reception = _Reception(asked)
        _finish(self.fake.answer(reception))  # type: ignore[arg-type]
        reply = Reply(cell.inbound, cell.stream, reception.status, {}, b"", False, cell.same, [asked])
        passed = Passed(reply, exchange, sent=sent, notes=dict(exchange.notes.items()))
        if reception.status >= 400:
            passed.failure = self.pipeline.failure(plan, reception.status, reception.headers, reception.body)
            reply.body = reception.body
            return passed
        way = self.pipeline.respond(exchange, plan, reception.status, reception.headers)
        out = [way.feed(piece) for piece in _cut(reception.body, cuts)]
        out.append(way.end())
        passed.failure = way.failure
        passed.outcome = way.outcome()
        if way.failure is not None and way.content:
            out.append(self.pipeline.fail(exchange, way.failure))
        self.memory.tokens.update(passed.outcome.delta.tokens)
        if passed.outcome.delta.response is not None:
            self.memory.put(passed.outcome.delta.response)
        unknown = [name for name, _ in exchange.notes.items() if not is_known(name)]
        assert not unknown, f"notes outside the vocabulary: {unknown}"
        reply.body = b"".join(out)
        reply.headers = {"content-type": self.pipeline.content_type(exchange)}
        return passed

    def _asked(self, outbound: str, sent: UpstreamRequest) -> RecordedRequest:
        headers = [(k, v) for k, v in sent.headers.items()] + [("content-type", "application/json")]
        if outbound == "anthropic-messages" and "anthropic-version" not in sent.headers:
            headers.append(("anthropic-version", "2023-06-01"))
        asked = RecordedRequest(
            order=len(self.fake.requests),
            connection=0,
            on_connection=0,
            method=sent.method,
            path=_ROOT[outbound] + sent.path,
            query=dict(sent.query),
            headers=headers,
            raw=sent.body,
        )
        self.fake.requests.append(asked)
        return asked


def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("the fake waits for something a script without sockets cannot have")


def _cut(body: bytes, cuts: Iterable[int] | random.Random | None) -> list[bytes]:
    if cuts is None:
        return [body] if body else []
    pieces, at = [], 0
    if isinstance(cuts, random.Random):
        while at < len(body):
            step = cuts.randint(1, 40)
            pieces.append(body[at : at + step])
            at += step
        return pieces
    for cut in sorted(set(cuts)):
        if at < cut < len(body):
            pieces.append(body[at:cut])
            at = cut
    return [*pieces, body[at:]]
