"""Rollback in one go, R0 to R6: whatever is rolled out of some rows goes back to its first side, and is seen to be
there.

Every step is timed; the receipt lists them. A full disk, a running transaction and a worker that does not answer hold
it up for no longer than they must. It trusts no step: what counts is what every worker says is effective.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import msgspec

from routecodex.app.supervisor.desired import Wanted, first_side, with_dependants
from routecodex.app.supervisor.messages import Abort, Ask, Commit, Down, Force, Prepare, Prepared, Published, Told
from routecodex.app.supervisor.outcome import Outcome
from routecodex.app.supervisor.recovery import Recovery
from routecodex.app.supervisor.state import State, told
from routecodex.app.supervisor.worker_process import BootError, WorkerProcess
from routecodex.app.supervisor.workers import Failed
from routecodex.app.switches import BY_KEY

Trigger: TypeAlias = Literal["command", "sentinel"]
Export: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Writes the bundle of a decision; runs in a thread. `path`, `sha256`, `bytes`, or `error`."""

_INTENT: Final = 0.02
"""Seconds the ledger gets before the rollback goes on without it."""
_RELOAD: Final = 5.0
_EXPORT: Final = 5.0
_TURN: Final = 1.0
"""Seconds a transaction that is under way gets to let go."""


class Step(msgspec.Struct, rename="camel", omit_defaults=True):
    """One step as it went."""

    step: str
    what: str
    at: float
    """Milliseconds from the beginning of the rollback to the end of the step."""
    ms: float
    ok: bool
    note: str = ""


class Rollback:
    """Runs the pipeline. `preempt` ends whatever transaction is under way."""

    def __init__(self, state: State, recovery: Recovery, preempt: Callable[[], None], export: Export) -> None:
        self._state = state
        self._recovery = recovery
        self._preempt = preempt
        self._export = export
        self._turn = asyncio.Lock()

    async def run(
        self, keys: Collection[str], *, actor: str, correlation: str, reason: str = "", trigger: Trigger = "command"
    ) -> Outcome:
        """Roll these rows back, dependants first. Rolling back what is not rolled out succeeds and changes nothing."""
        async with self._turn:
            return await _Run(self._state, self._recovery, self._preempt, self._export, trigger).carry_out(
                keys, actor, correlation, reason
            )


