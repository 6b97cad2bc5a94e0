"""The requests both adapters must answer alike: groups of named conversations, each with what the gateways are given.

Data only. A case's name says what is asked; a group's settings say of what gateway.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import brotli
import msgspec

from routecodex.blocks.http_adapter.body import zstd
from routecodex.config.compiled import AdminSettings, ApiKey, CompiledConfig, Limits, TelemetrySettings
from routecodex.config.secret import Secret
from tests.host.adapters.wire import Answer, HangUp, Later, Pause, Rest, Step, Until

Case = tuple[str, tuple[Step, ...]]

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
_JSON: Final = "content-type: application/json"
MAX_BODY: Final = 20_000


def chat(**more: Any) -> bytes:
    """A small Chat Completions body."""
    return json.dumps({"model": "fake-model", "messages": [{"role": "user", "content": "hi"}], **more}).encode()


def messages(**more: Any) -> bytes:
    return json.dumps(
        {"model": "fake-model", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}], **more}
    ).encode()


def responses(**more: Any) -> bytes:
    return json.dumps({"model": "fake-model", "input": "hi", **more}).encode()


def contents(**more: Any) -> bytes:
    return json.dumps({"contents": [{"role": "user", "parts": [{"text": "hi"}]}], **more}).encode()


ENDPOINTS: Final[Mapping[str, bytes]] = {
    "/v1/chat/completions": chat(),
    "/chat/completions": chat(),
    "/v1/responses": responses(),
    "/responses": responses(),
    "/v1/messages": messages(),
    "/messages": messages(),
    "/v1/messages/count_tokens": messages(),
    "/messages/count_tokens": messages(),
    "/v1/responses/compact": responses(),
    "/responses/compact": responses(),
    "/v1/embeddings": json.dumps({"model": "fake-model", "input": "hi"}).encode(),
    "/embeddings": json.dumps({"model": "fake-model", "input": "hi"}).encode(),
    "/v1/responses/resp_1": b"",
    "/responses/resp_1": b"",
    "/v1/responses/resp_1/cancel": b"",
    "/v1/responses/resp_1/input_items": b"",
    "/v1beta/models/fake-model:generateContent": contents(),
    "/v1/models/fake-model:generateContent": contents(),
    "/v1alpha/models/fake-model:streamGenerateContent": contents(),
    "/v1beta/models/fake-model:streamGenerateContent?alt=sse": contents(),
    "/v1beta1/publishers/google/models/fake-model:countTokens": contents(),
    "/v1/publishers/google/models/fake-model:embedContent": json.dumps({"content": {"parts": []}}).encode(),
    "/models/fake-model:batchEmbedContents": json.dumps({"requests": []}).encode(),
    "/v1/models": b"",
    "/v1beta/models": b"",
    "/models": b"",
    "/v1/models/known-name": b"",
    "/v1beta/models/known-name": b"",
    "/models/chat.fake-model": b"",
    "/v1/models/no-such-model": b"",
    "/health": b"",
    "/ready": b"",
    "/metrics": b"",
}
"""Every endpoint, with a body that makes sense to it."""

ODD_PATHS: Final = (
    "/",
    "/v1",
    "/v1/",
    "//v1/chat/completions",
    "/v1//chat/completions",
    "/v1/chat/completions/",
    "/v1/chat/completions/x",
    "/v1/chat%2Fcompletions",
    "/v1/chat/completions%20",
    "/v1/chat/completions%0A",
    "/v1/ch%61t/completions",
    "/V1/chat/completions",
    "/v1/chat/completion",
    "/v1/./chat/completions",
    "/v1/x/../chat/completions",
    "/v1/chat/completions;a=b",
    "/v1/chat/completions?",
    "/v1/chat/completions?a=b&a=c&key=x",
    "/v1/chat/completions?a=%ff&%00=b",
    "/v1/messages/",
    "/v1/messages/batches",
    "/v1/messages/count_tokens/",
    "/v1/responses/",
    "/responses/",
    "/v1/responses/%20",
    "/v1/responses/%0A",
    "/v1/responses/a%0A",
    "/v1/responses/a%0Ab",
    "/v1/responses/a%2Fcancel",
    "/v1/responses/a/",
    "/v1/responses/a/cancel/",
    "/v1/responses/a/unknown",
    "/v1/responses//cancel",
    "/v1/responses/%C3%A9",
    "/v1/responses/%FF",
    "/v1/responses/compact/",
    "/v1/responses%0A",
    "/v1/responsesX",
    "/v1/models/",
    "/v1/models//",
    "/v1/models/a%0A:generateContent",
    "/v1/models/a%0Ab:generateContent",
    "/v1/models/%2F:generateContent",
    "/v1/models/a/b/c",
    "/v1/models/a:b:generateContent",
    "/v1/models/:generateContent",
    "/v1/models/fake-model:unknownAction",
    "/v1/models/fake-model:",
    "/v1/models/models/fake-model:generateContent",
    "/v1beta/models/",
    "/v1beta/models/fake%20model:generateContent",
    "/v1beta/tunedModels/x:generateContent",
    "/v1alpha/models",
    "/v1beta1/publishers/google/models",
    "/v1beta1/publishers/google/models/known-name",
    "/v1/publishers/google/models/",
    "/publishers/google/models/x:generateContent",
    "/models//x",
    "/health/",
    "/health%0A",
    "/healthz",
    "/health?verbose",
    "/ready?verbose=1",
    "/ready/x",
    "/metrics/",
    "/metrics%0A",
    "/favicon.ico",
    "/daemon/ws",
    "/v1/batches",
    "/v1/%F0%9F%98%80",
    "/" + "a" * 500,
    "/v1/responses/" + "r" * 500,
    "*",
    "http://127.0.0.1/v1/models",
    "http://other.example/v1/models",
)

_ALICE: Final = "authorization: Bearer key-of-alice"
CREDENTIALS: Final[Mapping[str, tuple[str, ...]]] = {
    "none": (),
    "bearer": (_ALICE,),
    "lower-case bearer": ("Authorization: bearer   key-of-alice ",),
    "x-api-key": ("x-api-key: key-of-alice",),
    "goog": ("x-goog-api-key: key-of-alice",),
    "azure": ("api-key: key-of-alice",),
    "wrong": ("authorization: Bearer no",),
    "basic": ("authorization: Basic a2V5",),
    "empty bearer": ("authorization: Bearer ",),
    "two": (_ALICE, "authorization: Bearer other"),
    "wrong first": ("x-api-key: no", "x-goog-api-key: key-of-alice"),
    "basic and key": ("authorization: Basic a2V5", "x-api-key: key-of-alice"),
    "not ascii": ("x-api-key: schlüssel",),
}

_SMALL: Final = chat()
ENCODED: Final[Mapping[str, tuple[str, bytes]]] = {
    "gzip": ("gzip", gzip.compress(_SMALL)),
    "x-gzip": ("x-gzip", gzip.compress(_SMALL)),
    "gzip of two members": ("gzip", gzip.compress(_SMALL[:40]) + gzip.compress(_SMALL[40:])),
    "deflate": ("deflate", zlib.compress(_SMALL)),
    "raw deflate": ("deflate", zlib.compress(_SMALL)[2:-4]),
    "br": ("br", brotli.compress(_SMALL)),
    "zstd": ("zstd", zstd.compress(_SMALL)),
    "identity": ("identity", _SMALL),
    "upper case": ("GZIP", gzip.compress(_SMALL)),
    "two": ("gzip, br", brotli.compress(gzip.compress(_SMALL))),
    "four": ("gzip, gzip, gzip, gzip", _SMALL),
    "unknown": ("lzma", _SMALL),
    "gzip that is none": ("gzip", _SMALL),
    "br that is none": ("br", _SMALL),
    "zstd that is none": ("zstd", _SMALL),
    "gzip cut off": ("gzip", gzip.compress(_SMALL)[:-9]),
    "br cut off": ("br", brotli.compress(_SMALL)[:-3]),
    "zstd cut off": ("zstd", zstd.compress(_SMALL)[:-3]),
    "gzip bomb": ("gzip", gzip.compress(b" " * 4_000_000)),
    "br bomb": ("br", brotli.compress(b" " * 4_000_000)),
    "zstd bomb": ("zstd", zstd.compress(b" " * 4_000_000)),
    "empty": ("gzip", b""),
}

BODIES: Final[Mapping[str, bytes]] = {
    "nothing": b"",
    "blank": b"  \n ",
    "no JSON": b"hello",
    "cut off": chat()[:-3],
    "trailing": chat() + b" x",
    "null": b"null",
    "array": b"[]",
    "number": b"5",
    "text": b'"hi"',
    "empty object": b"{}",
    "no model": b'{"messages":[]}',
    "model of another kind": b'{"model":5,"messages":[]}',
    "unknown model": chat(model="no-such.thing"),
    "empty model": chat(model=""),
    "model with control characters": chat(model="a\r\nb: c"),
    "provider key": chat(model="messages.fake-model"),
    "deep": b'{"model":"fake-model","messages":' + b"[" * 300 + b"]" * 300 + b"}",
    "lone surrogate": b'{"model":"fake-model","messages":[{"role":"user","content":"\\ud800"}]}',
    "not UTF-8": b'{"model":"fake-model","messages":[{"role":"user","content":"\xff"}]}',
    "byte order mark": b"\xef\xbb\xbf" + chat(),
    "duplicate members": b'{"model":"x","model":"fake-model","messages":[{"role":"user","content":"hi"}]}',
    "large number": b'{"model":"fake-model","max_tokens":1e400,"messages":[]}',
    "stream": chat(stream=True),
    "stream of another kind": chat(stream="yes"),
    "just the limit": chat(messages=[{"role": "user", "content": "x" * (MAX_BODY - len(chat(messages=[])) - 33)}]),
    "above the limit": chat(messages=[{"role": "user", "content": "x" * MAX_BODY}]),
}

TYPES: Final = (
    "application/json",
    "application/json; charset=utf-8",
    "APPLICATION/JSON",
    "text/json",
    "application/x-ndjson",
    "application/vnd.api+json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "json",
    "",
    ";",
)

HOSTS: Final = ("127.0.0.1", "localhost:1", "[::1]:9", "mine.example", "x.localhost", "evil.example", "", "a b", "ü")
ORIGINS: Final = (
    "http://127.0.0.1",
    "https://app.example",
    "https://APP.example",
    "https://evil.example",
    "null",
    "",
    "http://",
    "ü",
)


@dataclass(frozen=True)
class Group:
    """Cases for gateways with these server settings."""

    name: str
    cases: tuple[Case, ...]
    server: Mapping[str, Any]
    metrics: bool = True
    stopping: bool = False

    def configure(self, config: CompiledConfig) -> CompiledConfig:
        """This group's settings in a configuration."""
        server = msgspec.structs.replace(config.server, **self.server)
        return msgspec.structs.replace(config, server=server, telemetry=TelemetrySettings(metrics=self.metrics))


