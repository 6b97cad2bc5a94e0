"""Plants each bypass and each harmless change into a copy of a repository and asks `onepath lint`.

    python -m mutations.check [--repository DIR] [--only TEXT] [--workers N]

A bypass is seen if a finding's evidence names one of its marked lines; a harmless change and the unmodified tree have
no finding. Generated regions (OP011) are left out: they are rewritten with the change that makes them stale.
Exit code 0 if all is as it should be, 1 if not, 2 if an edit no longer finds its place.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

from .editing import AnchorGoneError, Change, Sources
from .plants import PLANTS
from .refactorings import REFACTORINGS

HERE: Final = Path(__file__).parent
LEFT_OUT: Final = frozenset({"OP011"})
_COMMAND: Final = (sys.executable, "-c", "from onepath.cli import main; main()", "lint", "--format", "json")
_CONFIGURATIONS: Final = frozenset({"pyproject.toml", "onepath.toml"})
_NOT_COPIED: Final = shutil.ignore_patterns("__pycache__")


@dataclass(frozen=True)
class Verdict:
    """What became of one change."""

    kind: str
    name: str
    fault: str
    """Why it is not as it should be; empty if it is."""


class Copy:
    """A repository's copy: `src/` for real, all else by link, so that only the code differs."""

    def __init__(self, repository: Path, folder: Path, configuration: Path | None) -> None:
        self.source = repository / "src"
        self.folder = folder
        for entry in repository.iterdir():
            if entry.name in _CONFIGURATIONS:
                # Not by link: a project's folder is where its configuration really is.
                shutil.copyfile(entry, folder / entry.name)
            elif entry.name not in {"src", ".git", ".cache", ".venv", ".nox"}:
                (folder / entry.name).symlink_to(entry)
        if configuration is not None:
            (folder / "onepath.toml").unlink(missing_ok=True)
            shutil.copyfile(configuration, folder / "onepath.toml")
        shutil.copytree(self.source, folder / "src", ignore=_NOT_COPIED)

    @contextmanager
    def changed(self, sources: Sources) -> Iterator[None]:
        """The copy with these changes; afterwards as it was."""
        sources.write(self.folder / "src")
        try:
            yield
        finally:
            for file in sources.changed:
                original = self.source / file
                if original.exists():
                    shutil.copyfile(original, self.folder / "src" / file)
                else:
                    (self.folder / "src" / file).unlink()

    def findings(self) -> list[dict[str, Any]]:
        """What lint has to say. Raises RuntimeError if it does not get that far."""
        path = os.pathsep.join([str(HERE.parent / "src"), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            _COMMAND,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode not in (0, 1):
            raise RuntimeError(
                f"onepath lint ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-2000:]}"
            )
        return [one for one in json.loads(done.stdout)["findings"] if one["rule"] not in LEFT_OUT]


def judged_plant(copy: Copy, change: Change) -> str:
    """Why a bypass is not seen; empty if it is."""
    sources = Sources(copy.source)
    change.apply(sources)
    marked = sources.planted()
    if not marked:
        return "it marks no line"
    with copy.changed(sources):
        findings = copy.findings()
    if any(("src/" + file, line) in set(_places(one)) for one in findings for file, line in marked):
        return ""
    told = "; ".join(f"{one['rule']} {one['where']}" for one in findings) or "nothing"
    return f"no finding names {' or '.join(f'{file}:{line}' for file, line in sorted(marked))}; told: {told}"


def judged_refactoring(copy: Copy, change: Change) -> str:
    """Why a harmless change is not silent; empty if it is."""
    sources = Sources(copy.source)
    change.apply(sources)
    with copy.changed(sources):
        return _spoken(copy.findings())


def _spoken(findings: list[dict[str, Any]]) -> str:
    return "; ".join(f"{one['rule']} {one['where']}: {one['message']}" for one in findings)


def _places(finding: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for one in (finding, *finding["evidence"]):
        if one["place"]:
            yield one["place"]["file"], one["place"]["line"]


def main(arguments: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repository", type=Path, default=HERE.parents[2])
    parser.add_argument("--configuration", type=Path, help="judge by this onepath.toml instead of the repository's")
    parser.add_argument("--only", default="", help="changes whose name holds this text")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--edit-only", action="store_true", help="apply every edit and judge nothing")
    options = parser.parse_args(arguments)
    work: list[tuple[str, Change | None]] = [("unmodified", None)]
    work += [("plant", one) for one in PLANTS if options.only in one.name]
    work += [("refactoring", one) for one in REFACTORINGS if options.only in one.name]
    if len(work) == 1:
        parser.error(f"--only: no change has {options.only!r} in its name")
    if options.edit_only:
        return _edited(options.repository / "src", work)
    with tempfile.TemporaryDirectory(prefix="onepath-mutations-") as folder:
        free: SimpleQueue[Copy] = SimpleQueue()
        for number in range(options.workers):
            place = Path(folder, str(number))
            place.mkdir()
            free.put(Copy(options.repository.resolve(), place, options.configuration))

        def judge(item: tuple[str, Change | None]) -> Verdict:
            kind, change = item
            copy = free.get()
            try:
                if change is None:
                    return Verdict(kind, "the tree as it is", _spoken(copy.findings()))
                judged = judged_plant if kind == "plant" else judged_refactoring
                return Verdict(kind, change.name, judged(copy, change))
            except AnchorGoneError as gone:
                return Verdict("gone", change.name if change else "", str(gone))
            finally:
                free.put(copy)

        with ThreadPoolExecutor(options.workers) as pool:
            verdicts = []
            for verdict in pool.map(judge, work):
                verdicts.append(verdict)
                print(f"{'FAULT' if verdict.fault else 'ok   '}  {verdict.kind}: {verdict.name}", flush=True)
                if verdict.fault:
                    print(f"         {verdict.fault}", flush=True)
    return _told(verdicts)


def _edited(source: Path, work: list[tuple[str, Change | None]]) -> int:
    gone = 0
    for kind, change in work:
        if change is None:
            continue
        sources = Sources(source)
        try:
            change.apply(sources)
        except (AnchorGoneError, SyntaxError) as error:
            gone += 1
            print(f"{kind}: {change.name}: {error}")
    print(f"{len(PLANTS)} plants, {len(REFACTORINGS)} refactorings, {gone} without a place")
    return 2 if gone else 0


def _told(verdicts: list[Verdict]) -> int:
    for kind in ("plant", "refactoring"):
        some = [one for one in verdicts if one.kind == kind]
        print(f"{kind}s: {sum(not one.fault for one in some)} of {len(some)} as they should be")
    if any(one.kind == "gone" for one in verdicts):
        return 2
    return 1 if any(one.fault for one in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
