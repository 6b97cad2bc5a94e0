"""Harmless changes of this repository, one function each: `onepath lint` has nothing to say about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .editing import Change, Sources
from .plants import (
    ADMIT,
    BUILD,
    DOCTOR,
    FLOW,
    HANDLER,
    HEALTH,
    LIST,
    MODELS,
    REFUSE,
    RUNTIME,
    SOCKET,
    STATUS,
    VERSION,
    WIRING,
)

SEND: Final = "routecodex.providers:ProviderV2.send"
PLANE: Final = "routecodex.blocks.http_adapter:DataPlane"

REFACTORINGS: list[Change] = []


def refactoring(name: str) -> Callable[[Callable[[Sources], None]], Callable[[Sources], None]]:
    """Register a harmless change."""

    def register(apply: Callable[[Sources], None]) -> Callable[[Sources], None]:
        REFACTORINGS.append(Change(name, apply))
        return apply

    return register


# --- names --------------------------------------------------------------------------------------------------


@refactoring("rename a local of the flow")
def _(sources: Sources) -> None:
    sources.rename(FLOW, "generation", "pinned")


@refactoring("rename a local of the handler")
def _(sources: Sources) -> None:
    sources.rename(HANDLER, "inbound", "incoming")


@refactoring("rename a local of the provider")
def _(sources: Sources) -> None:
    sources.rename(SEND, "held", "kept")


@refactoring("rename a local of a command")
def _(sources: Sources) -> None:
    sources.rename(STATUS, "server", "gateway")


@refactoring("rename a method of the data plane")
def _(sources: Sources) -> None:
    sources.rename_everywhere("routecodex", "check_capacity", "ensure_capacity")


@refactoring("rename the first transport's class")
def _(sources: Sources) -> None:
    sources.rename_everywhere("routecodex.blocks.provider_runtime.v1", "AiohttpTransport", "PooledTransport")


@refactoring("rename the second transport's class")
def _(sources: Sources) -> None:
    sources.rename_everywhere("routecodex", "Http1Transport", "PooledTransport")


@refactoring("rename a private attribute of the provider")
def _(sources: Sources) -> None:
    sources.rename_everywhere("routecodex.providers.provider", "_transport", "_connections")


@refactoring("rename the provider's inner method")
def _(sources: Sources) -> None:
    sources.rename_everywhere("routecodex.providers.provider", "_open", "_start")


@refactoring("rename the WebSocket's endpoint")
def _(sources: Sources) -> None:
    sources.rename_everywhere("routecodex", "ResponsesSocket", "ResponsesChannel")


# --- places -------------------------------------------------------------------------------------------------


@refactoring("move a function of the transport's errors")
def _(sources: Sources) -> None:
    sources.move("routecodex.cli.status:_duration", "routecodex.cli.durations")


@refactoring("move a function of a command")
def _(sources: Sources) -> None:
    sources.move("routecodex.cli.version:own_version", "routecodex.cli.own")


@refactoring("move a function of the adapter")
def _(sources: Sources) -> None:
    sources.move("routecodex.blocks.http_adapter:without_secrets", "routecodex.blocks.http_adapter.secrets_left_out")


@refactoring("move the token fetch's error")
def _(sources: Sources) -> None:
    sources.move("routecodex.cli.client:read_token", "routecodex.cli.tokens")


@refactoring("reorder the methods of the flow")
def _(sources: Sources) -> None:
    sources.reverse_methods(FLOW.rpartition(".")[0])


@refactoring("reorder the methods of the provider")
def _(sources: Sources) -> None:
    sources.reverse_methods(SEND.rpartition(".")[0])


@refactoring("reorder the methods of the data plane")
def _(sources: Sources) -> None:
    sources.reverse_methods(PLANE)


@refactoring("reorder the methods of the pipeline")
def _(sources: Sources) -> None:
    sources.reverse_methods(ADMIT.rpartition(".")[0])


@refactoring("import a module instead of a name")
def _(sources: Sources) -> None:
    sources.top(RUNTIME, "from routecodex.providers import provider as providing")
    sources.replace(
        RUNTIME, "ProviderV2(spec, alias, connections, now)", "providing.ProviderV2(spec, alias, connections, now)"
    )


@refactoring("import inside the function")
def _(sources: Sources) -> None:
    sources.begin(RUNTIME, "from routecodex.providers.provider import ProviderV2 as Provider")
    sources.replace(RUNTIME, "ProviderV2(spec, alias, connections, now)", "Provider(spec, alias, connections, now)")


# --- shapes of the lawful way -------------------------------------------------------------------------------


@refactoring("extract the call of the flow into a method")
def _(sources: Sources) -> None:
    sources.member(
        PLANE,
        """
        async def _go(self, inbound: Inbound, port: HttpPort) -> None:
            await self.flow.run(inbound, port)
        """,
    )
    sources.replace(HANDLER, "self.flow.run", "self._go")


@refactoring("the flow's method in a local")
def _(sources: Sources) -> None:
    sources.begin(HANDLER, "run = self.flow.run")
    sources.replace(
        HANDLER,
        "await self.flow.run(inbound, self._port(scope, receive, send, extra))",
        "await run(inbound, self._port(scope, receive, send, extra))",
    )


@refactoring("the flow's method in a partial")
def _(sources: Sources) -> None:
    sources.top(HANDLER, "import functools")
    sources.replace(HANDLER, "self.flow.run", "functools.partial(self.flow.run)")


@refactoring("the flow in a task")
def _(sources: Sources) -> None:
    sources.top(HANDLER, "import asyncio")
    sources.replace(
        HANDLER,
        "self.flow.run(inbound, self._port(scope, receive, send, extra))",
        "asyncio.create_task(self.flow.run(inbound, self._port(scope, receive, send, extra)))",
    )


@refactoring("the flow under a decorator")
def _(sources: Sources) -> None:
    sources.top(
        HANDLER,
        """
        import functools


        def traced(function):
            @functools.wraps(function)
            async def inner(*arguments, **options):
                return await function(*arguments, **options)

            return inner
        """,
    )
    sources.decorate(HANDLER, "@traced")


@refactoring("the flow in a context manager")
def _(sources: Sources) -> None:
    sources.top(
        HANDLER,
        """
        import contextlib
        from collections.abc import AsyncIterator


        @contextlib.asynccontextmanager
        async def _way(flow: RequestFlow) -> AsyncIterator[RequestFlow]:
            yield flow
        """,
    )
    sources.begin(HANDLER, "async with _way(self.flow) as flow:\n    assert flow.running >= 0")


@refactoring("the flow in a table")
def _(sources: Sources) -> None:
    sources.replace(HANDLER, "self.flow.run", "{'run': self.flow.run, 'refuse': self.flow.refuse}['run']")


@refactoring("the upstream request in a local and a tuple")
def _(sources: Sources) -> None:
    sources.replace_argument("routecodex.app", "send", "plan.upstream", "(plan, plan.upstream)[1]")


@refactoring("the upstream request over a function")
def _(sources: Sources) -> None:
    file = sources.replace_argument("routecodex.app", "send", "plan.upstream", "_checked(plan.upstream)")
    anchor = next(
        one for one in ("routecodex.app:Passage", "routecodex.app:RequestFlow") if sources.find(one)[0] == file
    )
    sources.end(anchor, "def _checked(request):\n    assert request.method\n    return request\n")


@refactoring("a subclass of the provider that goes on to it")
def _(sources: Sources) -> None:
    sources.top(
        RUNTIME,
        """
        class CountingProvider(ProviderV2):
            sent = 0

            async def send(self, request: UpstreamRequest) -> UpstreamStream:
                self.sent += 1
                return await super().send(request)
        """,
    )
    sources.replace(
        RUNTIME, "ProviderV2(spec, alias, connections, now)", "CountingProvider(spec, alias, connections, now)"
    )


@refactoring("a transport around the transport")
def _(sources: Sources) -> None:
    sources.top(
        RUNTIME,
        """
        class CountingTransport:
            def __init__(self, inner: Transport) -> None:
                self._inner = inner
                self.opened = 0

            async def open(self, request):
                self.opened += 1
                return await self._inner.open(request)

            async def close(self) -> None:
                await self._inner.close()
        """,
    )
    sources.replace(RUNTIME, "transport(spec)", "CountingTransport(transport(spec))")


@refactoring("the runtime's providers made by a comprehension's function")
def _(sources: Sources) -> None:
    sources.top(
        RUNTIME, "def _provider(spec, alias, connections, now):\n    return ProviderV2(spec, alias, connections, now)"
    )
    sources.replace(RUNTIME, "ProviderV2(spec, alias, connections, now)", "_provider(spec, alias, connections, now)")


@refactoring("a new endpoint through the flow")
def _(sources: Sources) -> None:
    sources.after(BUILD, "listed", 'fixed["/v2/chat/completions"] = DataEndpoint(plane, FIXED["/v1/chat/completions"])')


@refactoring("a new route that tells a constant")
def _(sources: Sources) -> None:
    sources.after(
        BUILD,
        "routes",
        """
        from starlette.requests import Request
        from starlette.responses import Response

        async def motto(request: Request) -> Response:
            return Response("one path")

        routes.append(Route("/motto", motto))
        """,
    )


# --- new things that reach nothing --------------------------------------------------------------------------


@refactoring("a type alias")
def _(sources: Sources) -> None:
    sources.top(HANDLER, "Heads: TypeAlias = list[tuple[bytes, bytes]]")


@refactoring("a new command that prints")
def _(sources: Sources) -> None:
    sources.end(VERSION, 'def motto(as_json: JsonOption = False) -> int:\n    print("one path")\n    return 0\n')
    sources.end("routecodex.cli.application:main", 'app.command("motto")(version.motto)')


@refactoring("a new command that asks the own server")
def _(sources: Sources) -> None:
    sources.end(
        STATUS,
        """
        def ping(config: ConfigOption = None, port: PortOption = None) -> int:
            from routecodex.cli.target_server import find

            return 0 if find(config, port).connect().get("/health").status == 200 else 1
        """,
    )
    sources.end("routecodex.cli.application:main", 'app.command("ping")(status.ping)')


@refactoring("values wrapped in a data class")
def _(sources: Sources) -> None:
    sources.top(
        LIST,
        """
        import dataclasses


        @dataclasses.dataclass(frozen=True)
        class Asked:
            scope: Scope
            receive: Receive
            send: Send
        """,
    )
    sources.begin(
        LIST, "asked = Asked(scope, receive, send)\nscope, receive, send = asked.scope, asked.receive, asked.send"
    )


@refactoring("a protocol and an enum")
def _(sources: Sources) -> None:
    sources.end(
        HEALTH.rpartition(".")[0],
        """
        import enum
        import typing


        class Mood(enum.Enum):
            GOOD = "good"
            BAD = "bad"


        class Tells(typing.Protocol):
            def tell(self, mood: Mood) -> str: ...
        """,
    )


@refactoring("a cached property of what is wired")
def _(sources: Sources) -> None:
    sources.top(WIRING, "import functools")
    sources.member(
        WIRING.rpartition(".")[0],
        """
        @functools.cached_property
        def title(self) -> str:
            return f"{len(self._config.providers)} providers"
        """,
    )


@refactoring("errors of the network library are told")
def _(sources: Sources) -> None:
    sources.top(HEALTH, "import socket\nimport urllib.error")
    sources.begin(
        HEALTH,
        """
        try:
            int("1")
        except (socket.gaierror, urllib.error.URLError, ConnectionError):
            pass
        """,
    )


@refactoring("an import for types only")
def _(sources: Sources) -> None:
    sources.top(
        MODELS,
        """
        if TYPE_CHECKING:
            from urllib.request import OpenerDirector

            from routecodex.providers.provider import ProviderV2


        def _named(opener: OpenerDirector | None, provider: ProviderV2 | None) -> str:
            return type(provider).__name__ if opener is None else ""
        """,
    )


@refactoring("a function on addresses")
def _(sources: Sources) -> None:
    sources.end(
        DOCTOR,
        """
        def _is_local(host: str) -> bool:
            import ipaddress
            import socket

            try:
                return ipaddress.ip_address(host).is_loopback
            except ValueError:
                return host == socket.gethostname()
        """,
    )


@refactoring("a log line in the socket")
def _(sources: Sources) -> None:
    sources.begin(SOCKET, 'import logging\n\nlogging.getLogger(__name__).debug("opened %s", scope["path"])')


@refactoring("a dispatch by match")
def _(sources: Sources) -> None:
    sources.begin(
        REFUSE,
        """
        match protocol:
            case Protocol.GEMINI:
                label = "gemini"
            case _:
                label = str(protocol.value)
        """,
    )


@refactoring("sorting, mapping and a walrus in a command")
def _(sources: Sources) -> None:
    sources.begin(
        VERSION,
        """
        if (names := sorted(map(str.lower, ("B", "a")), key=lambda one: (len(one), one))) and max(names, key=len):
            names.sort()
        """,
    )


@refactoring("comments, docstrings and constants")
def _(sources: Sources) -> None:
    sources.begin(FLOW, '# socket.create_connection(("192.0.2.1", 443))\nnote = "subprocess.run([\'curl\'])"\ndel note')
    sources.end(HANDLER, 'EXAMPLE: Final = "import socket; socket.create_connection()"')