def ask(
    method: str, path: str, *headers: str, body: bytes = b"", host: str = "127.0.0.1", version: str = "1.1"
) -> bytes:
    """One request's bytes; a length where there is a body or a POST, unless the headers frame it themselves."""
    lines = [f"{method} {path} HTTP/{version}", f"host: {host}", *headers]
    framed = any(line.lower().startswith(("content-length:", "transfer-encoding:")) for line in headers)
    if not framed and (body or method == "POST"):
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body


def post(path: str, body: bytes, *headers: str, **more: Any) -> bytes:
    return ask("POST", path, _JSON, *headers, body=body, **more)


def one(request: bytes, head: bool = False) -> tuple[Step, ...]:
    """Send, and read the answer."""
    return request, Answer(head)


def _every_method() -> Iterator[Case]:
    for path, body in ENDPOINTS.items():
        for method in METHODS:
            sent = body if method in ("POST", "PUT", "PATCH") else b""
            yield f"{method} {path}", one(ask(method, path, _JSON, body=sent), method == "HEAD")


def _odd_paths() -> Iterator[Case]:
    for path in ODD_PATHS:
        for method in ("GET", "POST", "DELETE", "HEAD"):
            sent = chat() if method == "POST" else b""
            yield f"{method} {path[:60]}", one(ask(method, path, _JSON, body=sent), method == "HEAD")


