"""The matrix's fixtures, and the plugin that merges executed cells, prints the matrix and fails on a gap.

Each cell that was asserted travels as a user property of its test's report, so that workers of pytest-xdist can tell
the controller. With `--matrix` the whole table is printed at the end, and a cell nobody asserted fails the session.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

import pytest

from .bench import Bench
from .cases import ALL, CASES, Cell, cells

Prove = Callable[[Cell], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--matrix`: print the must-pass matrix and demand that it is complete."""
    parser.addoption("--matrix", action="store_true", help="print the must-pass matrix; a gap fails the session")


def pytest_configure(config: pytest.Config) -> None:
    """Only the process that reports to the user keeps the table."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Matrix(config), "must-pass-matrix")


@pytest.fixture(scope="session")
def shared_bench() -> Iterator[Bench]:
    """One bench per worker."""
    with Bench() as bench:
        yield bench


@pytest.fixture
def bench(shared_bench: Bench) -> Bench:
    """The worker's bench, with nothing scripted and nothing asked."""
    shared_bench.reset()
    return shared_bench


@pytest.fixture
def prove(request: pytest.FixtureRequest) -> Prove:
    """Tell the matrix that a cell's assertions were executed, and held."""

    def tell(cell: Cell) -> None:
        request.node.user_properties.append(("cell", str(cell)))

    return tell


class Matrix:
    """Collects what the reports say of cells; judges and prints it when the session ends."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.proven: set[str] = set()
        self.failed: set[str] = set()

    @property
    def wanted(self) -> bool:
        """Was the matrix asked for?"""
        return bool(self.config.getoption("matrix", default=False))

    @property
    def selected(self) -> bool:
        """A part of the tests was chosen: the matrix is shown, not judged."""
        options = self.config.option
        only_failed = getattr(options, "lf", False)  # absent where pytest keeps no cache
        chosen = options.keyword or options.markexpr or only_failed or options.maxfail
        return bool(chosen) or any("::" in a or a.endswith(".py") for a in self.config.args)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Merge one report."""
        told = [value for name, value in report.user_properties if name == "cell"]
        tried = [value for name, value in report.user_properties if name == "cell-tried"]
        if report.when == "call" and report.passed:
            self.proven.update(str(t) for t in told)
        if report.failed:
            self.failed.update(str(t) for t in tried)

    @property
    def gaps(self) -> list[Cell]:
        """Cells without an executed assertion that held."""
        return [cell for cell in cells() if str(cell) not in self.proven]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A gap in a whole run is a failure."""
        if self.wanted and not self.selected and self.gaps and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One row a case, one column a pair."""
        if not self.wanted:
            return
        write = terminalreporter.write_line
        terminalreporter.section("must-pass matrix")
        write("case   executed  " + " ".join(ALL) + "   (* both modes, s streamed, w whole, ! failed, - missing)")
        by_case: dict[str, list[Cell]] = defaultdict(list)
        for cell in cells():
            by_case[cell.case].append(cell)
        for case in CASES:
            expected = by_case[case.id]
            done = [c for c in expected if str(c) in self.proven]
            row = " ".join(f"{self._sign(case.id, pair, expected):<2}" for pair in ALL)
            write(f"{case.id}{'!' if case.bold else ' '} {len(done):>3}/{len(expected):<3}  {row}  {case.title}")
        gaps = self.gaps
        total = len(cells())
        write(f"{total - len(gaps)} of {total} cells executed")
        if gaps and self.selected:
            write("only a part of the tests was selected: gaps are not judged")
        elif gaps:
            write("cells without an executed assertion that held: " + ", ".join(map(str, gaps)), red=True)

    def _sign(self, case: str, pair: str, expected: list[Cell]) -> str:
        mine = [c for c in expected if c.pair == pair]
        if not mine:
            return "."
        if any(str(c) in self.failed for c in mine):
            return "!"
        done = [c for c in mine if str(c) in self.proven]
        if len(done) == len(mine):
            return "*" if len(mine) == 2 else mine[0].mode[0]
        return "-"
