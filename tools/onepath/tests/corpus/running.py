"""Runs applications of the corpus with their sinks stubbed, and tells how each sink was reached.

    python running.py < [{"id": …, "folder": …, "call": …}, …]  > one JSON line per application

Each runs in a forked process of its own. The interpreter's audit events tell of every connection and process before it
happens, whatever way the code takes; the operation is then refused with an OSError. At that moment the stack says which
mandated nodes were passed, in order; a thread, task or callback goes on from the stack that started it. What reaches
`ProviderV2.send` is forged unless its `__init__` ran below `HubPipeline.plan`.

Standard library only; it knows the nodes of the base applications and nothing of onepath.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import contextvars
import faulthandler
import functools
import gc
import importlib
import importlib.metadata
import inspect
import json
import multiprocessing
import os
import signal
import sys
import threading
import types
import warnings
from typing import Any

NODES = (("app/flow.py", "RequestFlow.run"), ("app/provider.py", "ProviderV2.send"))
PLAN = ("app/pipeline.py", "HubPipeline.plan")
MADE = ("app/upstream.py", "UpstreamRequest.__init__")
SINKS = frozenset(
    {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "socket.sendto",
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.fork",
        "os.forkpty",
        "corpus.sink",
    }
)
SECONDS = 20
_LATE = f"no answer within {SECONDS} s"

_passed: contextvars.ContextVar[int] = contextvars.ContextVar("passed", default=0)


class RefusedError(OSError):
    """What a sink answers here."""


class Record:
    """What one application did."""

    def __init__(self, folder: str) -> None:
        self.folder = folder + os.sep
        self.reached: list[dict[str, Any]] = []
        self.forged = False
        self.sent = 0
        self._made: list[object] = []
        self.watching = False
        self.calls: set[types.CodeType] = set()

    def node(self, code: types.CodeType) -> tuple[str, str]:
        """File, relative, and qualified name."""
        return code.co_filename.removeprefix(self.folder).replace(os.sep, "/"), code.co_qualname

    def frames(self, frame: types.FrameType | None) -> list[types.FrameType]:
        """Outermost first."""
        found = []
        while frame is not None:
            found.append(frame)
            frame = frame.f_back
        found.reverse()
        return found

    def progress(self, frame: types.FrameType | None) -> int:
        """How many of the nodes were passed on the way to this frame."""
        passed = _passed.get()
        for one in self.frames(frame):
            if passed < len(NODES) and self.node(one.f_code) == NODES[passed]:
                passed += 1
        return passed

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse a sink and remember its stack."""
        if not self.watching or event not in SINKS:
            return
        frame = sys._getframe(1)
        lines = [
            f"{self.node(one.f_code)[0]}:{one.f_lineno}"
            for one in self.frames(frame)
            if one.f_code.co_filename.startswith(self.folder)
        ]
        sink = str(arguments[0]) if event == "corpus.sink" else event
        self.reached.append({"sink": sink, "passed": self.progress(frame), "lines": lines})
        raise RefusedError(f"{sink} is refused here")

    def profile(self, frame: types.FrameType, event: str, argument: object) -> None:
        """Watch values: made below the plan, or not."""
        if event != "call":
            return
        code = frame.f_code
        if code.co_name not in ("__init__", "send"):
            return
        node = self.node(code)
        if node == MADE:
            if any(self.node(one.f_code) == PLAN for one in self.frames(frame)):
                self._made.append(frame.f_locals["self"])
        elif node == NODES[1]:
            self.sent += 1
            value = frame.f_locals.get("request")
            if not any(one is value for one in self._made):
                self.forged = True


