"""What the gateway remembers: memory in front, the file behind, one thread that writes.

Reads come from the event loop's thread and are synchronous: newest first from what is not yet written, then from a
bounded memory, then from the file. Writes are queued and committed in batches; `close` writes all that is left. It
knows `StoredResponse` only as something with an id, an account and items.
"""

from __future__ import annotations

import errno
import os
import queue
import secrets
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import structlog

from llmswitch_core.hub.responses_state import StoredResponse
from routecodex.blocks.store.database import Database, Row, create_file, move_aside
from routecodex.config.compiled import StoreSettings

MEMORY: Final = 64 * 1024 * 1024
"""Bytes of encoded responses kept in memory."""
TOKENS: Final = 50_000
"""Token facts kept in memory, unknown ones included."""
_BATCH: Final = 256
_PRUNE_EVERY: Final = 3600.0
_PRUNE_AFTER: Final = 5_000
"""Writes after which the size is looked at again."""

_T = TypeVar("_T")

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(StoredResponse)


class _Change(msgspec.Struct, frozen=True):
    """One queued write."""

    at: float
    response: StoredResponse | None = None
    deleted: str | None = None
    tokens: Mapping[str, bytes] = {}
    done: threading.Event | None = None


_LASTING: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR})
"""What is still so at the next try; a full disk may not be."""


