"""From an origin to a connected socket: names, TCP, TLS, proxies.

It knows addresses, certificates and CONNECT. It must not know requests or pools; time is the caller's, who cancels.
Names are resolved as the user's other programs see them (getaddrinfo), off the loop.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final, TypeAlias, cast
from urllib.parse import urlsplit

from routecodex.blocks.provider_runtime import wording
from routecodex.blocks.provider_runtime.http1.connection import Connection
from routecodex.blocks.provider_runtime.http1.racing import Address, race
from routecodex.blocks.provider_runtime.http1.target import Origin, Proxy, parse_proxy
from routecodex.blocks.provider_runtime.http1.tunnel import Tunnel, ask_for
from routecodex.blocks.provider_runtime.sealed import seal
from routecodex.config.compiled import ProviderSpec
from routecodex.providers.transport import TransportError

DNS_TTL: Final = 60.0
"""Seconds a name's addresses are believed."""

_Unreachable: TypeAlias = Callable[[str, int, BaseException], TransportError]


class Connector:
    """Makes connections for one provider."""

    def __init__(self, spec: ProviderSpec) -> None:
        """Raises OSError or ssl.SSLError where the CA file cannot be read, if TLS is foreseeable."""
        self._tls_spec = spec.tls
        self._context: ssl.SSLContext | None = None
        self.proxy: Proxy | None = None if spec.proxy is None else parse_proxy(spec.proxy.reveal())
        self._names: dict[tuple[str, int], tuple[float, list[Address]]] = {}
        self._lookups: dict[tuple[str, int], asyncio.Task[list[Address]]] = {}
        proxied = self.proxy is not None and self.proxy.origin.tls
        if urlsplit(spec.base_url).scheme == "https" or proxied or _asks_for_tokens(spec):
            self._tls()

    async def connect(self, connection: Connection) -> None:
        """Connect it to its origin, through the proxy if there is one. Raises TransportError; cancelling closes."""
        proxy, origin = self.proxy, connection.origin
        if proxy is None:
            await self._reach(origin, lambda: connection, wording.connect_failed)
        elif not origin.tls:
            await self._reach(proxy.origin, lambda: connection, wording.proxy_unreachable)
        else:
            await self._through(proxy, connection)

    async def _reach(
        self, origin: Origin, make: Callable[[], asyncio.Protocol], unreachable: _Unreachable
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """A socket to the first address that answers, wrapped in TLS if the origin says so."""
        loop = asyncio.get_running_loop()
        try:
            addresses = await self._resolve(origin.host, origin.port)
        except (OSError, UnicodeError) as error:
            raise wording.connect_failed(origin.host, origin.port, error) from error
        while True:
            try:
                connected, address = await race(loop, addresses)
            except OSError as error:
                raise unreachable(origin.host, origin.port, error) from error
            addresses = addresses[addresses.index(address) + 1 :]
            try:
                return await self._wrapped(loop, connected, origin, make)
            except ssl.SSLError as error:
                failure = wording.tls_failed(origin.host, origin.port, error)
                failure.__cause__ = error
            except OSError as error:
                failure = unreachable(origin.host, origin.port, error)
                failure.__cause__ = error
            if not addresses:
                raise failure

    async def _wrapped(
        self,
        loop: asyncio.AbstractEventLoop,
        connected: socket.socket,
        origin: Origin,
        make: Callable[[], asyncio.Protocol],
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        try:
            if not origin.tls:
                return await loop.create_connection(make, sock=connected)
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=connected)
            protocol = make()
            return await seal(transport, protocol, self._tls(), origin.host.rstrip(".")), protocol
        except BaseException:
            connected.close()
            raise

    async def _through(self, proxy: Proxy, connection: Connection) -> None:
        """CONNECT to the origin, then TLS inside (RFC 9110 §9.3.6)."""
        loop = asyncio.get_running_loop()
        origin = connection.origin
        transport, tunnel = await self._reach(proxy.origin, lambda: Tunnel(loop), wording.proxy_unreachable)
        try:
            status = await ask_for(cast("Tunnel", tunnel), transport, origin, proxy.authorization)
            if status != 200:
                raise wording.proxy_refused(status)
            await seal(transport, connection, self._tls(), origin.host.rstrip("."))
        except ssl.SSLError as error:
            transport.abort()
            raise wording.tls_failed(origin.host, origin.port, error) from error
        except OSError as error:
            transport.abort()
            raise wording.connect_failed(origin.host, origin.port, error) from error
        except BaseException:
            transport.abort()
            raise

    async def _resolve(self, host: str, port: int) -> list[Address]:
        """The addresses, the system's first choice first. Concurrent askers share one look-up."""
        loop = asyncio.get_running_loop()
        try:
            # An address in digits needs no look-up, and no thread.
            return [*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)]
        except socket.gaierror:
            pass
        key = (host, port)
        known = self._names.get(key)
        if known is not None and loop.time() < known[0]:
            return known[1]
        lookup = self._lookups.get(key)
        if lookup is None:
            lookup = self._lookups[key] = loop.create_task(self._look_up(key))
            # Its askers may all have gone when it fails: nobody misses the failure then.
            lookup.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(lookup)

    async def _look_up(self, key: tuple[str, int]) -> list[Address]:
        loop = asyncio.get_running_loop()
        try:
            found: list[Address] = [*await loop.getaddrinfo(*key, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)]
            if not found:
                raise OSError("the name has no address")
            self._names[key] = (loop.time() + DNS_TTL, found)
            return found
        finally:
            del self._lookups[key]

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            context = ssl.create_default_context()
            if not self._tls_spec.verify:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            elif self._tls_spec.ca_file is not None:
                context.load_verify_locations(self._tls_spec.ca_file)
            context.set_alpn_protocols(["http/1.1"])
            self._context = context
        return self._context


def _asks_for_tokens(spec: ProviderSpec) -> bool:
    return any(auth.kind in ("oauth2", "service_account") for auth in spec.auth.values())
