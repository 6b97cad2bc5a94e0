"""A small program is run, recorded and compared: what the comparison says is what happened."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec
import pytest
from onepath.config import Configuration, Project
from onepath.graph import Program
from tools.truth import recording as recorders
from tools.truth.children import ROOT, recorded_children, written
from tools.truth.edges import Executed, executed, read, write
from tools.truth.judging import UNEXPLAINED, Verdict, judge
from tools.truth.naming import ChangedError, Names
from tools.truth.reasons import FILE, ReasonsError, reasons
from tools.truth.recording import Record
from tools.truth.reporting import lines, passes

import onepath

PROGRAM = """
import functools
import threading


def leaf():
    return 1


def double(call):
    return [call() for _ in range(2)]


class Shop:
    @property
    def open(self):
        return self.ask(lambda: leaf())

    def ask(self, what):
        return what()


def sort():
    return sorted([2, 1], key=lambda n: -n)


def started():
    return leaf()


def steps():
    yield leaf()


def main():
    double(leaf)
    Shop().open
    sort()
    list(steps())
    thread = threading.Thread(target=started)
    thread.start()
    thread.join()
    functools.cmp_to_key(lambda a, b: 0)(1) < functools.cmp_to_key(lambda a, b: 0)(2)


def unused():
    leaf()