class _Run:
    """One rollback."""

    def __init__(
        self, state: State, recovery: Recovery, preempt: Callable[[], None], export: Export, trigger: Trigger
    ) -> None:
        self._state = state
        self._recovery = recovery
        self._preempt = preempt
        self._export = export
        self._trigger = trigger
        self._steps: list[Step] = []
        self._begin = self._last = time.perf_counter()

    async def carry_out(self, asked: Collection[str], actor: str, correlation: str, reason: str) -> Outcome:
        state = self._state
        keys = with_dependants(asked, {key: state.values(key) for key in BY_KEY})
        out = [key for key in keys if self._rolled_out(key)]
        if not out:
            done = {"keys": keys, "noop": True, "steps": []}
            await state.journal.keep("rollback.noop", actor, correlation, {"keys": keys, "reason": reason})
            forced = state.forced
            await state.workers.ask(lambda number: Force(number, forced), state.times.force)
            return Outcome(state="done", reason="Nothing of it is rolled out.", result=done)
        before = self._state.picture()
        pinned = self._pinned(self._base, keys).overrides if self._trigger == "command" else state.wanted.overrides
        intent = {"keys": keys, "reason": reason, "trigger": self._trigger, "overrides": told(pinned)}
        late = await state.journal.keep("rollback.intent", actor, correlation, intent, within=_INTENT)
        self._step("R0", "intent in the ledger", not late, late)
        verified = await self._in_memory(keys)
        if not verified:
            verified = await self._by_new_workers(keys)
        self._recovery.mend()
        result: dict[str, Any] = {
            "keys": keys,
            "trigger": self._trigger,
            "reason": reason,
            "verified": verified,
            "safeMode": bool(state.safe),
            "effective": {
                str(worker.number): {key: worker.status.switches.get(key) for key in keys}
                for worker in state.workers.serving
                if worker.status is not None
            },
        }
        await self._bundle(result, before, correlation)
        result["steps"] = msgspec.to_builtins(self._steps)
        result["totalMs"] = round((time.perf_counter() - self._begin) * 1000, 3)
        body = {"keys": keys, "verified": verified, "safeMode": bool(state.safe), "steps": result["steps"]}
        result["ledger"] = (
            "written" if not (why := await state.journal.keep("rollback.done", actor, correlation, body)) else why
        )
        if not verified:
            return Outcome(
                state="done",
                status=500,
                reason="No worker could be brought to serve the first side.",
                next_step="Stop the gateway; the ledger and the bundle say what was tried.",
                result=result,
            )
        why = f"Safe mode: {state.safe}" if state.safe else ""
        return Outcome(state="done", reason=why, result=result)

    # --- R1 to R3: in the workers that run -------------------------------------------------------------

    async def _in_memory(self, keys: Sequence[str]) -> bool:
        state = self._state
        if self._trigger == "command":
            state.held = state.held | set(keys)
        if all(_kernel(worker) != "v2" for worker in state.workers.serving):
            self._step("R1-R3", "force map, reload, verify", False, "appKernel v1 builds once: new workers are needed")
            return False
        forced = state.forced
        answers = await state.workers.ask(lambda number: Force(number, forced), state.times.force)
        missing = [worker.number for worker, answer in answers.items() if not isinstance(answer, Published)]
        off = state.off_first(keys)
        self._step("R1", "force map in memory of all workers", not missing and not off, _absent(missing, off))
        if self._trigger == "command":
            await self._reload(keys)
        return await self._verify("R3", keys)

    async def _reload(self, keys: Sequence[str]) -> None:
        """R2: the last blessed configuration with the rows pinned, published where that can be done without restart."""
        state = self._state
        self._preempt()
        try:
            async with asyncio.timeout(_TURN):
                await state.writer.acquire()
        except TimeoutError:
            self._step("R2", "hot reload", False, "another change does not let go; the force map holds")
            return
        try:
            self._recovery.watch.cancel()
            self._pin_last_good(keys)
            current = self._pinned(state.wanted, keys)
            failed = await self._publish(self._pinned(self._base, keys))
            if failed and state.wanted.document != self._base.document:
                failed = await self._publish(current)
            if failed:
                state.wanted = current
            else:
                await self._let_go(keys)
        finally:
            state.writer.release()
        self._step("R2", "last blessed configuration, rows pinned, hot reload", not failed, failed)

    async def _let_go(self, keys: Sequence[str]) -> None:
        """What is wanted holds the rows at their first side from here on; the force map need not any more."""
        state = self._state
        state.held = state.held - set(keys)
        forced = state.forced
        await state.workers.ask(lambda number: Force(number, forced), state.times.force)

    @property
    def _base(self) -> Wanted:
        return self._state.last_good.wanted or self._state.wanted

    def _pinned(self, base: Wanted, keys: Sequence[str]) -> Wanted:
        overrides = self._state.pinned(keys, base.overrides)
        return msgspec.structs.replace(base, overrides=overrides, origin="rollback")

    def _pin_last_good(self, keys: Sequence[str]) -> None:
        """What we come back to later must not bring back what is rolled back now."""
        good = self._state.last_good
        if good.wanted is not None:
            why = good.bless(self._pinned(good.wanted, keys), good.hash, good.at)
            if why:
                self._state.log.error("last_good.not_written", why=why)

    async def _publish(self, wanted: Wanted) -> str:
        """Why it could not be published, or empty."""
        state = self._state
        desired = wanted.desired(state.sentinel.keys)
        answers = await state.workers.ask(lambda number: Prepare(number, desired), _RELOAD)
        prepared = {worker: answer for worker, answer in answers.items() if isinstance(answer, Prepared)}
        restarting = sorted({c.path for one in prepared.values() for c in one.changes if c.effect == "restart"})
        if len(prepared) < len(answers) or not prepared or restarting:
            for worker, one in prepared.items():
                worker.say(Abort(one.id))
            if restarting:
                return f"{', '.join(restarting[:5])} need new workers; the force map holds"
            return "not every worker could prepare it; the force map holds"
        state.seq += 1
        questions: dict[WorkerProcess, Down] = {worker: Commit(one.id, state.seq) for worker, one in prepared.items()}
        numbers = {worker: one.id for worker, one in prepared.items()}
        published = await state.workers.ask_each(questions, state.times.commit, numbers)
        missing = [worker.number for worker, answer in published.items() if not isinstance(answer, Published)]
        first = next(iter(prepared.values()))
        state.wanted, state.hash, state.configured = wanted, first.hash, first.configured
        return f"workers {missing} did not publish it" if missing else ""

    async def _verify(self, step: str, keys: Sequence[str]) -> bool:
        """Every worker says that the rows are at their first side, and its probe passes."""
        state = self._state
        answers = await state.workers.ask(lambda number: Ask(number, probe=True), state.times.verify)
        missing = [worker.number for worker, answer in answers.items() if isinstance(answer, Failed)]
        probes = [
            f"worker {worker.number}: {answer.probe}"
            for worker, answer in answers.items()
            if isinstance(answer, Told) and answer.probe
        ]
        off = state.off_first(keys)
        ok = bool(answers) and not missing and not off and not probes
        self._step(
            step, "every worker serves the first side", ok, "; ".join([_absent(missing, off), *probes]).strip("; ")
        )
        return ok

    # --- R4 and R5: new workers, then safe mode ---------------------------------------------------------

    async def _by_new_workers(self, keys: Sequence[str]) -> bool:
        state = self._state
        self._preempt()
        async with state.writer:
            self._recovery.watch.cancel()
            if self._trigger == "command":
                self._pin_last_good(keys)
                state.wanted = self._pinned(self._base, keys)
            state.seq += 1
            old = state.workers.serving
            try:
                desired, seq, command = state.boot()
                await state.workers.fill_all(desired, seq, command, tuple(keys), together=True)
            except BootError as error:
                self._step("R4", "new workers, forced", False, str(error))
            else:
                self._step("R4", "new workers, forced by their environment", True)
            for worker in old:
                if worker.state == "leaving" and worker.silence > state.times.verify:
                    worker.kill()
            if await self._verify("R5", keys):
                if self._trigger == "command":
                    await self._let_go(keys)
                    await self._recovery.transactions.learn()
                return True
            try:
                await self._recovery.enter_safe("a rollback could not be verified")
            except BootError as error:
                self._step("R5", "safe mode", False, str(error))
                return False
            return await self._verify("R5 safe mode", keys)

    # --- R6 ----------------------------------------------------------------------------------------------

    async def _bundle(self, result: dict[str, Any], before: Mapping[str, Any], correlation: str) -> None:
        """Whatever happens here, the rollback stands."""
        decision = {
            "correlation": correlation,
            **result,
            "timeline": msgspec.to_builtins(self._steps),
            "before": dict(before),
            "after": self._state.picture(),
        }
        loop = asyncio.get_running_loop()
        exporting = loop.run_in_executor(None, self._export, decision)
        try:
            async with asyncio.timeout(_EXPORT):
                exported = await asyncio.shield(exporting)
        except TimeoutError:
            exported = {"error": f"it takes longer than {_EXPORT:g} s"}
        except Exception as error:  # the export is a report; nothing hangs on it
            exported = {"error": f"{type(error).__name__}: {error}"}
        result["bundle"] = dict(exported)
        self._step("R6", "diff snapshot", "error" not in exported, str(exported.get("error", "")))

    # --- small things -----------------------------------------------------------------------------------

    def _rolled_out(self, key: str) -> bool:
        """Some worker serves another side, or would if nothing forced it."""
        state, first = self._state, first_side(key)
        if state.safe:
            return False
        serving = any(
            worker.status is None or worker.status.switches.get(key) != first for worker in state.workers.serving
        )
        override = state.wanted.overrides.get(key)
        wanted = override.value if override is not None else state.configured.get(key, first)
        return serving or (self._trigger == "command" and wanted != first)

    def _step(self, step: str, what: str, ok: bool, note: str = "") -> None:
        now = time.perf_counter()
        at, ms = (now - self._begin) * 1000, (now - self._last) * 1000
        self._last = now
        self._steps.append(Step(step, what, round(at, 3), round(ms, 3), ok, note))
        tell = self._state.log.info if ok else self._state.log.warning
        tell("rollback.step", step=step, ms=round(ms, 1), ok=ok, note=note)


def _kernel(worker: WorkerProcess) -> str:
    return worker.status.kernel if worker.status is not None else ""


def _absent(missing: Sequence[int], off: Mapping[int, Sequence[str]]) -> str:
    parts = [f"worker {number} gave no answer" for number in missing]
    parts.extend(
        f"worker {number} still serves {', '.join(keys)}" for number, keys in off.items() if number not in missing
    )
    return "; ".join(parts)
