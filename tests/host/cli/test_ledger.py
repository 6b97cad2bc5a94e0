"""`ledger show | verify` on files of a real ledger, without a gateway."""

from __future__ import annotations

from pathlib import Path

import pytest

from routecodex.blocks.ledger import Ledger
from tests.host.cli.conftest import Cli


def written(cli: Cli, port: int = 5999, entries: int = 5) -> Path:
    folder = cli.home / "control" / str(port)
    clock = iter(range(1_700_000_000, 1_800_000_000))
    ledger = Ledger(folder, now=lambda: float(next(clock)))
    for number in range(entries):
        kind = ("switch.set", "config.apply")[number % 2]
        ledger.append(kind, "cli:alice", f"c{number}", {"key": "controlBus", "value": "v1", "reason": f"why {number}"})
    ledger.close()
    return folder


def test_entries_are_shown_with_who_and_why(cli: Cli) -> None:
    folder = written(cli)
    shown = cli("ledger", "show")
    found = cli("ledger", "show", "--json").json

    assert shown.code == 0
    assert "cli:alice" in shown.out
    assert "key=controlBus reason=why 0 value=v1" in shown.out
    assert found["folder"] == str(folder)
    assert [entry["seq"] for entry in found["entries"]] == [1, 2, 3, 4, 5]
    assert found["entries"][1]["prev"] == found["entries"][0]["hash"]


def test_entries_are_chosen_by_number_kind_and_count(cli: Cli) -> None:
    written(cli, entries=12)

    def numbers(*options: str) -> list[int]:
        return [entry["seq"] for entry in cli("ledger", "show", "--json", *options).json["entries"]]

    assert numbers("--since", "11") == [11, 12]
    assert numbers("--limit", "2") == [11, 12]
    assert numbers("--since", "3", "--limit", "2") == [3, 4]
    assert numbers("--kind", "switch", "--since", "8") == [9, 11]
    assert numbers("--kind", "config.apply", "--limit", "1") == [12]
    assert numbers("--kind", "config.app") == []


def test_a_whole_chain_is_verified(cli: Cli) -> None:
    written(cli)
    done = cli("ledger", "verify")
    as_json = cli("ledger", "verify", "--json").json

    assert done.code == 0
    assert "5 entries, the last is number 5: the chain holds." in done.out
    assert (as_json["ok"], as_json["entries"]) == (True, 5)


def test_a_changed_entry_is_found_and_named(cli: Cli) -> None:
    file = written(cli) / "ledger.jsonl"
    file.write_bytes(file.read_bytes().replace(b"why 2", b"why 7"))
    done = cli("ledger", "verify")
    as_json = cli("ledger", "verify", "--json")

    assert done.code == 70
    assert "ledger.jsonl:3" in done.err
    assert (as_json.code, as_json.json["ok"], as_json.json["badSeq"]) == (70, False, 3)


def test_an_entry_a_crash_cut_short_is_no_fault_but_told(cli: Cli) -> None:
    file = written(cli) / "ledger.jsonl"
    file.write_bytes(file.read_bytes() + b'{"seq":6,')
    done = cli("ledger", "verify")

    assert done.code == 0
    assert "9 bytes" in done.err


def test_several_ledgers_must_be_told_apart(cli: Cli) -> None:
    written(cli, 5001)
    written(cli, 5002, entries=2)
    unclear = cli("ledger", "show")

    assert unclear.code == 78
    assert "5001, 5002" in unclear.err
    assert len(cli("ledger", "show", "--port", "5002", "--json").json["entries"]) == 2


@pytest.mark.parametrize("options", [(), ("--port", "5000")])
def test_where_there_is_none_it_is_said(cli: Cli, options: tuple[str, ...]) -> None:
    done = cli("ledger", "verify", *options)

    assert done.code == 78
    assert "no ledger" in done.err
