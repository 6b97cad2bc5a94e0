"""What is known of foreign names, as data: other names of the same thing, what calls give, and who calls back.

Tables only; `calls` and `models` interpret them.
"""

from __future__ import annotations

from functools import cache
from typing import Final

ALIASES: Final[dict[str, str]] = {
    "_socket": "socket",
    "_ssl": "ssl",
    "posix": "os",
    "nt": "os",
    "_operator": "operator",
    "_functools": "functools",
    "_pickle": "pickle",
    "_thread.start_new": "_thread.start_new_thread",
    "_io": "io",
    "_random": "random",
    "_datetime": "datetime",
    "_ctypes": "ctypes",
    "_posixsubprocess": "subprocess",
    "_winapi": "subprocess",
    "asyncio.streams": "asyncio",
    "asyncio.subprocess": "asyncio",
    "asyncio.events.AbstractEventLoop": "asyncio.AbstractEventLoop",
    "asyncio.base_events.BaseEventLoop": "asyncio.AbstractEventLoop",
    "asyncio.BaseEventLoop": "asyncio.AbstractEventLoop",
    "asyncio.SelectorEventLoop": "asyncio.AbstractEventLoop",
    "asyncio.ProactorEventLoop": "asyncio.AbstractEventLoop",
    "uvloop.Loop": "asyncio.AbstractEventLoop",
    "socket.SocketType": "socket.socket",
    "requests.sessions.Session": "requests.Session",
    "requests.sessions": "requests",
    "requests.api": "requests",
    "httpx._client": "httpx",
    "httpx._api": "httpx",
    "aiohttp.client.ClientSession": "aiohttp.ClientSession",
    "aiohttp.client": "aiohttp",
    "websockets.client": "websockets",
    "websockets.asyncio.client": "websockets",
    "concurrent.futures.thread.ThreadPoolExecutor": "concurrent.futures.ThreadPoolExecutor",
    "concurrent.futures.process.ProcessPoolExecutor": "concurrent.futures.ProcessPoolExecutor",
    "multiprocessing.pool.Pool": "multiprocessing.Pool",
    "multiprocessing.context.Process": "multiprocessing.Process",
    "importlib._bootstrap._gcd_import": "importlib.import_module",
    "importlib._bootstrap": "importlib",
    "builtins.__builtins__": "builtins",
    "typing_extensions": "typing",
    "sys.modules.get": "sys.modules.get",
    "os.posix_spawn": "os.posix_spawn",
    "pathlib._local": "pathlib",
}
"""The name on the left, and all below it, is the one on the right."""

_HEADS: Final = frozenset(name.partition(".")[0] for name in ALIASES)


@cache
def canonical(name: str) -> str:
    """The one name of a thing that has several."""
    if name.partition(".")[0] not in _HEADS:
        return name
    cut = name
    while cut:
        known = ALIASES.get(cut)
        if known is not None:
            return known + name[len(cut) :]
        cut = cut.rpartition(".")[0]
    return name


GIVES: Final[dict[str, str]] = {
    "asyncio.get_event_loop": "asyncio.AbstractEventLoop",
    "asyncio.get_running_loop": "asyncio.AbstractEventLoop",
    "asyncio.new_event_loop": "asyncio.AbstractEventLoop",
    "uvloop.new_event_loop": "asyncio.AbstractEventLoop",
    "asyncio.Runner.get_loop": "asyncio.AbstractEventLoop",
    "logging.getLogger": "logging.Logger",
    "ssl.create_default_context": "ssl.SSLContext",
    "ssl._create_unverified_context": "ssl.SSLContext",
    "ssl.SSLContext.wrap_socket": "ssl.SSLSocket",
    "ssl.wrap_socket": "ssl.SSLSocket",
    "requests.session": "requests.Session",
    "multiprocessing.get_context": "multiprocessing",
    "urllib.request.build_opener": "urllib.request.OpenerDirector",
    "socket.socket.makefile": "io.TextIOWrapper",
    "builtins.open": "io.TextIOWrapper",
    "pathlib.Path.open": "io.TextIOWrapper",
    "re.compile": "re.Pattern",
    "hashlib.sha256": "hashlib.HASH",
    "datetime.datetime.now": "datetime.datetime",
    "datetime.datetime.utcnow": "datetime.datetime",
    "os.environ.copy": "builtins.dict",
}
"""By callable: the name its result is known by, if it is not its own."""