def _credentials() -> Iterator[Case]:
    for name, headers in CREDENTIALS.items():
        for path in ("/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1beta/models/fake-model:countTokens"):
            yield f"{name}: POST {path}", one(post(path, ENDPOINTS.get(path, contents()), *headers))
        for path in ("/v1/models", "/v1/responses/resp_1", "/health?verbose", "/metrics", "/nothing"):
            yield f"{name}: GET {path}", one(ask("GET", path, *headers))
    for key in ("key-of-alice", "key%2Dof%2Dalice", "no", "", "%ff"):
        yield f"?key={key}", one(post(f"/v1/chat/completions?key={key}", chat()))
        yield f"?a=b&key={key}&key=x", one(ask("GET", f"/v1/models?a=b&key={key}&key=x"))


def _sources() -> Iterator[Case]:
    for name in HOSTS:
        yield f"host {name}", one(post("/v1/chat/completions", chat(), host=name))
        yield f"host {name}: health", one(ask("GET", "/health", host=name))
    for origin in ORIGINS:
        header = f"origin: {origin}"
        preflight = ("access-control-request-method: POST", "access-control-request-headers: x-api-key")
        for path in ("/v1/chat/completions", "/v1/messages"):
            yield f"origin {origin}: {path}", one(post(path, ENDPOINTS[path], header))
            yield f"origin {origin}: streamed {path}", one(post(path, chat(stream=True, max_tokens=5), header))
            yield f"origin {origin}: preflight {path}", one(ask("OPTIONS", path, header, *preflight))
        for path in ("/v1/models", "/health", "/nothing", "/v1/responses/resp_1"):
            yield f"origin {origin}: {path}", one(ask("GET", path, header))
            yield f"origin {origin}: preflight {path}", one(ask("OPTIONS", path, header, *preflight))
        yield f"origin {origin}: 405", one(ask("PUT", "/v1/messages", header))
    yield "no host", one(b"GET /v1/models HTTP/1.0\r\n\r\n")
    yield "two hosts", one(ask("GET", "/v1/models", "host: evil.example"))


