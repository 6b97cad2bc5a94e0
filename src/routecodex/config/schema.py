"""The configuration's JSON Schema (2020-12), for editors and for `routecodex config schema`.

Made from the models; it must not say anything they do not. The canary overlay gets the router's schema without
`required`, because it holds only what changes.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from routecodex.config.contract import SwitchTable
from routecodex.config.models import configuration_model

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE: Final = "#/$defs/"
_OVERLAY_PREFIX: Final = "Overlay"
_OVERLAID: Final = "virtualrouterCanary"


def json_schema(switches: SwitchTable) -> dict[str, Any]:
    """The schema of the file as people write it: camelCase keys, references for secrets."""
    schema = configuration_model(switches.rows).model_json_schema(by_alias=True, mode="validation")
    definitions: dict[str, Any] = schema["$defs"]
    overlay = _overlay(definitions)
    definitions.update(overlay)
    schema["properties"][_OVERLAID] = {
        "$ref": f"{_REFERENCE}{_OVERLAY_PREFIX}VirtualRouter",
        "description": "What the canary routing policy changes; tables are merged key by key, lists replaced.",
    }
    schema.pop("title", None)
    return {"$schema": DIALECT, "title": "RouteCodex configuration", **schema}


def _overlay(definitions: dict[str, Any]) -> dict[str, Any]:
    """Copies of the router's definitions without `required`: an overlay may leave everything out."""
    overlay: dict[str, Any] = {}
    pending = ["VirtualRouter"]
    while pending:
        name = pending.pop()
        if _OVERLAY_PREFIX + name in overlay:
            continue
        copy = deepcopy(definitions[name])
        overlay[_OVERLAY_PREFIX + name] = copy
        if name in ("VirtualRouter", "Provider"):
            copy.pop("required", None)
        pending.extend(_redirect(copy))
    return overlay


def _redirect(schema: object) -> list[str]:
    """Point every reference in `schema` to its overlay copy, in place; the names referred to."""
    names: list[str] = []
    if isinstance(schema, dict):
        target = schema.get("$ref")
        if isinstance(target, str) and target.startswith(_REFERENCE):
            name = target.removeprefix(_REFERENCE)
            names.append(name)
            schema["$ref"] = f"{_REFERENCE}{_OVERLAY_PREFIX}{name}"
    children = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    for child in children:
        names.extend(_redirect(child))
    return names
