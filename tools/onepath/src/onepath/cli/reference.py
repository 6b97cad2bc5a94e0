"""Writes the reference pages that are made from the code: `python -m onepath.cli.reference FOLDER`.

The configuration's page comes from the docstrings of its structs; the rules' pages are those `explain` shows.
"""

from __future__ import annotations

import ast
import inspect
import sys
import types
import typing
from pathlib import Path

import msgspec

from onepath.cli.pages import pages
from onepath.config import Configuration, model
from onepath.render import markdown

_INTRODUCTION = """# Configuration

`[tool.onepath]` in pyproject.toml, or onepath.toml with the same keys at top level. An unknown key is refused with the
nearest known one. Written by `python -m onepath.cli.reference docs/onepath` from the configuration's own definition.

## Names in contracts

| written | means |
|---|---|
| `pkg.mod` | that name and everything below it |
| `pkg.mod.*` | everything below, at any depth (in `independent`: each direct child) |
| `pkg.*.run` | a `*` between dots: any one part |
| `@deco` | what is decorated so, `@typer.Typer.command` |
| `arg:F.p` | what is passed to F as its parameter p, `arg:starlette.routing.Route.endpoint` |
| `@network`, `@process` | groups of foreign operations, shipped as data |
| `@stdlib` | the standard library (in `forbidden.only`) |

A contract of which `entries`, a `through`, a pattern inside the roots, or all `sinks` match nothing ends with exit
code 2: a check on zero cases is not green.
"""


def configuration_page() -> str:
    """The reference of `[tool.onepath]`."""
    parts = [_INTRODUCTION, "## `[tool.onepath]`\n\n" + _table(Configuration)]
    for field in msgspec.structs.fields(Configuration):
        struct = _struct(field.type)
        if struct is None:
            continue
        header = (
            f"[[tool.onepath.{field.encode_name}]]" if _is_list(field.type) else f"[tool.onepath.{field.encode_name}]"
        )
        parts.append(f"## `{header}`\n\n{inspect.getdoc(struct)}\n\n{_table(struct)}")
        for inner in msgspec.structs.fields(struct):
            nested = _struct(inner.type)
            if nested is not None and f"### {nested.__name__}\n" not in "".join(parts):
                parts.append(f"### {nested.__name__}\n\n{inspect.getdoc(nested)}\n\n{_table(nested)}")
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _table(struct: type[msgspec.Struct]) -> str:
    texts = _docstrings()[struct.__name__]
    rows = [
        (
            markdown.code(field.encode_name),
            markdown.text(_type(field.type)),
            "required" if field.required else markdown.code(_default(field)),
            markdown.prose(texts[field.name]),
        )
        for field in msgspec.structs.fields(struct)
    ]
    return markdown.table(("key", "type", "default", "meaning"), rows) + "\n"


def _docstrings() -> dict[str, dict[str, str]]:
    """By struct and field: the string below the field."""
    tree = ast.parse(inspect.getsource(model))
    found: dict[str, dict[str, str]] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            pairs = zip(node.body, node.body[1:], strict=False)
            found[node.name] = {
                one.target.id: str(other.value.value)
                for one, other in pairs
                if isinstance(one, ast.AnnAssign)
                and isinstance(one.target, ast.Name)
                and isinstance(other, ast.Expr)
                and isinstance(other.value, ast.Constant)
            }
    return found


def _struct(kind: typing.Any) -> type[msgspec.Struct] | None:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    if typing.get_origin(kind) in (tuple, types.UnionType, typing.Union):
        return next((one for one in map(_struct, typing.get_args(kind)) if one is not None), None)
    return None


def _is_list(kind: typing.Any) -> bool:
    return typing.get_origin(kind) is tuple


def _type(kind: typing.Any) -> str:
    struct = _struct(kind)
    if struct is not None:
        return "list of tables" if _is_list(kind) else "table"
    if typing.get_origin(kind) is tuple:
        return "list of strings"
    if typing.get_origin(kind) is dict:
        return "table of tables" if "dict" in str(typing.get_args(kind)[1]) else "table of strings"
    name = str(kind.__name__)
    return {"str": "string", "bool": "true or false", "int": "number"}.get(name, name)


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default
    if value is msgspec.NODEFAULT:
        value = field.default_factory() if callable(field.default_factory) else ()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{one}"' for one in value) + "]"
    if isinstance(value, dict | msgspec.Struct):
        return "{}"
    return f'"{value}"' if isinstance(value, str) else "absent" if value is None else str(value)


def reference() -> dict[str, str]:
    """By file, relative to the folder of the documentation: its text."""
    return {"configuration.md": configuration_page()} | {f"rules/{rule}.md": text for rule, text in pages().items()}


def main(arguments: typing.Sequence[str]) -> int:
    """Writes all of them below a folder; with `--check` compares only, and returns 1 where one is stale."""
    folder, check = Path(next(one for one in arguments if one != "--check")), "--check" in arguments
    stale: list[str] = []
    for name, text in reference().items():
        path = folder / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    for name in stale:
        sys.stderr.write(f"onepath: {folder / name} {'is stale' if check else 'written'}\n")
    if check and stale:
        sys.stderr.write(f"onepath: to mend it run `python -m onepath.cli.reference {folder}`\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