def _bodies() -> Iterator[Case]:
    for path in ("/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/embeddings"):
        for name, body in BODIES.items():
            yield f"{name}: {path}", one(post(path, body))
    for path in ("/v1beta/models/fake-model:generateContent", "/v1/messages/count_tokens", "/v1/responses/compact"):
        for name in ("nothing", "no JSON", "array", "empty object", "deep", "above the limit"):
            yield f"{name}: {path}", one(post(path, BODIES[name]))
    for name, (encoding, body) in ENCODED.items():
        header = f"content-encoding: {encoding}"
        yield f"encoding {name}", one(post("/v1/chat/completions", body, header))
        yield f"encoding {name}: messages", one(post("/v1/messages", body, header))
    for kind in TYPES:
        header = f"content-type: {kind}"
        yield f"type {kind}", one(ask("POST", "/v1/chat/completions", header, body=chat()))
        yield f"type {kind}, nothing", one(ask("POST", "/v1/responses", header))
    yield "no type", one(ask("POST", "/v1/chat/completions", body=chat()))
    for path, made in (("/v1/chat/completions", chat), ("/v1/messages", messages), ("/v1/responses", responses)):
        for upstream in ("chat", "responses", "messages", "gemini"):
            for stream in (False, True):
                name = f"{path} over {upstream}, {'streamed' if stream else 'whole'}"
                yield name, one(post(path, made(model=f"{upstream}.fake-model", stream=stream)))


