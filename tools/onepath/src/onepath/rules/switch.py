"""OP010 switch: rows are complete, both sides fulfil the contract, and a switch is read only where it is resolved.

It knows the matrix as it is read statically; how a program resolves a value is not its business.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from onepath.config import Switches
from onepath.graph import Place
from onepath.rules.contract import Finding, Hop, Model, Outcome, UsageFault
from onepath.rules.names import any_matches, matches, meaning
from onepath.switches import Matrix, RegistryError, Row, Sources, read_matrix, shown
from onepath.switches.evaluating import Evaluator
from onepath.switches.reading import Fields, model_fields
from onepath.switches.sides import fulfilment, is_there

_CONTRACT = "switches"
_IMPORT: Final = re.compile(rb"[ \t]*(?:from[ \t]+[.\w]+[ \t]+)?import[ \t][\w., \t()*]*(?:[\r\n]|\Z)")
"""A line that is an import and nothing else."""


class SwitchRule:
    """OP010."""

    id = "OP010"
    name = "switch"
    summary = (
        "Switch rows are complete, both sides fulfil their contract, and a value is read nowhere but in the registry."
    )

    def check(self, model: Model) -> Outcome:
        """Judge the matrix of the configuration; nothing if it has none."""
        configuration = model.configuration.switches
        if configuration is None:
            return Outcome()
        sources = Sources(model.folder, model.program.modules, model.looked)
        try:
            matrix = read_matrix(sources, configuration)
            fields = model_fields(Evaluator(sources), configuration.model) if configuration.model else {}
        except RegistryError as error:
            return Outcome(faults=(UsageFault(_CONTRACT, "switches", str(error)),))
        findings = [
            *_doubled(matrix),
            *(finding for row in matrix.rows for finding in _incomplete(row)),
            *(finding for row in matrix.rows for finding in _sides(row, sources)),
            *_combinations(matrix),
            *_readers(model, sources, matrix, configuration),
        ]
        if configuration.model:
            findings.extend(finding for row in matrix.rows for finding in _agreement(row, fields, configuration.model))
        known = {row.key for row in matrix.rows}
        faults = tuple(
            UsageFault(_CONTRACT, f"switches.{table}", f"`{key}` is no row of the registry")
            for table, keys in (
                ("contracts", configuration.contracts),
                ("differentials", configuration.differentials),
                ("settings", configuration.settings),
            )
            for key in keys
            if key not in known
        )
        return Outcome(tuple(findings), faults)


def _finding(row: Row, problem: str, message: str, instead: str) -> Finding:
    return Finding(
        rule="OP010",
        contract=_CONTRACT,
        message=f"switch `{row.key}`: {message}",
        where=row.key,
        place=row.place,
        evidence=(Hop(row.key, row.place, "is declared here"),),
        instead=instead,
        subject=(problem,),
    )


def _doubled(matrix: Matrix) -> Iterator[Finding]:
    seen: dict[str, Row] = {}
    for row in matrix.rows:
        if row.key in seen:
            yield _finding(row, "doubled", "has two rows", f"remove this one or the one at {seen[row.key].place}")
        seen.setdefault(row.key, row)


def _incomplete(row: Row) -> Iterator[Finding]:
    if not row.description:
        yield _finding(row, "description", "has no description", "say in a sentence what it chooses")
    if row.kind == "setting":
        return
    for side in row.sides:
        if not side.text:
            message = f"side `{shown(side.value)}` is not described"
            yield _finding(row, f"text {shown(side.value)}", message, "say what this side is")
    if len(row.sides) == 1:
        yield _finding(row, "one value", "has one value", "give it its second value, or make it no switch")
    if len(row.available) > 1:
        for side in row.available:
            if not side.symbol and not side.file:
                yield _finding(
                    row,
                    f"symbol {shown(side.value)}",
                    f"has two sides, and `{shown(side.value)}` names neither symbol nor data file",
                    "name where the side is built, or list the row under `switches.settings` if no code is chosen",
                )
    unavailable = [shown(side.value) for side in row.sides if not side.available]
    if unavailable and not row.pending:
        message = f"`{', '.join(unavailable)}` is not available, and nothing says what it waits for"
        yield _finding(row, "pending", message, "say with what it lands")


def _sides(row: Row, sources: Sources) -> Iterator[Finding]:
    for side in row.sides:
        value = shown(side.value)
        if side.file and not side.symbol and not sources.is_file(side.file):
            yield _finding(row, f"file {value}", f"`{side.file}` of side `{value}` is no file", "name the file")
        if side.symbol and not is_there(sources, side.symbol):
            message = f"`{side.symbol}` of side `{value}` is not in the roots"
            yield _finding(row, f"absent {value}", message, "name the module, class or function that is the side")
        elif side.symbol and row.contract:
            found = fulfilment(sources, side.symbol, row.contract)
            if found.problems:
                yield _finding(
                    row,
                    f"contract {value}",
                    f"side `{value}` ({found.symbol}) does not fulfil `{row.contract}`: {'; '.join(found.problems)}",
                    "mend the side, or the contract and the other side with it",
                )
    if row.differential and len(row.available) > 1:
        file, _, name = row.differential.partition("::")
        if not sources.is_file(file) or (name and name.rpartition("::")[2] not in sources.text(file)):
            yield _finding(row, "differential", f"its test `{row.differential}` is not there", "name the test")


def _combinations(matrix: Matrix) -> Iterator[Finding]:
    rows = {row.key: row for row in matrix.rows}
    for one in matrix.refusals:
        for key, value in ((one.key, one.value), (one.needs_key, one.needs_value)):
            row = rows.get(key)
            if row is None:
                message = f"the combination {one.key} = {shown(one.value)} speaks of `{key}`, which is no row"
                place = Place(matrix.file, 1)
                yield Finding("OP010", _CONTRACT, message, key, place, (), "name a row", ("combination", one.key))
            elif len(row.sides) > 1 and value not in {side.value for side in row.sides}:
                message = f"a combination speaks of its value `{shown(value)}`, which it does not have"
                yield _finding(row, f"combination {shown(value)}", message, "name one of its values")


def _agreement(row: Row, fields: Fields, model: str) -> Iterator[Finding]:
    """The struct that holds the values in force has the row's default and its values."""
    if row.field not in fields:
        message = f"`{model}` has no field `{row.field}`"
        yield _finding(row, "field", message, "add the field, or name it in the row")
        return
    default, values = fields[row.field]
    if default != row.default or isinstance(default, bool) != isinstance(row.default, bool):
        message = f"its default is `{shown(row.default)}`, in `{model}.{row.field}` it is `{default}`"
        yield _finding(row, "default", message, "make them one")
    listed = {side.value for side in row.sides}
    if values and set(values) != listed:
        here = ", ".join(sorted(map(str, listed)))
        there = ", ".join(sorted(map(str, values)))
        yield _finding(row, "values", f"its values are {here}; `{model}.{row.field}` allows {there}", "make them one")


