"""The suite whose calls are recorded: the must-pass matrix through a listening gateway, and the host's own tests.

It knows pytest and what to run. Everything the tests start in threads of this process is recorded with them; what
they start as another process is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from tools.truth.naming import Names
from tools.truth.recording import Record, recording

ROOT: Final = Path(__file__).parent.parent.parent
SOURCES: Final = ROOT / "src"
SUITE: Final = ("tests/matrix/test_cells.py", "tests/host/dataplane", "tests/host/providers")
SAMPLE: Final = ("tests/matrix/test_cells.py", "-k", "MP-01 or MP-07")
"""A few cells: seconds, for a look."""


class SuiteError(RuntimeError):
    """The suite did not run; a truth of nothing would be green."""


def run(arguments: Sequence[str], names: Names) -> Record:
    """Run pytest with these arguments and record. Raises SuiteError if nothing ran.

    Tests that fail are said, and count: what they called was called.
    """
    with recording(names) as record:
        code = pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(ROOT), *arguments])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise SuiteError(f"pytest ended with {code!r}; run `python -m pytest {' '.join(arguments)}` to see why.")
    if not record.direct:
        raise SuiteError("Not one call inside src/ was recorded; is the suite's gateway in this process?")
    return record
