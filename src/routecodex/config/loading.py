"""From a file on disk to a validated model, every fault named with its place.

Finding the file, reading it within bounds, decoding TOML or JSON with positions, merging the environment and the
canary overlay, validating. It must not resolve secrets or references: compiling.py does. Whatever the input, the
outcome is a `Loaded` whose `faults` say what is wrong; nothing here raises for bad input.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any, Final, Literal, NoReturn

from pydantic import ValidationError

from routecodex.config.contract import SwitchTable
from routecodex.config.environment import Overrides, apply_overrides
from routecodex.config.faults import Fault, Path
from routecodex.config.models import ConfigurationBase, configuration_model
from routecodex.config.positions import Positions, json_positions, toml_positions
from routecodex.config.shape import MAX_DEPTH, Tidied, tidy

MAX_CONFIG_BYTES: Final = 1024 * 1024
OVERLAY: Final = "virtualrouterCanary"
_TOML_PLACE: Final = re.compile(r"\s*\(at line (\d+), column \d+\)|\s*\(at end of document\)")
_UNWRITABLE: Final = "Use TOML or JSON; `routecodex init` writes a small example."


class Document:
    """One decoded file: its tree and where everything stands in it."""

    def __init__(self, name: str, tree: dict[str, Any], positions: Positions) -> None:
        self.name = name
        self.tree = tree
        self.positions = positions


class Loaded:
    """A configuration read as far as it could be; `model` is None while `faults` has errors of shape."""

    def __init__(self, path: FilePath, switches: SwitchTable) -> None:
        self.path = path
        self.switches = switches
        self.faults: list[Fault] = []
        self.document: Document | None = None
        self.tidied = Tidied()
        self.overrides = Overrides()
        self.model: ConfigurationBase | None = None
        self.canary: ConfigurationBase | None = None
        """The configuration with the canary overlay merged in."""

    @property
    def has_errors(self) -> bool:
        return any(fault.severity == "error" for fault in self.faults)

    @property
    def effective(self) -> dict[str, Any]:
        """The effective configuration with defaults, camelCase, secrets as references. Needs `model`."""
        if self.model is None:
            return {}
        return self.model.model_dump(mode="json", by_alias=True)

    @property
    def hash(self) -> str:
        """sha256 (hex) over the canonical effective configuration."""
        text = json.dumps(self.effective, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def source(self, path: Path) -> Literal["default", "file", "environment"]:
        """Who set the value at a camelCase path."""
        if self.overrides.variable(path) is not None:
            return "environment"
        return "file" if path in self.tidied.written else "default"

    def fault(
        self,
        code: str,
        path: Path,
        message: str,
        next_step: str = "",
        *,
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        """Note a fault at a camelCase path; line and origin are looked up, the same fault is told once."""
        path = self._owner(path)
        variable = self.overrides.variable(path)
        if variable is not None:
            found = Fault(code, path, message, next_step, None, variable, severity)
        else:
            written = self.tidied.source_path(path)
            line = self.document.positions.line(written) if self.document is not None else None
            found = Fault(code, written, message, next_step, line, self.path.name, severity)
        if found not in self.faults:
            self.faults.append(found)

    def _owner(self, path: Path) -> Path:
        """Where a place in the merged canary router was set: in the overlay if that goes deeper, else in the base."""
        if path[:1] != (OVERLAY,):
            return path
        base = ("virtualrouter", *path[1:])
        if self.overrides.variable(path) is None and self._written_depth(base) > self._written_depth(path):
            return base
        return path

    def _written_depth(self, path: Path) -> int:
        return next((n for n in range(len(path), 0, -1) if path[:n] in self.tidied.written), 0)


def config_path(explicit: FilePath | None, environ: Mapping[str, str], home: FilePath) -> FilePath:
    """Which file is meant: `--config`, ROUTECODEX_CONFIG, then config.toml or config.json in the gateway's home."""
    if explicit is not None:
        return explicit.expanduser()
    named = environ.get("ROUTECODEX_CONFIG")
    if named:
        return FilePath(named).expanduser()
    candidates = [home / "config.toml", home / "config.json"]
    return next((candidate for candidate in candidates if candidate.is_file()), candidates[0])


