"""A gateway that is not done yet: the command line asks again, under the same id, until there is a receipt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from tests.host.cli.conftest import Cli
from tests.host.cli.standing_in import Answering, standing_in


class NotDoneYet(Answering):
    """Answers the first commands as the workers do while the supervisor goes on, the next one with `last`."""

    asked: ClassVar[list[tuple[str, dict[str, Any]]]] = []
    last: ClassVar[tuple[int, dict[str, Any]]]

    def take(self, given: dict[str, Any]) -> None:
        self.asked.append((self.path, given))
        receipt = {"command": "x", "id": given.get("id", "made up"), "state": "accepted", "code": "under_way"}
        told = {"reason": "The command is still being carried out.", "nextStep": "Send it again."}
        self.answer(*self.last if len(self.asked) > 2 else (202, {**receipt, **told}))


@pytest.fixture
def busy(cli: Cli) -> Iterator[Cli]:
    NotDoneYet.asked = []
    with standing_in(cli, NotDoneYet):
        yield cli


@pytest.mark.parametrize(
    ("words", "path", "arguments"),
    [
        (("server", "restart"), "/daemon/server/restart", {}),
        (("config", "apply", "--restart"), "/daemon/config/apply", {"restart": True}),
    ],
)
def test_a_command_under_way_is_asked_for_until_it_is_done(
    words: tuple[str, ...], path: str, arguments: dict[str, Any], busy: Cli
) -> None:
    NotDoneYet.last = (200, {"command": "x", "id": "made up", "state": "done", "result": {"replaced": 3}})
    done = busy(*words, "--json")

    assert done.code == 0, done
    assert done.json["state"] == "done"
    assert NotDoneYet.asked == [(path, arguments), *[(path, {**arguments, "id": "made up"})] * 2]


def test_what_it_came_to_in_the_end_is_told(busy: Cli) -> None:
    why = "A new worker did not come up."
    NotDoneYet.last = (500, {"command": "x", "id": "made up", "state": "refused", "code": "boot_failed", "reason": why})
    done = busy("server", "restart")

    assert done.code == 70
    assert why in done.err


def test_a_rollback_under_way_is_waited_for(busy: Cli) -> None:
    result = {"verified": True, "totalMs": 3.0, "steps": []}
    NotDoneYet.last = (200, {"command": "x", "id": "made up", "state": "done", "result": result})
    done = busy("rollback", "--all")

    assert done.code == 0, done
    assert "verified" in done.out
    assert [given.get("id") for _, given in NotDoneYet.asked] == [None, "made up", "made up"]
