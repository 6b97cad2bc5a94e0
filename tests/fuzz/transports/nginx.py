"""`python -m tests.fuzz.transports.nginx`: every side against a real nginx; prints what each made of each request.

Content-length, chunked, gzip, keep-alive and its end, 404, 413, redirects, large bodies both ways, TLS with a private
authority. Exit code 0: every request came to the same on every side, and to what was expected.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import uvloop

from llmswitch_core.canonical.model import Protocol
from routecodex.config.compiled import ProviderSpec, Timeouts, TlsSpec
from routecodex.providers.transport import Transport, TransportError, TransportRequest
from tests.host.providers.test_provider import certificate
from tests.host.transports.sides import SIDES

_CONFIG = """\
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
  access_log off; default_type application/json; client_max_body_size 4m; keepalive_requests 5; root {folder}/files;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  gzip on; gzip_types application/json; gzip_min_length 1; gzip_proxied any;
  server {{
    listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl; ssl_certificate {pem}; ssl_certificate_key {key};
    error_page 405 =200 $uri;
    location /small.json {{ error_page 405 =200 $uri; }}
    location /moved {{ return 301 /small.json; }}
    location /empty {{ return 204; }}
    location /said {{ return 200 '{{"said":true}}'; }}
    location /closing {{ keepalive_timeout 0; return 200 'closing'; }}
    location /through/ {{ proxy_pass http://127.0.0.1:{plain}/; proxy_http_version 1.0; }}
    location /limited {{ client_max_body_size 1k; proxy_pass http://127.0.0.1:{plain}/small.json; }}
    location /upload {{ proxy_pass http://127.0.0.1:{plain}/said; }}
  }}
}}
"""


class Request(msgspec.Struct, frozen=True):
    """One request and what it must come to: the status, and the body's size where it is known."""

    name: str
    path: str
    status: int
    size: int | None = None
    method: str = "GET"
    body: bytes = b""
    encoding: str = "identity"
    hurried: bool = False
    """nginx refuses, and resets the connection if it is still sent to: answer or reset, it is a matter of moments."""


_LARGE = 3_000_000
REQUESTS = (
    Request("content-length", "/small.json", 200, 26),
    Request("gzip, chunked", "/small.json", 200, 26, encoding="gzip"),
    Request("gzip, chunked, large", "/large.json", 200, _LARGE, encoding="gzip"),
    Request("large", "/large.json", 200, _LARGE),
    Request("large through a proxy that chunks", "/through/large.json", 200, _LARGE, encoding="gzip"),
    Request("not there", "/nowhere", 404),
    Request("moved", "/moved", 301),
    Request("no content", "/empty", 204, 0),
    Request("POST", "/said", 200, 13, "POST", b"{}"),
    Request("upload", "/upload", 200, 13, "POST", b"x" * 2_000_000),
    Request("too large", "/limited", 413, None, "POST", b"x" * 200_000),
    Request("far too large", "/upload", 413, None, "POST", b"x" * 9_000_000, hurried=True),
    Request("closed behind it", "/closing", 200, 7),
    Request("HEAD", "/small.json", 200, 0, "HEAD"),
)
ROUNDS = 8
"""Each request is made so often in a row: nginx closes a connection behind its fifth."""


async def outcome(transport: Transport, base: str, request: Request) -> str:
    """Status, headers that do not change by themselves, and the body's size and digest; or the fault."""
    headers = {"accept-encoding": request.encoding}
    try:
        stream = await transport.open(TransportRequest(request.method, base + request.path, headers, request.body))
        body = b""
        while data := await stream.read():
            body += data
    except TransportError as error:
        return error.fault.value
    names = (
        "content-type",
        "content-encoding",
        "content-length",
        "transfer-encoding",
        "location",
        "connection",
        "etag",
    )
    shown = {name: stream.headers[name] for name in names if name in stream.headers}
    return f"{stream.status} {len(body)} {hashlib.sha256(body).hexdigest()[:8]} {shown}"


def judged(request: Request, kinds: list[list[str]]) -> bool:
    """Whether the sides agree among themselves and with what was expected."""
    if request.hurried:
        return True
    expected = f"{request.status} " if request.size is None else f"{request.status} {request.size} "
    return all(rows == kinds[0] for rows in kinds) and all(row.startswith(expected) for row in kinds[0])


async def compared(base: str, ca: str) -> int:
    """Print every request's row; how many differed."""
    bad = 0
    transports = {
        name: side.transport(
            ProviderSpec(
                "n",
                Protocol.OPENAI_CHAT,
                base,
                "n",
                "plain",
                {},
                timeouts=Timeouts(5, 10, 10, 60),
                tls=TlsSpec(ca_file=ca),
            )
        )
        for name, side in SIDES.items()
    }
    scheme = base.partition(":")[0]
    for request in REQUESTS:
        kinds = {}
        for name, transport in transports.items():
            kinds[name] = sorted({await outcome(transport, base, request) for _ in range(ROUNDS)})
        same = judged(request, list(kinds.values()))
        first = next(iter(kinds.values()))
        print(f"{'same' if same else 'DIFFERENT':9} {scheme:5} {request.name:34} {' | '.join(first)[:110]}")
        if not same:
            bad += 1
            for name, rows in kinds.items():
                print(f"    {name}: {rows}")
    for transport in transports.values():
        await transport.close()
    return bad


def main() -> int:
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        print("nginx is missing: apt-get install nginx-light", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="routecodex-nginx-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "files").mkdir()
        (folder / "files" / "small.json").write_bytes(b'{"words":["a","b","c","d"]}'[:26])
        (folder / "files" / "large.json").write_bytes(os.urandom(_LARGE // 2).hex().encode())
        pem, key = certificate(folder)
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
            plain, tls = one.getsockname()[1], two.getsockname()[1]
        config = folder / "nginx.conf"
        config.write_text(_CONFIG.format(folder=folder, plain=plain, tls=tls, pem=pem, key=key))
        process = subprocess.Popen([binary, "-c", str(config), "-p", str(folder)])
        try:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", tls)) == 0:
                        break
                time.sleep(0.05)
            bad = sum(
                uvloop.run(compared(base, str(pem)))
                for base in (f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{tls}")
            )
        finally:
            process.terminate()
            process.wait(10)
    print(f"{2 * len(REQUESTS)} requests, {ROUNDS} times each on {', '.join(SIDES)}: {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