NEVER_CALL: Final = frozenset(
    {
        "builtins.isinstance",
        "builtins.issubclass",
        "builtins.id",
        "builtins.hash",
        "builtins.callable",
        "builtins.print",
        "builtins.repr",
        "builtins.str",
        "builtins.len",
        "builtins.bool",
        "builtins.hasattr",
        "builtins.dir",
        "builtins.object",
        "builtins.delattr",
        "builtins.type.__prepare__",
        "builtins.type.mro",
        "typing.cast",
        "typing.get_type_hints",
        "typing.get_args",
        "typing.get_origin",
        "typing.assert_type",
        "typing.assert_never",
        "inspect.signature",
        "inspect.iscoroutinefunction",
        "inspect.iscoroutine",
        "inspect.isfunction",
        "inspect.isclass",
        "inspect.ismethod",
        "inspect.isawaitable",
        "inspect.isasyncgenfunction",
        "inspect.isgeneratorfunction",
        "inspect.getsource",
        "inspect.getdoc",
        "inspect.getfile",
        "inspect.getmodule",
        "asyncio.iscoroutinefunction",
        "asyncio.iscoroutine",
        "asyncio.isfuture",
        "dataclasses.is_dataclass",
        "dataclasses.fields",
        "dataclasses.asdict",
        "dataclasses.astuple",
        "msgspec.structs.fields",
        "msgspec.structs.asdict",
        "msgspec.structs.astuple",
        "warnings.warn",
        "contextvars.ContextVar",
        "weakref.ref",
        "sys.getsizeof",
        "sys.getrefcount",
        "gc.collect",
    }
)
"""Foreign callables that call nothing of what they are given."""

LOGGED: Final = frozenset(
    {
        "debug", "info", "warning", "warn", "error",
        "critical", "exception", "log", "getLogger", "isEnabledFor", "bind",
        "msg", "fatal", "setLevel", "getEffectiveLevel", "get_logger", "addLevelName", "getLevelName",
    }
)  # fmt: skip
"""Methods of loggers: they call nothing they are given, but turn it into text."""

