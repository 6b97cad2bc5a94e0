"""`python -m tests.fake_upstream --port 9100`: the fake upstream by itself, until a signal ends it.

The first line on stdout is the URL; with --log every answered request is one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys

from .http import Exchange
from .script import Delivery, Script, Text
from .server import PROTOCOLS, FakeUpstream


class Standalone(FakeUpstream):
    """Tells about each request on stdout."""

    log = False

    async def _handle(self, exchange: Exchange) -> None:
        try:
            await super()._handle(exchange)
        finally:
            if self.log:
                r = exchange.request
                line = {
                    "order": r.order,
                    "method": r.method,
                    "path": r.path,
                    "protocol": r.protocol,
                    "model": r.model,
                    "stream": r.stream,
                    "status": r.status,
                    "outcome": r.outcome,
                    "violations": [v.message for v in r.violations],
                }
                print(json.dumps(line), flush=True)


async def serve(options: argparse.Namespace) -> None:
    """Listen until SIGINT or SIGTERM."""
    upstream = Standalone(
        host=options.host,
        port=options.port,
        protocols=PROTOCOLS if options.protocol == "all" else options.protocol.split(","),
        seed=options.seed,
        realm=options.realm,
        strict=not options.lenient,
        relaxed=options.relax,
        trusted_signatures=options.trust_signature,
        delivery=Delivery(
            chunking=options.chunking, seed=options.seed, size=options.chunk_size, encoding=options.encoding
        ),
        default=Script((Text(options.say),), name="default"),
        model_names=options.model or ("fake-model",),
    )
    upstream.log = options.log
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with upstream:
        print(upstream.url, flush=True)
        await stopped.wait()


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.fake_upstream", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--protocol", default="all", help=f"all, or some of {', '.join(PROTOCOLS)}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--realm", default="main", help="names this provider in its signatures")
    parser.add_argument("--lenient", action="store_true", help="accept illegal requests")
    parser.add_argument("--relax", action="append", default=[], help="a rule that does not apply")
    parser.add_argument("--trust-signature", action="append", default=[], help="a prefix to accept")
    parser.add_argument("--chunking", default="per_event", choices=["one", "per_event", "bytes", "seeded"])
    parser.add_argument("--chunk-size", type=int, default=7)
    parser.add_argument("--encoding", default="none", choices=["none", "gzip", "deflate", "br", "zstd"])
    parser.add_argument("--say", default="Hello from the fake upstream.", help="the default answer")
    parser.add_argument("--model", action="append", default=[], help="a model to list")
    parser.add_argument("--log", action="store_true", help="one JSON line per request on stdout")
    asyncio.run(serve(parser.parse_args(arguments)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
