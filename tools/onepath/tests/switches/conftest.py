"""A program written as files, and its switch matrix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from onepath.config import Configuration, Switches
from onepath.discover import discover
from onepath.graph import Import, Place, Program
from onepath.rules.contract import Model
from onepath.switches import Matrix, Sources, read_matrix

Read = Callable[..., Matrix]


@pytest.fixture
def sources(tmp_path: Path) -> Callable[[dict[str, str]], Sources]:
    """`sources({"app/switches.py": "..."})` writes the files and finds the modules."""

    def written(files: dict[str, str]) -> Sources:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        roots = sorted({f"{name.split('/')[0]}" for name in files if name.endswith(".py")})
        found = discover(tmp_path, roots)
        return Sources(tmp_path, {module.name: module.file for module in found.modules})

    return written


@pytest.fixture
def read(sources: Callable[[dict[str, str]], Sources]) -> Read:
    """`read(text, **configuration)`: the matrix of `app.switches.SWITCHES` in `text`."""

    def matrix(text: str, files: dict[str, str] | None = None, **configuration: object) -> Matrix:
        own = {"registry": "app.switches.SWITCHES", **configuration}
        return read_matrix(sources({"app/switches.py": text, **(files or {})}), Switches(**own))  # type: ignore[arg-type]

    return matrix


@pytest.fixture
def model(sources: Callable[[dict[str, str]], Sources]) -> Callable[..., Model]:
    """`model(files, imports, **configuration)`; an import is `importer`, `written`."""

    def made(files: dict[str, str], imports: tuple[tuple[str, str], ...] = (), **configuration: object) -> Model:
        found = sources(files)
        own = {"registry": "app.switches.SWITCHES", **configuration}
        program = Program(
            modules=dict(found.files),
            packages=(),
            functions={},
            edges=(),
            imports=tuple(
                Import(importer, found.split(written)[0], "", Place("x.py", 3), importer, False, True, written)
                for importer, written in imports
            ),
            symbols={},
        )
        return Model(found.folder, Configuration(switches=Switches(**own)), program)  # type: ignore[arg-type]

    return made