_SHOWN: Final = ("__str__", "__repr__", "__format__")
_COMPARED: Final = ("__lt__", "__gt__", "__le__", "__ge__", "__eq__", "__hash__")
DUNDERS: Final[dict[str, tuple[str, ...]]] = {
    **{
        f"logging.{prefix}{name}": _SHOWN
        for prefix in ("", "Logger.")
        for name in ("debug", "info", "warning", "error", "critical", "exception", "log")
    },
    "sys.getsizeof": ("__sizeof__",),
    "operator.length_hint": ("__len__", "__length_hint__"),
    "operator.index": ("__index__",),
    "math.floor": ("__floor__", "__float__"),
    "math.ceil": ("__ceil__", "__float__"),
    "math.trunc": ("__trunc__",),
    "math.sqrt": ("__float__", "__index__"),
    "os.fspath": ("__fspath__",),
    "os.path.join": ("__fspath__",),
    "os.stat": ("__fspath__",),
    "os.path.exists": ("__fspath__",),
    "pathlib.Path": ("__fspath__",),
    "pathlib.PurePath": ("__fspath__",),
    "builtins.open": ("__fspath__", "__index__"),
    "builtins.sum": ("__add__", "__radd__"),
    "builtins.any": ("__bool__", "__len__"),
    "builtins.all": ("__bool__", "__len__"),
    "builtins.filter": ("__bool__", "__len__"),
    "itertools.accumulate": ("__add__",),
    "itertools.chain.from_iterable": ("__iter__",),
    "itertools.compress": ("__bool__", "__len__"),
    "itertools.groupby": ("__eq__",),
    "statistics.mean": ("__add__", "__radd__", "__float__", "__truediv__"),
    "math.fsum": ("__float__",),
    "math.prod": ("__mul__", "__rmul__"),
    "collections.Counter": ("__hash__", "__eq__"),
    "collections.Counter.update": ("__hash__", "__eq__"),
    "builtins.set": ("__hash__", "__eq__"),
    "builtins.frozenset": ("__hash__", "__eq__"),
    "builtins.list": ("__length_hint__", "__len__"),
    "builtins.tuple": ("__length_hint__", "__len__"),
    "builtins.bytes": ("__bytes__", "__index__", "__buffer__"),
    "builtins.memoryview": ("__buffer__",),
    "builtins.hex": ("__index__",),
    "builtins.oct": ("__index__",),
    "builtins.bin": ("__index__",),
    "builtins.chr": ("__index__",),
    "builtins.range": ("__index__",),
    "builtins.reversed": ("__reversed__", "__len__", "__getitem__"),
    "builtins.len": ("__len__",),
    "builtins.repr": ("__repr__",),
    "builtins.str": ("__str__", "__repr__"),
    "builtins.print": ("__str__", "__repr__"),
    "builtins.dir": ("__dir__",),
    "bisect.insort": _COMPARED,
    "bisect.bisect": _COMPARED,
    "heapq.heappush": _COMPARED,
    "heapq.heapify": _COMPARED,
    "heapq.heappop": _COMPARED,
    "urllib.parse.urlencode": _SHOWN,
    "reprlib.repr": ("__repr__",),
    **{f"pprint.{name}": ("__repr__", "__lt__") for name in ("pformat", "pprint", "pp", "saferepr")},
    "warnings.warn": ("__str__", "__repr__"),
    "graphlib.TopologicalSorter": _COMPARED,
    "graphlib.TopologicalSorter.add": _COMPARED,
    "json.dumps": (),
    "pickle.dumps": ("__reduce_ex__", "__reduce__", "__getstate__", "__getnewargs__", "__getnewargs_ex__"),
    "pickle.dump": ("__reduce_ex__", "__reduce__", "__getstate__", "__getnewargs__", "__getnewargs_ex__"),
}
"""By foreign callable: the dunders of its arguments, and of what these hold, that it calls."""

OF_ELEMENTS: Final = frozenset(
    {
        "builtins.sum", "builtins.set", "builtins.frozenset",
        "builtins.repr", "builtins.str", "builtins.print", "builtins.any", "builtins.all", "builtins.filter",
        "itertools.accumulate", "itertools.chain.from_iterable", "itertools.compress", "itertools.groupby",
        "statistics.mean", "math.fsum", "math.prod", "collections.Counter", "collections.Counter.update",
        "urllib.parse.urlencode", "reprlib.repr", "pprint.pformat", "pprint.pprint", "pprint.pp", "pprint.saferepr",
        "graphlib.TopologicalSorter", "pickle.dumps", "pickle.dump", "bisect.insort", "bisect.bisect",
        "heapq.heappush", "heapq.heapify", "heapq.heappop",
    }
) | {name for name in DUNDERS if name.startswith("logging.")}  # fmt: skip
"""Those that do so with what a container holds, too."""

PICKLES: Final = frozenset({"shelve.BsdDbShelf", "shelve.DbfilenameShelf", "shelve.Shelf"})
"""Mappings that pickle what is set in them."""

