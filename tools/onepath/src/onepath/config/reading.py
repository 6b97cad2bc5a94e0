"""From a folder to a configuration: find the file, read it strictly, and tell every fault at once with its place.

It knows TOML and the shape in `model`; it must not know what the keys mean.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import types
import typing
from pathlib import Path
from typing import Any, Final

import msgspec

from onepath.config.model import Configuration

CONFIGURATION_FILES: Final = ("onepath.toml", "pyproject.toml")
"""Looked for in this order, in the folder and in each one above."""


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong with a configuration."""

    file: str
    line: int
    """1-based; 0 where no line can be told."""
    key: str
    """Dotted, with indices: `tool.onepath.layers[0].name`."""
    message: str
    """What is wrong and what to write instead."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ConfigurationError(Exception):
    """A configuration that cannot be used; `faults` names all that is wrong."""

    def __init__(self, faults: typing.Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


class Project(msgspec.Struct, frozen=True):
    """A configuration and where it stands."""

    folder: Path
    """Absolute; paths of the configuration are relative to it."""
    file: str
    """The file's name in the folder; empty: no file, only what the command line said."""
    configuration: Configuration


def find_project(start: Path) -> Project | None:
    """The nearest configuration at or above `start`, up to the repository's top folder; None if there is none.

    Raises ConfigurationError if it is bad.
    """
    folder = start.resolve()
    for candidate in (folder, *folder.parents):
        for name in CONFIGURATION_FILES:
            file = candidate / name
            if file.is_file() and (name == "onepath.toml" or _has_table(file)):
                return read_project(file)
        if (candidate / ".git").exists():
            break
    return None


def read_project(file: Path) -> Project:
    """The configuration in `file`. Raises ConfigurationError naming every fault."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([Fault(file.name, 0, "", f"cannot be read: {error}")]) from error
    configuration = parse_configuration(text, file.name)
    return Project(file.parent.resolve(), file.name, configuration)  # where it stands, not where a link leads


def bare_project(folder: Path, roots: typing.Sequence[str]) -> Project:
    """A project without a file: roots only, nothing cached, no contract."""
    return Project(folder.resolve(), "", Configuration(roots=tuple(roots), cache=""))


def parse_configuration(text: str, file: str = "onepath.toml") -> Configuration:
    """The configuration written in `text`; a file called pyproject.toml holds it under `tool.onepath`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        raise ConfigurationError([Fault(file, int(found[1]) if found else 0, "", f"is no TOML: {error}")]) from error
    prefix: tuple[str, ...] = ()
    if Path(file).name == "pyproject.toml":
        prefix = ("tool", "onepath")
        tool = document.get("tool", {})
        if not isinstance(tool, dict) or "onepath" not in tool:
            message = "has no [tool.onepath]; write one (`onepath init` proposes it), or name another file"
            raise ConfigurationError([Fault(file, 0, "", message)])
        document = tool["onepath"]
    unknown = [
        Fault(file, _line_of(text, (*prefix, *steps)), _dotted((*prefix, *steps)), message)
        for steps, message in _unknown_keys(document, Configuration, ())
    ]
    if unknown:
        raise ConfigurationError(unknown)
    try:
        configuration = msgspec.convert(document, Configuration)
    except msgspec.ValidationError as error:
        message, _, pointer = str(error).partition(" - at `$")
        steps = _pointer_steps(pointer.rstrip("`"))
        fault = Fault(file, _line_of(text, (*prefix, *steps)), _dotted((*prefix, *steps)), _lower_first(message))
        raise ConfigurationError([fault]) from error
    faults = [
        Fault(file, _line_of(text, (*prefix, *steps)), _dotted((*prefix, *steps)), message)
        for steps, message in _meaning(configuration)
    ]
    if faults:
        raise ConfigurationError(faults)
    return configuration


Steps: typing.TypeAlias = tuple[str | int, ...]


def _unknown_keys(value: Any, expected: Any, at: Steps) -> list[tuple[Steps, str]]:
    """Every key that no struct has, with the nearest one that it has."""
    found: list[tuple[Steps, str]] = []
    struct = _struct_in(expected)
    if struct is not None and isinstance(value, dict):
        known = {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
        for key, inner in value.items():
            if key in known:
                found.extend(_unknown_keys(inner, known[key], (*at, key)))
                continue
            near = difflib.get_close_matches(key.replace("-", "_"), known, n=1, cutoff=0.5)
            hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(f'`{name}`' for name in known)}"
            found.append(((*at, key), f"is no key of onepath; {hint}"))
    elif struct is not None and isinstance(value, list):
        for index, inner in enumerate(value):
            found.extend(_unknown_keys(inner, struct, (*at, index)))
    return found


def _struct_in(expected: Any) -> type[msgspec.Struct] | None:
    """The struct that `expected` is, holds, or may be absent of; dictionaries of free keys hold none."""
    if isinstance(expected, type) and issubclass(expected, msgspec.Struct):
        return expected
    if typing.get_origin(expected) in (tuple, types.UnionType, typing.Union):
        for argument in typing.get_args(expected):
            struct = _struct_in(argument)
            if struct is not None:
                return struct
    return None


