"""Requests nobody thought of: both adapters answer them alike, over sockets and as plain ASGI under any root path."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routecodex.config.compiled import CompiledConfig
from tests.host.adapters.row import FIRST, SECOND
from tests.host.adapters.sides import Pair, differing
from tests.host.adapters.table import ENDPOINTS, METHODS, ODD_PATHS, ask, chat, one

_PIECES: Final = (
    *("v1", "v1beta", "v1alpha", "v1beta1", "publishers", "google", "models", "chat", "completions", "responses"),
    *("messages", "count_tokens", "compact", "embeddings", "cancel", "input_items", "health", "ready", "metrics"),
    *("resp_1", "fake-model", "known-name", "fake-model:generateContent", "x:countTokens", ":", ""),
)
PATHS: Final = st.one_of(
    st.sampled_from([path.partition("?")[0] for path in (*ENDPOINTS, *ODD_PATHS) if path.startswith("/")]),
    st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=4)), min_size=1, max_size=6).map(
        lambda parts: "/" + "/".join(parts)
    ),
    st.text(max_size=12).map(lambda text: "/" + text),
)
"""Decoded paths."""

_NAMES: Final = (
    *("origin", "authorization", "x-api-key", "x-goog-api-key", "content-type", "content-encoding", "upgrade"),
    *("anthropic-version", "x-goog-api-client", "x-routecodex-route", "x-routecodex-conversation", "cookie", "vary"),
)
_VALUES: Final = st.one_of(
    st.sampled_from(
        ["application/json", "gzip", "Bearer key", "https://app.example", "null", "websocket", "", "default"]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=12),
)
HEADERS: Final = st.lists(st.tuples(st.sampled_from(_NAMES), _VALUES), max_size=5)
TARGET: Final = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789%/:.-_~!$&'()*+,;=@?", max_size=30)
METHOD: Final = st.one_of(st.sampled_from(METHODS), st.sampled_from(["TRACE", "PROPFIND", "LOCK"]))


def allowing(config: CompiledConfig) -> CompiledConfig:
    server = msgspec.structs.replace(config.server, allowed_origins=("https://app.example",))
    return msgspec.structs.replace(config, server=server)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Both gateways, for all examples."""
    with tempfile.TemporaryDirectory() as folder, Pair(Path(folder), allowing, (FIRST, SECOND)) as running:
        yield running


def escaped(path: str) -> str:
    """A path as clients write it; what is no letter may be escaped, so all of it is."""
    return "".join(
        character if character.isascii() and (character.isalnum() or character in "/:._-") else percent(character)
        for character in path
    )


def percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


@given(
    path=PATHS, query=st.sampled_from(["", "?", "?key=a", "?verbose", "?alt=sse&a=%41"]), method=METHOD, headers=HEADERS
)
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_generated_requests_over_a_socket(
    path: str, query: str, method: str, headers: list[tuple[str, str]], pair: Pair
) -> None:
    lines = [f"{name}: {value}" for name, value in headers if name != "upgrade"]
    body = chat() if method in ("POST", "PUT") else b""
    steps = one(ask(method, escaped(path) + query, *lines, body=body), method == "HEAD")
    assert pair.differences(steps) == []


@given(target=TARGET, method=METHOD)
@settings(deadline=None, max_examples=100)
def test_generated_targets_over_a_socket(target: str, method: str, pair: Pair) -> None:
    assert pair.differences(one(ask(method, "/" + target), method == "HEAD")) == []


@given(
    kind=st.sampled_from(["http", "http", "http", "websocket"]),
    path=PATHS,
    root=st.sampled_from(["", "/v1", "/v1/responses", "/proxy", "/", "v1"]),
    inside=st.booleans(),
    method=st.sampled_from([name for name in METHODS if name != "POST"]),
    headers=HEADERS,
)
@settings(deadline=None, max_examples=300)
def test_generated_scopes_as_plain_asgi(
    kind: str, path: str, root: str, inside: bool, method: str, headers: list[tuple[str, str]], pair: Pair
) -> None:
    """Mounted anywhere, under a server that offers nothing beyond ASGI."""
    scope: dict[str, Any] = {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": root + path if inside else path,
        "raw_path": b"/",
        "root_path": root,
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), *((name.encode(), value.encode("latin-1")) for name, value in headers)],
    }
    if kind == "websocket":
        received = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
    else:
        received = [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]
    first, second = pair.said(scope, *received)
    assert differing(first, second) == []
    assert first


def test_a_lifespan_is_answered_alike(pair: Pair) -> None:
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
    first, second = pair.said(scope, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    assert first == second == [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]
