"""Feature keys: what a compat profile may tell each protocol's request writer.

The meanings are the codecs' own docstrings. A key the code reads and no docstring of its room names is a fault.
"""

from __future__ import annotations

import ast
import re
from typing import Final

from tools.docs.source import called, calls, module_doc, modules
from tools.docs.text import DocumentationError, block, codes, source_link

TITLE: Final = "Feature keys"
SOURCES: Final = ("src/llmswitch_core/protocols/contract.py",)

_ROOMS: Final = {
    "openai-chat": ("openai_chat", ("features.py",)),
    "openai-responses": ("openai_responses", ("request_writer.py",)),
    "anthropic-messages": ("anthropic_messages", ("__init__.py", "models.py")),
    "gemini": ("gemini", ("settings_writer.py", "request_writer.py")),
}
"""Protocol -> its room, and the modules whose docstrings explain the keys."""

_READERS: Final = frozenset({"get", "flag", "own", "sends"})


def page() -> str:
    """The page's body. Raises DocumentationError for keys nobody explains."""
    parts = [
        (
            "`features` of a [compat profile](compat-profiles.md), and `options` of a model in the configuration, tell "
            "the request writers what a target can take. A key that is not set has the codec's own default. For the "
            "pipeline itself: `count_tokens = false` says that the upstream has no token count, "
            "so the gateway estimates."
        ),
    ]
    for protocol, (room, files) in _ROOMS.items():
        folder = f"llmswitch_core/protocols/{room}/"
        parts.append(f"## {protocol}")
        parts.append("Keys the writers read: " + codes(sorted(_read(folder))) + ".")
        parts += [_explained(folder + file) for file in files]
    _check()
    return "\n\n".join(parts)


def _explained(path: str) -> str:
    return f"From {source_link('src/' + path)}:\n\n{block(module_doc(path))}"


def _read(folder: str) -> set[str]:
    """Keys asked of features anywhere in a room: `features.get("x")`, `self._features.flag("x", …)`."""
    found: set[str] = set()
    for path, tree in modules().items():
        if not path.startswith(folder):
            continue
        for call in calls(tree):
            if called(call) in _READERS and call.args and _is_features(call.func):
                key = call.args[0]
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    found.add(key.value)
        if path.endswith("/models.py"):
            found |= _struct_fields(tree, "Abilities")
    return found


def _is_features(function: ast.expr) -> bool:
    """Whether a method is one of something called `features`."""
    owner = function.value if isinstance(function, ast.Attribute) else None
    name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    return name.strip("_") in ("features", "facts")


def _struct_fields(tree: ast.Module, name: str) -> set[str]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return {
                each.target.id
                for each in node.body
                if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
            }
    return set()


def _check() -> None:
    lost = []
    for protocol, (room, _) in _ROOMS.items():
        folder = f"llmswitch_core/protocols/{room}/"
        kinds = ast.Module | ast.FunctionDef | ast.ClassDef
        trees = [tree for path, tree in modules().items() if path.startswith(folder)]
        nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, kinds)]
        docs = " ".join(ast.get_docstring(node) or "" for node in nodes)
        words = set(re.findall(r"[a-z_]+", docs))
        lost += [f"{protocol}: {key}" for key in sorted(_read(folder) - words)]
    if lost:
        raise DocumentationError("Features that no docstring explains: " + ", ".join(lost))
