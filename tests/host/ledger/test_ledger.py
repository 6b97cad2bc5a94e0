"""The ledger on a real folder: what is written stays, what is cut is told, what is changed is found."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routecodex.blocks.ledger import Ledger, LedgerInUseError, LedgerUnwritableError, read, verify
from routecodex.blocks.ledger.entry import NoEntryError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
bodies = st.dictionaries(st.text(max_size=8), json_values, max_size=3)


@contextmanager
def written(*many: dict[str, Any], **options: Any) -> Iterator[Path]:
    """A folder with a closed ledger of these bodies."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger = Ledger(folder, **options)
        for number, body in enumerate(many):
            ledger.append("test", "tester", f"c{number}", body)
        ledger.close()
        yield folder


def test_entries_are_numbered_chained_and_private(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "control")
    first = ledger.append("switch.set", "cli", "c1", {"key": "controlBus"})
    second = ledger.append("switch.clear", "cli", "c2", {})
    ledger.close()

    assert (first.seq, second.seq) == (1, 2)
    assert second.prev == first.hash
    assert read(tmp_path / "control") == [first, second]
    assert stat.S_IMODE((tmp_path / "control").stat().st_mode) == 0o700
    for file in (tmp_path / "control").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_reopened_ledger_goes_on(tmp_path: Path) -> None:
    for number in range(3):
        ledger = Ledger(tmp_path)
        assert ledger.append("boot", "supervisor", "", {}).seq == number + 1
        ledger.close()

    assert verify(tmp_path).entries == 3


