"""One request's way through the fake upstream: route, authorise, parse, judge, choose, render, send.

Knows every part by its door; owns no state. `FakeUpstream` is the only one to inherit it: it brings the
state, this brings the steps.
"""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any

from . import errors, extras, prompt, routes, sse, view
from .render import Context, Renderer, dumps
from .render_chat import ChatRenderer
from .render_gemini import GeminiRenderer
from .render_messages import MessagesRenderer
from .render_responses import ResponsesRenderer
from .script import (
    Cut,
    Delivery,
    ErrorIn200,
    ErrorStatus,
    Framing,
    Gate,
    Hang,
    MidStreamError,
    Script,
    Slow,
    Text,
)
from .strict import Judge, check

if TYPE_CHECKING:
    from .http import Exchange
    from .ids import Ids
    from .records import RecordedRequest, Violation

RENDERERS: dict[str, type[Renderer]] = {
    "openai-chat": ChatRenderer,
    "openai-responses": ResponsesRenderer,
    "anthropic-messages": MessagesRenderer,
    "gemini": GeminiRenderer,
}
_CREATED = 1_790_000_000


def _calls_nothing(script: Script, seen: view.View) -> bool:
    """A side request in JSON mode without tools (a router's, a title's) quotes the prompt; it wants JSON."""
    return not seen.tools and any(isinstance(s, Text) and s.text.startswith("missing tool") for s in script.steps)


_PARSE_ERRORS = {
    "anthropic-messages": "The request body is not valid JSON: {0}",
    "gemini": "Invalid JSON payload received. {0}",
}
_OPENAI_PARSE_ERROR = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP"
    " library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
)