def _readers(model: Model, sources: Sources, matrix: Matrix, configuration: Switches) -> Iterator[Finding]:
    """Code outside the registry that names a side, or compares a switch's value."""
    registry, _ = sources.split(configuration.registry)
    allowed = (registry, *configuration.readers)
    sides = {side.symbol: row for row in matrix.rows for side in row.sides if side.symbol and row.kind == "sides"}
    is_side = meaning(sides)
    for one in model.program.imports:
        if not is_side(one.written):
            continue
        target = next(name for name in sides if matches(name, one.written))
        module, _ = sources.split(target)
        if any_matches(allowed, one.importer) or matches(module, one.importer):
            continue
        row = sides[target]
        yield Finding(
            rule="OP010",
            contract=_CONTRACT,
            message=f"{one.importer} names {target}, a side of switch `{row.key}`",
            where=one.scope,
            place=one.place,
            evidence=(Hop(one.scope, one.place, f"imports {one.written}"), Hop(row.key, row.place, "is declared here")),
            instead="take the side from where the switch is resolved, or list this code under `switches.readers`",
            subject=(row.key, target),
        )
    words = {row.field: row for row in matrix.rows} | {row.key: row for row in matrix.rows}
    needles = [word.encode() for word in words]
    for name in model.program.modules:
        if any_matches(allowed, name):
            continue
        data = sources.content(model.program.modules[name])
        tree = sources.tree(name) if any(_may_be_read(needle, data) for needle in needles) else None
        if tree is not None:
            yield from _comparisons(name, model.program.modules[name], tree, words)