def test_there_is_one_writer(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with pytest.raises(LedgerInUseError):
        Ledger(tmp_path)
    ledger.close()
    Ledger(tmp_path).close()


def test_the_lock_does_not_reach_children(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()  # it runs: what it does not inherit is closed by now
        ledger.close()
        Ledger(tmp_path).close()
        child.stdin.write(b"\n")
        child.stdin.close()


def test_a_clock_that_goes_back_does_not_take_the_numbers_along(tmp_path: Path) -> None:
    times = iter([1000.0, 5.0, 2000.0])
    ledger = Ledger(tmp_path, now=lambda: next(times))
    made = [ledger.append("tick", "test", "", {}) for _ in range(3)]
    ledger.close()

    assert [entry.at for entry in made] == [1000.0, 5.0, 2000.0]
    assert [entry.seq for entry in made] == [1, 2, 3]
    assert verify(tmp_path).ok


@settings(deadline=None, max_examples=60)
@given(many=st.lists(bodies, min_size=1, max_size=5), data=st.data())
def test_any_cut_of_the_file_leaves_a_ledger_that_verifies_and_goes_on(many: list[dict[str, Any]], data: Any) -> None:
    with written(*many, now=lambda: 1.5) as folder:
        file = folder / "ledger.jsonl"
        whole = file.read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        file.write_bytes(whole[:cut])
        before = read(folder)
        ledger = Ledger(folder)
        after = ledger.append("after", "test", "", {})
        ledger.close()
        kept = read(folder)

        assert verify(folder).ok
        assert not ledger.broken
        assert kept[: len(before)] == before
        torn = [entry for entry in kept if entry.kind == "ledger.torn"]
        rest = whole[:cut].rpartition(b"\n")[2]
        if len(before) == whole[:cut].count(b"\n") and rest:
            (aside,) = folder.glob(".torn-*")
            assert aside.read_bytes() == rest
            assert [entry.body for entry in torn] == [{"bytes": len(rest), "kept": aside.name}]
        else:
            assert torn == []
        assert kept[-1] == after


def test_a_last_entry_without_its_lines_end_is_whole(tmp_path: Path) -> None:
    with written({"a": 1}, {"b": 2}, now=lambda: 1.5) as folder:
        file = folder / "ledger.jsonl"
        file.write_bytes(file.read_bytes().removesuffix(b"\n"))
        ledger = Ledger(folder)
        ledger.append("after", "test", "", {})
        ledger.close()
        assert not ledger.broken
        assert verify(folder).ok
        assert [entry.kind for entry in read(folder)][-1] == "after"
        assert "ledger.torn" not in [entry.kind for entry in read(folder)]


@settings(deadline=None, max_examples=80)
@given(many=st.lists(bodies, min_size=2, max_size=5), data=st.data())
def test_any_changed_byte_is_found_and_its_entry_named(many: list[dict[str, Any]], data: Any) -> None:
    with written(*many, now=lambda: 1.5) as folder:
        file = folder / "ledger.jsonl"
        content = bytearray(file.read_bytes())
        place = data.draw(st.integers(0, len(content) - 2))
        other = data.draw(st.integers(0, 255).filter(lambda value: value != content[place]))
        changed = content[:place].count(b"\n") + 1
        content[place] = other
        file.write_bytes(bytes(content))
        verdict = verify(folder)

        assert not verdict.ok
        assert verdict.bad_seq == changed
        assert verdict.entries == changed - 1
        assert verdict.place.startswith("ledger.jsonl:")


def test_an_entry_taken_out_is_missed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for _ in range(3):
        ledger.append("x", "test", "", {})
    ledger.close()
    file = tmp_path / "ledger.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + lines[2])

    assert verify(tmp_path).bad_seq == 2
    assert "entry 2 is missing" in verify(tmp_path).why


def test_a_broken_chain_does_not_stop_the_writer_and_is_told(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for _ in range(3):
        ledger.append("x", "test", "", {})
    ledger.close()
    file = tmp_path / "ledger.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"seq":2', b'"seq":7'))
    again = Ledger(tmp_path)
    again.append("y", "test", "", {})
    again.close()

    assert "ledger.jsonl:2" in again.broken
    assert [entry.kind for entry in read(tmp_path)][-2:] == ["ledger.broken", "y"]
    assert verify(tmp_path).bad_seq == 2


def test_a_line_under_way_is_no_fault(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append("x", "test", "", {})
    with (tmp_path / "ledger.jsonl").open("ab") as handle:
        handle.write(b'{"actor":"te')
    verdict = verify(tmp_path)
    ledger.close()

    assert (verdict.ok, verdict.entries, verdict.torn) == (True, 1, 12)


@contextmanager
def disk_full_at(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: the write that would is cut short, the next one fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_refuses_what_must_be_durable_and_leaves_no_trace_of_it(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append("x", "test", "", {})
    size = (tmp_path / "ledger.jsonl").stat().st_size
    with disk_full_at(size + 10), pytest.raises(LedgerUnwritableError):
        ledger.append("config.apply", "test", "", {})
    assert (tmp_path / "ledger.jsonl").stat().st_size == size
    assert ledger.append("y", "test", "", {}).seq == 2
    ledger.close()

    assert verify(tmp_path).ok


def test_a_full_disk_does_not_stop_what_must_go_on_and_is_written_when_it_can(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append("x", "test", "", {})
    size = (tmp_path / "ledger.jsonl").stat().st_size
    with disk_full_at(size + 10):
        kept, why = ledger.keep("rollback.intent", "test", "r1", {})
        also, _ = ledger.keep("rollback.done", "test", "r1", {})
        assert ledger.waiting == 2
        assert ledger.flush() == why != ""
        with pytest.raises(LedgerUnwritableError):
            ledger.append("config.apply", "test", "", {})
    after = ledger.append("config.apply", "test", "", {})
    ledger.close()

    assert ledger.waiting == 0
    assert read(tmp_path)[1:] == [kept, also, after]
    assert verify(tmp_path).ok


def test_a_device_that_takes_nothing_is_survived_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").symlink_to("/dev/full")
    mode = Path("/dev/full").stat().st_mode
    ledger = Ledger(tmp_path)
    entry, why = ledger.keep("rollback.intent", "test", "", {})
    with pytest.raises(LedgerUnwritableError):
        ledger.append("x", "test", "", {})
    ledger.close()

    assert entry is not None
    assert "cannot be written" in why
    assert Path("/dev/full").stat().st_mode == mode


def test_segments_are_one_chain_and_begin_with_a_checkpoint(tmp_path: Path) -> None:
    state = {"overrides": {"controlBus": "v2"}}
    ledger = Ledger(tmp_path, checkpoint=lambda: state, segment_bytes=600)
    for number in range(12):
        ledger.append("x", "test", "", {"number": number})
    ledger.close()
    files = sorted(path.name for path in tmp_path.glob("ledger*.jsonl"))
    everything = read(tmp_path)

    assert len(files) > 3
    assert verify(tmp_path).ok
    assert [entry.seq for entry in everything] == list(range(1, len(everything) + 1))
    assert [entry.body["number"] for entry in everything if entry.kind == "x"] == list(range(12))
    assert all(
        entry.body["overrides"] == {"controlBus": "v2"} for entry in everything if entry.kind == "ledger.segment"
    )
    assert read(tmp_path, since=5) == everything[5:]
    assert read(tmp_path, since=5, limit=2) == everything[5:7]
    again = Ledger(tmp_path)
    assert again.append("y", "test", "", {}).seq == everything[-1].seq + 1
    again.close()
    assert verify(tmp_path).ok


def test_a_crash_between_the_two_renames_of_a_new_segment_loses_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for _ in range(3):
        ledger.append("x", "test", "", {})
    ledger.close()
    (tmp_path / "ledger.jsonl").rename(tmp_path / "ledger-000000000001.jsonl")
    (tmp_path / "ledger.next").write_bytes(b"half")
    again = Ledger(tmp_path)
    assert again.append("y", "test", "", {}).seq == 4
    again.close()

    assert verify(tmp_path).entries == 4


def test_a_change_in_an_old_segment_is_found(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, segment_bytes=400)
    for _ in range(6):
        ledger.append("x", "test", "", {})
    ledger.close()
    old = min(tmp_path.glob("ledger-*.jsonl"))
    old.write_bytes(old.read_bytes().replace(b'"actor":"test"', b'"actor":"tost"', 1))

    assert verify(tmp_path).bad_seq == 1
    assert verify(tmp_path).place == f"{old.name}:1"


def test_an_entry_must_be_json_and_not_too_much_of_it(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with pytest.raises(NoEntryError):
        ledger.append("x", "test", "", {"what": object()})
    with pytest.raises(NoEntryError):
        ledger.append("x", "test", "", {"what": "x" * 2_000_000})
    assert ledger.append("x", "test", "", {}).seq == 1
    ledger.close()


def test_a_writer_killed_in_the_middle_leaves_a_ledger_that_goes_on(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\nfrom routecodex.blocks.ledger import Ledger\n"
        "ledger = Ledger(pathlib.Path(sys.argv[1]))\n"
        "while True:\n    ledger.append('x', 'child', '', {'text': 'x' * 300}); print(ledger.seq, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(20)][-1]
        child.kill()
    ledger = Ledger(tmp_path)
    ledger.append("y", "test", "", {})
    ledger.close()

    assert verify(tmp_path).ok
    assert ledger.seq > told


def test_reading_is_bounded(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "ledger.jsonl", os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(descriptor, b"x" * 3_000_000)
    os.close(descriptor)
    verdict = verify(tmp_path)

    assert (verdict.ok, verdict.bad_seq) == (False, 1)
    assert read(tmp_path) == []
