"""The state file: tables, pruning, and what happens to a file that is damaged.

It knows SQL and bytes. One connection per instance; who may use it from which thread is the owner's business.
Times are Unix seconds.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeAlias

SCHEMA_VERSION: Final = 1

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS response (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, at REAL NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS response_at ON response (at);
CREATE TABLE IF NOT EXISTS item (
    id TEXT NOT NULL, account TEXT NOT NULL, response TEXT NOT NULL, PRIMARY KEY (id, account, response)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS item_response ON item (response);
CREATE TABLE IF NOT EXISTS token (key TEXT PRIMARY KEY, at REAL NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS token_at ON token (at);
"""

_TOKEN_SIZE: Final = 256
"""Bytes a token's row counts as."""

Row: TypeAlias = tuple[str, str, float, bytes, tuple[str, ...]]
"""(id, account, at, data, item ids) of a response."""


class Database:
    """One connection to the state file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10.0)
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        run = self._connection.execute
        version = run("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise sqlite3.DatabaseError(f"state file of a later version ({version})")
        if version == 0 and self.path != ":memory:":
            run("PRAGMA auto_vacuum = INCREMENTAL")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        run("PRAGMA temp_store = MEMORY")
        self._connection.executescript(_SCHEMA)
        run(f"PRAGMA user_version = {SCHEMA_VERSION}")

    # --- reading ---------------------------------------------------------------------------------------

    def response(self, response_id: str, not_before: float) -> bytes | None:
        row = self._connection.execute(
            "SELECT data FROM response WHERE id = ? AND at >= ?", (response_id, not_before)
        ).fetchone()
        return None if row is None else row[0]

    def response_of_item(self, item_id: str, account: str) -> str | None:
        row = self._connection.execute(
            "SELECT response FROM item WHERE id = ? AND account = ? LIMIT 1", (item_id, account)
        ).fetchone()
        return None if row is None else row[0]

    def token(self, key: str, not_before: float) -> bytes | None:
        row = self._connection.execute(
            "SELECT value FROM token WHERE key = ? AND at >= ?", (key, not_before)
        ).fetchone()
        return None if row is None else row[0]

    def meta(self, name: str, default: bytes) -> bytes:
        """The value kept under this name; `default` becomes it if there is none."""
        self._connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, default))
        value: bytes = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0]
        return value

    def size(self) -> int:
        """Bytes the rows count as."""
        responses = self._connection.execute("SELECT COALESCE(SUM(size), 0) FROM response").fetchone()[0]
        tokens = self._connection.execute("SELECT COUNT(*) FROM token").fetchone()[0]
        return int(responses) + int(tokens) * _TOKEN_SIZE

    # --- writing ---------------------------------------------------------------------------------------

    def write(
        self, responses: Iterable[Row], deleted: Iterable[str], tokens: Iterable[tuple[str, float, bytes]]
    ) -> None:
        """All of it in one transaction."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            for response_id, account, at, data, items in responses:
                connection.execute("DELETE FROM item WHERE response = ?", (response_id,))
                connection.execute(
                    "INSERT OR REPLACE INTO response VALUES (?, ?, ?, ?, ?)",
                    (response_id, account, at, len(data), data),
                )
                connection.executemany(
                    "INSERT OR IGNORE INTO item VALUES (?, ?, ?)", [(item, account, response_id) for item in items]
                )
            for response_id in deleted:
                connection.execute("DELETE FROM item WHERE response = ?", (response_id,))
                connection.execute("DELETE FROM response WHERE id = ?", (response_id,))
            connection.executemany("INSERT OR REPLACE INTO token (key, at, value) VALUES (?, ?, ?)", list(tokens))
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def prune(self, not_before: float, most: int) -> None:
        """Forget what is older than `not_before`, then the oldest until the rows count less than 9/10 of `most`."""
        run = self._connection.execute
        run("DELETE FROM item WHERE response IN (SELECT id FROM response WHERE at < ?)", (not_before,))
        run("DELETE FROM response WHERE at < ?", (not_before,))
        run("DELETE FROM token WHERE at < ?", (not_before,))
        size = self.size()
        if size > most:
            self._shrink(size - most * 9 // 10)
        run("PRAGMA incremental_vacuum")

    def _shrink(self, excess: int) -> None:
        run = self._connection.execute
        while excess > 0:
            oldest = run("SELECT id, size FROM response ORDER BY at LIMIT 256").fetchall()
            if not oldest:
                run(
                    "DELETE FROM token WHERE key IN (SELECT key FROM token ORDER BY at LIMIT ?)",
                    (excess // _TOKEN_SIZE + 1,),
                )
                return
            for response_id, size in oldest:
                run("DELETE FROM item WHERE response = ?", (response_id,))
                run("DELETE FROM response WHERE id = ?", (response_id,))
                excess -= size
                if excess <= 0:
                    return

    def close(self) -> None:
        self._connection.close()


def create_file(path: Path) -> None:
    """Make the file with mode 0600 in a folder with mode 0700, before SQLite would make it with another."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def move_aside(path: Path, stamp: int) -> Path:
    """Rename a damaged file and its journals; the new name of the file."""
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    for ending in ("", "-wal", "-shm"):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    return aside
