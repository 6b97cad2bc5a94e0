"""Both sides of `hostBlocks.httpAdapter` answer alike: every byte, record and log line, over real sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import pytest

from routecodex.blocks.http_adapter import Application, v2
from tests.host.adapters.sides import Pair, Side, differing
from tests.host.adapters.table import GROUPS, Group, chat, one, post

BY_NAME: Final = {group.name: group for group in GROUPS}


def stop(side: Side) -> None:
    side.gateway.gateway.stop_accepting()


def compared(group: Group, pair: Pair) -> str:
    """What differs, a line each."""
    found = [(name, pair.differences(steps)) for name, steps in group.cases]
    return "\n".join(f"{name}: {difference}" for name, differences in found for difference in differences)


@pytest.mark.parametrize("name", BY_NAME)
def test_both_adapters_answer_alike(name: str, tmp_path: Path) -> None:
    group = BY_NAME[name]
    with Pair(tmp_path, group.configure, prepare=stop if group.stopping else lambda side: None) as pair:
        found = compared(group, pair)
    first, second = (side.logged() for side in pair.sides)
    assert not found, found
    assert not differing(first, second), "\n".join(differing(first, second))
    assert len(first) >= len(group.cases) / 4, "most requests leave a line"


def test_the_table_has_hundreds_of_requests_and_no_case_twice() -> None:
    for group in GROUPS:
        names = [name for name, _ in group.cases]
        assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
    assert sum(len(group.cases) for group in GROUPS) > 1500


# --- a difference is found ---------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], None]


def start(message: dict[str, Any]) -> bool:
    return bool(message["type"] == "http.response.start")


def without_a_header(message: dict[str, Any]) -> None:
    if start(message):
        message["headers"] = [pair for pair in message["headers"] if pair[0] != b"x-routecodex-generation"]


def headers_in_another_order(message: dict[str, Any]) -> None:
    if start(message):
        message["headers"] = list(message["headers"])[::-1]


def another_status_of_what_is_created(message: dict[str, Any]) -> None:
    if start(message) and message["status"] == 405:
        message["status"] = 404


def a_byte_of_a_body(message: dict[str, Any]) -> None:
    if message["type"] == "http.response.body":
        message["body"] = message.get("body", b"").replace(b'"unknown_path"', b'"unknown_Path"')


def no_origin_told(message: dict[str, Any]) -> None:
    if start(message):
        message["headers"] = [pair for pair in message["headers"] if pair[0] != b"vary"]


PLANTED: Final[tuple[tuple[Change, str], ...]] = (
    (without_a_header, "bodies"),
    (headers_in_another_order, "headers"),
    (another_status_of_what_is_created, "every method"),
    (a_byte_of_a_body, "odd paths"),
    (no_origin_told, "sources"),
)


class Planted:
    """An adapter whose messages are changed on their way out."""

    def __init__(self, application: Application, change: Change) -> None:
        self._application = application
        self._change = change

    async def __call__(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        async def changed(message: dict[str, Any]) -> None:
            copy = dict(message)
            self._change(copy)
            await send(copy)

        await self._application(scope, receive, changed)

    def stop_accepting(self) -> None:
        self._application.stop_accepting()


@pytest.mark.parametrize(("change", "group"), PLANTED, ids=[change.__name__ for change, _ in PLANTED])
def test_a_planted_difference_is_found(change: Change, group: str, tmp_path: Path) -> None:
    def build(*arguments: Any) -> Application:
        return Planted(v2.build(*arguments), change)

    chosen = BY_NAME[group]
    with Pair(tmp_path, chosen.configure, build) as pair:
        for name, steps in chosen.cases:
            if pair.differences(steps):
                return
            del name
    pytest.fail("nothing differed")


def test_a_difference_nobody_sees_on_the_wire_is_found(tmp_path: Path) -> None:
    """In the record and in what the upstream was sent."""

    class Changed(Planted):
        def __call__(self, scope: Any, receive: Any, send: Any) -> Coroutine[Any, Any, None]:
            scope["headers"] = [*scope["headers"], (b"x-routecodex-conversation", b"planted")]
            return self._application(scope, receive, send)

    def build(*arguments: Any) -> Application:
        return Changed(v2.build(*arguments), lambda message: None)

    with Pair(tmp_path, second=build) as pair:
        found = pair.differences(one(post("/v1/chat/completions", chat())))
    assert found
    assert not any(difference.startswith("bytes") for difference in found)
