"""Foreign operations by what they do, as data: `@network`, `@process`, and what pure code does not use.

Real operations only: making a client, looking up a constant or catching an exception reaches nothing. Listening is not
an outgoing connection. A name stands for itself alone; one that ends in `.*` for all below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from onepath.rules.names import meaning

_REQUEST_METHODS: Final = ("get", "post", "put", "patch", "delete", "head", "options", "request")


def _all(prefix: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for name in names)


NETWORK: Final[tuple[str, ...]] = (
    "socket.create_connection",
    *_all(
        "socket.socket",
        ("connect", "connect_ex", "send", "sendall", "sendto", "sendmsg", "sendfile", "sendmsg_afalg"),
    ),
    *_all("socket", ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo", "getfqdn")),
    *_all("ssl.SSLSocket", ("connect", "connect_ex", "send", "sendall")),
    "ssl.get_server_certificate",
    *_all("asyncio", ("open_connection", "open_unix_connection")),
    *_all(
        "asyncio.AbstractEventLoop",
        (
            "create_connection", "create_unix_connection", "create_datagram_endpoint", "sock_connect", "sock_sendall",
            "sock_sendto", "sock_sendfile", "sendfile",
            "start_tls", "getaddrinfo", "getnameinfo", "connect_accepted_socket",
        ),
    ),
    *_all("http.client.HTTPConnection", ("connect", "request", "putrequest", "endheaders", "send")),
    *_all("http.client.HTTPSConnection", ("connect", "request", "putrequest", "endheaders", "send")),
    *_all("urllib.request", ("urlopen", "urlretrieve")),
    *_all("urllib.request.OpenerDirector", ("open", "error")),
    *_all("urllib.request.URLopener", ("open", "retrieve")),
    *_all("urllib.request.FancyURLopener", ("open", "retrieve")),
    *_all("urllib.request.HTTPHandler", ("http_open", "do_open")),
    *_all("urllib.request.HTTPSHandler", ("https_open", "do_open")),
    "urllib.request.AbstractHTTPHandler.do_open",
    *_all("urllib3", ("request",)),
    *_all("urllib3.PoolManager", ("request", "urlopen", "request_encode_url", "request_encode_body")),
    *_all("urllib3.ProxyManager", ("request", "urlopen")),
    *_all("urllib3.HTTPConnectionPool", ("request", "urlopen")),
    *_all("urllib3.HTTPSConnectionPool", ("request", "urlopen")),
    *_all("requests", _REQUEST_METHODS),
    *_all("requests.Session", (*_REQUEST_METHODS, "send")),
    *_all("requests.adapters.HTTPAdapter", ("send",)),
    *_all("httpx", (*_REQUEST_METHODS, "stream")),
    *_all("httpx.Client", (*_REQUEST_METHODS, "send", "stream")),
    *_all("httpx.AsyncClient", (*_REQUEST_METHODS, "send", "stream")),
    *_all("httpx.HTTPTransport", ("handle_request",)),
    *_all("httpx.AsyncHTTPTransport", ("handle_async_request",)),
    *_all("httpcore.ConnectionPool", ("request", "stream", "handle_request")),
    *_all("httpcore.AsyncConnectionPool", ("request", "stream", "handle_async_request")),
    *_all("aiohttp", ("request",)),
    *_all("aiohttp.ClientSession", (*_REQUEST_METHODS, "ws_connect", "_request")),
    *_all("aiohttp.TCPConnector", ("connect",)),
    *_all("aiohttp.UnixConnector", ("connect",)),
    *_all("niquests", _REQUEST_METHODS),
    *_all("pycurl.Curl", ("perform",)),
    *_all("websockets", ("connect", "unix_connect")),
    *_all("websockets.sync.client", ("connect", "unix_connect")),
    *_all("websocket", ("create_connection",)),
    *_all("websocket.WebSocket", ("connect",)),
    *_all("websocket.WebSocketApp", ("run_forever",)),
    *_all("smtplib", ("SMTP", "SMTP_SSL", "LMTP")),
    *_all("smtplib.SMTP", ("connect", "sendmail", "send_message", "starttls", "login", "send", "docmd")),
    *_all("smtplib.SMTP_SSL", ("connect", "sendmail", "send_message", "login", "send", "docmd")),
    *_all("ftplib", ("FTP", "FTP_TLS")),
    *_all(
        "ftplib.FTP",
        ("connect", "login", "retrbinary", "storbinary", "retrlines", "storlines", "sendcmd", "voidcmd"),
    ),
    *_all("ftplib.FTP_TLS", ("connect", "login", "retrbinary", "storbinary")),
    *_all("poplib", ("POP3", "POP3_SSL")),
    *_all("imaplib", ("IMAP4", "IMAP4_SSL", "IMAP4_stream")),
    *_all("nntplib", ("NNTP", "NNTP_SSL")),
    *_all("telnetlib", ("Telnet",)),
    "telnetlib.Telnet.open",
    "xmlrpc.client.ServerProxy.*",
    "xmlrpc.client.Server.*",
    *_all("xmlrpc.client.Transport", ("request", "single_request", "send_request")),
    *_all("multiprocessing.connection", ("Client", "answer_challenge")),
    *_all("multiprocessing.managers.BaseManager", ("connect",)),
    *_all(
        "logging.handlers",
        ("SocketHandler", "DatagramHandler", "SysLogHandler", "SMTPHandler", "HTTPHandler", "NTEventLogHandler"),
    ),
    *_all("logging.handlers.SocketHandler", ("emit", "createSocket", "makeSocket", "send")),
    *_all("logging.handlers.HTTPHandler", ("emit",)),
    *_all("logging.handlers.SMTPHandler", ("emit",)),
    *_all("paramiko.SSHClient", ("connect", "exec_command")),
    *_all("paramiko.Transport", ("connect", "open_session")),
    "asyncssh.connect",
    *_all("redis", ("from_url",)),
    *_all("psycopg", ("connect",)),
    *_all("psycopg2", ("connect",)),
    *_all("asyncpg", ("connect", "create_pool")),
    *_all("pymysql", ("connect",)),
    *_all("grpc", ("insecure_channel", "secure_channel")),
    *_all("grpc.aio", ("insecure_channel", "secure_channel")),
    "boto3.client",
    "boto3.resource",
    *_all("anyio", ("connect_tcp", "connect_unix", "create_udp_socket", "create_connected_udp_socket", "getaddrinfo")),
    *_all("trio", ("open_tcp_stream", "open_ssl_over_tcp_stream", "open_unix_socket")),
    *_all("tornado.httpclient.AsyncHTTPClient", ("fetch",)),
    *_all("tornado.httpclient.HTTPClient", ("fetch",)),
    *_all("tornado.tcpclient.TCPClient", ("connect",)),
    *_all("twisted.internet.reactor", ("connectTCP", "connectSSL", "connectUNIX")),
    *_all("dns.resolver", ("resolve", "query")),
    "webbrowser.open",
    "webbrowser.open_new",
    "webbrowser.open_new_tab",
    "webbrowser.get.*",
    *_all("webbrowser.GenericBrowser", ("open", "open_new", "open_new_tab")),
    *_all("webbrowser.BackgroundBrowser", ("open", "open_new", "open_new_tab")),
    *(f"openai.{name}.*" for name in ("OpenAI", "AsyncOpenAI", "AzureOpenAI", "chat", "responses", "embeddings")),
    *(f"anthropic.{name}.*" for name in ("Anthropic", "AsyncAnthropic")),
    *_all("litellm", ("completion", "acompletion", "responses", "aresponses", "embedding", "aembedding")),
    *_all("pymongo", ("MongoClient",)),
)  # fmt: skip
"""What opens a connection to somewhere else, or sends on one."""

PROCESS: Final[tuple[str, ...]] = (
    *_all(
        "subprocess",
        ("run", "Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput", "fork_exec"),
    ),
    *_all("subprocess._posixsubprocess", ("fork_exec",)),
    *_all(
        "os",
        (
            "system", "popen", "fork", "forkpty", "startfile", "posix_spawn", "posix_spawnp",
            "execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe",
            "spawnl", "spawnle", "spawnlp", "spawnlpe", "spawnv", "spawnve", "spawnvp", "spawnvpe",
        ),
    ),
    *_all("pty", ("spawn", "fork")),
    *_all("asyncio", ("create_subprocess_exec", "create_subprocess_shell")),
    *_all("asyncio.AbstractEventLoop", ("subprocess_exec", "subprocess_shell")),
    *_all("multiprocessing", ("Process", "Pool")),
    *_all("multiprocessing.Process", ("start",)),
    "concurrent.futures.ProcessPoolExecutor",
    *_all("anyio", ("run_process", "open_process")),
    *_all("trio", ("run_process",)),
    *_all("trio.lowlevel", ("open_process",)),
    *_all("pexpect", ("spawn", "run")),
    *_all("plumbum.local", ()),
    *_all("commands", ("getoutput", "getstatusoutput")),
    "sh.Command",
)  # fmt: skip
"""What starts another process."""

CLOCKS: Final[tuple[str, ...]] = (
    *_all(
        "time",
        (
            "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time",
            "process_time_ns", "thread_time", "thread_time_ns", "localtime",
            "gmtime", "ctime", "sleep", "clock_gettime",
            "clock_gettime_ns",
        ),
    ),
    *_all("datetime.datetime", ("now", "utcnow", "today")),
    "datetime.date.today",
    "asyncio.sleep",
    "asyncio.AbstractEventLoop.time",
)  # fmt: skip
RANDOMNESS: Final[tuple[str, ...]] = (
    "random.*",
    "secrets.*",
    *_all("os", ("urandom", "getrandom")),
    *_all("uuid", ("uuid1", "uuid4", "uuid6", "uuid7", "uuid8", "getnode")),
    *_all("numpy.random", ("*",)),
)
ENVIRONMENT: Final[tuple[str, ...]] = (
    "os.environ.*",
    "os.environb.*",
    *_all(
        "os",
        ("getenv", "getenvb", "putenv", "unsetenv", "getcwd", "getcwdb", "chdir", "getpid", "getlogin", "cpu_count"),
    ),
    *_all("platform", ("*",)),
    *_all("pathlib.Path", ("cwd", "home", "expanduser")),
    *_all("os.path", ("expanduser", "expandvars", "abspath")),
    *_all("locale", ("getlocale", "setlocale", "getpreferredencoding")),
    *_all("getpass", ("getuser", "getpass")),
    *_all("builtins", ("input", "open")),
    *_all("socket", ("gethostname", "getfqdn")),
)  # fmt: skip

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "@network": NETWORK,
    "@process": PROCESS,
    "@clock": CLOCKS,
    "@random": RANDOMNESS,
    "@environment": ENVIRONMENT,
}
"""By the name contracts use."""

TOUCHING: Final[dict[str, tuple[str, ...]]] = {
    "@network": (
        "socket", "ssl", "http.client", "urllib.request", "urllib3",
        "requests", "httpx", "httpcore", "aiohttp", "niquests",
        "pycurl", "websockets", "websocket", "smtplib", "ftplib", "poplib", "imaplib", "nntplib", "telnetlib",
        "xmlrpc.client", "multiprocessing.connection", "paramiko", "asyncssh", "grpc",
    ),
    "@process": ("subprocess", "pty", "pexpect", "sh"),
}  # fmt: skip
"""Modules that are there for nothing else: importing one is a use already. Their exceptions and constants are not."""


def expanded(patterns: Iterable[str]) -> tuple[str, ...]:
    """Patterns with groups written out."""
    return tuple(name for pattern in patterns for name in GROUPS.get(pattern, (pattern,)))


class Sinks:
    """Which names a list of patterns and groups means."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._exact: set[str] = set()
        self._patterns: list[str] = []
        for pattern in patterns:
            if pattern in GROUPS:
                for name in GROUPS[pattern]:
                    if name.endswith(".*"):
                        self._patterns.append(name)
                    else:
                        self._exact.add(name)
            else:
                self._patterns.append(pattern)
        self._is_meant = meaning(self._patterns)

    def holds_below(self, name: str) -> bool:
        """Whether something below a name is one of them: a class whose methods are."""
        below = name + "."
        return any(one.startswith(below) for one in (*self._exact, *self._patterns))

    def mean_any(self, names: Mapping[str, object]) -> bool:
        """Whether one of some names is one of them."""
        return not self._exact.isdisjoint(names) or any(map(self._is_meant, names))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._exact or self._is_meant(name))