MIXINS: Final[dict[str, tuple[str, ...]]] = {
    "append": ("insert", "__len__"),
    "extend": ("insert", "__len__"),
    "reverse": ("__getitem__", "__setitem__", "__len__"),
    "__init__": ("update", "__setitem__", "extend", "append"),
    "pop": ("__getitem__", "__delitem__", "__iter__", "discard"),
    "popitem": ("__iter__", "__getitem__", "__delitem__"),
    "remove": ("__delitem__", "__getitem__", "__contains__", "discard"),
    "clear": ("pop", "__iter__", "discard", "__delitem__", "__getitem__"),
    "insert": (),
    "index": ("__getitem__", "__len__"),
    "count": ("__iter__", "__getitem__"),
    "get": ("__getitem__",),
    "keys": ("__iter__",),
    "items": ("__iter__", "__getitem__"),
    "values": ("__iter__", "__getitem__"),
    "update": ("__setitem__",),
    "setdefault": ("__getitem__", "__setitem__"),
    "isdisjoint": ("__iter__", "__contains__"),
    "__contains__": ("__iter__", "__getitem__", "__len__"),
    "__iter__": ("__getitem__", "__len__"),
    "__reversed__": ("__getitem__", "__len__"),
    "__eq__": ("__iter__", "__getitem__", "__len__", "__contains__"),
    "__iadd__": ("insert", "__len__"),
    "__ge__": ("__len__", "__iter__", "__contains__"),
    "__gt__": ("__len__", "__iter__", "__contains__"),
    "__le__": ("__len__", "__iter__", "__contains__"),
    "__lt__": ("__len__", "__iter__", "__contains__"),
    **{
        f"__{prefix}{name}__": ("__contains__", "__iter__", "_from_iterable")
        for prefix in ("", "r")
        for name in ("or", "and", "sub", "xor")
    },
    "__iand__": ("__contains__", "__iter__", "discard", "_from_iterable"),
    "__ior__": ("add",),
    "__isub__": ("discard", "clear"),
    "__ixor__": ("__contains__", "add", "discard", "_from_iterable"),
    "_hash": ("__len__", "__iter__"),
    "__next__": ("send",),
    "__anext__": ("asend",),
    "aclose": ("athrow",),
    "close": ("throw",),
}
"""What the mixin methods of `collections.abc` call of the class's own."""

NUMBER_MIXINS: Final[dict[str, tuple[str, ...]]] = {
    "__sub__": ("__add__", "__neg__"),
    "__rsub__": ("__add__", "__radd__", "__neg__"),
    "__bool__": ("__eq__",),
    "__divmod__": ("__floordiv__", "__mod__"),
    "__rdivmod__": ("__rfloordiv__", "__rmod__"),
    "__complex__": ("__float__",),
    "__float__": ("numerator", "denominator", "__int__"),
    "__index__": ("__int__",),
    "__pos__": (),
    "real": ("__pos__",),
    "conjugate": ("__pos__",),
    "numerator": ("__pos__",),
}
"""What those of `numbers` do."""

TAKES_OVER: Final = frozenset(
    {
        "sys.meta_path.append", "sys.meta_path.insert", "sys.path_hooks.append", "sys.path_hooks.insert",
        "contextlib.redirect_stdout", "contextlib.redirect_stderr", "builtins.__import__", "sys.excepthook",
        "socketserver.TCPServer", "asyncio.set_event_loop_policy", "codecs.register", "json.load", "pickle.dump",
        "pickle.load", "pickle.Pickler", "pickle.Unpickler", "marshal.dump", "marshal.load", "logging.StreamHandler",
        "asyncio.AbstractEventLoop.set_task_factory", "urllib.request.build_opener", "urllib.request.install_opener",
    }
)  # fmt: skip
"""What an object is given to, to be used in place of Python's own."""
TAKES_OVER_BELOW: Final = (
    "argparse.", "asyncio.AbstractEventLoop.run_in_executor", "asyncio.AbstractEventLoop.set_default_executor",
    "asyncio.events.", "bz2.", "cmd.", "codecs.", "configparser.", "csv.", "dis.", "doctest.", "email.",
    "fileinput.", "ftplib.", "gettext.", "gzip.", "http.client.", "http.cookiejar.", "http.server.", "io.",
    "logging.config.", "lzma.", "mailbox.", "optparse.", "plistlib.", "pprint.", "pstats.", "select.", "selectors.",
    "shlex.", "shutil.", "socketserver.", "sqlite3.Connection.create_", "sys.path_importer_cache", "sys.std",
    "tarfile.", "tokenize.", "tomllib.", "trace.", "traceback.", "unittest.FunctionTestCase.", "unittest.TestCase.",
    "unittest.TestSuite.", "unittest.TextTestRunner.", "unittest.case.", "unittest.runner.", "unittest.suite.",
    "urllib.request.", "wave.", "wsgiref.", "xml.", "xmlrpc.", "zipfile.",
)  # fmt: skip
"""All below these do so too."""
PROTOCOL: Final = frozenset(
    {
        "__iter__", "__next__", "__aiter__", "__anext__", "__await__", "__getitem__", "__setitem__", "__delitem__",
        "__len__", "__contains__", "__enter__", "__exit__", "__aenter__", "__aexit__", "__int__", "__index__",
        "__float__",
        "__fspath__", "__bytes__", "__buffer__", "__conform__", "__html__", "__reversed__", "__length_hint__",
        "__getattr__", "__getattribute__", "__missing__",
    }
)  # fmt: skip
"""What foreign code calls of objects it is given, whatever they are."""

