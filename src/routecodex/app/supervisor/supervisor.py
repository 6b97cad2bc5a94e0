"""The supervisor's life: take up what was left, start the workers, listen to signals, files and commands, end in order.

Everything else is done by the parts it puts together here. Exit codes: 0 after a stop that was asked for; 78, 70, 75
where nothing could be served and nothing was there to fall back to.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any, Final

import msgspec

from routecodex.app.supervisor import bundles, configuration_file
from routecodex.app.supervisor.boots import Boots
from routecodex.app.supervisor.commands import Commands
from routecodex.app.supervisor.configuration_file import UnreadableError
from routecodex.app.supervisor.desired import Wanted
from routecodex.app.supervisor.journal import Journal
from routecodex.app.supervisor.last_good import LastGood
from routecodex.app.supervisor.log import Log
from routecodex.app.supervisor.messages import Command, Force
from routecodex.app.supervisor.notify import Notifier
from routecodex.app.supervisor.outcome import LEDGER_UNWRITABLE
from routecodex.app.supervisor.recovery import CannotStartError, Recovery
from routecodex.app.supervisor.sentinel import Sentinel
from routecodex.app.supervisor.settings import Settings
from routecodex.app.supervisor.state import State, remembered
from routecodex.app.supervisor.worker_process import BootError, WorkerProcess
from routecodex.app.supervisor.workers import Workers
from routecodex.blocks.ledger import LedgerInUseError

OK: Final = 0
INTERNAL: Final = os.EX_SOFTWARE
CONFIGURATION: Final = os.EX_CONFIG
TEMPORARY: Final = os.EX_TEMPFAIL

_ACTOR: Final = "supervisor"


class Supervisor:
    """One gateway's supervisor. `run` is its life."""

    def __init__(self, settings: Settings, port: int, environ: Mapping[str, str]) -> None:
        """`port`: of the listener; what is kept on disk is kept per port."""
        folder = settings.home / "control" / str(port)
        self.log = Log(settings.log_format)
        self._settings = settings
        self._journal = Journal(folder, lambda: self.state.checkpoint())
        self.state = State(
            settings,
            self.log,
            self._journal,
            Boots(folder / "boots.json", settings.times.crashes),
            LastGood(folder / "last_good.json", settings.config),
            Sentinel(settings.home, environ),
        )
        self._recovery = Recovery(self.state)
        self._notifier = Notifier(environ)
        export = partial(bundles.export, folder / "bundles", folder, settings.log_file)
        self._commands = Commands(self.state, self._recovery, export, self.stop, self.state.now())
        self.state.workers = Workers(
            settings.workers, settings.listener, settings.times, environ, self._heard, self._recovery.lost, self.log
        )
        self._ending: asyncio.Future[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._look = asyncio.Event()
        self._reload_asked = False
        """SIGHUP came before there was anything to reload."""
        self._seen: configuration_file.Sight | None = None
        """The configuration file just before it was read for the start."""
        self._terminal = os.isatty(0) or os.isatty(2)

    # --- life ------------------------------------------------------------------------------------------

    async def run(self) -> int:
        """From start to end; the exit code."""
        loop = asyncio.get_running_loop()
        self._ending = loop.create_future()
        try:
            why = await self._journal.open()
        except LedgerInUseError as error:
            self.log.error("supervisor.refused", why=str(error), next_step="Is another gateway running on this port?")
            return TEMPORARY
        if why:
            self.log.error("ledger.unwritable", why=why)
        self._signals(loop)
        starting = loop.create_task(self._start())
        await asyncio.wait({starting, self._ending}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
        elif starting.exception() is not None:
            return await self._failed(starting.exception())
        else:
            self._attend()
            await self._ending
        return await self._end()

    async def _start(self) -> None:
        state = self.state
        overrides, state.seq = await self._journal.fold(remembered)
        state.sentinel.look()
        candidate = self._candidate(overrides)
        body = {"pid": os.getpid(), "config": str(self._settings.config), "workers": self._settings.workers}
        await self._journal.keep("supervisor.started", _ACTOR, "", body)
        if state.last_good.unreadable:
            self.log.error(
                "last_good.unreadable", why="The file makes no sense; it is written anew with the next blessing."
            )
        await self._recovery.start(candidate)
        if state.file.state == "unread":
            in_force = state.wanted.origin == "file"
            state.file.state, state.file.hash = ("in force", state.hash) if in_force else ("reverted", None)
        state.phase = "serving"
        self._notifier.ready("safe mode" if state.safe else f"serving with {self._settings.workers} worker(s)")

    def _candidate(self, overrides: Mapping[str, Any]) -> Wanted:
        """What to serve: the file, else what is known to serve. Raises CannotStartError."""
        file = self.state.file
        self._seen = configuration_file.sight(self._settings.config)
        try:
            document = configuration_file.read(self._settings.config)
        except UnreadableError as error:
            file.state, file.reason = "unreadable", str(error)
            good = self.state.last_good.wanted
            if good is None:
                raise CannotStartError(str(error), CONFIGURATION) from error
            self.log.error("configuration.unreadable", why=str(error), instead="last_good")
            return good
        file.digest = configuration_file.digest(document)
        return Wanted(document, overrides)

    async def _failed(self, error: BaseException | None) -> int:
        if isinstance(error, CannotStartError):
            self.log.error("supervisor.cannot_start", why=str(error), exit_code=error.exit_code)
            code = error.exit_code
        elif isinstance(error, BootError):
            self.log.error("supervisor.cannot_start", why=str(error))
            code = error.exit_code
        else:
            self.log.error("supervisor.fault", error=error)
            code = INTERNAL
        self.state.phase = "stopping"
        self.state.workers.kill_all()
        await self._finish("failed")
        return code

    async def _end(self) -> int:
        state = self.state
        state.phase = "stopping"
        self._notifier.stopping()
        for task in list(self._tasks):
            task.cancel()
        await self._recovery.close()
        state.workers.retire_all(self._drain)
        watching = asyncio.get_running_loop().create_task(state.workers.watch())
        await state.workers.all_ended()
        watching.cancel()
        if not state.safe:
            state.boots.settled(state.wanted.fingerprint)
        await self._finish("stopped")
        return OK

    async def _finish(self, how: str) -> None:
        await self._commands.close()
        await self._recovery.close()
        await self._journal.keep(f"supervisor.{how}", _ACTOR, "", {"pid": os.getpid()})
        await self._journal.close()
        if self._settings.record_path is not None:
            with contextlib.suppress(OSError):
                self._settings.record_path.unlink(missing_ok=True)

    # --- what is attended to ---------------------------------------------------------------------------

    def _attend(self) -> None:
        times = self._settings.times
        self._begin(self.state.workers.watch())
        watching = configuration_file.watch(
            self._settings.config, self._seen, times.file, times.debounce, self._file_changed
        )
        self._begin(watching)
        self._begin(self._watch_sentinel())
        self._begin(self._flush_ledger())
        if self._notifier.watchdog:
            self._begin(self._show_life())
        if self._reload_asked:
            self._begin(self._reload("config.reload", "SIGHUP"))

    def _heard(self, worker: WorkerProcess, command: Command) -> None:
        self._commands.hear(worker, command)

    async def _file_changed(self) -> None:
        """Take the file up; where the ledger's disk takes no entry, as soon as it takes one again."""
        while True:
            with contextlib.suppress(UnreadableError):
                document = await asyncio.to_thread(configuration_file.read, self._settings.config)
                known = self.state.file
                if configuration_file.digest(document) == known.digest and known.state != "unreadable":
                    return  # touched, or taken up by a command already
            receipt = await self._reload("config.apply", "file watch")
            if receipt.get("code") != LEDGER_UNWRITABLE:
                return
            file, why = self.state.file, receipt["reason"]
            file.state, file.reason, file.hash = "waiting", why, None
            await self._journal.keep("configuration.waits", _ACTOR, "", {"why": why})
            while self._journal.waiting:  # noqa: ASYNC110 - a disk tells nobody that it has room again
                await asyncio.sleep(1.0)

    async def _reload(self, name: str, actor: str) -> dict[str, Any]:
        """Take the file up again, as a command of our own; the receipt."""
        self._notifier.reloading()
        status, body = await self._commands.carry_out(name, b"{}", actor)
        receipt = msgspec.json.decode(body)
        tell = self.log.info if status == 200 else self.log.warning
        details = {key: receipt[key] for key in ("reason", "nextStep") if key in receipt}
        tell(f"configuration.{receipt['state']}", by=actor, **details)
        self._notifier.ready(f"configuration {receipt['state']}")
        return dict(receipt)

    async def _watch_sentinel(self) -> None:
        """Look four times a second, or when told to; at once what it forces is forced."""
        sentinel, before = self.state.sentinel, frozenset(self.state.sentinel.keys)
        if before:
            await self._force(before)
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.times.sentinel):
                    await self._look.wait()
            self._look.clear()
            if not sentinel.look():
                continue
            now = frozenset(sentinel.keys)
            if gone := before - now:
                await self._let_go(gone)
            if now - before:
                await self._force(now)
            before = now

    async def _force(self, keys: frozenset[str]) -> None:
        self.log.warning("sentinel.forces", keys=sorted(keys))
        outcome = await self._commands.rollback.run(
            keys, actor="sentinel", correlation=f"sentinel-{self.state.seq}", trigger="sentinel"
        )
        self.log.warning("sentinel.forced", state=outcome.state, reason=outcome.reason)

    async def _let_go(self, keys: frozenset[str]) -> None:
        """Rows nothing forces any more take what is configured; workers whose environment forces them are replaced."""
        state = self.state
        await self._journal.keep("sentinel.released", "sentinel", "", {"keys": sorted(keys)})
        self.log.warning("sentinel.released", keys=sorted(keys))
        forced = state.forced
        await state.workers.ask(lambda number: Force(number, forced), state.times.force)
        async with state.writer:
            for worker in state.workers.serving:
                if keys & set(worker.forced):
                    with contextlib.suppress(BootError):
                        await state.workers.fill(worker.number, *state.boot())
        self._recovery.mend()

    async def _flush_ledger(self) -> None:
        """What a full disk kept waiting is written when there is room again."""
        while True:
            await asyncio.sleep(1.0)
            if self._journal.waiting and not (await self._journal.flush()):
                self.log.info("ledger.caught_up", seq=self._journal.seq)

    async def _show_life(self) -> None:
        while True:
            self._notifier.alive()
            await asyncio.sleep(self._notifier.watchdog)

    # --- signals ---------------------------------------------------------------------------------------

    def stop(self, drain: float = -1.0) -> None:
        """Begin the end; asked for a second time, go on with it: `routecodex stop` may be given more than once."""
        assert self._ending is not None  # noqa: S101 - nobody can ask before run() is entered
        if not self._ending.done():
            self._drain = drain
            self._ending.set_result(None)

    def _interrupted(self) -> None:
        """Ctrl-C: begin the end; the second one does not wait for what runs."""
        assert self._ending is not None  # noqa: S101 - the signal is attended to in run() alone
        if self._ending.done():
            self.state.workers.kill_all()
        self.stop()

    _drain = -1.0

    def _signals(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        loop.add_signal_handler(signal.SIGUSR2, self._look.set)

    def _hung_up(self) -> None:
        """SIGHUP reads the file again; from a terminal that is gone it means what it always meant."""
        if self._terminal and not _has_terminal():
            self.stop()
        elif self.state.phase == "serving":
            self._begin(self._reload("config.reload", "SIGHUP"))
        else:
            self._reload_asked = True

    def _begin(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.log.error("supervisor.fault", error=task.exception())


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