def _may_be_read(name: bytes, source: bytes) -> bool:
    """Whether a test may look at what is read by a name: it is asked of every file, for to parse takes much longer.

    A name that is read follows a dot, begins a text, or stands first in a line. Where more follows it, a part of it or
    a call is looked at; in the line of an import it is a module's.
    """
    at = source.find(name)
    while at >= 0:
        after = at + len(name)
        before = at - 1
        while before >= 0 and source[before] in b" \t\f\v":
            before -= 1
        is_whole = after == len(source) or not (source[after] in b".([_" or source[after : after + 1].isalnum())
        if is_whole and (before < 0 or source[before] in b".\"'\r\n"):
            start = max(source.rfind(b"\n", 0, at), source.rfind(b"\r", 0, at)) + 1
            if not _IMPORT.match(source, start):
                return True
        at = source.find(name, after)
    return False


def _comparisons(module: str, file: str, tree: ast.Module, words: dict[str, Row]) -> Iterator[Finding]:
    for scope, node in _tests(tree, module, []):
        for read in ast.walk(node):
            row = words.get(_name_read(read))
            if row is None or not _chooses(node, read, row):
                continue
            place = Place(file, read.lineno)  # type: ignore[attr-defined]
            yield Finding(
                rule="OP010",
                contract=_CONTRACT,
                message=f"{scope} decides by the value of switch `{row.key}`",
                where=scope,
                place=place,
                evidence=(Hop(scope, place, f"reads {row.key}"), Hop(row.key, row.place, "is declared here")),
                instead="let the registry choose the side, and take what it chose",
                subject=(row.key, "read"),
            )


def _tests(tree: ast.AST, scope: str, found: list[tuple[str, ast.expr]]) -> list[tuple[str, ast.expr]]:
    """Expressions that decide something, each with its scope: comparisons, conditions, subjects, table look-ups."""
    for node in ast.iter_child_nodes(tree):
        inner = scope
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{scope}.{node.name}"
        if isinstance(node, ast.Compare | ast.Subscript):
            found.append((scope, node))
        elif isinstance(node, ast.If | ast.While | ast.IfExp):
            if not isinstance(node.test, ast.Compare):
                found.append((scope, node.test))
        elif isinstance(node, ast.Match):
            found.append((scope, node.subject))
        if not isinstance(node, ast.Name | ast.Constant | ast.expr_context):
            _tests(node, inner, found)
    return found


def _name_read(node: ast.AST) -> str:
    """`x.app_kernel`, `x.value("appKernel")`, `x["appKernel"]`, `x.get("appKernel")` by the name they read."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        return node.attr
    argument: ast.expr | None = None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("value", "get"):
        argument = node.args[0] if node.args else None
    elif isinstance(node, ast.Subscript):
        argument = node.slice
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else ""


def _chooses(test: ast.expr, read: ast.AST, row: Row) -> bool:
    """Whether the test looks at the value read: it is the tested thing, or stands beside one of the row's values."""
    if isinstance(test, ast.Compare):
        values = {side.value for side in row.sides}
        constants = {
            one.value
            for part in (test.left, *test.comparators)
            for one in ast.walk(part)
            if isinstance(one, ast.Constant) and isinstance(one.value, str | bool)
        }
        return bool(values & constants) and any(read is part for part in (test.left, *test.comparators))
    if isinstance(test, ast.Subscript):
        return read is test.slice
    return read is test or (isinstance(test, ast.UnaryOp) and read is test.operand)


RULE = SwitchRule()