def gateway_home(environ: Mapping[str, str]) -> FilePath:
    """Where the gateway keeps its files: ROUTECODEX_HOME, else ~/.routecodex."""
    named = environ.get("ROUTECODEX_HOME")
    if named:
        return FilePath(named).expanduser().absolute()
    user_home = environ.get("HOME")
    return (FilePath(user_home) if user_home else FilePath.home()) / ".routecodex"


def load(path: FilePath, environ: Mapping[str, str], switches: SwitchTable) -> Loaded:
    """Read one file and everything that overrides it."""
    loaded = Loaded(path, switches)
    content = _read(path, loaded)
    if content is not None:
        _load_content(content, environ, loaded)
    return loaded


def load_text(
    text: str,
    environ: Mapping[str, str],
    switches: SwitchTable,
    *,
    path: FilePath = FilePath("config.toml"),
) -> Loaded:
    """The same from a text; `path` gives the format, the name in messages and the folder of relative paths."""
    return load_content(text.encode("utf-8", "surrogatepass"), environ, switches, path=path)


def load_content(content: bytes, environ: Mapping[str, str], switches: SwitchTable, *, path: FilePath) -> Loaded:
    """The same from a file's bytes that somebody else has read."""
    loaded = Loaded(path, switches)
    _load_content(content, environ, loaded)
    return loaded


def read_document(path: FilePath, content: bytes) -> Document | Fault:
    """Decode a TOML or JSON file by its suffix; a fault where it is neither or broken."""
    name = path.name
    if len(content) > MAX_CONFIG_BYTES:
        return Fault("too_large", (), f"The file is larger than {MAX_CONFIG_BYTES // 1024} KiB.", origin=name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return Fault("bad_encoding", (), "The file is not UTF-8 text.", "Save it as UTF-8.", line, name)
    if path.suffix.lower() == ".json":
        return _json_document(name, text)
    if path.suffix.lower() == ".toml":
        return _toml_document(name, text)
    return Fault("unknown_format", (), f'A file ending in "{path.suffix}" is not read.', _UNWRITABLE, origin=name)


def _read(path: FilePath, loaded: Loaded) -> bytes | None:
    try:
        if not path.exists():
            loaded.faults.append(
                Fault(
                    "missing_file",
                    (),
                    f"There is no configuration at {path}.",
                    "Write one with `routecodex init`, or name another with --config.",
                )
            )
            return None
        with path.open("rb") as handle:
            return handle.read(MAX_CONFIG_BYTES + 1)
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or "not a usable path"
        loaded.faults.append(
            Fault("unreadable_file", (), f"{path} cannot be read: {cause}.", "Name a readable file with --config.")
        )
        return None


def _load_content(content: bytes, environ: Mapping[str, str], loaded: Loaded) -> None:
    document = read_document(loaded.path, content)
    if isinstance(document, Fault):
        loaded.faults.append(document)
        return
    loaded.document = document
    for path, line in document.positions.duplicates:
        loaded.faults.append(
            Fault("duplicate_key", path, "The key is written twice.", "Keep one of them.", line, document.name)
        )
    model = configuration_model(loaded.switches.rows)
    tidied = tidy(document.tree, model)
    loaded.tidied = tidied
    loaded.faults.extend(
        Fault(
            fault.code,
            fault.path,
            fault.message,
            fault.next_step,
            document.positions.line(fault.path),
            document.name,
        )
        for fault in tidied.faults
    )
    loaded.overrides = apply_overrides(tidied.tree, model, environ)
    loaded.faults.extend(loaded.overrides.faults)
    _validate(loaded, model)


def _validate(loaded: Loaded, model: type[ConfigurationBase]) -> None:
    tree = loaded.tidied.tree
    overlay = tree.get(OVERLAY)
    base = {key: value for key, value in tree.items() if key != OVERLAY}
    loaded.model = _validated(loaded, model, base, overlaid=False)
    if overlay is None:
        return
    if not isinstance(overlay, dict):
        loaded.fault("wrong_type", (OVERLAY,), "A table is expected here.")
        return
    merged = {**base, "virtualrouter": merge(base.get("virtualrouter", {}), overlay)}
    loaded.canary = _validated(loaded, model, merged, overlaid=True)


def _validated(
    loaded: Loaded, model: type[ConfigurationBase], tree: dict[str, Any], *, overlaid: bool
) -> ConfigurationBase | None:
    try:
        return model.model_validate(tree, by_alias=True, by_name=False)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False, include_context=True):
            path = tuple(step for step in detail["loc"] if step != "[key]")
            if overlaid and path[:1] == ("virtualrouter",):
                path = (OVERLAY, *path[1:])
            loaded.fault(*_explain(detail["type"], detail.get("ctx", {}), detail["msg"], path))
        return None
    except RecursionError:
        loaded.fault("too_deep", (), "The configuration is nested too deeply.")
        return None


