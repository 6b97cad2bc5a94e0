"""Reads the corpus: files of applications, written so that a reader sees the trick and nothing else.

    # Name of the technique: one sentence.

    === bypass: name of the application
    % key = a TOML value
    code of app/entry.py
    --- app/other.py
    code of that file

The kinds: `bypass` reaches a sink around the nodes, or carries a value that the pipeline did not make; `opaque` does so
by what cannot be computed from the text; `innocent` does neither. Every application starts from a base (`% base`,
"plain" unless told), whose files it may replace; a file whose only line is `absent` is taken away.

It knows text and files only.
"""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
KINDS: Final = ("bypass", "opaque", "innocent")

CONTRACT: Final[dict[str, Any]] = {
    "name": "single-path",
    "entries": ["app.entry.handle"],
    "through": ["app.flow.RequestFlow.run", "app.provider.ProviderV2.send"],
    "carries": [
        {"into": "app.provider.ProviderV2.send", "argument": "request", "made_by": "app.pipeline.HubPipeline.plan"}
    ],
    "sinks": ["@network", "@process"],
    "guarded": ["app"],
}
"""The contract every application is judged by; `% entries` and the like replace its parts."""


@dataclass(frozen=True)
class App:
    """One application."""

    technique: str
    name: str
    kind: str
    files: dict[str, str]
    contract: dict[str, Any]
    call: str
    """What is called when it runs: an expression over the entry module's names, `request` and what `running` gives."""
    roots: tuple[str, ...]
    source: str
    """Where it is written, `file:line`."""
    since: tuple[int, int] = (3, 11)
    """The Python it needs to run."""

    @property
    def id(self) -> str:
        """`technique/kind/name`; a bypass and its twin may share the name."""
        return f"{self.technique}/{self.kind}/{self.name}"

    @property
    def runs_here(self) -> bool:
        """Whether this interpreter can read it."""
        return sys.version_info >= self.since

    def unfold(self, folder: Path) -> Path:
        """Write its files below `folder`; returns the folder."""
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder


@dataclass
class _Draft:
    kind: str
    name: str
    line: int
    options: list[str] = field(default_factory=list)
    files: dict[str, list[str]] = field(default_factory=dict)


def load(folder: Path = HERE) -> list[App]:
    """Every application, by technique and as written."""
    bases = {path.stem: _tree(path.read_text(encoding="utf-8")) for path in sorted((folder / "base").glob("*.txt"))}
    found: list[App] = []
    for path in sorted((folder / "techniques").glob("*.txt")):
        found += [_app(path, draft, bases) for draft in _drafts(path)]
    names = [app.id for app in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two applications of one name: {', '.join(twice)}")
    return found


def _drafts(path: Path) -> list[_Draft]:
    drafts: list[_Draft] = []
    current: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.startswith("=== "):
            kind, _, name = line[4:].partition(": ")
            if kind not in KINDS or not name:
                raise ValueError(f"{path.name}:{number}: a heading is `=== kind: name`, the kind one of {KINDS}")
            drafts.append(_Draft(kind, name.strip(), number))
            current = []
        elif not drafts:
            continue
        elif line.startswith("% "):
            drafts[-1].options.append(line[2:])
        elif line.startswith("--- "):
            current = drafts[-1].files[line[4:].strip()] = []
        else:
            if not current and not line.strip():
                continue
            if not current and not drafts[-1].files:
                drafts[-1].files["app/entry.py"] = current
            current.append(line)
    return drafts


def _app(path: Path, draft: _Draft, bases: dict[str, dict[str, str]]) -> App:
    options = tomllib.loads("\n".join(draft.options))
    files = dict(bases[options.pop("base", "plain")])
    for name, lines in draft.files.items():
        text = "\n".join(lines).rstrip("\n") + "\n"
        if text == "absent\n":
            del files[name]
        else:
            files[name] = text.replace("(empty)\n", "")
    call = options.pop("call", "handle(request)")
    roots = tuple(options.pop("roots", ["app"]))
    major, minor = options.pop("since", [3, 11])
    strange = set(options) - set(CONTRACT)
    if strange:
        raise ValueError(f"{path.name}:{draft.line}: unknown keys {sorted(strange)}")
    return App(
        technique=path.stem,
        name=draft.name.replace(" ", "-"),
        kind=draft.kind,
        files=files,
        contract=CONTRACT | options,
        call=call,
        roots=roots,
        source=f"{path.name}:{draft.line}",
        since=(major, minor),
    )


def _tree(text: str) -> dict[str, str]:
    """A base: `--- path` headings and what follows them."""
    files: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.split("\n"):
        if line.startswith("--- "):
            lines = files[line[4:].strip()] = []
        else:
            lines.append(line)
    return {name: "\n".join(body).strip("\n") + "\n" for name, body in files.items()}
