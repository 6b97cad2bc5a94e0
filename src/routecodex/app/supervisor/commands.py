"""The control commands: each is recorded before its effect, carried out once however often it is sent, and answered.

A table of names and what carries them out. Who may ask is the HTTP adapter's to judge; what a configuration means, the
workers'.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from routecodex.app.supervisor import configuration_file
from routecodex.app.supervisor.configuration_file import UnreadableError
from routecodex.app.supervisor.desired import Override, Wanted
from routecodex.app.supervisor.messages import Command, Document, Receipt
from routecodex.app.supervisor.outcome import LEDGER_UNWRITABLE, Outcome, refused
from routecodex.app.supervisor.recovery import Recovery
from routecodex.app.supervisor.rollback import Export, Rollback
from routecodex.app.supervisor.state import State
from routecodex.app.supervisor.status import server_status, switch_list, unknown_switch
from routecodex.app.supervisor.worker_process import BootError, WorkerProcess
from routecodex.app.switches import BY_KEY, TABLE
from routecodex.blocks.ledger import LedgerUnwritableError
from routecodex.config.compiled import SwitchValue

_REMEMBERED: Final = 512
"""Receipts kept, for commands that are sent again."""
_MOST_READ: Final = 10_000
_MOST_SHOWN: Final = 1000
_ANSWER: Final = 2 * 1024 * 1024
"""Bytes of ledger one answer holds at most."""
_MEND: Final = "Put it right, then `routecodex config apply`; what was in force still is."
_AGAIN: Final = "Say it again with `--restart`: workers are replaced one by one, and running requests finish."


class Commands:
    """Carries out commands, wherever they come from."""

    def __init__(
        self, state: State, recovery: Recovery, export: Export, stop: Callable[[float], None], started: float
    ) -> None:
        """`stop(drain)` begins the end of the gateway; negative: drain as the configuration says."""
        self._state = state
        self._recovery = recovery
        self._export = export
        self._stop = stop
        self._started = started
        self.rollback = Rollback(state, recovery, recovery.transactions.preempt, export)
        self._receipts: OrderedDict[str, tuple[bytes, asyncio.Future[tuple[int, bytes]]]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- coming in -------------------------------------------------------------------------------------

    def hear(self, worker: WorkerProcess, command: Command) -> None:
        """A command over a worker's HTTP surface: it is answered there."""

        async def answer() -> None:
            status, body = await self.carry_out(command.name, command.arguments, command.actor)
            worker.say(Receipt(command.id, status, body))

        task = asyncio.get_running_loop().create_task(answer())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def carry_out(self, name: str, arguments: bytes, actor: str) -> tuple[int, bytes]:
        """(HTTP status, JSON receipt). The same `id` again gives the same receipt without another effect."""
        try:
            given = msgspec.json.decode(arguments or b"{}", type=dict[str, Any])
        except msgspec.DecodeError as error:
            return _encoded(refused(400, "bad_command", f"The arguments are no JSON object: {error}."), name, "")
        identity = str(given.pop("id", "") or secrets.token_hex(8))[:100]
        asked = msgspec.json.encode([name, given], order="sorted")
        known = self._receipts.get(identity)
        if known is not None:
            if known[0] != asked:
                why = f"The id {identity} belongs to another command."
                return _encoded(refused(409, "id_in_use", why, "Use an id once per command."), name, identity)
            return await asyncio.shield(known[1])
        future: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self._receipts[identity] = (asked, future)
        self._forget()
        try:
            outcome = await self._recorded(name, given, actor, identity)
        except Exception as error:
            self._state.log.error("supervisor.fault", error=error, command=name)
            outcome = refused(500, "internal_error", f"The supervisor failed: {type(error).__name__}.", "See its log.")
        answer = _encoded(outcome, name, identity)
        future.set_result(answer)
        return answer

    def _forget(self) -> None:
        """The oldest receipts beyond what is remembered; a command under way stays, or it would be done twice."""
        more = len(self._receipts) - _REMEMBERED
        if more > 0:
            ended = [identity for identity, (_, future) in self._receipts.items() if future.done()]
            for identity in ended[:more]:
                del self._receipts[identity]

    async def _recorded(self, name: str, given: Mapping[str, Any], actor: str, identity: str) -> Outcome:
        """Carry it out between its two entries in the ledger."""
        reading = _READING.get(name)
        if reading is not None:
            return await reading(self, given, actor, identity)
        changing = _CHANGING.get(name)
        if changing is None:
            return refused(404, "unknown_command", f"There is no command {name[:80]!r}.")
        journal = self._state.journal
        body = {"id": identity, "name": name, "arguments": given}
        if name == "switch.rollback":
            return await changing(self, given, actor, identity)  # its intent and its end are entries of their own
        if name in _ALWAYS:
            await journal.keep("command", actor, identity, body)
        else:
            try:
                await journal.append("command", actor, identity, body)
            except LedgerUnwritableError as error:
                return refused(
                    503,
                    LEDGER_UNWRITABLE,
                    str(error),
                    "Make room on the disk, or the folder writable; rollbacks work meanwhile.",
                )
        outcome = await changing(self, given, actor, identity)
        told = {
            "id": identity,
            "name": name,
            "state": outcome.state,
            "status": outcome.status,
            "reason": outcome.reason,
        }
        await journal.keep("receipt", actor, identity, told)
        return outcome

    # --- reading ---------------------------------------------------------------------------------------

    async def _status(self, given: Mapping[str, Any], actor: str, identity: str) -> Outcome:
        return Outcome(state="done", result=server_status(self._state, self._recovery.watch, self._started))

    async def _list(self, given: Mapping[str, Any], actor: str, identity: str) -> Outcome:
        return switch_list(self._state, str(given.get("key", "")))

    async def _plan(self, given: Mapping[str, Any], actor: str, identity: str) -> Outcome:
        named = given.get("file")
        path = Path(named) if isinstance(named, str) and named else self._state.settings.config
        if not path.is_absolute():
            return refused(400, "bad_command", "`file` must be an absolute path.")
        try:
            document = await asyncio.to_thread(configuration_file.read, path)
        except UnreadableError as error:
            return refused(404, "unreadable_file", str(error), "Name a readable file.")
        return await self._recovery.transactions.plan(Wanted(document, self._state.wanted.overrides))

    async def _ledger(self, given: Mapping[str, Any], actor: str, identity: str) -> Outcome:
        since, limit, kind = given.get("since", 0), given.get("limit", 0), given.get("kind", "")
        if not isinstance(since, int) or not isinstance(limit, int) or not isinstance(kind, str):
            return refused(400, "bad_command", "`since` and `limit` are numbers, `kind` is text.")
        journal = self._state.journal
        entries = await (journal.entries(since - 1, _MOST_READ) if since > 0 else journal.latest(_MOST_READ))
        chosen = [entry for entry in entries if not kind or entry.kind == kind][-(limit or _MOST_SHOWN) :]
        room, shown = _ANSWER, []
        for entry in reversed(chosen):
            room -= len(entry.line)
            if room < 0:
                break
            shown.append(msgspec.to_builtins(entry))
        return Outcome(
            state="done",
            result={"entries": shown[::-1], "lastSeq": journal.seq, "waiting": journal.waiting},
        )

    # --- switches --------------------------------------------------------------------------------------

    async def _set(self, given: Mapping[str, Any], actor: str, identity: str) -> Outcome:
        state, key = self._state, str(given.get("key", ""))
        row = BY_KEY.get(key)
        if row is None:
            return unknown_switch(key)
        value = _value(given.get("value"), row.values)
        if value is None:
            choices = ", ".join(msgspec.json.encode(one).decode() for one in row.values)
            return refused(
                422, "bad_value", f"{key} takes {choices}.", f"`routecodex switch show {key}` explains them."
            )
        if key in state.forced and value != row.default:
            why = f"{key} is forced to its first side."
            return refused(409, "forced", why, f"Delete {state.sentinel.path}, or unset ROUTECODEX_FORCE_STABLE.")
        missing = [
            reason for found, reason in TABLE.refusals({key: value}) if found == key and value not in row.available
        ]
        if missing and row.values != ((),):
            return refused(422, "not_there_yet", missing[0])
        # What the file says stays unknown where the worker has not told it: it is filled in when prepared.
        overrides = {**state.wanted.overrides, key: Override(value, state.configured.get(key))}
        return await self._override(overrides, given, actor, identity)

    async def _clear(self, given: Mapping[str, Any], actor: str, identity: str) -> Outcome:
        state, key = self._state, str(given.get("key", ""))
        if given.get("all") is True and not key:
            if not state.wanted.overrides:
                return Outcome(state="done", reason="There is no live override.")
            return await self._override({}, given, actor, identity)
        if key not in BY_KEY:
            return unknown_switch(key)
        if key not in state.wanted.overrides:
            return Outcome(state="done", reason=f"{key} has no live override.")
        overrides = {other: override for other, override in state.wanted.overrides.items() if other != key}
        return await self._override(overrides, given, actor, identity)

    async def _override(
        self, overrides: Mapping[str, Override], given: Mapping[str, Any], actor: str, identity: str
    ) -> Outcome:
        state = self._state
        if state.safe:
            return refused(409, "safe_mode", "Safe mode has no switches.", "Leave it with `routecodex config apply`.")
        wanted = msgspec.structs.replace(state.wanted, overrides=overrides, origin="command")
        outcome = await self._recovery.transactions.apply(
            wanted,
            actor=actor,
            correlation=identity,
            restart=bool(given.get("restart")),
            if_match=str(given.get("ifMatch", "")),
        )
        # An override that waits is kept nowhere: it is to be asked for again, not applied from the file.
        return msgspec.structs.replace(outcome, next_step=_AGAIN) if outcome.state == "pending" else outcome

    async def _rollback(self, given: Mapping[str, Any], actor: str, identity: str) -> Outcome:
        key, everything = str(given.get("key", "")), given.get("all") is True
        if bool(key) == everything:
            return refused(400, "bad_command", "Either `key` or `all` must be given.")
        if key and key not in BY_KEY:
            return unknown_switch(key)
        keys = list(BY_KEY) if everything else [key]
        return await self.rollback.run(
            keys, actor=actor, correlation=identity, reason=str(given.get("reason", ""))[:1000]
        )

    # --- configuration ---------------------------------------------------------------------------------

    async def _apply(self, given: Mapping[str, Any], actor: str, identity: str) -> Outcome:
        return await self._apply_file(given, actor, identity, always=False)

    async def _reload(self, given: Mapping[str, Any], actor: str, identity: str) -> Outcome:
        return await self._apply_file(given, actor, identity, always=True)

    async def _apply_file(self, given: Mapping[str, Any], actor: str, identity: str, *, always: bool) -> Outcome:
        state = self._state
        file = state.file
        try:
            document: Document = await asyncio.to_thread(configuration_file.read, state.settings.config)
        except UnreadableError as error:
            file.state, file.reason = "unreadable", str(error)
            return refused(422, "unreadable_file", str(error), _MEND)
        outcome = await self._recovery.transactions.apply(
            Wanted(document, state.wanted.overrides, "file"),
            actor=actor,
            correlation=identity,
            restart=bool(given.get("restart")),
            if_match=str(given.get("ifMatch", "")),
            always=always,
        )
        if outcome.code in ("if_match", "preempted", LEDGER_UNWRITABLE):
            return outcome
        file.digest = configuration_file.digest(document)
        file.state = "in force" if outcome.state == "done" else outcome.state
        file.hash = str(outcome.result.get("hash", "")) or None
        file.reason, file.refusals = outcome.reason, outcome.refusals
        file.changes = outcome.changes if outcome.state == "pending" else ()
        return outcome

    # --- the gateway -----------------------------------------------------------------------------------

    async def _restart(self, given: Mapping[str, Any], actor: str, identity: str) -> Outcome:
        """Every worker anew; out of safe mode, with the last good configuration or the file."""
        state = self._state
        if state.safe:
            good = state.last_good.wanted
            if good is None:
                return await self._apply_file(given, actor, identity, always=True)
            return await self._recovery.transactions.apply(good, actor=actor, correlation=identity)
        async with state.writer:
            try:
                await state.workers.fill_all(*state.boot())
            except BootError as error:
                self._recovery.mend()
                return refused(500, "boot_failed", f"A new worker did not come up: {error}", "The old ones go on.")
        return Outcome(state="done", result={"replaced": state.workers.count})

    async def _drain(self, given: Mapping[str, Any], actor: str, identity: str) -> Outcome:
        return self._ending(self._state.times.leave, "New requests are not taken on; the gateway ends after the last.")

    async def _end(self, given: Mapping[str, Any], actor: str, identity: str) -> Outcome:
        return self._ending(-1.0, "The gateway ends.")

    def _ending(self, drain: float, what: str) -> Outcome:
        # After the receipt has left: whoever asked hears it from a worker that is about to go.
        asyncio.get_running_loop().call_later(0.05, self._stop, drain)
        return Outcome(state="accepted", status=202, reason=what)

    async def _snapshot(self, given: Mapping[str, Any], actor: str, identity: str) -> Outcome:
        state = self._state
        decision = {
            "trigger": "snapshot.export",
            "reason": str(given.get("reason", "")),
            "correlation": identity,
            "after": state.picture(),
        }
        try:
            exported = await asyncio.to_thread(self._export, decision)
        except OSError as error:
            return refused(503, "not_written", f"The bundle cannot be written: {error.strerror or error}.")
        return Outcome(state="done", result=exported)

    async def close(self) -> None:
        """Receipts that are under way are given a moment to leave."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)
        for task in self._tasks:
            task.cancel()


_Carry = Callable[[Commands, Mapping[str, Any], str, str], Awaitable[Outcome]]

_READING: Final[Mapping[str, _Carry]] = {
    "server.status": Commands._status,
    "switch.list": Commands._list,
    "config.plan": Commands._plan,
    "ledger.show": Commands._ledger,
}
_CHANGING: Final[Mapping[str, _Carry]] = {
    "switch.set": Commands._set,
    "switch.clear": Commands._clear,
    "switch.rollback": Commands._rollback,
    "config.apply": Commands._apply,
    "config.reload": Commands._reload,
    "server.restart": Commands._restart,
    "server.drain": Commands._drain,
    "server.stop": Commands._end,
    "snapshot.export": Commands._snapshot,
}
_ALWAYS: Final = frozenset({"server.restart", "server.drain", "server.stop", "snapshot.export"})
"""Carried out on a full disk too, like rollbacks: each leads to safety, or only looks."""


def _value(given: object, values: tuple[SwitchValue, ...]) -> SwitchValue | None:
    """The value as the row has it; None where the row does not take it."""
    if values == ((),):
        names = [name for name in given if isinstance(name, str)] if isinstance(given, list) else []
        return tuple(names) if isinstance(given, list) and len(names) == len(given) else None
    return next((value for value in values if value == given and type(value) is type(given)), None)


def _encoded(outcome: Outcome, name: str, identity: str) -> tuple[int, bytes]:
    return outcome.status, msgspec.json.encode(outcome.body(name, identity), enc_hook=str)