def merge(base: object, overlay: object) -> object:
    """Tables merge key by key; anything else in the overlay replaces what stood there."""
    if not isinstance(base, dict) or not isinstance(overlay, dict):
        return overlay
    merged = dict(base)
    for key, value in overlay.items():
        merged[key] = merge(merged[key], value) if key in merged else value
    return merged


_EXPLAINED: Final[dict[str, str]] = {
    "string_type": "Text is expected here.",
    "int_type": "A whole number is expected here.",
    "float_type": "A number is expected here.",
    "bool_type": "true or false is expected here.",
    "list_type": "A list is expected here.",
    "dict_type": "A table is expected here.",
    "model_type": "A table is expected here.",
    "model_attributes_type": "A table is expected here.",
    "string_too_short": "The text is empty.",
    "finite_number": "A finite number is expected here.",
}


def _explain(kind: str, context: Mapping[str, Any], message: str, path: Path) -> tuple[str, Path, str, str]:
    """A pydantic error as (code, path, message, next step); never with the input in it."""
    if kind == "missing":
        return "missing_key", path[:-1], f'"{path[-1]}" is missing.', "Add it."
    if kind == "literal_error":
        expected = str(context.get("expected", ""))
        return "bad_value", path, f"One of {expected} is expected here.", ""
    if kind in _EXPLAINED:
        return "wrong_type", path, _EXPLAINED[kind], ""
    if kind.startswith(("greater_than", "less_than")):
        bounds = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
        told = [f"{word} {context[key]}" for key, word in bounds.items() if key in context]
        return "out_of_range", path, f"A number of {' and '.join(told)} is expected here.", ""
    if kind in ("too_short", "too_long"):
        return "out_of_range", path, "The list is empty." if kind == "too_short" else "The list is too long.", ""
    return kind, path, message, ""


def _toml_document(name: str, text: str) -> Document | Fault:
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told = str(error)
        place = _TOML_PLACE.search(told)
        line = int(place.group(1)) if place and place.group(1) else text.count("\n") + 1
        cause = _TOML_PLACE.sub("", told).split("\n")[0]
        return Fault("bad_syntax", (), f"This is not valid TOML: {_without_content(cause)}.", "", line, name)
    except RecursionError:
        return Fault("too_deep", (), "The file is nested too deeply.", "", None, name)
    if _deeper_than(tree, MAX_DEPTH):
        return Fault("too_deep", (), f"The file is nested deeper than {MAX_DEPTH} levels.", "", None, name)
    return Document(name, tree, toml_positions(text))


def _without_content(cause: str) -> str:
    """tomllib's message without what it quotes of the file beyond a few characters."""
    return re.sub(r"('(?:[^']{9,})'|\"(?:[^\"]{9,})\")", "…", cause).rstrip(".")


def _json_document(name: str, text: str) -> Document | Fault:
    try:
        tree = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return Fault("bad_syntax", (), f"This is not valid JSON: {error.msg}.", "", error.lineno, name)
    except (RecursionError, _ConstantError, ValueError) as error:
        cause = "NaN and Infinity are no JSON" if isinstance(error, _ConstantError) else "a value is out of bounds"
        return Fault("bad_syntax", (), f"This is not valid JSON: {cause}.", "", None, name)
    if not isinstance(tree, dict):
        return Fault("wrong_type", (), "The file must hold one JSON object.", "", 1, name)
    if _deeper_than(tree, MAX_DEPTH):
        return Fault("too_deep", (), f"The file is nested deeper than {MAX_DEPTH} levels.", "", None, name)
    return Document(name, tree, json_positions(text))


class _ConstantError(ValueError):
    """NaN or Infinity in a JSON file."""


def _refuse_constant(_: str) -> NoReturn:
    raise _ConstantError


def _deeper_than(tree: object, limit: int) -> bool:
    level: list[object] = [tree]
    for _ in range(limit):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True


__all__ = [
    "MAX_CONFIG_BYTES",
    "Document",
    "Loaded",
    "config_path",
    "gateway_home",
    "load",
    "load_text",
    "merge",
    "read_document",
]
