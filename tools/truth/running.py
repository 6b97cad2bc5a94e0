"""The suite whose calls are recorded: the must-pass matrix through a listening gateway, the host's own tests, and the
command line in processes of its own.

It knows pytest and what to run. Recorded are this process with all its threads, and the Python processes that the tests
start, as long as they end by themselves.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from tests.e2e.__main__ import main as end_to_end
from tools.truth.children import ROOT, SOURCES, recorded_children, relative, written
from tools.truth.edges import Executed, executed, merged
from tools.truth.naming import Names
from tools.truth.recording import recording

SUITE: Final = (
    "tests/matrix/test_cells.py",
    "tests/matrix/test_clients.py",
    "tests/matrix/test_hostile.py",
    "tests/host/cli",
    "tests/host/config",
    "tests/host/dataplane",
    "tests/host/providers",
)
SAMPLE: Final = ("tests/matrix/test_cells.py", "-k", "MP-01 or MP-07")
"""A few cells: seconds, for a look."""
_CLIENTS_ABSENT: Final = 2


class SuiteError(RuntimeError):
    """The suite did not run; a truth of nothing would be green."""


def run(arguments: Sequence[str], *, clients: bool = False) -> tuple[list[Executed], list[Executed]]:
    """Run pytest with these arguments and record: direct edges, and those with foreign frames between.

    `clients`: then also the real agents and SDKs of tests/e2e, against a gateway in a process of its own.

    Tests that fail are said, and count: what they called was called. Raises SuiteError if nothing ran, ChangedError if
    a file of `src/` is no longer what it was at the start.
    """
    names = Names(SOURCES)
    with tempfile.TemporaryDirectory(prefix="truth-") as folder:
        with recording(names) as record, recorded_children(Path(folder)):
            code = pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(ROOT), *arguments])
            ended = end_to_end([]) if clients else 0
        direct, foreign = written(Path(folder))
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise SuiteError(f"pytest ended with {code!r}; run `python -m pytest {' '.join(arguments)}` to see why.")
    if ended == _CLIENTS_ABSENT:
        raise SuiteError("The clients of tests/e2e cannot be installed; run `nox -s e2e` to see why.")
    here, here_foreign = executed(record, names, relative)
    edges = merged([*here, *direct])
    if not edges:
        raise SuiteError("Not one call inside src/ was recorded; does the suite run a gateway of this tree?")
    return edges, merged([*here_foreign, *foreign])