class Answering:
    """The steps; the attributes named here are FakeUpstream's."""

    ids: Ids
    protocols: frozenset[str]
    strict: bool
    relaxed: frozenset[str]
    api_keys: frozenset[str] | None
    oauth_required: bool
    trusted_signatures: tuple[str, ...]
    delivery: Delivery
    framing: Framing
    default: Script
    prompts: bool
    model_names: list[str]
    call_id_length: int
    language: prompt.Language
    tokens: extras.TokenOffice
    store: extras.ResponseStore
    _queue: deque[Script]

    def _choose(self, request: RecordedRequest) -> Script | None:
        raise NotImplementedError

    def _record_violations(self, found: list[Violation], request: RecordedRequest) -> None:
        raise NotImplementedError

    def _extra_headers(self, request: RecordedRequest, request_id: str) -> list[tuple[str, str]]:
        raise NotImplementedError

    # --- the way of a request

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request, whatever it is."""
        request = exchange.request
        route = routes.find(request.method, request.path)
        if isinstance(route, int):
            request.protocol = routes.vendor_of({k.lower(): v for k, v in request.headers}, request.path)
            text = f"Invalid URL ({request.method} {request.path})"
            await self._error(exchange, ErrorStatus(route, text, code="unknown_url"))
            return
        request.protocol, request.operation = route.protocol, route.operation
        if route.protocol == "models":
            request.protocol = routes.vendor_of({k.lower(): v for k, v in request.headers}, request.path)
        if route.protocol in RENDERERS and route.protocol not in self.protocols:
            await self._error(exchange, ErrorStatus(404, f"{route.protocol} is not served here"))
            return
        if route.operation == "token":
            status, body, form = self.tokens.answer(request.raw)
            request.body = form
            await self._json(exchange, status, body)
            return
        if not self._authorised(request):
            await self._error(exchange, ErrorStatus(401, "Incorrect API key provided."))
            return
        if request.method == "POST" and not await self._parse(exchange, route):
            return
        await self._dispatch(exchange, route)

    def _authorised(self, request: RecordedRequest) -> bool:
        bearer = (request.header("authorization") or "").removeprefix("Bearer ").strip()
        given = {
            bearer,
            request.header("x-api-key") or "",
            request.header("x-goog-api-key") or "",
            request.header("api-key") or "",
            request.query.get("key", ""),
        }
        if self.oauth_required:
            return bearer in self.tokens.valid
        return self.api_keys is None or bool(given & self.api_keys)

    async def _parse(self, exchange: Exchange, route: routes.Route) -> bool:
        """Read the body into the record; answers and says false when it is no JSON object."""
        request = exchange.request
        try:
            raw = sse.decode(request.raw, request.header("content-encoding"))
            request.body = json.loads(raw) if raw.strip() else {}
            if not isinstance(request.body, dict):
                raise ValueError("not an object")
        except (ValueError, RecursionError, UnicodeDecodeError) as error:
            message = _PARSE_ERRORS.get(request.protocol, _OPENAI_PARSE_ERROR).format(error)
            await self._error(exchange, ErrorStatus(400, message))
            return False
        body = request.body
        request.model = route.name if request.protocol == "gemini" else str(body.get("model", route.name))
        request.stream = bool(body.get("stream")) or route.operation == "stream"
        if route.operation == "raw_predict":
            request.model = route.name
            request.stream = request.stream or ":stream" in request.path
        return True

    async def _dispatch(self, exchange: Exchange, route: routes.Route) -> None:
        operation = route.operation
        if operation in ("generate", "stream", "raw_predict"):
            await self._generate(exchange)
        elif operation in ("retrieve", "delete", "cancel", "input_items"):
            await self._stored(exchange, route)
        else:
            await self._small(exchange, route)

    async def _small(self, exchange: Exchange, route: routes.Route) -> None:
        """The endpoints that answer with one JSON value. A scripted error of the queue applies to them too."""
        request = exchange.request
        body: dict[str, Any] = request.body or {}
        used = extras.count(request.raw)
        if route.operation == "count_tokens" and self.strict:
            history = self.store.history(str(body.get("previous_response_id"))) or []
            if await self._refused(exchange, history):
                return
        if route.operation == "count_tokens":
            script = self._choose(request) if self._has_error_next() else None
            if script is not None:
                await self._send(exchange, script, [])
                return
        answers: dict[str, Any] = {
            "embeddings": lambda: extras.embeddings(body, request.raw),
            "embed": lambda: extras.embed_one(body),
            "batch_embed": lambda: extras.embed_batch(body),
            "list_models": lambda: extras.model_list(request.protocol, self.model_names),
            "get_model": lambda: extras.model_entry(request.protocol, route.name),
            "compact": lambda: self._compact(body, used),
            "count_tokens": lambda: self._count(request.protocol, used),
        }
        if route.operation == "get_model" and route.name not in self.model_names:
            await self._error(exchange, ErrorStatus(404, f"The model '{route.name}' does not exist"))
            return
        await self._json(exchange, 200, answers[route.operation]())

    def _has_error_next(self) -> bool:
        return bool(self._queue) and any(isinstance(s, ErrorStatus) for s in self._queue[0].steps)

    @staticmethod
    def _count(protocol: str, used: int) -> dict[str, Any]:
        if protocol == "gemini":
            details = [{"modality": "TEXT", "tokenCount": used}]
            return {"totalTokens": used, "promptTokensDetails": details}
        if protocol == "openai-responses":
            return {"object": "response.input_tokens", "input_tokens": used}
        return {"input_tokens": used}

    def _compact(self, body: dict[str, Any], used: int) -> dict[str, Any]:
        kept = [
            {"id": self.ids.new("msg_r"), "status": "completed", **item, "type": "message"}
            for item in view.input_items(body)
            if item.get("role") == "user"
        ]
        sealed = {
            "id": self.ids.new("cmp"),
            "type": "compaction",
            "encrypted_content": self.ids.sign("openai", "compaction"),
        }
        return {
            "id": self.ids.new("resp"),
            "object": "response.compaction",
            "created_at": _CREATED,
            "output": [*kept, sealed],
            "usage": {
                "input_tokens": used,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": 10,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": used + 10,
            },
        }

    # --- R: stored responses

    async def _stored(self, exchange: Exchange, route: routes.Route) -> None:
        request = exchange.request
        trouble = self.store.troubles.popleft() if self.store.troubles else None
        if isinstance(trouble, ErrorStatus):
            await self._error(exchange, trouble)
            return
        if isinstance(trouble, Gate):
            await exchange.control(trouble)
        stored = self.store.responses.get(route.name)
        if stored is None:
            text = f"Response with id '{route.name}' not found."
            await self._json(exchange, 404, errors.openai(404, text, None, None))
            return
        if route.operation == "delete":
            self.store.delete(route.name)
            if isinstance(trouble, Cut):
                await exchange.control(trouble)
                return
            await self._json(exchange, 200, {"id": route.name, "object": "response", "deleted": True})
        elif route.operation == "input_items":
            await self._json(exchange, 200, self.store.input_items(route.name, request.query))
        elif route.operation == "cancel":
            if not stored.get("background"):
                text = "Only background responses can be cancelled."
                await self._error(exchange, ErrorStatus(400, text))
                return
            if stored["status"] in ("queued", "in_progress"):
                stored["status"] = "cancelled"
                stored["output"] = []
            await self._json(exchange, 200, stored)
        else:
            await self._json(exchange, 200, stored)

    # --- generation

    async def _generate(self, exchange: Exchange) -> None:
        request = exchange.request
        history: list[dict[str, Any]] = []
        previous = request.body.get("previous_response_id")
        if request.protocol == "openai-responses" and previous is not None:
            known = self.store.history(str(previous))
            if known is None:
                text = f"Previous response with id '{previous}' not found."
                error = errors.openai(400, text, None, "previous_response_not_found", "previous_response_id")
                await self._json(exchange, 400, error)
                return
            history = known
        if self.strict and await self._refused(exchange, history):
            return
        script = self._choose(request)
        if script is None:
            seen = view.of(request.protocol, request.body, history)
            script = self.language.script(seen, request.model) if self.prompts else None
            if seen.schema is not None and (script is None or _calls_nothing(script, seen)):
                text = json.dumps(prompt.example(seen.schema), separators=(",", ":"))
                script = Script((Text(text),), name="schema")
        await self._send(exchange, script or self.default, history)

    async def _refused(self, exchange: Exchange, history: list[dict[str, Any]]) -> bool:
        """Judge the request; when it is illegal, answer as the vendor would."""
        request = exchange.request
        judge = Judge(self.ids, self.trusted_signatures, history, self.call_id_length)
        try:
            found = check(request, judge, self.relaxed)
        except (AttributeError, TypeError, KeyError) as error:
            # The validators read shapes; a value of an unexpected type is the vendor's schema error.
            from .records import Violation

            found = [Violation(request.protocol, "schema", f"Invalid request: {error}")]
        if not found:
            return False
        self._record_violations(found, request)
        first = found[0]
        body = errors.body_for(
            request.protocol,
            first.status,
            first.message,
            code=first.code,
            param=first.param,
            request_id=self.ids.new("req_m"),
        )
        await self._json(exchange, first.status, body)
        return True

    async def _send(self, exchange: Exchange, script: Script, history: list[dict[str, Any]]) -> None:
        request = exchange.request
        request.script = script.name
        for step in script.steps:
            early = isinstance(step, Slow | Gate | Hang) and step.where == "head"
            if (early or (isinstance(step, Cut) and step.before_head)) and await exchange.control(step):  # type: ignore[arg-type]
                return
        status = next((s for s in script.steps if isinstance(s, ErrorStatus)), None)
        if status is not None:
            await self._error(exchange, status, script.delivery)
            return
        framing = script.framing or self.framing
        renderer = RENDERERS[request.protocol](
            Context(request.body, request.model, self.ids, framing, _CREATED + request.order, len(request.raw))
        ).run(script.steps)
        self._remember(request, renderer, history)
        if request.stream:
            await self._send_stream(exchange, script, renderer, framing)
        else:
            await self._send_whole(exchange, script, renderer)

    def _remember(self, request: RecordedRequest, renderer: Renderer, history: list[dict[str, Any]]) -> None:
        kept = isinstance(renderer, ResponsesRenderer) and request.body.get("store") is not False
        if kept and not renderer.truncated:
            self.store.put(renderer.body, history + view.input_items(request.body))

    async def _send_stream(self, exchange: Exchange, script: Script, renderer: Renderer, framing: Framing) -> None:
        request = exchange.request
        delivery = script.delivery or self.delivery
        as_array = request.protocol == "gemini" and request.query.get("alt") != "sse"
        if as_array:
            plan = sse.array(renderer.ops)
            kind = "application/json; charset=UTF-8"
        else:
            gemini = request.protocol == "gemini"
            newline = framing.newline or ("\r\n" if gemini else "\n")
            names = request.protocol in ("anthropic-messages", "openai-responses")
            plan = sse.stream(renderer.ops, framing, newline=newline, names=names)
            kind = "text/event-stream" if gemini else "text/event-stream; charset=utf-8"
        await self._play(exchange, script, 200, kind, plan, delivery, transfer=delivery.transfer)

    async def _send_whole(self, exchange: Exchange, script: Script, renderer: Renderer) -> None:
        delivery = script.delivery or self.delivery
        status = 200
        failure = next((s for s in script.steps if isinstance(s, MidStreamError)), None)
        body = renderer.json_body
        if failure is not None:
            # Without a stream there is no middle: the vendor answers with the status (R: a failed response).
            if isinstance(renderer, ResponsesRenderer):
                body = renderer.failed_body(failure)
            else:
                await self._error(
                    exchange,
                    ErrorStatus(failure.status, failure.message, failure.type, failure.code),
                    script.delivery,
                )
                return
        in_200 = next((s for s in script.steps if isinstance(s, ErrorIn200)), None)
        if in_200 is not None and renderer.error_body is not None:
            body = renderer.error_body
        whole = dumps(body)
        plan: list[sse.Piece] = [s for s in script.steps if isinstance(s, Slow | Gate | Hang) and s.where == "here"]
        placed = next((s for s in renderer.ops if isinstance(s, Cut)), None)
        garbage = b"".join(s.data for s in renderer.ops if type(s).__name__ == "Garbage")  # type: ignore[union-attr]
        if garbage:
            whole = garbage
        plan.append(whole[: len(whole) // 2] if placed is not None else whole)
        if placed is not None:
            plan.append(placed)
        transfer = delivery.transfer if delivery.force_transfer or delivery.transfer == "close" else "length"
        charset = "; charset=UTF-8" if exchange.request.protocol == "gemini" else ""
        await self._play(exchange, script, status, f"application/json{charset}", plan, delivery, transfer=transfer)

    async def _play(
        self,
        exchange: Exchange,
        script: Script,
        status: int,
        kind: str,
        plan: list[sse.Piece],
        delivery: Delivery,
        *,
        transfer: str,
    ) -> None:
        """Cut, encode and send a plan with the head that belongs to it."""
        for step in script.steps:
            if isinstance(step, Cut) and step.after_events is not None:
                plan = sse.cut_after(plan, step)
        plan = sse.encode(plan, delivery.encoding)
        for step in script.steps:
            if isinstance(step, Cut) and step.after_bytes is not None:
                plan = sse.cut_after(plan, step)
        plan = sse.chunk(plan, delivery)
        headers = [("Content-Type", kind)]
        if delivery.encoding != "none":
            headers.append(("Content-Encoding", delivery.encoding))
        headers.extend(self._extra_headers(exchange.request, self.ids.new("req_o")))
        headers.extend(delivery.headers)
        waits = [s for s in script.steps if isinstance(s, Slow | Gate | Hang) and s.where == "first_byte"]
        between = next((s.seconds for s in script.steps if isinstance(s, Slow) and s.where == "between"), None)
        await exchange.respond(status, headers, plan, delivery, transfer=transfer, before_body=waits, between=between)

    async def _error(self, exchange: Exchange, error: ErrorStatus, delivery: Delivery | None = None) -> None:
        """A plain HTTP error in the vendor's shape, with its headers."""
        request = exchange.request
        retry_after = next((v for k, v in error.headers if k.lower() == "retry-after"), None)
        body = errors.body_for(
            request.protocol,
            error.status,
            error.message,
            type_=error.type,
            code=error.code,
            request_id=self.ids.new("req_m"),
            retry_after=retry_after,
        )
        raw = dumps(body) if error.body is None else error.body
        headers = [("Content-Type", "application/json"), *self._extra_headers(request, self.ids.new("req_o"))]
        headers.extend(error.headers)
        await exchange.respond(error.status, headers, [raw], delivery or Delivery(), transfer="length")

    async def _json(self, exchange: Exchange, status: int, body: dict[str, Any]) -> None:
        headers = [
            ("Content-Type", "application/json"),
            *self._extra_headers(exchange.request, self.ids.new("req_o")),
        ]
        await exchange.respond(status, headers, [dumps(body)], Delivery(), transfer="length")
