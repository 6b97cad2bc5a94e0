"""Records what the suite starts as processes of its own: the command line, and gateways that listen in a process.

While `recorded_children` runs, every Python that the tests start finds our `sitecustomize` first on its path, and
writes its edges into a folder when it ends by itself; a process that is killed writes nothing. It knows processes and
files; it must not know what the edges mean.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from tools.truth.edges import Executed, executed, read, write
from tools.truth.naming import Names
from tools.truth.recording import recording

ROOT: Final = Path(__file__).parent.parent.parent
SOURCES: Final = ROOT / "src"
_FOLDER: Final = "TRUTH_FOLDER"
"""The environment variable that names where edges go."""
_CHILD: Final = Path(__file__).parent / "child"


def relative(file: str) -> str:
    """A file of the project, as places name it."""
    return Path(file).relative_to(ROOT).as_posix()


def record_to_the_end() -> None:
    """Record this process from now until the interpreter ends; nothing if no folder is named."""
    folder = os.environ.get(_FOLDER)
    if not folder:
        return
    names = Names(SOURCES)
    stack = ExitStack()
    record = stack.enter_context(recording(names))

    def end() -> None:
        stack.close()
        file = Path(folder) / f"{os.getpid()}-{time.monotonic_ns()}"
        write(file, *executed(record, names, relative))
        file.rename(file.with_suffix(".json"))

    atexit.register(end)


@contextmanager
def recorded_children(folder: Path) -> Iterator[None]:
    """While this runs, processes of this interpreter that are started here write their edges into `folder`."""
    start = subprocess.Popen.__init__

    def started(self: subprocess.Popen[Any], args: Any, *more: Any, **settings: Any) -> None:
        if not isinstance(args, str | bytes | os.PathLike) and args and args[0] == sys.executable:
            given = settings.get("env")
            settings["env"] = with_recording(os.environ if given is None else given, folder)
        start(self, args, *more, **settings)

    subprocess.Popen.__init__ = started  # type: ignore[method-assign]
    try:
        yield
    finally:
        subprocess.Popen.__init__ = start  # type: ignore[method-assign]


def with_recording(environ: Any, folder: Path) -> dict[str, str]:
    """This environment, and in it what makes Python record."""
    path = os.pathsep.join(filter(None, (str(_CHILD), str(ROOT), str(SOURCES), environ.get("PYTHONPATH", ""))))
    return {**environ, "PYTHONPATH": path, _FOLDER: str(folder)}


def written(folder: Path) -> tuple[list[Executed], list[Executed]]:
    """What all children wrote: direct edges, and those with foreign frames between."""
    direct: list[Executed] = []
    foreign: list[Executed] = []
    for file in sorted(folder.glob("*.json")):
        more, more_foreign = read(file)
        direct += more
        foreign += more_foreign
    return direct, foreign
