"""Provider runtime v1: HTTP/1.1 on aiohttp, one pool of connections per provider.

It knows aiohttp and its exceptions; nothing else in the gateway does. Name resolution is the system's (as the
user's other programs see it), not c-ares'. One timer per answer watches silence: it is not re-armed per chunk,
and the time in which nobody asks for bytes (a slow client) does not count.
"""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError, HttpProcessingError
from multidict import CIMultiDictProxy
from yarl import URL

from routecodex.blocks.provider_runtime import wording
from routecodex.blocks.provider_runtime.runtime import Runtime
from routecodex.blocks.provider_runtime.sealed import Sealed, parts
from routecodex.config.compiled import ProviderSpec
from routecodex.providers.transport import TransportError, TransportRequest, TransportStream

if TYPE_CHECKING:
    from aiohttp.client import ClientTimeout
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

KEPT_ALIVE: Final = 55.0
"""Seconds an idle connection is kept: below the minute after which most front ends close it."""
_DNS_TTL: Final = 60
_HEADER_LIMIT: Final = 64 * 1024
_BODY_AT_ONCE: Final = 1024 * 1024
"""aiohttp wants larger bodies as a file, so that the loop gets its turn between pieces."""
_SKIPPED: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")

_URLS: Final = 512
"""Parsed URLs kept per provider."""

_reused: ContextVar[bool] = ContextVar("reused", default=False)
"""Whether the connection last given to this task had carried a request before."""


class AiohttpTransport:
    """Connections to one provider. Must be used from one event loop; sessions are made on first use."""

    def __init__(self, spec: ProviderSpec) -> None:
        self.spec = spec
        self._pool: aiohttp.ClientSession | None = None
        self._fresh: aiohttp.ClientSession | None = None
        self._closed = False
        self._urls: dict[str, URL] = {}
        self.idle = spec.timeouts.idle
        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=spec.timeouts.connect, sock_read=spec.timeouts.first_byte
        )
        # aiohttp takes the login out of the proxy's URL, for CONNECT and for plain requests alike.
        self._proxy = None if spec.proxy is None else URL(spec.proxy.reveal())
        self._ssl = _ssl(spec)

    async def open(self, request: TransportRequest) -> TransportStream:
        if self._closed:
            raise wording.closed()
        if self._pool is None:
            self._pool = self._session(_MarkingConnector, force_close=False)
        try:
            return await self._send(self._pool, request)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if self._closed or not _reused.get() or not _unheard(error):
                raise self._fault(error) from error
        except _FAILURES as error:
            raise self._fault(error) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self.closed and task is not None and not task.cancelling():
                # Who waits for a connection when the session is closed is cancelled by it, not by anybody else.
                raise wording.closed() from None
            raise
        # The pooled connection had been closed by the peer: what was sent reached nobody. Others of the pool may
        # be as dead, so this one try is made on a connection of its own.
        if self._fresh is None:
            self._fresh = self._session(_Connector, force_close=True)
        try:
            return await self._send(self._fresh, request)
        except _FAILURES as error:
            raise self._fault(error) from error

    def _fault(self, error: BaseException) -> TransportError:
        return wording.closed() if self._closed else _fault(error, self.spec)

    @property
    def closed(self) -> bool:
        return self._closed

    async def _send(self, session: aiohttp.ClientSession, request: TransportRequest) -> TransportStream:
        body = request.body
        response = await session.request(
            request.method,
            self._url(request.url),
            headers=request.headers,
            data=None if not body else body if len(body) <= _BODY_AT_ONCE else io.BytesIO(body),
            allow_redirects=False,
            proxy=self._proxy,
        )
        return AiohttpStream(response, self)

    def _url(self, text: str) -> URL:
        url = self._urls.get(text)
        if url is None:
            if len(self._urls) >= _URLS:
                self._urls.clear()
            url = self._urls[text] = URL(text, encoded=True)
        return url

    async def close(self) -> None:
        self._closed = True
        for session in (self._pool, self._fresh):
            if session is not None:
                await session.close()

    def _session(self, connector: Callable[..., aiohttp.TCPConnector], *, force_close: bool) -> aiohttp.ClientSession:
        pooling = {"force_close": True} if force_close else {"keepalive_timeout": KEPT_ALIVE}
        session = aiohttp.ClientSession(
            connector=connector(
                limit=self.spec.max_connections,
                ttl_dns_cache=_DNS_TTL,
                resolver=aiohttp.ThreadedResolver(),
                ssl=self._ssl,
                **pooling,
            ),
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            skip_auto_headers=_SKIPPED,
            max_line_size=_HEADER_LIMIT,
            max_field_size=_HEADER_LIMIT,
        )
        # aiohttp would send GET and its like a second time over whatever failed; second tries are ours, and few.
        session._retry_connection = False
        return session