def _chunked(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def _framing() -> Iterator[Case]:
    chat_path, whole = "/v1/chat/completions", post("/v1/chat/completions", chat())
    streamed = post(chat_path, chat(stream=True))
    models = ask("GET", "/v1/models")
    large = chat(messages=[{"role": "user", "content": "x" * MAX_BODY}])
    chunked = ask("POST", chat_path, _JSON, "transfer-encoding: chunked")
    yield "chunked", one(chunked + _chunked(chat(), 7))
    yield "chunked, one piece", one(chunked + _chunked(chat(), 9999))
    yield "chunked in pieces", (chunked, Pause(), _chunked(chat(), 5)[:60], Pause(), _chunked(chat(), 5)[60:], Answer())
    yield "chunked, too large", (chunked + _chunked(large, 1000), Answer())
    yield "chunked, bad size", (chunked + b"zz\r\n", Rest())
    yield "length, in pieces", (whole[:80], Pause(), whole[80:-20], Pause(), whole[-20:], Answer())
    yield "length, announced too large", one(ask("POST", chat_path, _JSON, "content-length: 99999999"))
    yield "length, no number", (ask("POST", chat_path, _JSON, "content-length: ten"), Rest())
    yield "keep-alive", (whole, Answer(), models, Answer(), streamed, Answer(), whole, Answer())
    yield "keep-alive after errors", (ask("GET", "/no"), Answer(), post(chat_path, b"x"), Answer(), whole, Answer())
    yield "pipelined", (whole + models + whole, Answer(), Answer(), Answer())
    yield "pipelined streams", (streamed + streamed + models, Answer(), Answer(), Answer())
    yield "pipelined with an error", (post(chat_path, b"x") + ask("PUT", "/") + models, Answer(), Answer(), Answer())
    yield "pipelined HEAD", (ask("HEAD", "/v1/models") + models, Answer(head=True), Answer())
    yield "pipelined large", (post(chat_path, large) + models, Answer(), Answer())
    yield "close", one(ask("POST", chat_path, _JSON, "connection: close", body=chat()))
    yield "close, streamed", one(ask("POST", chat_path, _JSON, "connection: close", body=chat(stream=True)))
    yield "close, error", one(ask("GET", "/no", "connection: close"))
    yield "1.0", (ask("POST", chat_path, _JSON, body=chat(), version="1.0"), Rest())
    yield "1.0 streamed", (ask("POST", chat_path, _JSON, body=chat(stream=True), version="1.0"), Rest())
    yield "1.0 keep-alive", one(ask("GET", "/v1/models", "connection: keep-alive", version="1.0"))
    yield "no HTTP", (b"hello\r\n\r\n", Rest())
    yield "bad version", (b"GET / HTTP/9.9\r\n\r\n", Rest())
    long = ask("GET", "/v1/models", "x-a: " + "a" * 66_000)[:-4]
    yield "head too large", (long[:60_000], Pause(), long[60_000:], Rest())
    expecting = ask("POST", chat_path, _JSON, "expect: 100-continue", f"content-length: {len(chat())}")
    yield "expecting", (expecting, Until(b"\r\n\r\n"), chat(), Answer())
    yield "expecting, at once", one(expecting + chat())
    yield "expecting, at once, no JSON", one(post(chat_path, b"x", "expect: 100-continue"))
    yield "expecting, at once, estimated", one(post("/v1/messages/count_tokens", messages(), "expect: 100-continue"))
    yield "expecting, refused", one(ask("POST", "/no", "expect: 100-continue", "content-length: 5"))
    yield "expecting without a body", one(ask("GET", "/v1/responses/resp_1", "expect: 100-continue"))
    yield "expecting on a list", one(ask("GET", "/v1/models", "expect: 100-continue"))
    for reset in (False, True):
        how = "RST" if reset else "FIN"
        yield f"{how} before the body", (whole[:-20], Pause(), HangUp(reset))
        yield f"{how} mid-stream", (_held("mid"), Until(b"first"), HangUp(reset))
        yield f"{how} before the head", (_held("head"), Pause(0.1), HangUp(reset))
        yield f"{how} after the end", (streamed, Until(b"[DONE]"), HangUp(reset))
        yield f"{how} before the head of a whole answer", (_held("head", stream=False), Pause(0.1), HangUp(reset))
        held = _held("head", padding=100_000)
        yield f"{how} after a large body", (held[:250], Pause(), held[250:], Pause(0.1), HangUp(reset))


def _held(where: str, stream: bool = True, padding: int = 0) -> bytes:
    """A request whose answer never goes on (`sides.held`)."""
    words = [{"role": "user", "content": f"hold {where}" + " " * padding}]
    return post("/v1/chat/completions", chat(messages=words, stream=stream))


def _kept() -> Iterator[Case]:
    """What is done with a response the upstream keeps."""
    made = post("/v1/responses", responses(model="responses.fake-model"))
    for method in METHODS:
        for below in ("", "/input_items", "/cancel", "?include=a&key=b", "/"):
            asked = Later(ask(method, "/v1/responses/{id}" + below, _JSON))
            yield f"{method} {{id}}{below}", (made, Answer(), asked, Answer(method == "HEAD"))
    for method in ("GET", "DELETE"):
        expecting = Later(ask(method, "/responses/{id}", "expect: 100-continue"))
        yield f"{method} {{id}}, expecting", (made, Answer(), expecting, Answer())
        twice = Later(2 * ask(method, "/responses/{id}"))
        yield f"{method} {{id}}, pipelined", (made, Answer(), twice, Answer(), Answer())


def _headers() -> Iterator[Case]:
    told = (
        "user-agent: x/1",
        "x-request-id: mine",
        "x-routecodex-conversation: c1",
        "x-routecodex-route: default",
        "x-routecodex-route: nowhere",
        "x-routecodex-route: messages.fake-model",
        "cookie: a=b",
        "proxy-authorization: Basic x",
        "anthropic-version: 2023-06-01",
        "anthropic-beta: a,b",
        "anthropic-beta: a\r\nanthropic-beta: b",
        "openai-organization: o",
        "x-goog-api-client: g",
        "x-forwarded-for: 1.2.3.4",
        "accept-encoding: gzip, br",
        "range: bytes=0-1",
        "if-none-match: *",
        "te: trailers",
        "upgrade: h2c\r\nconnection: upgrade",
        "X-UPPER: Y",
        "x-empty:",
        "x-latin: é",
        "connection: keep-alive, x-y",
    )
    for header in told:
        lines = header.split("\r\n")
        for path in ("/v1/chat/completions", "/v1/messages", "/v1/responses"):
            yield f"{header}: {path}", one(post(path, ENDPOINTS[path], *lines))
        for path in ("/v1/models", "/v1/models/known-name", "/v1/responses/resp_1", "/health", "/nothing"):
            yield f"{header}: {path}", one(ask("GET", path, *lines))
        yield f"{header}: 405", one(ask("DELETE", "/v1/messages", *lines))


_UPGRADE: Final = (
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
)


def _frame(data: bytes, opcode: int = 1) -> bytes:
    """A masked client frame."""
    mask = b"abcd"
    size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + len(data).to_bytes(2, "big")
    return bytes([0x80 | opcode]) + size + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


def _sockets() -> Iterator[Case]:
    create = json.dumps(
        {"type": "response.create", "model": "fake-model", "store": False, "input": [{"role": "user", "content": "hi"}]}
    ).encode()
    close = _frame((1000).to_bytes(2, "big"), 8)
    for path in ("/v1/responses", "/responses"):
        opened = ask("GET", path, *_UPGRADE)
        yield f"{path}: one request", (
            opened, Until(b"\r\n\r\n"), _frame(create), Until(b'"response.completed"'), close, Rest(),
        )  # fmt: skip
        yield f"{path}: two requests", (
            opened, Until(b"\r\n\r\n"), _frame(create) + _frame(create),
            Until(b'"response.completed"'), Until(b'"response.completed"'), close, Rest(),
        )  # fmt: skip
        yield f"{path}: no JSON", (opened, Until(b"\r\n\r\n"), _frame(b"x"), Until(b'"error"'), close, Rest())
        yield f"{path}: closed at once", (opened, Until(b"\r\n\r\n"), close, Rest())
        yield f"{path}: hung up", (opened, Until(b"\r\n\r\n"), _frame(create), HangUp())
        yield f"{path}: foreign origin", (ask("GET", path, *_UPGRADE, "origin: https://evil.example"), Answer())
        yield f"{path}: foreign host", (ask("GET", path, *_UPGRADE, host="evil.example"), Answer())
        yield f"{path}: with a key", (ask("GET", path, *_UPGRADE, _ALICE), Until(b"\r\n\r\n"), close, Rest())
        yield f"{path}: with a wrong key", (ask("GET", path, *_UPGRADE, "x-api-key: no"), Until(b"\r\n\r\n"))
        yield f"{path}: bad version", (ask("GET", path, *_UPGRADE[:2], "sec-websocket-version: 1"), Answer())
        yield f"{path}: h2c", (ask("GET", path, "connection: Upgrade", "upgrade: h2c"), Answer())
    for path in (
        "/v1/chat/completions",
        "/v1/responses/",
        "/v1/responses/resp_1",
        "/v1/responses%0A",
        "/v1/models",
        "/health",
        "/",
        "/daemon/ws",
        "/v1/messages",
        "/%2Fv1/responses",
    ):
        yield f"no socket at {path}", (ask("GET", path, *_UPGRADE), Answer())


_KEYS: Final = (ApiKey("alice", Secret("key-of-alice", "${A}")), ApiKey("bob", Secret("key-of-bob", "${B}")))
_LIMITS: Final = Limits(max_body_bytes=MAX_BODY)
_NO_ADMIN: Final = AdminSettings(enabled=False)


def _few(*paths: str) -> Iterator[Case]:
    """Some of everything, for gateways of another mind."""
    yield from (case for case in _every_method() if case[0].partition(" ")[2] in (paths or ENDPOINTS))
    yield from (case for case in _sockets() if case[0].startswith("/v1/"))


GROUPS: Final = (
    Group("every method", tuple(_every_method()), {}),
    Group("odd paths", tuple(_odd_paths()), {}),
    Group("credentials", tuple(_credentials()), {"api_keys": _KEYS}),
    Group(
        "sources",
        tuple(_sources()),
        {"allowed_hosts": ("mine.example",), "allowed_origins": ("https://app.example", "null")},
    ),
    Group("any origin", tuple(_sources()), {"allowed_hosts": ("*",), "allowed_origins": ("*",)}),
    Group("bodies", tuple(_bodies()), {"limits": _LIMITS}),
    Group("framing", tuple(case for case in _framing() if "large body" not in case[0]), {"limits": _LIMITS}),
    Group("framing of large bodies", tuple(_framing()), {}),
    Group("kept responses", tuple(_kept()), {}),
    Group("headers", tuple(_headers()), {}),
    Group("sockets", tuple(_sockets()), {}),
    Group("sockets with keys", tuple(_sockets()), {"api_keys": _KEYS}),
    Group(
        "switched off",
        tuple(_few()),
        {"limits": Limits(max_websocket_connections=0), "admin": _NO_ADMIN},
        metrics=False,
    ),
    Group("one socket", tuple(_sockets()), {"limits": Limits(max_websocket_connections=1)}),
    Group("full", tuple(_few("/v1/messages", "/v1/models", "/health")), {"limits": Limits(max_concurrent_requests=0)}),
    Group("stopping", tuple(_few("/v1/messages", "/v1/models", "/health", "/ready")), {}, stopping=True),
)
"""Every case. Hundreds of requests; the generated ones (test_generated.py) come on top."""

BY_NAME: Final = {group.name: group for group in GROUPS}