NEVER_CALL_BELOW: Final = ("re", "math", "string")
"""All below these call nothing they are given; handlers and their like excepted."""
NEVER_CALL_BUT: Final = frozenset({"re.Scanner", "re.sub", "re.subn", "re.Pattern.sub", "re.Pattern.subn"})

PASSES_ON: Final[dict[str, int]] = {
    "asyncio.to_thread": 0,
    "asyncio.AbstractEventLoop.call_soon": 0,
    "asyncio.AbstractEventLoop.call_soon_threadsafe": 0,
    "asyncio.AbstractEventLoop.call_later": 1,
    "asyncio.AbstractEventLoop.call_at": 1,
    "asyncio.AbstractEventLoop.run_in_executor": 1,
    "asyncio.AbstractEventLoop.add_signal_handler": 1,
    "asyncio.AbstractEventLoop.add_reader": 1,
    "asyncio.AbstractEventLoop.add_writer": 1,
    "anyio.run": 0,
    "anyio.to_thread.run_sync": 0,
    "anyio.from_thread.run": 0,
    "starlette.concurrency.run_in_threadpool": 0,
    "contextvars.Context.run": 0,
    "contextvars.copy_context.run": 0,
    "atexit.register": 0,
    "weakref.finalize": 1,
    "contextlib.ExitStack.callback": 0,
    "contextlib.AsyncExitStack.callback": 0,
    "contextlib.AsyncExitStack.push_async_callback": 0,
    "sched.scheduler.enter": 2,
    "sched.scheduler.enterabs": 2,
    "unittest.TestCase.addCleanup": 0,
    "curses.wrapper": 0,
    "trio.run": 0,
    "tornado.ioloop.IOLoop.add_callback": 0,
}
"""Foreign callables that call the argument at this index with the ones after it."""

GIVES_ITS_RESULT: Final = frozenset(
    {
        "asyncio.to_thread", "asyncio.AbstractEventLoop.run_in_executor", "anyio.to_thread.run_sync", "anyio.run",
        "starlette.concurrency.run_in_threadpool", "contextvars.Context.run", "contextvars.copy_context.run",
    }
)  # fmt: skip
"""Of those: what comes of the call, awaited or not, is what the callable gives, and nothing else."""


