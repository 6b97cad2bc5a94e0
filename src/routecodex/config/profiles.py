"""User-written compat profiles: which files there are, what they hold, and whether they make sense.

It knows where files are looked for and how a profile gets its name. What a rule means is the shared module's, which is
asked here whether a profile makes sense and by the app again to build it.
"""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Final

from llmswitch_core.compat import BUILT_IN, ProfileError, compile_profiles
from routecodex.config.compiled import ProfileDocument
from routecodex.config.faults import Fault, Path
from routecodex.config.loading import MAX_CONFIG_BYTES, Loaded, read_document
from routecodex.config.models import Compat

SUFFIXES: Final = frozenset({".toml", ".json"})


def read_profiles(loaded: Loaded, compat: Compat, folder: FilePath) -> tuple[ProfileDocument, ...]:
    """All profile files the configuration names, in its order, each checked; faults are noted where it is named.

    Raises ProfileError where a built-in profile is broken: that is no fault of the configuration.
    """
    found: dict[str, ProfileDocument] = {}
    places: dict[str, Path] = {}
    for place, file in _files(loaded, compat, folder):
        document = _read(loaded, place, file)
        if document is None:
            continue
        if document.name in found:
            other = FilePath(found[document.name].source).name
            loaded.fault(
                "duplicate",
                place,
                f'The profile "{document.name}" of {file.name} is also in {other}.',
                "Give each profile a name of its own.",
            )
            continue
        found[document.name] = document
        places[document.source] = place
    try:
        compile_profiles(BUILT_IN, found.values())
    except ProfileError as error:
        if any(fault.source not in places for fault in error.faults):
            raise
        for fault in error.faults:
            name = FilePath(fault.source).name
            loaded.fault("bad_profile", places[fault.source], f"{name}: {fault.place}: {_sentence(fault.message)}")
    return tuple(found.values())


def _sentence(text: str) -> str:
    return text if text.endswith("?") else f"{text}."


def _files(loaded: Loaded, compat: Compat, folder: FilePath) -> list[tuple[Path, FilePath]]:
    files: list[tuple[Path, FilePath]] = []
    for index, name in enumerate(compat.files):
        files.append((("compat", "files", index), folder / FilePath(name).expanduser()))
    for index, name in enumerate(compat.directories):
        place: Path = ("compat", "directories", index)
        try:
            directory = folder / FilePath(name).expanduser()
            listed = sorted(path for path in directory.iterdir() if path.suffix.lower() in SUFFIXES)
        except (OSError, RuntimeError, ValueError):
            loaded.fault("missing_file", place, "There is no such readable folder.", "Create it, or mend the path.")
            continue
        files.extend((place, path) for path in listed)
    return files


def _read(loaded: Loaded, place: Path, file: FilePath) -> ProfileDocument | None:
    try:
        if not file.is_file():  # reading a pipe might never end
            raise FileNotFoundError
        with file.open("rb") as handle:
            content = handle.read(MAX_CONFIG_BYTES + 1)
    except (OSError, RuntimeError, ValueError):
        loaded.fault("missing_file", place, f"{file.name} cannot be read.", "Create it, or mend the path.")
        return None
    document = read_document(file, content)
    if isinstance(document, Fault):
        at = f" line {document.line}" if document.line else ""
        loaded.fault("bad_profile", place, f"{file.name}{at}: {document.message}", document.next_step)
        return None
    name = document.tree.get("name", file.stem)
    if not isinstance(name, str) or not name:
        loaded.fault("bad_profile", place, f"{file.name}: name is no text.", 'Write name = "…".')
        return None
    return ProfileDocument(name, str(file), document.tree)