def _spawns_go_on(record: Record) -> None:
    """Threads, pools, tasks and callbacks go on from where they were started."""

    def carrying(function: Any) -> Any:
        passed = record.progress(sys._getframe(2))

        @functools.wraps(function, assigned=())
        def bound(*args: Any, **kwargs: Any) -> Any:
            _passed.set(passed)
            return function(*args, **kwargs)

        return bound

    start = threading.Thread.start

    def started(self: threading.Thread) -> None:
        self.run = carrying(self.run)  # type: ignore[method-assign]
        start(self)

    threading.Thread.start = started  # type: ignore[method-assign]

    submit = concurrent.futures.ThreadPoolExecutor.submit

    def submitted(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        return submit(self, carrying(fn), *args, **kwargs)

    concurrent.futures.ThreadPoolExecutor.submit = submitted  # type: ignore[method-assign]

    import _thread

    new_thread = _thread.start_new_thread
    _thread.start_new_thread = lambda fn, *rest: new_thread(carrying(fn), *rest)

    def in_place(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future

    concurrent.futures.ProcessPoolExecutor.submit = in_place  # type: ignore[method-assign]
    multiprocessing.Process.start = lambda self: self.run()  # type: ignore[method-assign]
    multiprocessing.Process.join = lambda self, timeout=None: None  # type: ignore[method-assign]

    def within(context: contextvars.Context | None) -> contextvars.Context:
        passed = record.progress(sys._getframe(2))
        context = context or contextvars.copy_context()
        if not context.get(_passed, 0):
            context.run(_passed.set, passed)
        return context

    loop = asyncio.BaseEventLoop
    create_task, call_soon, call_at = loop.create_task, loop.call_soon, loop.call_at
    call_threadsafe = loop.call_soon_threadsafe

    def task(self: Any, coro: Any, *, name: Any = None, context: Any = None, **more: Any) -> Any:
        return create_task(self, coro, name=name, context=within(context), **more)

    def soon(self: Any, callback: Any, *args: Any, context: Any = None) -> Any:
        return call_soon(self, callback, *args, context=context or within(None))

    def at(self: Any, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        return call_at(self, when, callback, *args, context=context or within(None))

    def threadsafe(self: Any, callback: Any, *args: Any, context: Any = None) -> Any:
        return call_threadsafe(self, callback, *args, context=context or within(None))

    loop.create_task, loop.call_soon, loop.call_at = task, soon, at  # type: ignore[method-assign, assignment]
    loop.call_soon_threadsafe = threadsafe  # type: ignore[method-assign, assignment]


def _client(name: str, *operations: str) -> None:
    """A third-party HTTP client that only says that it was used."""

    def operation(name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            sys.audit("corpus.sink", name)

        return call

    module = types.ModuleType(name)
    for one in operations:
        setattr(module, one, operation(f"{name}.{one}"))

    class Client:
        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        async def __aenter__(self) -> Any:
            return self

        async def __aexit__(self, *_: object) -> None:
            return None

    for one in operations:
        setattr(Client, one, operation(f"{name}.Client.{one}"))
    for alias in ("Client", "AsyncClient", "Session", "ClientSession"):
        setattr(module, alias, Client)
    sys.modules[name] = module


class Route:
    """What a web framework gives to register an endpoint with; it keeps and calls."""

    def __init__(self, path: str, endpoint: Any) -> None:
        self.path = path
        self.endpoint = endpoint
        ENDPOINTS.append(endpoint)


class Framework:
    """A web framework's application object."""

    def get(self, path: str) -> Any:
        """Register by decorator."""

        def register(endpoint: Any) -> Any:
            ENDPOINTS.append(endpoint)
            return endpoint

        return register

    post = command = get


ENDPOINTS: list[Any] = []


def _framework() -> None:
    web = types.ModuleType("web")
    web.Route = Route  # type: ignore[attr-defined]
    web.Framework = Framework  # type: ignore[attr-defined]
    sys.modules["web"] = web


class Explosive:
    """Pickles to a command."""

    def __reduce__(self) -> Any:
        return (os.system, ("curl http://192.0.2.1/",))


def _request() -> dict[str, Any]:
    import pickle

    return {
        "body": b"{}",
        "name": "open_upstream",
        "module": "app.transport",
        "operation": "open",
        "text": "__import__('os').system('curl http://192.0.2.1/')",
        "pickle": pickle.dumps(Explosive()),
        "headers": {"host": "example.org"},
        "number": 0,
    }


def _consumed(result: Any) -> None:
    """A handler's answer is awaited or read to its end, as a server would."""
    if inspect.iscoroutine(result):
        _consumed(asyncio.run(result))
    elif inspect.isgenerator(result):
        for _ in result:
            pass
    elif inspect.isasyncgen(result):

        async def read() -> None:
            async for _ in result:
                pass

        asyncio.run(read())


def run(folder: str, call: str) -> dict[str, Any]:
    """Run one application in this very process, which is spent afterwards."""
    record = Record(folder)
    error = ""
    sys.path.insert(0, folder)
    os.chdir(folder)
    importlib.invalidate_caches()
    for client in ("requests", "httpx", "aiohttp"):
        _client(client, "get", "post", "request", "stream")
    _framework()
    _spawns_go_on(record)
    request = _request()
    sys.addaudithook(record.audit)
    warnings.simplefilter("ignore")
    sys.setprofile(record.profile)
    threading.setprofile(record.profile)
    record.watching = True
    try:
        entry = importlib.import_module("app.entry")
        names = {"request": request, "endpoints": ENDPOINTS, **vars(entry)}
        _consumed(eval(call, names))  # noqa: S307 - the corpus is this repository's own text
    except RefusedError:
        pass
    except SystemExit:
        pass
    except BaseException as caught:
        error = f"{type(caught).__name__}: {caught}"
        if any(isinstance(one, RefusedError) for one in _causes(caught)) or sys.excepthook is not sys.__excepthook__:
            error = ""
        with contextlib.suppress(Exception):
            sys.excepthook(type(caught), caught, caught.__traceback__)
        del caught
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
    gc.collect()
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
    sys.setprofile(None)
    record.watching = False
    return {"reached": record.reached, "forged": record.forged, "sent": record.sent, "error": error}


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or any(one is other for other in found):
            continue
        found.append(one)
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
    return found


def forked(folder: str, call: str) -> dict[str, Any]:
    """Run one application in a process of its own."""
    reading, writing = os.pipe()
    written = json.dumps
    child = os.fork()
    if child == 0:
        os.close(reading)
        silent = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            if not (number == 2 and os.environ.get("CORPUS_STDERR")):
                os.dup2(silent, number)
        faulthandler.disable()
        signal.alarm(SECONDS)
        answer = {"reached": [], "forged": False, "sent": 0, "error": "ended early"}
        try:
            answer = run(folder, call)
        finally:
            os.write(writing, written(answer).encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    if not told:
        return {"reached": [], "forged": False, "sent": 0, "error": _LATE}
    return dict(json.loads(told))


def main() -> None:
    """Answer for each application, in the order given."""
    for module in (
        "encodings.idna",
        "http.client",
        "logging.handlers",
        "smtplib",
        "ftplib",
        "urllib.request",
        "subprocess",
        "unittest.mock",
    ):
        importlib.import_module(module)
    for task in json.load(sys.stdin):
        answer = forked(task["folder"], task["call"])
        if answer["error"] == _LATE:
            # On a busy machine one pool of threads in thousands does not end; one that never does is a fault.
            answer = forked(task["folder"], task["call"])
        print(json.dumps({"id": task["id"], **answer}), flush=True)


if __name__ == "__main__":
    main()
