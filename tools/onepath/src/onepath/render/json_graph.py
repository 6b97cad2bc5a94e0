"""A view as JSON; its shape is held by `schemas/graph.schema.json`."""

from __future__ import annotations

import json
from typing import Any

from onepath.graph import Place, Program
from onepath.render.view import View

SCHEMA = "onepath/graph/v1"


def render(view: View) -> str:
    """The view as JSON text."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": view.kind,
        "nodes": [
            {"name": node.name, "group": node.group, "foreign": node.is_foreign, "place": _place(node.place)}
            for node in view.nodes
        ],
        "edges": [
            {
                "source": link.source,
                "target": link.target,
                "kind": link.kind,
                "places": [_place(place) for place in link.places],
            }
            for link in view.links
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def render_unknown(program: Program) -> str:
    """Unknown receivers and opaque calls as JSON text."""
    document: dict[str, Any] = {
        "schema": "onepath/unknown/v1",
        "calls": program.calls_total,
        "unknown": [
            {
                "function": one.function,
                "attribute": one.attribute,
                "place": _place(one.place),
                "protected": list(one.protected),
            }
            for one in program.unknown
        ],
        "opaque": [
            {"function": one.function, "what": one.what, "why": one.why, "place": _place(one.place)}
            for one in program.opaque
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _place(place: Place | None) -> dict[str, Any] | None:
    return {"file": place.file, "line": place.line} if place else None
