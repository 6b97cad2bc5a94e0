"""A gateway that takes a command and breaks off: the command line looks at what came of it, and says what it saw."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from routecodex.app.switches import SWITCHES
from tests.host.cli.conftest import Cli
from tests.host.cli.standing_in import Answering, standing_in
from tests.sides import LIVE


class BreakingOff(Answering):
    """Closes the connection on every command; its health says what it is told to say."""

    values: ClassVar[dict[str, object]] = {}


@pytest.fixture
def broken(cli: Cli) -> Iterator[Cli]:
    BreakingOff.values = {row.key: row.default if row.default != () else [] for row in SWITCHES}
    with standing_in(cli, BreakingOff):
        yield cli


def test_a_rollback_whose_answer_was_lost_is_looked_up(broken: Cli) -> None:
    done = broken("rollback", "--all")
    as_json = broken("rollback", "--all", "--json")

    assert done.code == 0, done
    assert "before it could answer" in done.out
    assert as_json.json["state"] == "done"


def test_a_rollback_that_is_not_seen_is_no_success(broken: Cli) -> None:
    BreakingOff.values = {**BreakingOff.values, LIVE[0]: "v2"}
    done = broken("rollback", LIVE[0])

    assert done.code == 75
    assert f"routecodex rollback {LIVE[0]} --offline" in done.err


def test_another_command_whose_answer_was_lost_says_so(broken: Cli) -> None:
    done = broken("config", "apply", "--json")

    assert done.code == 75
    assert done.json["error"]["code"] == "connection_lost"
    assert "broke off" in done.json["error"]["message"]