_HTTP_HANDLER: Final = (
    "setup", "handle", "handle_one_request", "finish", "parse_request", "do_*", "send_error", "log_*", "version_string",
)  # fmt: skip
_FILES: Final = (
    "IOBase", "RawIOBase", "BufferedIOBase", "TextIOBase", "FileIO", "BytesIO", "StringIO", "BufferedReader",
    "BufferedWriter", "BufferedRandom", "TextIOWrapper",
)  # fmt: skip
CALLS_BACK: Final[dict[str, tuple[str, ...]]] = {
    "threading.Thread.start": ("run",),
    "threading.Thread.run": (),
    "threading.Timer.start": ("run",),
    "multiprocessing.Process.start": ("run",),
    **{
        f"ast.{base}.{method}": ("visit_*", "visit", "generic_visit")
        for base in ("NodeVisitor", "NodeTransformer")
        for method in ("visit", "generic_visit")
    },
    "libcst.CSTNode.visit": ("visit_*", "leave_*"),
    "html.parser.HTMLParser.feed": ("handle_*",),
    "json.JSONEncoder.encode": ("default",),
    "json.JSONEncoder.iterencode": ("default",),
    "logging.Handler.handle": ("emit", "format", "filter"),
    "string.Formatter.format": (
        "vformat",
        "parse",
        "get_value",
        "get_field",
        "format_field",
        "convert_field",
        "check_unused_args",
    ),
    "cmd.Cmd.cmdloop": (
        "onecmd",
        "do_*",
        "help_*",
        "complete_*",
        "default",
        "emptyline",
        "parseline",
        "precmd",
        "postcmd",
        "preloop",
        "postloop",
        "completedefault",
        "completenames",
    ),
    "cmd.Cmd.onecmd": ("do_*", "help_*", "default", "emptyline", "parseline"),
    "socketserver.BaseServer.serve_forever": ("process_request", "verify_request", "service_actions"),
    **{
        f"unittest.{base}.{method}": (
            "test*",
            "setUp*",
            "tearDown*",
            "runTest",
            "asyncSetUp",
            "asyncTearDown",
            "defaultTestResult",
        )
        for base in ("TestCase", "IsolatedAsyncioTestCase")
        for method in ("run", "debug", "__call__")
    },
    "collections.abc.Mapping.get": ("__getitem__",),
    "collections.abc.MutableMapping.update": ("__setitem__",),
    "collections.abc.MutableMapping.pop": ("__getitem__", "__delitem__"),
    "collections.abc.MutableMapping.setdefault": ("__getitem__", "__setitem__"),
    "collections.abc.Sequence.index": ("__getitem__", "__len__"),
    "collections.UserDict.get": ("__getitem__",),
    "collections.UserDict.update": ("__setitem__",),
    "collections.UserList.append": (),
    **{
        f"argparse.ArgumentParser.{method}": (
            "error",
            "exit",
            "convert_arg_line_to_args",
            "format_*",
            "print_*",
            "parse_known_args",
            "_*",
        )
        for method in ("parse_args", "parse_known_args", "parse_intermixed_args")
    },
    "socketserver.BaseRequestHandler.__init__": ("setup", "handle", "finish"),
    "socketserver.StreamRequestHandler.__init__": ("setup", "handle", "finish"),
    "socketserver.DatagramRequestHandler.__init__": ("setup", "handle", "finish"),
    "http.server.BaseHTTPRequestHandler.__init__": _HTTP_HANDLER,
    "http.server.SimpleHTTPRequestHandler.__init__": _HTTP_HANDLER,
    "http.server.CGIHTTPRequestHandler.__init__": _HTTP_HANDLER,
    **{
        f"http.cookies.{base}.{method}": ("value_encode", "value_decode", "load")
        for base in ("BaseCookie", "SimpleCookie")
        for method in ("__init__", "__setitem__")
    },
    **{f"gettext.{base}.__init__": ("_parse",) for base in ("NullTranslations", "GNUTranslations")},
    **{
        f"enum.{base}.{method}": ("_missing_",)
        for base in ("Flag", "IntFlag")
        for method in ("__or__", "__and__", "__xor__", "__invert__", "__ror__", "__rand__", "__rxor__")
    },
    **{f"io.{base}.__del__": ("close", "flush") for base in _FILES},
    "sched.scheduler.run": (),
    "code.InteractiveConsole.interact": ("runsource", "push", "raw_input"),
    "builtins.type.__call__": (),
    **{
        f"builtins.{base}.{method}": ("derive",)
        for base in ("ExceptionGroup", "BaseExceptionGroup")
        for method in ("split", "subgroup")
    },
}
"""Foreign methods that call an object's own methods (a template): by inherited method, the names; `*` ends a start."""

