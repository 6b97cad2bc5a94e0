"""A pipeline with one target per protocol, and the smallest surroundings it can live in."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.compat import BUILT_IN, compile_profiles, rule_set
from llmswitch_core.compat.profile import Document
from llmswitch_core.hub.exchange import Exchange, Inbound, Plan, Surroundings, Way
from llmswitch_core.hub.pipeline import HubPipeline, PipelineSettings
from llmswitch_core.hub.responses_state import StoredResponse
from llmswitch_core.hub.upstream import Operation
from llmswitch_core.protocols.contract import RequestHead
from llmswitch_core.router.contract import Pool, PoolEntry, ProviderModels, Route, RoutingTable, Target
from llmswitch_core.router.state import RouterState

NAMES: dict[Protocol, str] = {
    Protocol.OPENAI_CHAT: "chat",
    Protocol.OPENAI_RESPONSES: "responses",
    Protocol.ANTHROPIC_MESSAGES: "messages",
    Protocol.GEMINI: "gemini",
}
PATHS: dict[Protocol, str] = {
    Protocol.OPENAI_CHAT: "/v1/chat/completions",
    Protocol.OPENAI_RESPONSES: "/v1/responses",
    Protocol.ANTHROPIC_MESSAGES: "/v1/messages",
    Protocol.GEMINI: "/v1beta/models/gemini.m:generateContent",
}


class Tokens:
    """A token store in a dict."""

    def __init__(self) -> None:
        self.entries: dict[str, bytes] = {}

    def lookup(self, key: str) -> bytes | None:
        return self.entries.get(key)


class Responses:
    """A response store in a dict."""

    def __init__(self) -> None:
        self.entries: dict[str, StoredResponse] = {}

    def get(self, response_id: str) -> StoredResponse | None:
        return self.entries.get(response_id)

    def put(self, response: StoredResponse) -> None:
        self.entries[response.id] = response

    def delete(self, response_id: str) -> None:
        self.entries.pop(response_id, None)

    def response_of_item(self, item_id: str, account: str) -> str | None:
        for response in self.entries.values():
            if any(item.get("id") == item_id for item in (*response.input, *response.output)):
                return response.id
        return None


class Bench:
    """One pipeline and everything a request needs beside it."""

    def __init__(
        self,
        profile: str = "passthrough",
        settings: PipelineSettings | None = None,
        documents: Sequence[Document] = (),
    ) -> None:
        targets = [Target(name, "main", "m", protocol, profile, name) for protocol, name in NAMES.items()]
        table = RoutingTable(
            targets={target.provider_key: target for target in targets},
            routes={"default": Route("default", (Pool("p", (PoolEntry("chat.main.m"),)),))},
            providers={
                target.provider: ProviderModels(target.provider, ("main",), ("m",), target.vendor, target.protocol)
                for target in targets
            },
        )
        profiles = rule_set(compile_profiles(BUILT_IN, documents), "stable")
        self.pipeline = HubPipeline(table, profiles, settings or PipelineSettings())
        self.state = RouterState()
        self.tokens = Tokens()
        self.responses = Responses()
        ids = itertools.count(1)
        self.surroundings = Surroundings(
            lambda: 1000.0, lambda prefix: f"{prefix}{next(ids):024x}", self.tokens, self.responses
        )

    def admit(
        self,
        protocol: Protocol,
        body: bytes | Mapping[str, Any],
        *,
        operation: Operation = "generate",
        headers: Mapping[str, str] | None = None,
        path: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Exchange:
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        head = RequestHead("POST", path or PATHS[protocol], query or {}, headers or {})
        return self.pipeline.admit(Inbound("req_1", protocol, operation, head, raw, "me"), self.surroundings)

    def plan(self, exchange: Exchange) -> Plan:
        return self.pipeline.plan(exchange, self.state, frozenset(), 1000.0)

    def sent(self, protocol: Protocol, body: bytes | Mapping[str, Any], **more: Any) -> bytes:
        """The upstream body for a client body."""
        plan = self.plan(self.admit(protocol, body, **more))
        assert plan.upstream is not None
        return plan.upstream.body

    def way(self, exchange: Exchange, plan: Plan, content_type: str) -> Way:
        return self.pipeline.respond(exchange, plan, 200, {"content-type": content_type})


def frames(*payloads: Any) -> list[bytes]:
    """SSE frames of JSON payloads; strings go as they are."""
    return [
        b"data: " + (payload.encode() if isinstance(payload, str) else msgspec.json.encode(payload)) + b"\n\n"
        for payload in payloads
    ]


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    """A Chat Completions chunk."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}
