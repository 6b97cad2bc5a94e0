"""Imports: those that run, and those for type checkers, which only name types."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from onepath.facts.flow import Body
from onepath.facts.model import Import, ImportFact, ImportFrom, ImportStar
from onepath.facts.module import Writer


def plain_import(writer: Writer, body: Body, node: ast.Import) -> None:
    line = node.lineno
    for alias in node.names:
        module = alias.name
        bound = alias.asname or module.partition(".")[0]
        writer.facts.imports.append(ImportFact(module, "", bound, line, body.index, False))
        writer.note_binding(body, bound, "import", line)
        dst = body.new()
        body.emit(Import(dst, module, alias.asname is None, line))
        body.bind(bound, dst)


def import_from(writer: Writer, body: Body, node: ast.ImportFrom) -> None:
    module = _source(writer, node)
    for alias in node.names:
        name, bound, line = alias.name, alias.asname or alias.name, alias.lineno
        if name == "*":
            writer.facts.imports.append(ImportFact(module, "*", "*", node.lineno, body.index, False))
            certain = not body.nested
            body.emit(ImportStar(module, node.lineno, certain))
            body.stars.append(module if certain else f"?{module}")
            return
        writer.facts.imports.append(ImportFact(module, name, bound, line, body.index, False))
        writer.note_binding(body, bound, "import", line)
        dst = body.new()
        body.emit(ImportFrom(dst, module, name, line))
        body.bind(bound, dst)


def note_typing_imports(writer: Writer, body: Body, statements: Iterable[ast.stmt]) -> None:
    """Imports for type checkers: they never run, but name types."""
    facts = writer.facts
    for statement in statements:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                top = alias.name.partition(".")[0]
                bound = alias.asname or top
                facts.typing_names[bound] = (alias.name if alias.asname else top, "")
                facts.imports.append(ImportFact(alias.name, "", bound, statement.lineno, body.index, True))
        elif isinstance(statement, ast.ImportFrom):
            module = _source(writer, statement)
            for alias in statement.names:
                if alias.name == "*":
                    facts.imports.append(ImportFact(module, "*", "*", statement.lineno, body.index, True))
                    break
                bound = alias.asname or alias.name
                facts.typing_names[bound] = (module, alias.name)
                facts.imports.append(ImportFact(module, alias.name, bound, alias.lineno, body.index, True))


def _source(writer: Writer, node: ast.ImportFrom) -> str:
    """The absolute module of a `from` import; empty if its dots lead out of the program."""
    module = node.module or ""
    if not node.level:
        return module
    base = writer.package.split(".") if writer.package else []
    up = node.level - 1
    if up > len(base) or not base:
        return module
    kept = base[: len(base) - up] if up else base
    return ".".join([*kept, module] if module else kept)
