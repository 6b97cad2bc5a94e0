"""`routecodex server restart | drain`: what can be done to the running gateway as a whole, besides stopping it."""

from __future__ import annotations

from pathlib import Path

from routecodex.cli.options import ConfigOption, JsonOption, PortOption


def restart(config: ConfigOption = None, port: PortOption = None, as_json: JsonOption = False) -> int:
    """Replace every worker, one after another; running requests finish. In safe mode: try the configuration again."""
    return _asked("restart", "Every worker is new.", config, port, as_json=as_json)


def drain(config: ConfigOption = None, port: PortOption = None, as_json: JsonOption = False) -> int:
    """Take on no new requests and end after the last one."""
    return _asked("drain", "Draining.", config, port, as_json=as_json)


def _asked(what: str, done: str, config: Path | None, port: int | None, *, as_json: bool) -> int:
    from routecodex.cli.control import LONG, ask
    from routecodex.cli.receipts import told
    from routecodex.cli.target_server import find

    receipt = ask(find(config, port), "POST", f"/daemon/server/{what}", {}, timeout=LONG)
    return told(receipt, as_json=as_json, done=done)
