"""The nginx upstream and the nginx peer: configurations written for one run.

The upstream answers a fixed JSON body, or a stream in which every event is flushed by itself (echo module).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.processes import BenchError
from bench.scenarios import chat_answer, chat_events

MODULE = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")

_HEAD = """\
{modules}
daemon off;
worker_processes 1;
pid {folder}/{name}.pid;
error_log {folder}/{name}.error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000;
  client_max_body_size 64m;
  client_body_buffer_size 2m;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
"""


def nginx() -> str:
    """The nginx binary. Raises BenchError naming the packages to install."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found is None or not MODULE.exists():
        raise BenchError(
            "nginx with the echo module is missing: apt-get install nginx-light libnginx-mod-http-echo wrk"
        )
    return found


def upstream_config(folder: Path, port: int) -> Path:
    """The upstream on `port`: /json/… answers whole, /stream/… event by event."""
    (folder / "answer.json").write_bytes(chat_answer())
    writes = []
    for event in chat_events():
        text = event.replace("\\", "\\\\").replace("$", "${dollar}").replace("'", "\\'").rstrip("\n")
        # `echo` ends its text with one line end itself; the empty one after it closes the event.
        writes.append(f"      echo '{text}'; echo ''; echo_flush;")
    config = folder / "upstream.conf"
    config.write_text(
        _HEAD.format(modules=f"load_module {MODULE};", folder=folder, name="upstream")
        + f"""
  server {{
    listen 127.0.0.1:{port} reuseport backlog=4096;
    location = /json/v1/chat/completions {{
      default_type application/json;
      return 200 '{chat_answer().decode().replace("'", "")}';
    }}
    location = /stream/v1/chat/completions {{
      default_type "text/event-stream; charset=utf-8";
{chr(10).join(writes)}
    }}
    location / {{ return 200 'ok'; }}
  }}
}}
"""
    )
    return config


def proxy_config(folder: Path, port: int, upstream: int) -> Path:
    """The nginx peer: plain `proxy_pass` with upstream keep-alive and no buffering."""
    config = folder / "proxy.conf"
    config.write_text(
        _HEAD.format(modules="", folder=folder, name="proxy")
        + f"""
  upstream far {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_buffering off;
    proxy_request_buffering on;
    location = /v1/chat/completions {{ proxy_pass http://far/json/v1/chat/completions; }}
    location = /stream/v1/chat/completions {{ proxy_pass http://far/stream/v1/chat/completions; }}
    location / {{ return 200 'ok'; }}
  }}
}}
"""
    )
    return config
