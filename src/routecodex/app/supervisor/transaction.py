"""Applying a configuration or an override to all workers at once, or to none: prepare, decide, record, commit.

One at a time, under the state's writer lock, with a rising sequence number. A change that takes new workers is never
called applied before they serve. It knows messages and receipts; what a configuration means is the workers' to judge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from routecodex.app.supervisor.desired import Wanted, ended, first_side
from routecodex.app.supervisor.messages import Abort, Change, Commit, Down, Prepare, Prepared, Published, Refused
from routecodex.app.supervisor.outcome import LEDGER_UNWRITABLE, Outcome, refused
from routecodex.app.supervisor.state import State, told
from routecodex.app.supervisor.worker_process import BootError, WorkerProcess
from routecodex.app.supervisor.workers import Failed
from routecodex.blocks.ledger import LedgerUnwritableError

LISTENER: Final = frozenset({"server.host", "server.port", "server.backlog"})
"""Changes no worker can carry out: the listener is ours, for life."""
PREEMPTED: Final = "preempted"
_FORCED: Final = "the workers were started with it forced"
_RECORDED: Final = 50
"""Changes an entry of the ledger names at most."""

_RESTART: Final = (
    "Apply it with `routecodex config apply --restart`: workers are replaced one by one, and running requests finish."
)
_WHOLE: Final = "Stop and start the gateway: `routecodex stop`, then `routecodex start`."
_DISK: Final = "Make room on the disk, or the folder writable; `routecodex rollback` works meanwhile."

PreparedBy = dict[WorkerProcess, Prepared]


class Transactions:
    """Carries changes of what is wanted to the workers."""

    def __init__(self, state: State, published: Callable[[Wanted | None], None], mend: Callable[[], None]) -> None:
        """`published(previous)` is told of every publication that should be watched; `mend` fills empty slots."""
        self._state = state
        self._published = published
        self._mend = mend
        self._running: asyncio.Task[Outcome] | None = None

    async def plan(self, wanted: Wanted) -> Outcome:
        """What applying it would change; nothing is built."""
        state = self._state
        if state.safe or not state.workers.serving:
            return refused(409, "safe_mode", "There is no worker that could compare.", "Apply it, or read the ledger.")
        desired = wanted.desired(state.forced)
        whom = state.workers.serving[:1]
        answers = await state.workers.ask(lambda number: Prepare(number, desired, dry=True), state.times.prepare, whom)
        (answer,) = answers.values()
        if isinstance(answer, Prepared):
            return Outcome(state="done", changes=answer.changes, result=_planned(answer.hash, answer.changes))
        return _unprepared(list(answers.values()))

    async def apply(
        self,
        wanted: Wanted,
        *,
        actor: str,
        correlation: str,
        restart: bool = False,
        if_match: str = "",
        always: bool = False,
        watched: bool = True,
    ) -> Outcome:
        """Bring `wanted` into force. `always`: publish even where nothing has changed (secrets may have)."""
        work = self._in_turn(wanted, actor, correlation, restart, if_match, always, watched)
        self._running = running = asyncio.get_running_loop().create_task(work)
        try:
            await asyncio.wait({running})
        finally:
            running.cancel()
        if running.cancelled():
            return refused(409, PREEMPTED, "A rollback took over.", "Look at the switches, then apply again.")
        return running.result()

    def preempt(self) -> None:
        """A rollback comes first: whatever is under way is given up, whatever is decided is decided."""
        if self._running is not None:
            self._running.cancel()

    async def _in_turn(
        self,
        wanted: Wanted,
        actor: str,
        correlation: str,
        restart: bool,
        if_match: str,
        always: bool,
        watched: bool,
    ) -> Outcome:
        state = self._state
        async with state.writer:
            if if_match and if_match != state.loaded_hash:
                return refused(
                    409,
                    "if_match",
                    f"The configuration in force is {(state.loaded_hash or 'not the same in all workers')[:12]}, "
                    f"not {if_match[:12]}.",
                    "Look at it again with `routecodex config plan`, then apply.",
                    result={"loaded": state.loaded_hash},
                )
            if state.safe or not state.workers.serving:
                return await self._roll(wanted, "", (), actor, correlation, watched)
            return await self._apply(wanted, actor, correlation, restart, always, watched)

    async def _apply(
        self, wanted: Wanted, actor: str, correlation: str, restart: bool, always: bool, watched: bool
    ) -> Outcome:
        prepared, answers = await self._prepare(wanted)
        try:
            if len(prepared) < len(answers) or not prepared:
                return await self._noted("transaction.refused", _unprepared(list(answers.values())), actor, correlation)
            if len({one.hash for one in prepared.values()}) > 1:
                why = "The workers read different configurations: a reference changed meanwhile."
                outcome = refused(409, "changing", why, "Apply it again.")
                return await self._noted("transaction.refused", outcome, actor, correlation)
            first = next(iter(prepared.values()))
            over = ended(wanted.overrides, first.configured)
            if over:
                self._abort(prepared)
                prepared.clear()
                wanted = await self._without(wanted, over, actor, correlation)
                return await self._apply(wanted, actor, correlation, restart, always, watched)
            wanted = _with_configured(wanted, first)
            changes = _joined(prepared, self._freed(wanted, prepared))
            waiting = self._waiting(first.hash, changes, restart)
            if waiting is not None:
                return await self._noted("transaction.pending", waiting, actor, correlation)
            if any(change.effect == "restart" for change in changes) or self._kernel_v1(
                prepared, changes, always, restart
            ):
                return await self._roll(wanted, first.hash, changes, actor, correlation, watched)
            if not changes and all(_kernel(worker) == "v1" for worker in prepared):
                self._adopt(wanted, first)
                return Outcome(state="done", reason="Nothing has changed.", result=_planned(first.hash, ()))
            return await self._commit(wanted, prepared, changes, actor, correlation, watched)
        finally:
            self._abort(prepared)

    # --- preparing -------------------------------------------------------------------------------------

    async def _prepare(self, wanted: Wanted) -> tuple[PreparedBy, dict[WorkerProcess, Any]]:
        state = self._state
        desired = wanted.desired(state.forced)
        serving = state.workers.serving
        answers: dict[WorkerProcess, Any] = {}
        for worker in serving:
            worker.trying = True
        try:
            answers = await state.workers.ask(lambda number: Prepare(number, desired), state.times.prepare, serving)
        finally:  # a rollback may end this at any moment
            for worker in serving:
                # Who ended over it stays marked: its end speaks against what was tried, not what is in force.
                answer = answers.get(worker)
                worker.trying = isinstance(answer, Failed) and answer.gone
        return {worker: answer for worker, answer in answers.items() if isinstance(answer, Prepared)}, answers

    def _abort(self, prepared: PreparedBy) -> None:
        for worker, answer in prepared.items():
            worker.say(Abort(answer.id))

    def _freed(self, wanted: Wanted, prepared: PreparedBy) -> list[Change]:
        """Rows that a rollback forced by the workers' environment and that are to leave their first side again.

        The workers themselves cannot see that: whatever they are told, their environment wins.
        """
        found: dict[str, Change] = {}
        for worker, one in prepared.items():
            for key in set(worker.forced) - set(self._state.forced):
                override = wanted.overrides.get(key)
                value = override.value if override is not None else one.configured.get(key, first_side(key))
                if value != first_side(key):
                    path = f"architecture.{key}"
                    found[path] = Change(path, "restart", str(first_side(key)), str(value), _FORCED)
        return list(found.values())

    def _waiting(self, config_hash: str, changes: tuple[Change, ...], restart: bool) -> Outcome | None:
        """Why the changes cannot be applied now, if they cannot."""
        result = _planned(config_hash, changes)
        listener = [change.path for change in changes if change.path in LISTENER]
        if listener:
            why = f"{', '.join(listener)} belongs to the listener, which is open for as long as the gateway runs."
            return Outcome(state="pending", status=202, reason=why, next_step=_WHOLE, changes=changes, result=result)
        restarting = [change.path for change in changes if change.effect == "restart"]
        if restarting and not restart:
            shown = ", ".join(restarting[:5]) + (", …" if len(restarting) > 5 else "")
            why = f"New workers are needed for {shown}; nothing was applied."
            return Outcome(state="pending", status=202, reason=why, next_step=_RESTART, changes=changes, result=result)
        return None

    @staticmethod
    def _kernel_v1(prepared: PreparedBy, changes: Sequence[Change], always: bool, restart: bool) -> bool:
        """A kernel that cannot publish was told to, in as many words."""
        return restart and always and not changes and any(_kernel(worker) == "v1" for worker in prepared)

    async def _without(self, wanted: Wanted, keys: Sequence[str], actor: str, correlation: str) -> Wanted:
        """The same without overrides whose row the file now sets otherwise; recorded."""
        left = {key: override for key, override in wanted.overrides.items() if key not in keys}
        body = {"keys": list(keys), "why": "the file's value has changed"}
        await self._state.journal.keep("override.ended", actor, correlation, body)
        self._state.log.info("override.ended", keys=list(keys), why="the file's value has changed")
        return msgspec.structs.replace(wanted, overrides=left)

    # --- publishing ------------------------------------------------------------------------------------

    async def _commit(
        self,
        wanted: Wanted,
        prepared: PreparedBy,
        changes: tuple[Change, ...],
        actor: str,
        correlation: str,
        watched: bool,
    ) -> Outcome:
        state = self._state
        first = next(iter(prepared.values()))
        problem = await self._record(wanted, first.hash, changes, actor, correlation)
        if problem is not None:
            return problem
        previous = state.wanted
        self._adopt(wanted, first)
        seq = state.seq
        questions: dict[WorkerProcess, Down] = {worker: Commit(one.id, seq) for worker, one in prepared.items()}
        numbers = {worker: one.id for worker, one in prepared.items()}
        prepared.clear()  # from here on it is decided: who does not follow is replaced by one that starts with it
        answers = await asyncio.shield(state.workers.ask_each(questions, state.times.commit, numbers))
        failures: list[str] = []
        for worker, answer in answers.items():
            if isinstance(answer, Published):
                failures.extend(f"worker {worker.number}: {failure}" for failure in answer.failures)
                continue
            if isinstance(answer, Failed):
                failures.append(answer.why)
                if answer.gone:
                    continue  # a crash, which the watch judges
            elif isinstance(answer, Refused):
                failures.append(f"worker {worker.number}: {'; '.join(one.message for one in answer.refusals)}")
            worker.why = "did not publish what was decided"
            state.workers.retire(worker)
            if isinstance(answer, Failed):
                worker.kill()
        await state.journal.keep("transaction.done", actor, correlation, {"seq": seq, "failures": failures})
        if watched:
            self._published(previous)
        self._mend()
        return Outcome(
            state="done", changes=changes, failures=tuple(failures), result=_planned(first.hash, changes) | {"seq": seq}
        )

    async def _roll(
        self,
        wanted: Wanted,
        config_hash: str,
        changes: tuple[Change, ...],
        actor: str,
        correlation: str,
        watched: bool,
    ) -> Outcome:
        """Replace the workers one by one; if a new one does not come up, all are put back."""
        state = self._state
        problem = await self._record(wanted, config_hash, changes, actor, correlation)
        if problem is not None:
            return problem
        previous, before, safe = state.wanted, state.hash, state.safe
        was_safe = bool(safe)
        state.safe = ""
        done: list[int] = []
        try:
            for number in range(1, state.workers.count + 1):
                await state.workers.fill(number, wanted.desired(state.forced), state.seq, state.settings.worker)
                done.append(number)
                state.wanted, state.hash = wanted, config_hash
        except asyncio.CancelledError:
            if not done:
                state.safe = safe
            raise
        except BootError as error:
            state.wanted, state.hash, state.safe = previous, before, safe
            for number in done:
                await state.workers.fill(number, *state.boot())
            self._mend()
            outcome = refused(
                422,
                "boot_failed",
                f"A worker with it did not come up: {error}",
                "Mend the configuration; what was in force still is.",
                changes=changes,
                refusals=error.refusals,
            )
            return await self._noted("transaction.refused", outcome, actor, correlation)
        await self.learn()
        await state.journal.keep("transaction.done", actor, correlation, {"seq": state.seq, "failures": []})
        if was_safe:
            state.boots.forget_crashes()
            state.log.warning("safe_mode.left", seq=state.seq)
        if watched:
            self._published(None if was_safe else previous)
        self._mend()
        return Outcome(
            state="done",
            changes=changes,
            result=_planned(state.hash, changes) | {"seq": state.seq, "replaced": len(done)},
        )

    async def learn(self) -> None:
        """Ask a worker what the file in force says by itself; needed after workers were started with it."""
        state = self._state
        serving = state.workers.serving[:1]
        if state.safe or not serving:
            return
        desired = state.desired
        answers = await state.workers.ask(
            lambda number: Prepare(number, desired, dry=True), state.times.prepare, serving
        )
        (answer,) = answers.values()
        if isinstance(answer, Prepared):
            state.hash, state.configured = answer.hash, answer.configured
            state.wanted = _with_configured(state.wanted, answer)

    def _adopt(self, wanted: Wanted, prepared: Prepared) -> None:
        state = self._state
        if state.last_good.is_this(state.wanted) and state.wanted.overrides == wanted.overrides:
            same = prepared.hash == state.hash
            if same:  # other bytes, the same meaning: as good as the blessed one
                state.last_good.bless(wanted, prepared.hash, state.last_good.at)
        state.wanted, state.hash, state.configured = wanted, prepared.hash, prepared.configured

    async def _record(
        self, wanted: Wanted, config_hash: str, changes: tuple[Change, ...], actor: str, correlation: str
    ) -> Outcome | None:
        """The decision, on disk before its effect; a refusal where it cannot be."""
        state = self._state
        body = {
            "seq": state.seq + 1,
            "hash": config_hash,
            "path": wanted.document.path,
            "origin": wanted.origin,
            "overrides": told(wanted.overrides),
            "changes": msgspec.to_builtins(changes[:_RECORDED]),
        }
        try:
            await state.journal.append("transaction.commit", actor, correlation, body)
        except LedgerUnwritableError as error:
            return refused(503, LEDGER_UNWRITABLE, str(error), _DISK)
        state.seq += 1
        return None

    async def _noted(self, kind: str, outcome: Outcome, actor: str, correlation: str) -> Outcome:
        body = {
            "reason": outcome.reason,
            "refusals": msgspec.to_builtins(outcome.refusals[:_RECORDED]),
            "changes": msgspec.to_builtins(outcome.changes[:_RECORDED]),
        }
        await self._state.journal.keep(kind, actor, correlation, body)
        return outcome


def _kernel(worker: WorkerProcess) -> str:
    return worker.status.kernel if worker.status is not None else ""


def _planned(config_hash: str, changes: Sequence[Change]) -> dict[str, Any]:
    strongest = [effect for effect in ("restart", "drain", "hot") if any(one.effect == effect for one in changes)]
    return {"hash": config_hash, "effect": strongest[0] if strongest else "none"}


def _joined(prepared: PreparedBy, more: Sequence[Change]) -> tuple[Change, ...]:
    """The changes of all workers; they differ only while workers do."""
    found = {change.path: change for change in more}
    for one in prepared.values():
        for change in one.changes:
            found.setdefault(change.path, change)
    return tuple(found.values())


def _with_configured(wanted: Wanted, prepared: Prepared) -> Wanted:
    """The same, its overrides knowing what they cover."""
    filled = {
        key: msgspec.structs.replace(override, configured=prepared.configured.get(key))
        if override.configured is None
        else override
        for key, override in wanted.overrides.items()
    }
    return msgspec.structs.replace(wanted, overrides=filled)


def _unprepared(answers: Sequence[Any]) -> Outcome:
    """Why preparing failed, from all workers, each fault once."""
    refusals = tuple({one: None for answer in answers if isinstance(answer, Refused) for one in answer.refusals})
    failures = tuple(answer.why for answer in answers if isinstance(answer, Failed))
    if refusals:
        why = refusals[0].message if len(refusals) == 1 else f"The configuration has {len(refusals)} faults."
        return refused(
            422, "configuration", why, "Mend them; what was in force still is.", refusals=refusals, failures=failures
        )
    why = failures[0] if failures else "There is no worker that could prepare it."
    return refused(503, "worker_failed", why, "Try again; the log says what the worker did.", failures=failures)
