"""A module's text and its tree; every piece taken out gives a new text.

It knows positions, commas and brackets, and not why something goes. What is left is put in order by ruff afterwards.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, TypeAlias

Container: TypeAlias = ast.Dict | ast.Set | ast.List | ast.Tuple | ast.Call
Unit: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_EMPTY: Final[dict[type[ast.AST], str]] = {ast.Set: "set()", ast.Tuple: "()"}
"""What a display is written as when its last item goes, where brackets alone would mean something else."""


class Source:
    """Text, tree, and where in the text each node stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self._lines = text.splitlines(keepends=True)
        self._starts = [0, *accumulate(len(line) for line in self._lines)]

    def _at(self, line: int, column: int) -> int:
        """Offset in the text; the tree's columns count bytes."""
        before = self._lines[line - 1].encode()[:column] if line <= len(self._lines) else b""
        return self._starts[line - 1] + len(before.decode())

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Where a node begins and ends."""
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno or 0, node.end_col_offset or 0)

    def segment(self, node: ast.expr | ast.stmt) -> str:
        """The node as it is written."""
        start, end = self.span(node)
        return self.text[start:end]

    def put(self, start: int, end: int, text: str = "") -> Source:
        """Another text from here to there."""
        return Source(self.text[:start] + text + self.text[end:])

    # --- statements ----------------------------------------------------------------------------------------

    def without_statement(self, node: ast.stmt, body: list[ast.stmt]) -> Source:
        """Without a statement of this body, its decorators, and the text that documents it as a constant."""
        first = min((each.lineno for each in getattr(node, "decorator_list", ())), default=node.lineno)
        last = node.end_lineno or node.lineno
        behind = body[body.index(node) + 1 :][:1]
        if isinstance(node, ast.Assign | ast.AnnAssign) and behind and is_text(behind[0]):
            last = behind[0].end_lineno or last
        indent = " " * node.col_offset
        alone = len(body) == 1 or (len(body) == 2 and last != node.end_lineno)
        return self.put(self._starts[first - 1], self._starts[last], f"{indent}pass\n" if alone and indent else "")

    def without_alias(self, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> Source:
        """Without one name of an import."""
        left = [each for each in node.names if each is not alias]
        if not left:
            return self.without_statement(node, [node, node, node])
        names = ", ".join(each.name + (f" as {each.asname}" if each.asname else "") for each in left)
        start, end = self.span(node)
        if isinstance(node, ast.Import):
            return self.put(start, end, f"import {names}")
        return self.put(start, end, f"from {'.' * node.level}{node.module or ''} import ({names})")

    # --- items ---------------------------------------------------------------------------------------------

    def without_item(self, node: Container, index: int) -> Source:
        """Without one entry of a display, or one argument of a call."""
        start, end = self.span(node)
        if isinstance(node, ast.Call):
            start = self.span(node.func)[1]
        pieces = list(self._pieces(start, end))
        if len(pieces) == 1 and type(node) in _EMPTY:
            return self.put(start, end, _EMPTY[type(node)])
        begin, stop = pieces[index]
        if isinstance(node, ast.Tuple) and len(pieces) == 2:
            left = self.text[slice(*pieces[1 - index])].strip().removesuffix(",")
            return self.put(start, end, f"({left},)")
        if index == len(pieces) - 1 and index > 0 and self.text[stop - 1] != ",":
            begin -= 1  # the comma before it
        return self.put(begin, stop)

    def _pieces(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The items between the first bracket behind `start` and its end, each with the comma behind it."""
        text = self.text[start:end]
        lines = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]
        depth, begin = 0, -1
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type != tokenize.OP:
                continue
            here, behind = (lines[row - 1] + column for row, column in (token.start, token.end))
            if token.string in "([{":
                depth += 1
                begin = behind if depth == 1 else begin
            elif token.string in ")]}":
                depth -= 1
                if depth == 0:
                    if text[begin:here].strip():
                        yield start + begin, start + here
                    return
            elif token.string == "," and depth == 1:
                yield start + begin, start + behind
                begin = behind


def items(node: Container) -> Sequence[ast.expr | ast.keyword]:
    """What `without_item` counts: values of a dictionary, elements, arguments."""
    if isinstance(node, ast.Dict):
        return list(node.values)
    if isinstance(node, ast.Call):
        written: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
        return sorted(written, key=lambda each: (each.lineno, each.col_offset))
    return list(node.elts)


def is_text(node: ast.AST) -> bool:
    """Whether a statement is nothing but a text: documentation."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def bound(node: ast.stmt) -> set[str]:
    """The names a statement of a module gives something."""
    if isinstance(node, Unit):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", node)]
    names = (each for target in targets for each in ast.walk(target) if isinstance(each, ast.Name))
    return {each.id for each in names if isinstance(each.ctx, ast.Store)}
