"""A worker that does what its configuration says, sense or nonsense: `python odd_worker.py --listener-descriptor …`.

The configuration is a JSON object; what is absent behaves. `boot`: fail | crash | hang | babble. `prepare`, `commit`,
`ask`, `force`: refuse | hang | stall | crash | lie. `crash_after`: seconds. `lag`, `faults`, `probe`: what it reports.
`switches`: what the file says of them. It speaks the real messages over the real link and answers HTTP with its name.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import signal
import socket
import sys
import time
from typing import Any

from routecodex.app.supervisor.link import Link, connect
from routecodex.app.supervisor.messages import (
    Abort,
    Ask,
    Boot,
    BootFailed,
    Change,
    Command,
    Commit,
    Desired,
    Down,
    Force,
    GenerationStatus,
    Prepare,
    Prepared,
    Published,
    Ready,
    Receipt,
    Refusal,
    Refused,
    Stop,
    Told,
    Up,
    WorkerStatus,
)
from routecodex.app.switches import BY_KEY, SwitchVector, forced_keys

DEFAULTS = SwitchVector().values()


class OddWorker:
    def __init__(self, link: Link[Up, Down], boot: Boot) -> None:
        self.link = link
        self.seq = boot.seq
        self.desired = boot.desired
        self.plan: dict[str, Any] = json.loads(boot.desired.document.content)
        self.forced = set(boot.desired.forced) | set(forced_keys(os.environ))
        self.prepared: dict[int, Desired] = {}
        self.ids = 0
        self.receipts: dict[int, asyncio.Future[Receipt]] = {}
        self.stopping = asyncio.Event()
        self.running = 0

    # --- what it says about itself ----------------------------------------------------------------------

    def configured(self, plan: dict[str, Any]) -> dict[str, Any]:
        return {**DEFAULTS, **plan.get("switches", {})}

    def switches(self) -> dict[str, Any]:
        values = {**self.configured(self.plan), **self.desired.overrides}
        stubborn = self.plan.get("stubborn")
        if stubborn == "always":
            return self.configured(self.plan)
        if not stubborn or "ROUTECODEX_FORCE_STABLE" in os.environ:
            values.update({key: BY_KEY[key].default for key in self.forced})
        return values

    def status(self) -> WorkerStatus:
        values = self.switches()
        return WorkerStatus(
            pid=os.getpid(),
            kernel=self.plan.get("kernel", "v2"),
            config_seq=self.seq,
            loaded_hash=digest(self.plan),
            effective_hash=digest([self.plan, values]),
            switches=values,
            sources=dict.fromkeys(self.forced, "force_stable"),
            generations=(GenerationStatus(digest(self.plan)[:12], 1, self.running, True),),
            running=self.running,
            accepting=True,
            internal_errors=self.plan.get("faults", 0),
            requests=1,
            lag=self.plan.get("lag", 0.0),
        )

    # --- the link ---------------------------------------------------------------------------------------

    async def attend(self) -> None:
        while (message := await self.link.read()) is not None:
            if isinstance(message, Receipt):
                self.receipts.pop(message.id).set_result(message)
            elif isinstance(message, Stop):
                self.stopping.set()
            elif isinstance(message, Prepare):
                await self.prepare(message)
            elif isinstance(message, Commit):
                await self.commit(message)
            elif isinstance(message, Abort):
                self.prepared.pop(message.id, None)
            elif isinstance(message, Force) and await self.behaves("force"):
                self.forced = set(message.keys) | set(forced_keys(os.environ))
                self.link.write(Published(message.id, self.status()))
            elif isinstance(message, Ask) and await self.behaves("ask"):
                wrong = self.plan.get("probe", "") if message.probe else ""
                self.link.write(Told(message.id, self.status(), wrong))
        self.stopping.set()

    async def behaves(self, what: str) -> bool:
        does = self.plan.get(what)
        if does == "hang":
            return False
        if does == "stall":
            time.sleep(3600)  # noqa: ASYNC251 - a loop that does not turn is the point
        if does == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        return True

    async def prepare(self, message: Prepare) -> None:
        plan = json.loads(message.desired.document.content)
        if plan.get("refuse") or self.plan.get("prepare") == "refuse":
            self.link.write(Refused(message.id, (Refusal("bad", "$.refuse", "It says so itself.", line=1),)))
            return
        if not message.dry and not await self.behaves("prepare"):
            return
        if plan.get("silent_at_prepare") and not message.dry:
            return
        if plan.get("crash_at_prepare") and not message.dry:
            os.kill(os.getpid(), signal.SIGKILL)
        self.prepared[message.id] = message.desired
        effect = plan.get("effect", "drain")
        found = [
            Change(key, effect, str(self.plan.get(key)), str(plan.get(key)))
            for key in sorted({*plan, *self.plan})
            if plan.get(key) != self.plan.get(key) and key != "switches"
        ]
        now, then = (
            {**self.configured(self.plan), **self.desired.overrides},
            {**self.configured(plan), **message.desired.overrides},
        )
        found += [
            Change(f"architecture.{key}", BY_KEY[key].effect, str(now[key]), str(then[key]))
            for key in now
            if now[key] != then[key]
        ]
        lie = str(os.getpid()) if self.plan.get("prepare") == "lie" else ""
        self.link.write(Prepared(message.id, digest(plan) + lie, tuple(found), self.configured(plan)))

    async def commit(self, message: Commit) -> None:
        desired = self.prepared.pop(message.id, None)
        if desired is None or self.plan.get("commit") == "refuse" or self.plan.get("kernel") == "v1":
            self.link.write(Refused(message.id, (Refusal("no", "$", "It will not."),)))
            return
        plan = json.loads(desired.document.content)
        if plan.get("crash_at_commit") and os.environ.get("ODD_ONCE") != "1":
            os.kill(os.getpid(), signal.SIGKILL)
        if await self.behaves("commit"):
            self.desired, self.plan, self.seq = desired, plan, message.seq
            self.link.write(Published(message.id, self.status(), tuple(plan.get("failures", ()))))
            if "crash_after" in plan:
                asyncio.get_running_loop().call_later(plan["crash_after"], os.kill, os.getpid(), signal.SIGKILL)

    # --- HTTP -------------------------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.running += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            _, path, _ = head.split("\r\n")[0].split(" ")
            length = next(
                (int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0
            )
            body = await reader.readexactly(length)
            status, content = 200, json.dumps({"name": self.plan.get("name"), "pid": os.getpid()}).encode()
            if path.startswith("/command/"):
                receipt = await self.command(path.removeprefix("/command/"), body)
                status, content = receipt.status, receipt.body
            elif path == "/crash":
                os.kill(os.getpid(), signal.SIGKILL)
            elif path == "/stall":
                time.sleep(3600)  # noqa: ASYNC251
            writer.write(
                b"HTTP/1.1 %d OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (status, len(content)) + content
            )
            await writer.drain()
        finally:
            self.running -= 1
            writer.close()

    async def command(self, name: str, arguments: bytes) -> Receipt:
        self.ids += 1
        self.receipts[self.ids] = asyncio.get_running_loop().create_future()
        self.link.write(Command(self.ids, name, arguments, "test"))
        return await self.receipts[self.ids]


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--listener-descriptor", type=int, required=True)
    parser.add_argument("--link-descriptor", type=int, required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    listener = socket.socket(fileno=options.listener_descriptor)
    end = socket.socket(fileno=options.link_descriptor)
    link: Link[Up, Down] = await connect(end, Down)
    boot = await link.read()
    assert isinstance(boot, Boot)
    worker = OddWorker(link, boot)
    does = worker.plan.get("boot")
    if boot.worker in worker.plan.get("only", [boot.worker]):
        if does == "fail":
            link.write(BootFailed(worker.plan.get("exit", 78), (Refusal("bad", "$", "It cannot be built."),)))
            await link.flush()
            return int(worker.plan.get("exit", 78))
        if does == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        if does == "hang":
            await asyncio.sleep(3600)
        if does == "babble":
            end.send(b"\x00\x00\x00\x05hello")
            await asyncio.sleep(3600)
    if "crash_after" in worker.plan:
        asyncio.get_running_loop().call_later(worker.plan["crash_after"], os.kill, os.getpid(), signal.SIGKILL)
    listener.setblocking(False)
    server = await asyncio.start_server(worker.serve, sock=listener)
    attending = asyncio.create_task(worker.attend())
    link.write(Ready(worker.status()))
    await worker.stopping.wait()
    server.close()
    while worker.running:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    attending.cancel()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
