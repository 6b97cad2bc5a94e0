"""`routecodex ledger show | verify`: every change of the control plane, and whether the record of them is whole.

Both read the ledger's files themselves: they need no gateway, and believe none.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from routecodex.cli.failures import EXIT_CONFIGURATION, EXIT_INTERNAL, CommandError
from routecodex.cli.options import ConfigOption, JsonOption, PortOption

if TYPE_CHECKING:
    from routecodex.blocks.ledger import Entry

_SHOWN: Final = 160
_PAGE: Final = 1000


def show(
    since: Annotated[int, typer.Option("--since", min=0, help="Only entries from this number on.")] = 0,
    kind: Annotated[
        str, typer.Option("--kind", help="Only entries of this kind, or of the kinds that begin with it and a dot.")
    ] = "",
    limit: Annotated[
        int,
        typer.Option("--limit", min=1, max=10_000, help="At most so many: the last ones, or the first after --since."),
    ] = 50,
    config: ConfigOption = None,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show what was changed, when, by whom and why."""
    import msgspec

    from routecodex.cli.output import emit_json, table

    folder = ledger_folder(config, port)
    found = _entries(folder, since, kind, limit)
    if as_json:
        emit_json({"folder": str(folder), "entries": msgspec.to_builtins(found)})
        return 0
    table(
        ["no", "at", "kind", "actor", "what"],
        [[str(each.seq), _time(each.at), each.kind, each.actor, _what(each)] for each in found],
        title=f"Ledger in {folder}:",
    )
    return 0


def verify(config: ConfigOption = None, port: PortOption = None, as_json: JsonOption = False) -> int:
    """Check the whole chain: no entry is missing, changed or out of order."""
    import msgspec

    from routecodex.blocks.ledger import verify as judge
    from routecodex.cli.output import emit_json, note, say

    folder = ledger_folder(config, port)
    verdict = judge(folder)
    if as_json:
        emit_json({"folder": str(folder), **msgspec.to_builtins(verdict)})
        return 0 if verdict.ok else EXIT_INTERNAL
    if not verdict.ok:
        raise CommandError(
            EXIT_INTERNAL,
            f"The ledger in {folder} is not whole: {verdict.place}: {verdict.why}.",
            f"{verdict.entries} entries up to number {verdict.last_seq} are right. Keep the files; somebody or some "
            "disk changed them.",
            code="ledger_broken",
        )
    say(f"{verdict.entries} entries, the last is number {verdict.last_seq}: the chain holds.")
    if verdict.torn:
        note(f"  The last {verdict.torn} bytes are an entry under way, or one that a crash cut short.")
    return 0


def ledger_folder(config: Path | None, port: int | None) -> Path:
    """The control folder that is meant: of the gateway that runs, of `--port`, else the only one there is.

    Raises CommandError where there is none, or several.
    """
    from routecodex.cli.servers import chosen
    from routecodex.config.loading import gateway_home

    home = gateway_home(os.environ)
    control = home / "control"
    if port is None:
        record = chosen(home / "run", None, config)
        port = record.port if record is not None else None
    if port is not None:
        folder = control / str(port)
        if folder.is_dir():
            return folder
        raise CommandError(
            EXIT_CONFIGURATION,
            f"There is no ledger of a gateway on port {port} ({folder}).",
            "It is made at the gateway's first start.",
            code="no_ledger",
        )
    there = sorted(path for path in control.iterdir() if path.is_dir()) if control.is_dir() else []
    if len(there) == 1:
        return there[0]
    if not there:
        raise CommandError(
            EXIT_CONFIGURATION, f"There is no ledger in {control}.", "It is made at the first start.", code="no_ledger"
        )
    ports = ", ".join(path.name for path in there)
    raise CommandError(
        EXIT_CONFIGURATION, f"There are ledgers of several gateways (ports {ports}).", "Say which: --port PORT.",
        code="ambiguous",
    )  # fmt: skip


def _entries(folder: Path, since: int, kind: str, limit: int) -> list[Entry]:
    """The first `limit` entries from `since` on; without `since` the last ones."""
    from collections import deque

    from routecodex.blocks.ledger.reading import read, tail

    if not since and not kind:
        return tail(folder, limit)
    kept: deque[Entry] = deque(maxlen=limit)
    after = max(since - 1, 0)
    while page := read(folder, after, _PAGE):
        after = page[-1].seq
        for entry in page:
            if not kind or entry.kind == kind or entry.kind.startswith(kind + "."):
                if since and len(kept) == limit:
                    return list(kept)
                kept.append(entry)
    return list(kept)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _what(entry: Entry) -> str:
    """The body on one line."""
    import json

    parts = [
        f"{name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in entry.body.items()
        if value not in ("", None, [], {})
    ]
    text = "".join(letter if letter.isprintable() else " " for letter in " ".join(parts))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