def _meaning(configuration: Configuration) -> list[tuple[Steps, str]]:
    """Faults that types cannot say."""
    faults: list[tuple[Steps, str]] = []
    lists: dict[str, typing.Sequence[Any]] = {
        key: getattr(configuration, key)
        for key in (
            "path",
            "sink_owners",
            "layers",
            "forbidden",
            "protected",
            "independent",
            "acyclic",
            "sealed",
            "pure",
        )
    }
    for key, contracts in lists.items():
        names: set[str] = set()
        for index, contract in enumerate(contracts):
            if contract.name in names:
                faults.append(
                    ((key, index, "name"), f"`{contract.name}` names two contracts; names are told in findings")
                )
            names.add(contract.name)
    for index, way in enumerate(configuration.path):
        faults.extend(
            (("path", index, needed), "is empty; a check on zero cases proves nothing")
            for needed in ("entries", "through", "sinks")
            if not getattr(way, needed)
        )
        faults.extend(
            (("path", index, "called", pattern), "is none of the contract's `entries`")
            for pattern in way.called
            if pattern not in way.entries
        )
        for place, out in enumerate(way.ways_out):
            if not out.reason.strip():
                faults.append(
                    (("path", index, "ways_out", place, "reason"), "is empty; say why this may leave the path")
                )
    for index, forbidden in enumerate(configuration.forbidden):
        if bool(forbidden.to) == bool(forbidden.only):
            faults.append(
                (("forbidden", index), "needs either `to` (what is forbidden) or `only` (all that is allowed)")
            )
    for index, protected in enumerate(configuration.protected):
        for kind in protected.harmless:
            if kind not in ("exceptions", "constants"):
                message = f"`{kind}` is no kind of symbol; known are `exceptions`, `constants`"
                faults.append((("protected", index, "harmless"), message))
    for index, acyclic in enumerate(configuration.acyclic):
        if acyclic.between not in ("modules", "siblings"):
            faults.append((("acyclic", index, "between"), f"is `{acyclic.between}`; known are `modules`, `siblings`"))
    for file, regions in configuration.regions.items():
        for name, form in regions.items():
            if form not in ("short", "long") and not form.startswith("template:"):
                message = f"is `{form}`; known are `short`, `long`, `template:PATH`"
                faults.append((("regions", file, name), message))
            elif name not in ("ARCH", "CALLGRAPH", "SWITCHES") and not form.startswith("template:"):
                message = (
                    f"`{name}` has no built-in content; give it `template:PATH`, or use `ARCH`, `CALLGRAPH`, `SWITCHES`"
                )
                faults.append((("regions", file, name), message))
    if "-->" in configuration.docs.command + configuration.docs.sources:
        faults.append((("docs", "command"), "`-->` would end the comment that names it"))
    for index, waiver in enumerate(configuration.waivers):
        faults.extend(
            (("waivers", index, needed), "is empty; a waiver says where, why and who will mend it")
            for needed in ("where", "reason", "owner")
            if not getattr(waiver, needed).strip()
        )
    return faults


def _has_table(file: Path) -> bool:
    """Whether a pyproject.toml speaks of onepath; a broken one does if it names the table, so that it is told."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    try:
        tool = tomllib.loads(text).get("tool", {})
    except tomllib.TOMLDecodeError:
        return "tool.onepath" in text
    return isinstance(tool, dict) and "onepath" in tool


def _pointer_steps(pointer: str) -> Steps:
    """msgspec's `.layers[0].name` or `[...]` as steps."""
    steps: list[str | int] = []
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", pointer):
        if name:
            steps.append(name)
        elif index.isdigit():
            steps.append(int(index))
    return tuple(steps)


def _dotted(steps: Steps) -> str:
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _line_of(text: str, steps: Steps) -> int:
    """The line on which a key is written, as well as a look at the lines can tell; 0 where it cannot."""
    names = [step for step in steps if isinstance(step, str)]
    if not names:
        return 0
    lines = text.splitlines()
    start = 0
    for depth, step in enumerate(steps):
        if isinstance(step, int):
            header = re.compile(r"\s*\[\[\s*" + r"\s*\.\s*".join(map(_key_pattern, _names(steps[:depth]))) + r"\s*\]\]")
            places = [number for number, line in enumerate(lines) if header.match(line)]
            if step < len(places):
                start = places[step]
        else:
            header = re.compile(
                r"\s*\[\s*" + r"\s*\.\s*".join(map(_key_pattern, _names(steps[: depth + 1]))) + r"\s*\]"
            )
            start = next((number for number, line in enumerate(lines) if header.match(line)), start)
    wanted = re.compile(rf"(^|[\s{{,.\[]){_key_pattern(names[-1])}\s*(=|\.|\]|\s)")
    for number in range(start, len(lines)):
        if wanted.search(lines[number].split("#")[0]):
            return number + 1
    return start + 1


def _names(steps: Steps) -> list[str]:
    return [step for step in steps if isinstance(step, str)]


def _key_pattern(name: str) -> str:
    return rf"[\"']?{re.escape(name)}[\"']?"


def _lower_first(message: str) -> str:
    return message[:1].lower() + message[1:]