_DATES: Final = ("fromisocalendar", "fromisoformat", "fromordinal", "fromtimestamp", "strptime", "today")
MAKES_ITS_CLASS: Final[dict[str, tuple[str, ...]]] = {
    **{f"datetime.date.{method}": () for method in _DATES},
    **{f"datetime.datetime.{method}": () for method in (*_DATES, "combine", "now", "utcfromtimestamp", "utcnow")},
    **{f"datetime.time.{method}": () for method in ("fromisoformat", "strptime")},
    **{
        f"{base}.fromkeys": ("__setitem__",)
        for base in ("builtins.dict", "collections.OrderedDict", "collections.UserDict", "collections.defaultdict")
    },
    "builtins.int.from_bytes": (),
    **{f"builtins.{base}.fromhex": () for base in ("bytearray", "bytes", "float")},
    **{
        f"pathlib.{base}.{method}": ()
        for base in ("Path", "PosixPath", "WindowsPath")
        for method in ("cwd", "from_uri", "home")
    },
    **{f"fractions.Fraction.{method}": () for method in ("from_decimal", "from_float", "from_number")},
    **{f"decimal.Decimal.{method}": () for method in ("from_float", "from_number")},
    "itertools.chain.from_iterable": (),
    **{f"tarfile.TarFile.{method}": () for method in ("bz2open", "gzopen", "open", "taropen", "xzopen")},
    **{f"tarfile.TarInfo.{method}": () for method in ("frombuf", "fromtarfile")},
    "traceback.TracebackException.from_exception": (),
    "zipfile.ZipInfo.from_file": (),
}
"""Foreign class methods that make an object of the class they are called on, and what they then call of it with a key
and a value."""

OPAQUE_CALLS: Final[dict[str, str]] = {
    "pickle.loads": "what is unpickled is not known",
    "pickle.load": "what is unpickled is not known",
    "pickle.Unpickler.load": "what is unpickled is not known",
    "marshal.loads": "what is read is not known",
    "marshal.load": "what is read is not known",
    "shelve.open": "what is unpickled is not known",
    "dill.loads": "what is unpickled is not known",
    "cloudpickle.loads": "what is unpickled is not known",
    "jsonpickle.decode": "what is made is not known",
    "yaml.unsafe_load": "what is made is not known",
    "yaml.full_load": "what is made is not known",
    "gc.get_objects": "any object may come out",
    "gc.get_referrers": "any object may come out",
    "gc.get_referents": "any object may come out",
    "zipimport.zipimporter.load_module": "what the archive holds is not known",
    "zipimport.zipimporter.exec_module": "what the archive holds is not known",
    "zipimport.zipimporter.get_code": "what the archive holds is not known",
    "types.CodeType": "code is made of bytes",
    "sys._getframe": "frames hold names that are not followed",
    "sys._current_frames": "frames hold names that are not followed",
    "sys.settrace": "",
    "inspect.currentframe": "frames hold names that are not followed",
    "inspect.getgeneratorlocals": "frames hold names that are not followed",
    "inspect.getcoroutinelocals": "frames hold names that are not followed",
    "inspect.getasyncgenlocals": "frames hold names that are not followed",
    "sys.modules.items": "any module may come out",
    "sys.modules.values": "any module may come out",
    "sys.modules.copy": "any module may come out",
    "inspect.stack": "frames hold names that are not followed",
    "inspect.getouterframes": "frames hold names that are not followed",
    "inspect.trace": "frames hold names that are not followed",
    "importlib.metadata.entry_points.load": "which object is loaded is not known",
    "importlib.metadata.EntryPoint.load": "which object is loaded is not known",
    "pkg_resources.iter_entry_points.load": "which object is loaded is not known",
    "pkg_resources.load_entry_point": "which object is loaded is not known",
    "code.interact": "what is typed is not known",
    "ctypes.CDLL": "native code is called",
    "ctypes.PyDLL": "native code is called",
    "ctypes.WinDLL": "native code is called",
    "ctypes.cdll.LoadLibrary": "native code is called",
    "ctypes.util.find_library": "",
    "ctypes.CFUNCTYPE": "native code is called",
    "ctypes.PYFUNCTYPE": "native code is called",
    "ctypes.cast": "native memory is read as an object",
    "ctypes.py_object.from_address": "native memory is read as an object",
    "cffi.FFI.dlopen": "native code is called",
}
"""Foreign calls that cannot be followed, and why; empty if they are no matter by themselves."""

OPAQUE_BELOW: Final = ("ctypes.pythonapi", "ctypes.cdll", "ctypes.windll", "ctypes.CDLL", "ctypes.PyDLL")
