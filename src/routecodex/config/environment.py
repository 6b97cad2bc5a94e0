"""Overrides from the environment: `ROUTECODEX_SERVER__PORT=6000`, two underscores between the levels.

It finds the place a variable names, whatever the case, and decodes the value by what stands there: text stays
text, everything else is JSON. It must not know what any setting means. Variables without a double underscore
(ROUTECODEX_CONFIG, ROUTECODEX_HOME, ROUTECODEX_FORCE_STABLE) are no overrides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from routecodex.config.faults import Fault, Path, did_you_mean, fold
from routecodex.config.fields import Section
from routecodex.config.shape import fields_of, inner_kind

PREFIX: Final = "ROUTECODEX_"
SEPARATOR: Final = "__"


class Overrides:
    """What the environment set: `sources[path]` is the variable that set the value at `path`."""

    def __init__(self) -> None:
        self.sources: dict[Path, str] = {}
        self.faults: list[Fault] = []

    def variable(self, path: Path) -> str | None:
        """The variable that set `path` or a table around it."""
        for length in range(len(path), 0, -1):
            found = self.sources.get(path[:length])
            if found is not None:
                return found
        return None


def apply_overrides(tree: dict[str, Any], model: type[Section], environ: Mapping[str, str]) -> Overrides:
    """Write the environment's overrides into `tree` (camelCase keys, changed in place)."""
    overrides = Overrides()
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and SEPARATOR in variable:
            segments = variable.removeprefix(PREFIX).split(SEPARATOR)
            _apply(tree, model, variable, segments, environ[variable], overrides)
    return overrides


def _apply(
    tree: dict[str, Any],
    model: type[Section],
    variable: str,
    segments: list[str],
    value: str,
    overrides: Overrides,
) -> None:
    place: dict[str, Any] = tree
    annotation: object = model
    path: Path = ()
    for index, segment in enumerate(segments):
        key, inner, fault = _step(place, annotation, segment)
        if fault:
            overrides.faults.append(Fault("unknown_key", (*path, segment), *fault, origin=variable))
            return
        path = (*path, key)
        annotation = inner
        if index == len(segments) - 1:
            place[key] = _decode(value, annotation)
            overrides.sources[path] = variable
            return
        child = place.setdefault(key, {})
        if not isinstance(child, dict):
            overrides.faults.append(
                Fault("bad_override", path, "The variable reaches into a value that is no table.", origin=variable)
            )
            return
        place = child


def _step(place: Mapping[str, Any], annotation: object, segment: str) -> tuple[str, object, tuple[str, str] | None]:
    """The key a segment names here and what stands behind it, or why there is none."""
    kind, inner = inner_kind(annotation)
    if kind == "section":
        fields = fields_of(inner)
        found = {fold(name): name for name in fields}.get(fold(segment))
        if found is not None:
            return found, fields[found], None
        return segment, None, (f'The variable names an unknown key "{segment}".', did_you_mean(segment, fields))
    if kind == "table":
        existing = {fold(name): name for name in place}
        return existing.get(fold(segment), segment.lower()), inner, None
    return segment, None, (f'There is nothing below the key before "{segment}".', "Shorten the variable's name.")


def _decode(value: str, annotation: object) -> object:
    if _is_text(annotation):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _is_text(annotation: object) -> bool:
    if annotation is str:
        return True
    origin = get_origin(annotation)
    if origin is Annotated:
        return _is_text(get_args(annotation)[0])
    if origin is Literal:
        return all(isinstance(choice, str) for choice in get_args(annotation))
    parts = [part for part in get_args(annotation) if part is not type(None)] if origin is not None else []
    return bool(parts) and origin not in (dict, list) and all(_is_text(part) for part in parts)
