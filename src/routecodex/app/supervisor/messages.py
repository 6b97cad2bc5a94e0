"""What supervisor and workers say to each other: frozen data, tagged, one type per sentence.

Down (supervisor to worker) and up (worker to supervisor). Every question has an `id` its answer repeats. In here:
shapes only; link.py frames them, workers.py and worker.py act on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from routecodex.config.compiled import SwitchValue

Effect: TypeAlias = Literal["hot", "drain", "restart"]
"""What a change takes: read per request; a new generation for new requests; a new worker on the same listener."""


class Document(msgspec.Struct, frozen=True):
    """A configuration file as it was read: all workers see the same bytes."""

    path: str
    """Absolute; its suffix tells TOML from JSON, relative references start in its folder."""
    content: bytes


class Desired(msgspec.Struct, frozen=True):
    """What should be in force: a file, and what is laid over its switches."""

    document: Document
    overrides: Mapping[str, SwitchValue] = {}
    """Live overrides of the ledger by switch key."""
    forced: tuple[str, ...] = ()
    """Keys that take their first side whatever is set, sorted."""


class Change(msgspec.Struct, frozen=True, rename="camel"):
    """One difference between the loaded configuration and another. Values are shown, secrets as references."""

    path: str
    """Dotted, camelCase."""
    effect: Effect
    before: str
    after: str
    note: str = ""


class Refusal(msgspec.Struct, frozen=True, rename="camel"):
    """Why a configuration was not taken: one fault, with the place in the file where there is one."""

    code: str
    path: str
    message: str
    next_step: str = ""
    line: int | None = None


class GenerationStatus(msgspec.Struct, frozen=True, rename="camel"):
    """One generation of a worker that has not closed yet."""

    id: str
    seq: int
    """Rises with every publication in this worker."""
    held: int
    """Holds on it: a request has one from its first byte on, and another while it runs."""
    current: bool


class WorkerStatus(msgspec.Struct, frozen=True, rename="camel"):
    """A worker as it sees itself."""

    pid: int
    kernel: str
    """The side of `appKernel` that runs it."""
    config_seq: int
    """The last commit it carried out."""
    loaded_hash: str
    """Hash of the configuration in force."""
    effective_hash: str
    """Hash over the configuration and every switch's effective value."""
    switches: Mapping[str, SwitchValue]
    """Effective, by key."""
    sources: Mapping[str, str]
    """Who set each; a key that is absent has its default."""
    generations: tuple[GenerationStatus, ...]
    running: int
    accepting: bool
    internal_errors: int
    """Unforeseen errors since the current generation was published."""
    requests: int
    """Requests ended since then."""
    lag: float
    """Longest the event loop was late since the last report, seconds."""
    blocks: Mapping[str, str] = {}
    """State of each block by name: constructed, probed, started, drained, stopped, failed."""


# --- down ----------------------------------------------------------------------------------------------


class Boot(msgspec.Struct, frozen=True, tag="boot"):
    """The first sentence: serve this."""

    desired: Desired
    seq: int
    worker: int
    """Number of the worker, from 1; stable across its replacements."""


class Prepare(msgspec.Struct, frozen=True, tag="prepare"):
    """Read, judge, and unless `dry` build and probe this off-path; publish nothing."""

    id: int
    desired: Desired
    dry: bool = False


class Commit(msgspec.Struct, frozen=True, tag="commit"):
    """Publish what `id` prepared."""

    id: int
    seq: int


class Abort(msgspec.Struct, frozen=True, tag="abort"):
    """Throw away what `id` prepared."""

    id: int


class Force(msgspec.Struct, frozen=True, tag="force"):
    """From here on new admissions take the first side of these rows; replaces what was forced before."""

    id: int
    keys: tuple[str, ...]


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """Report yourself; with `probe` also send a sample request through the planner."""

    id: int
    probe: bool = False


class Receipt(msgspec.Struct, frozen=True, tag="receipt"):
    """The answer to a `Command`."""

    id: int
    status: int
    """As HTTP has it."""
    body: bytes
    """JSON."""


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Leave the accept loop, answer what was accepted, end. After `drain` seconds streams get their terminal error."""

    drain: float = -1.0
    """Negative: what the configuration says."""


Down: TypeAlias = Boot | Prepare | Commit | Abort | Force | Ask | Receipt | Stop

# --- up ------------------------------------------------------------------------------------------------


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The worker accepts requests."""

    status: WorkerStatus


class BootFailed(msgspec.Struct, frozen=True, tag="boot_failed"):
    """The worker ends without having served; `exit_code` 78 configuration, 70 internal, 75 temporary."""

    exit_code: int
    refusals: tuple[Refusal, ...]


class Prepared(msgspec.Struct, frozen=True, tag="prepared"):
    """It can be published, with these effects. `hash`: of the configuration that was read."""

    id: int
    hash: str
    changes: tuple[Change, ...]
    configured: Mapping[str, SwitchValue]
    """Switch values as file and environment have them, without live overrides and force."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """It cannot be published."""

    id: int
    refusals: tuple[Refusal, ...]


class Published(msgspec.Struct, frozen=True, tag="published"):
    """A `Commit` or `Force` was carried out; `failures` are what subscribers of the change had to say."""

    id: int
    status: WorkerStatus
    failures: tuple[str, ...] = ()


class Told(msgspec.Struct, frozen=True, tag="told"):
    """The answer to `Ask`; `probe` is empty if the probe passed or was not asked for."""

    id: int
    status: WorkerStatus
    probe: str = ""


class Command(msgspec.Struct, frozen=True, tag="command"):
    """A control command that arrived over this worker's HTTP surface; the supervisor answers with a `Receipt`.

    `name`: switch.set, switch.clear, switch.rollback, switch.list, config.plan, config.apply, config.reload,
    server.status, server.restart, server.drain, server.stop, ledger.show, snapshot.export. `arguments`: JSON object.
    """

    id: int
    name: str
    arguments: bytes
    actor: str


Up: TypeAlias = Ready | BootFailed | Prepared | Refused | Published | Told | Command
