"""A progress bar on the error stream, for people at a terminal who wait for a large tree."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Progress: TypeAlias = Callable[[str, int, int], None]
"""(what is done now, how many are done, of how many)."""

_FEW = 50
_PATIENCE = 0.4


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress | None]:
    """A bar that appears when a step is long; None when quiet or when nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    tasks: dict[str, int] = {}
    started = time.monotonic()
    shown = False

    def report(what: str, done: int, total: int) -> None:
        nonlocal shown
        if not shown:
            if total < _FEW or time.monotonic() - started < _PATIENCE:
                return
            bar.start()
            shown = True
        if what not in tasks:
            tasks[what] = bar.add_task(what, total=total)
        bar.update(tasks[what], completed=done, total=total)  # type: ignore[arg-type]

    try:
        yield report
    finally:
        if shown:
            bar.stop()
