"""A view as one HTML file that needs nothing else: search, callers and callees with their lines, ways between two.

The page's script and style are in `page.html` beside this file; the data goes in as JSON.
"""

from __future__ import annotations

import html
import json
from importlib import resources
from typing import Any

from onepath.graph import Program
from onepath.render.view import View


def render(view: View, title: str, program: Program) -> str:
    """The page as text."""
    nodes = sorted(view.nodes, key=lambda node: (node.is_foreign, node.name))
    files = sorted(
        {node.place.file for node in view.nodes if node.place}
        | {place.file for link in view.links for place in link.places}
    )
    file_index = {file: index for index, file in enumerate(files)}
    node_index = {node.name: index for index, node in enumerate(nodes)}
    data: dict[str, Any] = {
        "title": title,
        "kind": view.kind,
        "files": files,
        "nodes": [
            [node.name, node.group, int(node.is_foreign)]
            + ([file_index[node.place.file], node.place.line] if node.place else [])
            for node in nodes
        ],
        "edges": [
            [
                node_index[link.source],
                node_index[link.target],
                link.kind,
                [[file_index[place.file], place.line] for place in link.places],
            ]
            for link in view.links
        ],
        "calls": program.calls_total,
        "unknown": [[one.function, one.attribute, str(one.place)] for one in program.unknown],
        "opaque": [[one.function, one.what, one.why, str(one.place)] for one in program.opaque],
    }
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True)
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    page = resources.files("onepath.render").joinpath("page.html").read_text(encoding="utf-8")
    return page.replace("@@TITLE@@", html.escape(title)).replace("@@DATA@@", safe)