"""

Recorder = Callable[[Record, Names], AbstractContextManager[None]]
RECORDERS: list[Recorder] = [recorders._profiled]
if sys.version_info >= (3, 12):
    RECORDERS.append(recorders._monitored)

RUN = {
    ("shop.main", "shop.double"),
    ("shop.double", "shop.leaf"),
    ("shop.main", "shop.Shop.open"),
    ("shop.Shop.open", "shop.Shop.ask"),
    ("shop.Shop.ask", "shop.Shop.open.<lambda1>"),
    ("shop.Shop.open.<lambda1>", "shop.leaf"),
    ("shop.main", "shop.sort"),
    ("shop.sort", "shop.sort.<lambda1>"),
    ("shop.main", "shop.steps"),
    ("shop.steps", "shop.leaf"),
    ("shop.started", "shop.leaf"),
    ("shop.main", "shop.main.<lambda1>"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A project whose `src` holds the program."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "shop.py").write_text(PROGRAM)
    sys.path.insert(0, str(tmp_path / "src"))
    yield tmp_path
    sys.path.remove(str(tmp_path / "src"))
    sys.modules.pop("shop", None)


def recorded(folder: Path, recorder: Recorder = recorders._profiled) -> list[Executed]:
    names = Names(folder / "src")
    record = Record()
    module = importlib.import_module("shop")
    with recorder(record, names):
        module.main()
    direct, _ = executed(record, names, lambda file: Path(file).relative_to(folder).as_posix())
    return direct


def program(folder: Path) -> Program:
    return onepath.load(Project(folder, "", Configuration(roots=("src/",), cache="")), jobs=1).program


def without(whole: Program, caller: str, callee: str) -> Program:
    edges = tuple(edge for edge in whole.edges if (edge.caller, edge.callee) != (caller, callee))
    return msgspec.structs.replace(whole, edges=edges)


def verdict(folder: Path, of: Program, sinks: frozenset[str] = frozenset()) -> Verdict:
    return judge(of, recorded(folder), (), sinks)


@pytest.mark.parametrize("recorder", RECORDERS)
def test_what_runs_is_recorded_by_the_names_of_the_graph(folder: Path, recorder: Recorder) -> None:
    assert {(edge.caller, edge.callee) for edge in recorded(folder, recorder)} == RUN


def test_the_recorder_in_use_is_one_of_those_tested(folder: Path) -> None:
    names = Names(folder / "src")
    module = importlib.import_module("shop")
    with recorders.recording(names) as record:
        module.main()
    assert len(record.direct) == len(RUN)


def test_a_call_stands_at_its_line(folder: Path) -> None:
    found = next(edge for edge in recorded(folder) if edge.callee == "shop.sort")
    assert (found.file, PROGRAM.splitlines()[found.line - 1].strip()) == ("src/shop.py", "sort()")


def test_a_graph_that_holds_all_passes(folder: Path) -> None:
    judged = verdict(folder, program(folder))
    assert judged.misses == ()
    assert passes(judged)
    assert list(lines(judged))[-1].startswith("100.00%")


def test_an_edge_that_is_not_in_the_graph_is_named_and_fails(folder: Path) -> None:
    judged = verdict(folder, without(program(folder), "shop.main", "shop.sort"))
    assert [(miss.edge.callee, miss.cause) for miss in judged.misses] == [("shop.sort", UNEXPLAINED)]
    assert not passes(judged)
    assert any("shop.main -> shop.sort at src/shop.py:" in line for line in lines(judged))


def test_a_missing_edge_on_the_way_to_a_sink_is_told(folder: Path) -> None:
    judged = verdict(folder, without(program(folder), "shop.main", "shop.double"), frozenset({"shop.leaf"}))
    assert [miss.sink for miss in judged.misses] == ["shop.leaf"]
    assert len(judged.toward_sinks) == 1


def test_a_file_that_changed_after_its_names_were_learnt_is_an_error(folder: Path) -> None:
    names = Names(folder / "src")
    (folder / "src" / "shop.py").write_text(PROGRAM.replace("def leaf():", "\n\ndef leaf():"))
    importlib.invalidate_caches()
    module = importlib.import_module("shop")
    with pytest.raises(ChangedError, match="run again"):
        names.name(module.leaf.__code__)


def test_a_reason_explains_a_miss_and_must_have_one(folder: Path) -> None:
    less = without(program(folder), "shop.main", "shop.sort")
    told = {("shop.main", "shop.sort"): "by decree"}
    judged = judge(less, recorded(folder), (), frozenset(), told)
    assert [miss.cause for miss in judged.misses] == ["by decree"]
    assert judge(program(folder), recorded(folder), (), frozenset(), told).spare_reasons == (
        ("shop.main", "shop.sort"),
    )
    assert not passes(judge(program(folder), recorded(folder), (), frozenset(), told))


def test_what_foreign_code_runs_unknown_to_the_graph_is_told(folder: Path) -> None:
    edge = Executed("shop.main", "shop.unused", "src/shop.py", 1, "threading.Thread.run")
    judged = judge(program(folder), recorded(folder), (edge,), frozenset())
    assert judged.foreign_unknown == (edge,)
    assert any("shop.main -> shop.unused" in line for line in lines(judged))


def test_too_few_edges_fail_even_with_reasons(folder: Path) -> None:
    less = without(program(folder), "shop.main", "shop.sort")
    judged = judge(less, recorded(folder), (), frozenset(), {("shop.main", "shop.sort"): "by decree"})
    assert judged.unexplained == ()
    assert not passes(judged)


@pytest.mark.parametrize(
    "text",
    [
        '[[miss]]\ncaller = "a"\ncallee = "b"\n',
        '[[miss]]\ncaller = "a"\ncallee = "b"\nreason = ""\n',
        '[[miss]]\ncaller = "a"\ncallee = "b"\nreason = "c"\n' * 2,
    ],
)
def test_a_reason_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ReasonsError):
        reasons(text)


def test_the_reasons_of_this_repository_can_be_read() -> None:
    reasons(FILE.read_text())


def test_a_process_of_its_own_is_recorded_until_it_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "routecodex.cli", "version"]
    with recorded_children(tmp_path):
        subprocess.run(command, env={"HOME": str(tmp_path)}, check=True)
    direct, foreign = written(tmp_path)
    assert ("routecodex.cli.__main__", "routecodex.cli.application.main") in {(e.caller, e.callee) for e in direct}
    assert "routecodex.cli.version.version" in {edge.callee for edge in foreign}


def test_nothing_is_recorded_outside_of_the_block(tmp_path: Path) -> None:
    with recorded_children(tmp_path):
        pass
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    assert written(tmp_path) == ([], [])


def test_a_suite_of_no_calls_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text("def test_nothing():\n    assert True\n")
    program = f"from tools.truth.running import run; run([{str(tmp_path)!r}])"
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "Not one call inside src/ was recorded" in ended.stderr


def test_what_ran_can_be_kept_and_judged_again(tmp_path: Path) -> None:
    edge = Executed("shop.main", "shop.sort", "src/shop.py", 3)
    through = Executed("shop.main", "shop.leaf", "src/shop.py", 4, "threading.Thread.run")
    write(tmp_path / "edges.json", [edge], [through])
    assert read(tmp_path / "edges.json") == ([edge], [through])