class AiohttpStream:
    """One answer. `read` is the hot path: nothing per chunk but a clock reading before it waits."""

    __slots__ = (
        "_content",
        "_ended",
        "_idle",
        "_loop",
        "_owner",
        "_protocol",
        "_response",
        "_since",
        "_timed_out",
        "_timer",
        "headers",
        "status",
    )

    def __init__(self, response: aiohttp.ClientResponse, owner: AiohttpTransport) -> None:
        self.status: int = response.status
        self.headers: Mapping[str, str] = _headers(response.headers)
        self._response = response
        self._content = response.content
        self._ended = False
        self._owner = owner
        self._idle = owner.idle
        self._loop = asyncio.get_running_loop()
        self._since = 0.0
        """When `read` began to wait; 0 while nobody waits."""
        self._timed_out = False
        self._timer: asyncio.TimerHandle | None = None
        self._protocol: ResponseHandler | None = None
        connection = response.connection
        if connection is not None and connection.protocol is not None:
            # From the head on silence is watched here; aiohttp's own timer would be moved with every chunk.
            self._protocol = connection.protocol
            connection.protocol.read_timeout = None
            connection.protocol.start_timeout()
            vars(connection.protocol)["routecodex_content"] = response.content

    async def read(self) -> bytes:
        if self._ended:
            return b""
        self._since = self._loop.time()
        if self._timer is None and not self._content.is_eof():
            self._timer = self._loop.call_later(self._idle, self._watch)
        try:
            chunk = await self._content.readany()
        except _FAILURES as error:
            return self._rescued(error)
        finally:
            self._since = 0.0
        if not chunk:
            self._end()
            self._check_end()
        return chunk

    def _check_end(self) -> None:
        """aiohttp calls a body that lasts until the connection closes whole, also when the connection was reset."""
        lost = None if self._protocol is None else self._protocol.exception()
        if lost is None or "content-length" in self.headers or "chunked" in self.headers.get("transfer-encoding", ""):
            return
        if self._owner.closed:
            raise wording.closed()
        if isinstance(lost, aiohttp.ClientOSError):
            raise wording.truncated()

    def _rescued(self, error: BaseException) -> bytes:
        """What had arrived before the failure is handed out first: it may hold the end of the answer."""
        if self._timed_out:
            self.close()
            raise wording.idle_timeout(self._idle) from error
        content = self._content
        if content.exception() is not None and content.total_bytes:
            content.set_exception(None)  # type: ignore[arg-type]  # the public way to take it back; it is set again below
            left = content.read_nowait()
            content.set_exception(error)
            if left:
                return left
        self.close()
        raise (wording.closed() if self._owner.closed else _fault(error, self._owner.spec, in_body=True)) from error

    def close(self) -> None:
        if not self._ended:
            self._end()
            self._response.close()

    def _end(self) -> None:
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _watch(self) -> None:
        now = self._loop.time()
        since = self._since
        if since and now - since >= self._idle:
            self._timed_out = True
            self._timer = None
            self._response.close()  # wakes the reader with an exception
            _remind(self._content)
            return
        self._timer = self._loop.call_later(since + self._idle - now if since else self._idle, self._watch)


