"""The state store: what is put is there, after a restart too; bounds hold; a damaged file costs its content only."""

from __future__ import annotations

import sqlite3
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmswitch_core.hub.responses_state import StoredResponse
from routecodex.blocks.store import StateStore
from routecodex.blocks.telemetry import LogWriter
from routecodex.blocks.telemetry.logs import configure
from routecodex.config.compiled import StoreSettings


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def opened(path: str, clock: Clock, log: StringIO | None = None, **more: Any) -> StateStore:
    logger = configure(LogWriter(log or StringIO()), "debug")
    return StateStore(StoreSettings(path=path, **more), clock, logger)


def response(number: int, text: str = "x", account: str = "alice", **more: Any) -> StoredResponse:
    return StoredResponse(
        id=f"resp_{number}",
        account=account,
        created=1,
        input=[{"id": f"msg_{number}", "type": "message", "content": text}],
        body={"id": f"resp_{number}", "output": [{"id": f"out_{number}", "type": "message"}]},
        **more,
    )


@pytest.fixture(params=[":memory:", "file"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return ":memory:" if request.param == ":memory:" else str(tmp_path / "folder" / "state.db")


def test_what_is_put_is_read_at_once_and_later(path: str) -> None:
    store = opened(path, Clock())
    store.put(response(1, "one"))
    assert store.get("resp_1") == response(1, "one")
    store.flush()
    assert store.get("resp_1") == response(1, "one")
    assert store.get("resp_2") is None
    store.put(response(1, "another"))
    assert store.get("resp_1") == response(1, "another")
    store.delete("resp_1")
    assert store.get("resp_1") is None
    store.flush()
    assert store.get("resp_1") is None
    assert store.response_of_item("msg_1", "alice") is None
    store.close()


def test_items_are_found_for_their_account_only(path: str) -> None:
    store = opened(path, Clock())
    store.put(response(1))
    for _ in range(2):
        assert store.response_of_item("msg_1", "alice") == "resp_1"
        assert store.response_of_item("out_1", "alice") == "resp_1"
        assert store.response_of_item("msg_1", "bob") is None
        store.flush()
    store.close()


def test_what_was_not_to_be_stored_is_not(path: str) -> None:
    store = opened(path, Clock())
    store.put(response(1, stored=False))
    assert store.get("resp_1") is None
    store.close()


def test_tokens_are_known_at_once_and_unknown_ones_are_none(path: str) -> None:
    store = opened(path, Clock())
    assert store.lookup("sig:1") is None
    store.keep_tokens({"sig:1": b"{}"})
    assert store.lookup("sig:1") == b"{}"
    store.flush()
    assert store.lookup("sig:1") == b"{}"
    store.close()


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    path, clock = str(tmp_path / "state.db"), Clock()
    store = opened(path, clock)
    for number in range(600):
        store.put(response(number, "x" * 100))
    store.keep_tokens({f"sig:{number}": b"%d" % number for number in range(600)})
    store.delete("resp_7")
    secret = store.secret("s")
    store.close()
    again = opened(path, clock)
    assert all(again.get(f"resp_{number}") == response(number, "x" * 100) for number in range(600) if number != 7)
    assert again.get("resp_7") is None
    assert again.lookup("sig:599") == b"599"
    assert again.secret("s") == secret
    assert len(secret) == 32
    again.close()


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "state.db"
    store = opened(str(path), Clock())
    store.put(response(1))
    store.flush()
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    store.close()


def test_old_entries_are_forgotten(tmp_path: Path) -> None:
    path, clock = str(tmp_path / "state.db"), Clock()
    store = opened(path, clock, responses_ttl=100.0)
    store.put(response(1))
    store.keep_tokens({"sig:1": b"1"})
    store.close()
    clock.now += 101
    again = opened(path, clock, responses_ttl=100.0)
    assert again.get("resp_1") is None
    assert again.lookup("sig:1") is None
    clock.now += 4000
    again.put(response(2))
    again.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT id FROM response").fetchall() == [("resp_2",)]
        assert connection.execute("SELECT COUNT(*) FROM item WHERE response = 'resp_1'").fetchone() == (0,)
    connection.close()


def test_the_size_is_bounded_and_the_oldest_go_first(tmp_path: Path) -> None:
    path, clock = str(tmp_path / "state.db"), Clock()
    store = opened(path, clock, max_bytes=1_000_000)
    for number in range(300):
        clock.now += 1
        store.put(response(number, "x" * 10_000))
        store.flush()
    clock.now += 4000
    store.put(response(300))
    store.close()
    with sqlite3.connect(path) as connection:
        kept = [int(row[0][5:]) for row in connection.execute("SELECT id FROM response ORDER BY at")]
        size = connection.execute("SELECT SUM(size) FROM response").fetchone()[0]
    connection.close()
    assert kept == list(range(kept[0], 301))
    assert 500_000 < size <= 1_000_000


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_file_is_moved_aside_loudly(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    file.write_bytes(content)
    log = StringIO()
    writer = LogWriter(log)
    store = StateStore(StoreSettings(path=str(file)), Clock(), configure(writer, "debug"))
    store.put(response(1))
    assert store.get("resp_1") == response(1)
    store.close()
    writer.close()
    (aside,) = tmp_path.glob("state.db.corrupt-*")
    assert aside.read_bytes() == content
    assert "store.corrupt" in log.getvalue()
    assert str(aside) in log.getvalue()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "delete", "flush", "restart"]), st.integers(0, 4), st.text(max_size=5)),
        max_size=25,
    )
)
def test_the_store_behaves_like_a_dictionary(steps: list[tuple[str, int, str]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path, clock = f"{folder}/state.db", Clock()
        store = opened(path, clock)
        expected: dict[str, StoredResponse] = {}
        for what, number, text in steps:
            key = f"resp_{number}"
            if what == "put":
                expected[key] = response(number, text)
                store.put(expected[key])
            elif what == "delete":
                expected.pop(key, None)
                store.delete(key)
            elif what == "flush":
                store.flush()
            else:
                store.close()
                store = opened(path, clock)
            for other in range(5):
                assert store.get(f"resp_{other}") == expected.get(f"resp_{other}")
        store.close()
