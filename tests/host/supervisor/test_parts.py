"""The supervisor's small parts by themselves: counts, files, the sentinel, what it tells the service manager."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routecodex.app.supervisor import durable
from routecodex.app.supervisor.boots import Boots
from routecodex.app.supervisor.configuration_file import UnreadableError
from routecodex.app.supervisor.configuration_file import read as read_configuration
from routecodex.app.supervisor.desired import Override, Wanted, ended, with_dependants
from routecodex.app.supervisor.last_good import LastGood
from routecodex.app.supervisor.log import Log
from routecodex.app.supervisor.messages import Document
from routecodex.app.supervisor.notify import Notifier
from routecodex.app.supervisor.safe_http import Request, read_request
from routecodex.app.supervisor.sentinel import Sentinel
from routecodex.app.supervisor.state import remembered
from routecodex.app.switches import BY_KEY, COMBINATIONS
from tests.host.supervisor.supervised import supervised, until


class Clock:
    """A wall clock and one that does not jump."""

    def __init__(self) -> None:
        self.wall = 1_000_000.0
        self.steady = 50.0

    def boots(self, folder: Path) -> Boots:
        return Boots(folder / "boots.json", 300.0, now=lambda: self.wall, clock=lambda: self.steady)

    def run(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


# --- counts ----------------------------------------------------------------------------------------------


def test_tries_are_remembered_until_they_are_settled_or_old(tmp_path: Path) -> None:
    clock = Clock()
    boots = clock.boots(tmp_path)
    boots.trying("a")
    clock.run(10)
    boots.trying("a")
    boots.trying("b")

    again = clock.boots(tmp_path)
    assert (again.tries("a"), again.tries("b")) == (2, 1)
    again.settled("b")
    assert clock.boots(tmp_path).tries("b") == 0
    clock.run(291)
    assert again.tries("a") == 1


def test_a_clock_that_jumps_makes_no_try_younger_or_older_than_it_can_be(tmp_path: Path) -> None:
    clock = Clock()
    boots = clock.boots(tmp_path)
    boots.trying("a")
    clock.wall -= 1_000_000
    assert boots.tries("a") == 1
    assert boots.crashed() == 1
    clock.wall += 5_000_000
    assert boots.crashed() == 2, "seconds have passed by the clock that does not jump"


def test_crashes_count_within_their_window(tmp_path: Path) -> None:
    clock = Clock()
    boots = clock.boots(tmp_path)
    assert boots.crashed() == 1
    clock.run(301)
    assert boots.crashed() == 1
    clock.run(299)
    assert boots.crashed() == 2
    assert clock.boots(tmp_path).crashed() == 3
    boots.forget_crashes()
    assert boots.crashed() == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"tries": 3}', b"\xff" * 10])
def test_counts_that_make_no_sense_start_again(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "boots.json").write_bytes(content)
    assert Clock().boots(tmp_path).tries("a") == 0
    (tmp_path / "last_good.json").write_bytes(content)
    assert LastGood(tmp_path / "last_good.json", tmp_path / "c.toml").wanted is None


# --- files -----------------------------------------------------------------------------------------------


def test_a_durable_file_is_private_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    durable.write(path, b"one")
    durable.write(path, b"two")

    assert path.read_bytes() == b"two"
    assert [each.name for each in path.parent.iterdir()] == ["file"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert durable.read(path, 3) == b"two"
    assert durable.read(path, 2) is None
    assert durable.read(tmp_path / "none", 10) is None


def test_a_durable_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.mkdir()
    with pytest.raises(OSError, match=r"."):
        durable.write(path, b"x")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_the_last_good_configuration_comes_back_as_it_was(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    wanted = Wanted(Document(str(config), b"\xff\x00 bytes"), {"controlWs.allow": Override(("a", "b"), ())})
    LastGood(tmp_path / "good.json", config).bless(wanted, "h" * 64, 12.5)
    again = LastGood(tmp_path / "good.json", config)

    assert again.wanted is not None
    assert again.is_this(wanted)
    assert again.wanted.document == wanted.document
    assert again.wanted.overrides == wanted.overrides
    assert (again.hash, again.at) == ("h" * 64, 12.5)
    assert LastGood(tmp_path / "good.json", tmp_path / "other.toml").wanted is None


def test_a_configuration_that_is_too_large_or_not_there_is_told(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    with pytest.raises(UnreadableError, match="cannot be read"):
        read_configuration(file)
    file.write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(UnreadableError, match="larger than"):
        read_configuration(file)


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_configuration_whose_reading_might_never_end_is_told(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    if kind == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to("/dev/zero")
    with pytest.raises(UnreadableError, match="no regular file"):
        read_configuration(file)


# --- the sentinel ----------------------------------------------------------------------------------------


def test_the_sentinel_is_seen_changed_and_gone(tmp_path: Path) -> None:
    sentinel = Sentinel(tmp_path, {})
    assert (sentinel.look(), sentinel.keys) == (False, ())
    sentinel.path.parent.mkdir()
    sentinel.path.write_text("controlBus\n")
    assert (sentinel.look(), sentinel.keys) == (True, ("controlBus",))
    assert sentinel.look() is False
    sentinel.path.write_text("controlWs.mode, controlBus")
    assert (sentinel.look(), sentinel.keys) == (True, ("controlBus", "controlWs.mode"))
    sentinel.path.unlink()
    assert (sentinel.look(), sentinel.keys) == (True, ())


def test_a_sentinel_nobody_can_read_forces_everything(tmp_path: Path) -> None:
    sentinel = Sentinel(tmp_path, {})
    sentinel.path.mkdir(parents=True)

    assert sentinel.look()
    assert set(sentinel.keys) == set(BY_KEY)


def test_a_sentinel_that_is_a_pipe_forces_everything_and_holds_nobody_up(tmp_path: Path) -> None:
    sentinel = Sentinel(tmp_path, {})
    sentinel.path.parent.mkdir()
    os.mkfifo(sentinel.path)
    assert (sentinel.look(), set(sentinel.keys)) == (True, set(BY_KEY))


def test_the_environment_forces_besides(tmp_path: Path) -> None:
    sentinel = Sentinel(tmp_path, {"ROUTECODEX_FORCE_STABLE": "controlBus"})
    assert sentinel.keys == ("controlBus",)
    sentinel.path.parent.mkdir()
    sentinel.path.write_text("controlWs.mode")
    sentinel.look()
    assert sentinel.keys == ("controlBus", "controlWs.mode")


# --- what is wanted --------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(st.sets(st.sampled_from(list(BY_KEY))))
def test_dependants_come_before_what_they_need(asked: set[str]) -> None:
    values = {row.key: set(row.values) for row in BY_KEY.values()}
    order = with_dependants(asked, values)

    assert asked <= set(order)
    assert len(order) == len(set(order))
    for rule in COMBINATIONS:
        if rule.needs_key in order:
            assert order.index(rule.key) < order.index(rule.needs_key)


def test_what_is_not_rolled_out_is_no_dependant() -> None:
    assert with_dependants(["controlBus"], {}) == ["controlBus"]
    assert with_dependants(["controlBus"], {"hostBlocks.controlPlane": {"v1"}}) == ["controlBus"]
    assert with_dependants(["controlBus"], {"hostBlocks.controlPlane": {"v2"}}) == [
        "hostBlocks.controlPlane",
        "controlBus",
    ]


def test_an_override_ends_when_the_file_says_something_new() -> None:
    overrides = {"a": Override("v2", "v1"), "b": Override("v2", None), "c": Override("v2", "v2")}

    assert ended(overrides, {"a": "v1", "b": "v1", "c": "v2"}) == []
    assert ended(overrides, {"a": "v2", "b": "v2", "c": "v1"}) == ["a", "c"]


def test_what_the_ledger_says_last_is_what_is_remembered() -> None:
    bodies = [
        {"overrides": {"controlWs.mode": {"value": "active"}}, "seq": 4},
        {"other": 1},
        {"overrides": {"controlBus": {"value": "v2", "configured": "v1"}}},
        {"overrides": "nonsense"},
        {"seq": 3},
    ]
    assert remembered(bodies) == ({"controlBus": Override("v2", "v1")}, 4)


# --- safe mode's HTTP ------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=150)
@given(
    st.binary(max_size=300)
    | st.from_regex(rb"(GET|POST) /[a-z?=&%]{0,150} HTTP/1.1\r\n([a-z-]+: ?[0-9a-z]*\r\n){0,4}\r\n.*")
)
def test_whatever_comes_is_a_request_or_none(content: bytes) -> None:
    async def ask() -> Request | None:
        reader = asyncio.StreamReader(limit=64 * 1024)
        reader.feed_data(content)
        reader.feed_eof()
        return await read_request(reader)

    found = asyncio.run(ask())
    assert found is None or (b"\r\n\r\n" in content and found.method.encode("latin-1") in content)


def test_a_request_is_read_with_its_query_headers_and_body() -> None:
    async def ask() -> Request | None:
        reader = asyncio.StreamReader()
        reader.feed_data(b"POST /daemon/rollback?a=1 HTTP/1.1\r\nContent-Length: 4\r\nX-Y:  z \r\n\r\nbodyrest")
        return await read_request(reader)

    found = asyncio.run(ask())
    assert found == Request("POST", "/daemon/rollback", {"a": "1"}, {"content-length": "4", "x-y": "z"}, b"body")


# --- the log and the service manager ---------------------------------------------------------------------


def test_a_log_nobody_reads_holds_nobody_up() -> None:
    reading, writing = os.pipe()
    try:
        log = Log("json", writing)
        for number in range(1000):
            log.warning("event", number=number, text="x" * 500)
        assert log.lost > 0
        first = os.read(reading, 65536).split(b"\n")[0]
        assert json.loads(first)["number"] == 0
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_line_of_the_log_is_never_longer_than_a_pipe_takes_whole(form: str) -> None:
    reading, writing = os.pipe()
    try:
        Log(form, writing).error("event", ValueError("y" * 9000), text="x" * 100_000)
        line = os.read(reading, 65536)
        assert line.endswith(b"\n")
        assert len(line) < 4096
        if form == "json":
            assert json.loads(line)["event"] == "event"
    finally:
        os.close(reading)
        os.close(writing)


def datagrams(path: Path) -> tuple[socket.socket, Callable[[], str]]:
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(path))
    manager.settimeout(20)
    return manager, lambda: manager.recv(4096).decode()


def test_nobody_to_be_told_is_no_trouble(tmp_path: Path) -> None:
    Notifier({}).ready("x")
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("x")
    assert Notifier({"WATCHDOG_USEC": "2000000"}).watchdog == 0.0


def test_the_service_manager_hears_of_start_reload_life_and_stop(tmp_path: Path) -> None:
    path = Path(os.path.relpath(tmp_path / "notify"))
    manager, hear = datagrams(path)
    environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
    with manager, supervised(tmp_path, {"name": "a"}, environ=environ) as one:
        assert hear().startswith("READY=1\n")
        assert "WATCHDOG=1" in [hear() for _ in range(3)]
        one.write({"name": "b"})
        until("reloading", lambda: hear().startswith("RELOADING=1\nMONOTONIC_USEC="))
        until("ready again", lambda: hear().startswith("READY=1"))
        one.stop()
        until("stopping", lambda: hear() == "STOPPING=1")
