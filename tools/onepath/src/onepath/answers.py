"""The judged answer of an unchanged project: kept whole, so that it is told without reading or linking anything.

It is told again only if the configuration, the modules there are, every file that was looked at, the day (if anything
expires), onepath itself, the libraries it reads with and the interpreter are what they were. Whatever is in doubt is
judged anew. It knows reports as bytes of a shape; it judges nothing.
"""

from __future__ import annotations

import datetime
import hashlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Final

import msgspec

import onepath
from onepath.config import Project
from onepath.discover import Discovery, discover
from onepath.keeping import read_entry, write_entry
from onepath.looking import Looked, Sight, seen_again
from onepath.render.report import Report

_READ_WITH: Final = ("networkx", "markdown_it", "msgspec")


class Answer(msgspec.Struct, frozen=True):
    """A report, and all it was made of."""

    asked: str
    own: dict[str, Sight]
    """Onepath's own files, and where each library begins."""
    modules: str
    sights: dict[str, Sight]
    report: Report


class Answers:
    """Where the answer of one project is kept."""

    def __init__(self, project: Project, today: datetime.date) -> None:
        """`today`: the day that waivers are held against."""
        configuration = project.configuration
        self._project = project
        self._cache = project.folder / configuration.cache if configuration.cache else None
        place = f"answer\0{project.folder}\0{project.file}"
        self._key = hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()
        self._today = today if configuration.waivers else None
        self._asked = self._digest() if self._cache is not None else ""
        self._own: dict[str, Sight] = {}
        """Onepath's own files as they were before anything was judged."""
        self.discovery: Discovery | None = None
        """The modules there are, if `told` looked."""

    def told(self) -> Report | None:
        """The report, if it would be the same today; else `keep` may follow. Raises RootError as `discover` does."""
        if not self._asked:
            return None
        report = self._told()
        if report is None and not self._own:
            self._own = _seen(_own_files())
        return report

    def _told(self) -> Report | None:
        body = read_entry(self._cache, self._key)
        if body is None:
            return None
        try:
            answer = msgspec.msgpack.decode(body, type=Answer)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        if answer.asked != self._asked:
            return None
        own = seen_again(answer.own)
        if own is None:
            return None
        self._own = own
        configuration = self._project.configuration
        self.discovery = discover(self._project.folder, configuration.roots, configuration.exclude)
        if answer.modules != self.discovery.digest:
            return None
        sights = seen_again(answer.sights)
        if sights is None:
            return None
        if (own, sights) != (answer.own, answer.sights):
            self._write(own, answer.modules, sights, answer.report)
        return answer.report

    def keep(self, looked: Looked, report: Report) -> None:
        """Keep a report that was made of what `looked` saw, unless that, or onepath, was changing meanwhile."""
        if not (self._own and looked.modules and looked.is_one_state and self._asked == self._digest()):
            return
        own = seen_again(self._own)
        if own is not None:
            self._write(own, looked.modules, looked.sights, report)

    def _digest(self) -> str:
        """Of what is asked and which files answer; empty if it cannot be told whether onepath itself is the same."""
        own = _own_files()
        if not own:
            return ""
        digest = hashlib.sha256(msgspec.msgpack.encode(self._project.configuration))
        for part in (sys.version, sys.platform, str(self._today), *own):
            digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
        return digest.hexdigest()

    def _write(self, own: dict[str, Sight], modules: str, sights: dict[str, Sight], report: Report) -> None:
        try:
            body = msgspec.msgpack.encode(Answer(self._asked, own, modules, sights, report))
        except UnicodeEncodeError:
            return  # a file's name that is no text; such a project is judged each time
        write_entry(self._cache, self._key, body)


def _own_files() -> list[str]:
    """Each file of onepath, and where each library begins; empty if one of them cannot be told."""
    found: list[str] = []
    for home in onepath.__path__:
        for folder, inner, files in os.walk(home):
            inner[:] = sorted(one for one in inner if one != "__pycache__")
            found.extend(os.path.join(folder, file) for file in sorted(files))  # noqa: PTH118
    if not found:
        return []
    for library in _READ_WITH:
        spec = importlib.util.find_spec(library)
        if spec is None or spec.origin is None:
            return []
        found.append(spec.origin)
    return found


def _seen(files: list[str]) -> dict[str, Sight]:
    """What is in them; empty if one of them cannot be read."""
    looked = Looked()
    try:
        for file in files:
            looked.content(Path(file))
    except OSError:
        return {}
    return looked.sights
