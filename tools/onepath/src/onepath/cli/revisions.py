"""A program as it was at a revision: blobs read from git into a temporary folder, no work tree touched."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from onepath.cli.exits import UsageError


@contextmanager
def checked_out(folder: Path, revision: str, kept: Sequence[str]) -> Iterator[Path]:
    """What `folder` held at `revision`: Python files, and those named in `kept`. Raises UsageError.

    `git archive` would leave out what is marked export-ignore; trees and blobs are read as they are.
    """
    top = Path(_git(folder, "rev-parse", "--show-toplevel").decode().strip())
    inside = folder.resolve().relative_to(top.resolve()).as_posix()
    commit = _git(
        folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", what=revision
    )
    listing = _git(folder, "ls-tree", "-r", "-z", "--full-tree", commit.decode().strip())
    wanted: list[tuple[str, str]] = []
    for entry in listing.split(b"\0"):
        if not entry:
            continue
        meta, _, name = entry.partition(b"\t")
        mode, kind, blob = meta.decode().split()
        path = name.decode("utf-8", "surrogateescape")
        relative = path.removeprefix(f"{inside}/") if inside != "." else path
        if kind != "blob" or mode == "120000" or (inside != "." and relative == path):
            continue
        if relative.endswith(".py") or relative in kept:
            wanted.append((relative, blob))
    with tempfile.TemporaryDirectory(prefix="onepath-") as temporary:
        target = Path(temporary)
        for (relative, _), data in zip(wanted, _blobs(folder, [blob for _, blob in wanted]), strict=True):
            if ".." in PurePosixPath(relative).parts:
                continue
            path_there = target / relative
            path_there.parent.mkdir(parents=True, exist_ok=True)
            path_there.write_bytes(data)
        yield target


def _blobs(folder: Path, names: Sequence[str]) -> Iterator[bytes]:
    """Contents of blobs, in order, by one process."""
    if not names:
        return
    answer = _git(folder, "cat-file", "--batch", given="".join(f"{name}\n" for name in names).encode())
    at = 0
    for _ in names:
        end = answer.index(b"\n", at)
        size = int(answer[at:end].split()[-1])
        yield answer[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def _git(folder: Path, *arguments: str, given: bytes | None = None, what: str = "") -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], input=given, capture_output=True, check=False)  # noqa: S607
    except FileNotFoundError as error:
        raise UsageError("git is not installed; `onepath diff` reads revisions with it") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise UsageError(f"`{what}` is no revision of {folder}" if what else said or f"git {arguments[0]} failed")
    return done.stdout
