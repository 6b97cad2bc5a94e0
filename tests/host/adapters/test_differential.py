"""Both sides of `hostBlocks.httpAdapter` answer alike: every byte, record and log line, over real sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import pytest

from routecodex.blocks.http_adapter import Application
from tests.host.adapters.row import FIRST, SECOND
from tests.host.adapters.sides import Pair, compared, differing, stop
from tests.host.adapters.table import BY_NAME, chat, one, post


@pytest.mark.parametrize("name", BY_NAME)
def test_both_adapters_answer_alike(name: str, tmp_path: Path) -> None:
    group = BY_NAME[name]
    prepare = stop if group.stopping else (lambda side: None)
    with Pair(tmp_path, group.configure, (FIRST, SECOND), prepare) as pair:
        found = compared(group, pair)
    first, second = (side.logged() for side in pair.sides)
    assert not found, found
    assert not differing(first, second), "\n".join(differing(first, second))
    assert len(first) >= len(group.cases) / 4, "most requests leave a line"


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
        return Planted(SECOND(*arguments), change)

    chosen = BY_NAME[group]
    with Pair(tmp_path, chosen.configure, (FIRST, build)) as pair:
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
        return Changed(SECOND(*arguments), lambda message: None)

    with Pair(tmp_path, builds=(FIRST, build)) as pair:
        found = pair.differences(one(post("/v1/chat/completions", chat())))
    assert found
    assert not any(difference.startswith("bytes") for difference in found)
