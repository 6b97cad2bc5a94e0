"""A worker passes control commands on to the supervisor and waits for their receipts, as long as waiting makes sense.

A command may take longer than a client should be kept waiting: workers are replaced one after another, and a change
waits for the one before it. As long as the supervisor is heard (it asks every worker for a sign of life each second),
the command is under way, and that is the answer when patience ends, or when this worker has to go: 202, `under_way`,
with the id under which the same command, sent again, gets its receipt; nothing is done twice. Only silence is 503.

It knows links and receipts; what a command does is the supervisor's. Standard library and msgspec only: safe mode uses
it.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from typing import Any, Final

import msgspec

from routecodex.app.supervisor.link import Link, LinkClosedError
from routecodex.app.supervisor.messages import Command, Down, Receipt, Up

PATIENCE: Final = 45.0
"""Seconds until a command that is still being carried out is answered with that; below most clients' own time-outs."""
SILENCE: Final = 10.0
"""Seconds without a word after which the supervisor counts as gone."""
UNDER_WAY: Final = "under_way"

_OFFLINE: Final = "Use `routecodex rollback --all --offline` if you need v1/stable now; else start the gateway again."


class _Asked:
    """One command that waits."""

    __slots__ = ("answer", "identity", "name")

    def __init__(self, name: str, identity: str) -> None:
        self.name = name
        self.identity = identity
        self.answer: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

    def settle(self, answer: tuple[int, bytes]) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)

    def under_way(self) -> tuple[int, bytes]:
        return _receipt(
            202,
            command=self.name,
            id=self.identity,
            state="accepted",
            code=UNDER_WAY,
            reason="The command is still being carried out.",
            nextStep=f"Send it again with the id {self.identity} for its receipt (nothing is done twice); "
            "`routecodex status` and `routecodex ledger show` tell how far it is.",
        )

    def unheard(self, why: str) -> tuple[int, bytes]:
        return _receipt(
            503,
            command=self.name,
            id=self.identity,
            state="refused",
            code="supervisor_silent",
            reason=why,
            nextStep=_OFFLINE,
        )


class Asking:
    """The commands of one worker. Used in one event loop."""

    def __init__(self, link: Link[Up, Down], patience: float = PATIENCE, silence: float = SILENCE) -> None:
        """`patience`, `silence` in seconds."""
        self._link = link
        self._patience = patience
        self._silence = silence
        self._numbers = itertools.count(1)
        self._waiting: dict[int, _Asked] = {}
        self._heard = 0.0
        self._parting = False

    async def command(self, name: str, arguments: bytes, actor: str) -> tuple[int, bytes]:
        """(HTTP status, JSON receipt); `arguments` is a JSON object, given an `id` where it has none."""
        given: dict[str, Any] = msgspec.json.decode(arguments or b"{}", type=dict[str, Any])
        identity = str(given.get("id") or secrets.token_hex(8))
        asked = _Asked(name, identity)
        number = next(self._numbers)
        self._waiting[number] = asked
        try:
            self._link.write(Command(number, name, msgspec.json.encode({**given, "id": identity}), actor))
            return asked.under_way() if self._parting else await self._answer(asked)
        except LinkClosedError:
            return asked.unheard("The supervisor does not answer.")
        finally:
            self._waiting.pop(number, None)

    async def _answer(self, asked: _Asked) -> tuple[int, bytes]:
        loop = asyncio.get_running_loop()
        since = loop.time()
        while not asked.answer.done():
            now = loop.time()
            silent, left = max(self._heard, since) + self._silence - now, since + self._patience - now
            if silent <= 0:
                why = f"The supervisor was not heard for {self._silence:g} s; what becomes of the command is not known."
                return asked.unheard(why)
            if left <= 0:
                return asked.under_way()
            await asyncio.wait({asked.answer}, timeout=min(silent, left))
        return asked.answer.result()

    def heard(self, message: Down) -> bool:
        """The supervisor said this; True where it was a receipt, which is then delivered."""
        self._heard = asyncio.get_running_loop().time()
        if not isinstance(message, Receipt):
            return False
        asked = self._waiting.get(message.id)
        if asked is not None:
            asked.settle((message.status, message.body))
        return True

    def part(self) -> None:
        """This worker ends now, its commands do not: whoever waits is told, and so is who still comes."""
        self._parting = True
        for asked in self._waiting.values():
            asked.settle(asked.under_way())

    def lost(self) -> None:
        """The supervisor is gone."""
        for asked in self._waiting.values():
            asked.settle(asked.unheard("The supervisor does not answer."))


def _receipt(status: int, **members: str) -> tuple[int, bytes]:
    return status, msgspec.json.encode(members)