class _Connector(aiohttp.TCPConnector):
    """A connector whose TLS is paused beneath it; see sealed.py."""

    async def _wrap_create_connection(self, *arguments: Any, **named: Any) -> tuple[asyncio.Transport, ResponseHandler]:
        if not named.get("ssl"):
            return await super()._wrap_create_connection(*arguments, **named)
        request: ClientRequest = named["req"]
        beneath = {**named, "ssl": None, "server_hostname": None}
        transport, _ = await super()._wrap_create_connection(asyncio.Protocol, **beneath)
        request.server_hostname = named["server_hostname"]
        return await self._start_tls_connection(
            transport, request, named["timeout"], named.get("client_error", aiohttp.ClientConnectorError)
        )

    async def _start_tls_connection(
        self, underlying_transport: asyncio.Transport, *arguments: Any, **named: Any
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        over, socket = parts(underlying_transport)
        transport, protocol = await super()._start_tls_connection(over, *arguments, **named)
        sealed = Sealed(cast("asyncio.Transport", transport), socket)
        protocol.transport = sealed
        return sealed, protocol


class _MarkingConnector(_Connector):
    """A connector that tells the asking task whether the connection it gets was used before."""

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:  # noqa: ASYNC109 (aiohttp's signature)
        _reused.set(False)
        connection = await super().connect(req, traces, timeout)
        protocol = connection.protocol
        while protocol is not None and "routecodex_used" in vars(protocol) and protocol.should_close:
            # Something came while nobody asked: it must not become this request's answer.
            connection.close()
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
        if protocol is not None:
            marks = vars(protocol)
            _reused.set("routecodex_used" in marks)
            if "routecodex_used" not in marks:
                marks["routecodex_used"] = True
                _resume_once(protocol)
                _tell_reader(protocol)
        return connection


def _resume_once(protocol: ResponseHandler) -> None:
    """Let a connection resume reading only where it was paused.

    aiohttp's stream reader asks for it after every chunk it hands out, which runs the parser and the transport each
    time: a seventh of what a streamed answer of small chunks cost.
    """
    pause, resume = protocol.pause_reading, protocol.resume_reading
    paused = False

    def pause_reading() -> None:
        nonlocal paused
        paused = True
        pause()

    def resume_reading(*arguments: Any, **named: Any) -> None:
        nonlocal paused
        if paused:
            paused = False
            resume(*arguments, **named)

    vars(protocol).update(pause_reading=pause_reading, resume_reading=resume_reading)


class _MalformedError(aiohttp.ClientPayloadError):
    """The framing broke the rules in the middle of a body."""


def _tell_reader(protocol: ResponseHandler) -> None:
    """Let the body's reader know when the parser gives up: aiohttp would let him wait until his time is up."""
    set_exception = protocol.set_exception

    def set_exceptions(exc: BaseException, exc_cause: BaseException | None = None) -> None:
        set_exception(exc, exc_cause or exc)
        content = vars(protocol).get("routecodex_content")
        if content is None or content.is_eof():
            return
        if content.exception() is None and isinstance(exc, HttpProcessingError):
            # Only the end of an encoded body raises this here: it came too early.
            cut_short = isinstance(exc_cause, ContentEncodingError)
            content.set_exception(aiohttp.ClientPayloadError() if cut_short else _MalformedError())
        if content.exception() is not None:
            # A reader just woken by the end of a chunk looks for bytes only, and would wait again.
            asyncio.get_running_loop().call_soon(_remind, content)

    vars(protocol).update(set_exception=set_exceptions)


def _remind(content: aiohttp.StreamReader) -> None:
    """Wake whoever waits for bytes that will not come."""
    error = content.exception()
    if error is not None:
        content.set_exception(error)


def _unheard(error: BaseException) -> bool:
    """Whether the connection ended before any byte of an answer, as far as aiohttp tells."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return False
    return not isinstance(error, aiohttp.ServerDisconnectedError) or isinstance(error.message, str)


_FAILURES: Final = (aiohttp.ClientError, TimeoutError, OSError, ValueError)

_LOST: Final = (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, OSError)


def _fault(error: BaseException, spec: ProviderSpec, *, in_body: bool = False) -> TransportError:
    """An aiohttp failure by its type, in the words both sides use; the first that fits names the fault."""
    match error:
        case aiohttp.ClientHttpProxyError():
            return wording.proxy_refused(error.status)
        case aiohttp.ClientProxyConnectionError():
            return wording.proxy_unreachable(error.host, error.port or 0, error.os_error)
        case aiohttp.ClientConnectorCertificateError():
            return wording.tls_failed(error.host, error.port or 0, error.certificate_error)
        case aiohttp.ClientConnectorError():
            tls = isinstance(error, aiohttp.ClientSSLError)
            told = wording.tls_failed if tls else wording.connect_failed
            return told(error.host, error.port or 0, error.os_error)
        case aiohttp.ConnectionTimeoutError():
            return wording.connect_timeout(spec.timeouts.connect)
        case TimeoutError():
            return wording.first_byte_timeout(spec.timeouts.first_byte)
        case aiohttp.InvalidURL():
            return wording.bad_url()
        case aiohttp.ClientPayloadError() if isinstance(error.__cause__, ContentEncodingError):
            return wording.undecodable()
        case aiohttp.ClientResponseError() | _MalformedError():
            return wording.malformed()
        case _ if isinstance(error, _LOST):
            return wording.truncated() if in_body else wording.connection_lost()
    return wording.unsendable() if isinstance(error, ValueError) else wording.malformed()


def _headers(received: CIMultiDictProxy[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in received.items():
        key = name.lower().rstrip()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _ssl(spec: ProviderSpec) -> ssl.SSLContext | bool:
    schemes = {urlsplit(spec.base_url).scheme, "" if spec.proxy is None else urlsplit(spec.proxy.reveal()).scheme}
    if "https" not in schemes and not _asks_for_tokens(spec):
        return True
    if not spec.tls.verify:
        return False
    context = ssl.create_default_context()
    if spec.tls.ca_file is not None:
        context.load_verify_locations(spec.tls.ca_file)
    return context


def _asks_for_tokens(spec: ProviderSpec) -> bool:
    return any(auth.kind in ("oauth2", "service_account") for auth in spec.auth.values())


def build(providers: Mapping[str, ProviderSpec], now: Callable[[], float]) -> Runtime:
    """The provider runtime v1 over these providers; `now` in Unix seconds."""
    return Runtime(providers, AiohttpTransport, now)


transport: Final = AiohttpTransport
"""One provider's connections as this side makes them."""
