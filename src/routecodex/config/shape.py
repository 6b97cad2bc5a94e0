"""Names before values: brings every key of a configuration into its camelCase form and finds the unknown ones.

It walks the tree beside the models, so it can tell a field from a name the user chose (a provider id, an alias).
It remembers how each key was written, for messages. It must not judge values: pydantic does, on the tidied tree.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from routecodex.config.faults import Fault, Path, did_you_mean, fold
from routecodex.config.fields import Section
from routecodex.config.models import SECTIONS_TO_COME

MAX_DEPTH = 64


class Tidied:
    """A tree with camelCase field names and without unknown keys; `written[path]` is the path in the file."""

    def __init__(self) -> None:
        self.tree: dict[str, Any] = {}
        self.written: dict[Path, Path] = {}
        self.faults: list[Fault] = []

    def source_path(self, path: Path) -> Path:
        """How `path` is written in the file, as deep as it is there."""
        for length in range(len(path), 0, -1):
            found = self.written.get(path[:length])
            if found is not None:
                return (*found, *path[length:])
        return path


def tidy(tree: Mapping[str, Any], model: type[Section]) -> Tidied:
    """Walk `tree` (decoded TOML or JSON) beside `model`."""
    result = Tidied()
    tidied = _walk(tree, model, (), (), result)
    result.tree = tidied if isinstance(tidied, dict) else {}
    return result


def fields_of(model: type[Section]) -> dict[str, Any]:
    """The model's field annotations by their camelCase key."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def inner_kind(annotation: object) -> tuple[Literal["section", "table", "list", "value"], Any]:
    """What stands behind an annotation: a section (its model), a table or list (the kind of its items), or a value."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return inner_kind(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        candidates = [inner_kind(part) for part in get_args(annotation) if part is not type(None)]
        return next((found for found in candidates if found[0] != "value"), ("value", annotation))
    if origin is dict:
        return "table", get_args(annotation)[1]
    if origin is list:
        return "list", get_args(annotation)[0]
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return "section", annotation
    return "value", annotation


def _walk(value: object, annotation: object, path: Path, written: Path, result: Tidied) -> object:
    result.written[path] = written
    kind, inner = inner_kind(annotation)
    if kind == "section" and isinstance(value, dict):
        return _section(value, inner, path, written, result)
    if kind == "table" and isinstance(value, dict):
        return {key: _walk(item, inner, (*path, key), (*written, key), result) for key, item in value.items()}
    if kind == "list" and isinstance(value, list):
        return [_walk(item, inner, (*path, index), (*written, index), result) for index, item in enumerate(value)]
    return value


def _section(table: dict[str, Any], model: type[Section], path: Path, written: Path, result: Tidied) -> dict[str, Any]:
    fields = fields_of(model)
    by_folded = {fold(name): name for name in fields}
    tidied: dict[str, Any] = {}
    for key, value in table.items():
        name = key if key in fields else by_folded.get(fold(key)) if _is_snake(key) else None
        if name is None:
            result.faults.append(_unknown(key, list(fields), path, written))
        elif name in tidied:
            result.faults.append(
                Fault("duplicate_key", (*written, key), f'"{key}" and "{name}" are the same key.', "Keep one of them.")
            )
        else:
            tidied[name] = _walk(value, fields[name], (*path, name), (*written, key), result)
    return tidied


def _is_snake(key: str) -> bool:
    """`base_url`, but neither `BaseUrl` nor `baseurl`: there are two spellings, not four."""
    return key == key.lower() and "_" in key


def _unknown(key: str, known: list[str], path: Path, written: Path) -> Fault:
    section = path[0] if path else None
    if isinstance(section, str) and section in SECTIONS_TO_COME and len(path) == 1:
        return Fault(
            "unknown_key",
            (*written, key),
            f'"{key}" is not a setting of {section} yet: {SECTIONS_TO_COME[section]}.',
            "Leave it out.",
        )
    return Fault("unknown_key", (*written, key), f'Unknown key "{key}".', did_you_mean(key, known))