class StoreUnusableError(Exception):
    """The state file cannot be opened; the message names it, the cause and the next step."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"The state file {path} cannot be used: {why}. Make it writable, or name another: store.path.")


class StateStore:
    """The `ResponseStore` and `TokenStore` of the gateway. `now` in Unix seconds."""

    def __init__(
        self, settings: StoreSettings, now: Callable[[], float], log: structlog.typing.FilteringBoundLogger
    ) -> None:
        self._now = now
        self._log = log
        self._ttl = settings.responses_ttl
        self._most = settings.max_bytes
        self._lock = threading.Lock()
        self._pending: dict[str, StoredResponse | None] = {}
        """By id; None: deleted. Not yet in the file."""
        self._pending_tokens: dict[str, bytes] = {}
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._memory_size = 0
        self._tokens: OrderedDict[str, bytes | None] = OrderedDict()
        self._read = self._opened(settings.path)
        self._queue: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
        self._since_pruning = 0
        self._pruned_at = now()
        self._write: Database | None = None
        self._thread: threading.Thread | None = None
        if settings.path == ":memory:":
            self._write = self._read
        else:
            self._thread = threading.Thread(target=self._run, args=(settings.path,), name="state-writer", daemon=True)
            self._thread.start()

    def _opened(self, path: str) -> Database:
        if path == ":memory:":
            return Database(path)
        file = Path(path)
        try:
            create_file(file)
            return Database(path)
        except OSError as error:
            if error.errno not in _LASTING:
                raise
            raise StoreUnusableError(path, os.strerror(error.errno)) from error
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "not a database" not in str(error):
                raise
            aside = move_aside(file, int(self._now()))
            self._log.error("store.corrupt", path=path, moved_to=str(aside), cause=str(error))
            create_file(file)
            return Database(path)

    # --- Responses -------------------------------------------------------------------------------------

    def get(self, response_id: str) -> StoredResponse | None:
        with self._lock:
            if response_id in self._pending:
                return self._pending[response_id]
            data = self._memory.get(response_id)
            if data is not None:
                self._memory.move_to_end(response_id)
        if data is None:
            data = self._from_file(lambda: self._read.response(response_id, self._now() - self._ttl))
            if data is None:
                return None
            with self._lock:
                self._remember(response_id, data)
        try:
            return _DECODER.decode(data)
        except msgspec.DecodeError as error:
            self._log.error("store.unreadable", response_id=response_id, cause=str(error))
            return None

    def put(self, response: StoredResponse) -> None:
        """Keep it, unless its request said `store: false`."""
        if not response.stored:
            return
        with self._lock:
            self._forget(response.id)
            self._pending[response.id] = response
        self._enqueue(_Change(self._now(), response=response))

    def delete(self, response_id: str) -> None:
        with self._lock:
            self._forget(response_id)
            self._pending[response_id] = None
        self._enqueue(_Change(self._now(), deleted=response_id))

    def response_of_item(self, item_id: str, account: str) -> str | None:
        with self._lock:
            waiting = list(self._pending.values())
        for response in reversed(waiting):
            if response is not None and response.account == account and item_id in _items(response):
                return response.id
        return self._from_file(lambda: self._read.response_of_item(item_id, account))

    # --- tokens ----------------------------------------------------------------------------------------

    def lookup(self, key: str) -> bytes | None:
        with self._lock:
            if key in self._pending_tokens:
                return self._pending_tokens[key]
            if key in self._tokens:
                self._tokens.move_to_end(key)
                return self._tokens[key]
        value = self._from_file(lambda: self._read.token(key, self._now() - self._ttl))
        with self._lock:
            self._remember_token(key, value)
        return value

    def keep_tokens(self, tokens: Mapping[str, bytes]) -> None:
        """Take in facts about opaque tokens. Readable at once, in the file soon."""
        with self._lock:
            self._pending_tokens.update(tokens)
        self._enqueue(_Change(self._now(), tokens=tokens))

    def secret(self, name: str) -> bytes:
        """32 random bytes of that name, made once and kept."""
        return self._read.meta(name, secrets.token_bytes(32))

    # --- life ------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Wait until everything so far is in the file."""
        if self._thread is not None and self._thread.is_alive():
            done = threading.Event()
            self._queue.put(_Change(0.0, done=done))
            done.wait(timeout=30.0)

    def close(self) -> None:
        """Write what is left and close."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout=30.0)
        self._read.close()

    # --- inside ----------------------------------------------------------------------------------------

    def _from_file(self, read: Callable[[], _T | None]) -> _T | None:
        try:
            return read()
        except sqlite3.Error as error:
            self._log.error("store.read_failed", path=self._read.path, cause=str(error))
            return None

    def _enqueue(self, change: _Change) -> None:
        if self._thread is not None:
            self._queue.put(change)
        else:
            self._commit([change])

    def _forget(self, response_id: str) -> None:
        data = self._memory.pop(response_id, None)
        if data is not None:
            self._memory_size -= len(data)

    def _remember(self, response_id: str, data: bytes) -> None:
        self._forget(response_id)
        self._memory[response_id] = data
        self._memory_size += len(data)
        while self._memory_size > MEMORY:
            _, oldest = self._memory.popitem(last=False)
            self._memory_size -= len(oldest)

    def _remember_token(self, key: str, value: bytes | None) -> None:
        self._tokens[key] = value
        self._tokens.move_to_end(key)
        while len(self._tokens) > TOKENS:
            self._tokens.popitem(last=False)

    # --- the writer's thread ---------------------------------------------------------------------------

    def _run(self, path: str) -> None:
        self._write = Database(path)
        ended = False
        while not ended:
            batch: list[_Change] = []
            change = self._queue.get()
            while change is not None:
                batch.append(change)
                if len(batch) >= _BATCH or self._queue.empty():
                    break
                change = self._queue.get()
            ended = change is None
            if batch:
                self._commit(batch)
        self._write.close()

    def _commit(self, batch: list[_Change]) -> None:
        responses: dict[str, Row] = {}
        deleted: set[str] = set()
        tokens: list[tuple[str, float, bytes]] = []
        for change in batch:
            if change.response is not None:
                response = change.response
                responses[response.id] = (
                    response.id,
                    response.account,
                    change.at,
                    _ENCODER.encode(response),
                    _items(response),
                )
                deleted.discard(response.id)
            if change.deleted is not None:
                responses.pop(change.deleted, None)
                deleted.add(change.deleted)
            tokens.extend((key, change.at, value) for key, value in change.tokens.items())
        try:
            if self._write is not None and (responses or deleted or tokens):
                self._write.write(responses.values(), deleted, tokens)
                self._prune(len(batch))
        except sqlite3.Error as error:
            # Memory still has it; the answer went out long ago, so saying it loudly is all that is left.
            self._log.error("store.write_failed", lost=len(batch), cause=str(error))
        self._settle(batch, responses)

    def _settle(self, batch: list[_Change], rows: Mapping[str, Row]) -> None:
        with self._lock:
            for change in batch:
                response = change.response
                if response is not None and self._pending.get(response.id) is response:
                    del self._pending[response.id]
                    row = rows.get(response.id)
                    if row is not None:
                        self._remember(response.id, row[3])
                gone = change.deleted
                if gone is not None and gone in self._pending and self._pending[gone] is None:
                    del self._pending[gone]
                for key, value in change.tokens.items():
                    if self._pending_tokens.get(key) is value:
                        del self._pending_tokens[key]
                    self._remember_token(key, value)
        for change in batch:
            if change.done is not None:
                change.done.set()

    def _prune(self, written: int) -> None:
        self._since_pruning += written
        now = self._now()
        if self._write is None or (self._since_pruning < _PRUNE_AFTER and now - self._pruned_at < _PRUNE_EVERY):
            return
        self._since_pruning = 0
        self._pruned_at = now
        self._write.prune(now - self._ttl, self._most)


def _items(response: StoredResponse) -> tuple[str, ...]:
    found = (item.get("id") for item in (*response.input, *response.output))
    return tuple(item for item in found if isinstance(item, str) and item)
