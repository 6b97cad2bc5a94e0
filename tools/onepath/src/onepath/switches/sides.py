"""Whether a row's sides are there, and whether they fulfil the Protocol of their block.

It compares by name, parameters and whether one awaits: what a call through the contract relies on. Types are the type
checker's business.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import msgspec

from onepath.switches.evaluating import Evaluator
from onepath.switches.sources import Sources

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_EMPTY_BASES = {"Protocol", "Generic", "object", "Struct", "BaseModel", "ABC", "NamedTuple", "TypedDict"}


class Fulfilment(msgspec.Struct, frozen=True):
    """How a side stands to its contract."""

    symbol: str
    """The class or function that was compared; the side itself if none could be."""
    problems: tuple[str, ...]
    """Empty: it fulfils the contract."""


def is_there(sources: Sources, symbol: str) -> bool:
    """Whether a dotted name is a module of the program or bound in one."""
    return sources.definition(symbol) is not None


def fulfilment(sources: Sources, symbol: str, contract: str) -> Fulfilment:
    """Compares what `symbol` names with the Protocol `contract`.

    A module stands for its class that fulfils best, or for its functions; a function for what it returns, or for
    itself if the Protocol is a callable.
    """
    evaluator = Evaluator(sources)
    protocol = evaluator.class_of(contract)
    if protocol is None:
        return Fulfilment(symbol, (f"its contract `{contract}` is no class in the roots",))
    wanted = _members(evaluator, *protocol)
    found = sources.definition(symbol)
    if found is None:
        return Fulfilment(symbol, ("it is not in the roots",))
    candidates = list(_candidates(evaluator, symbol, found[0], found[1], contract))
    if "__call__" in wanted:
        candidates = [one for one in candidates if "__call__" in one[1]] or candidates
    if not candidates:
        return Fulfilment(symbol, ("it is neither a class nor a function nor a module with one",))
    judged = [
        Fulfilment(name, tuple(_problems(wanted, members, knows_all=knows_all)))
        for name, members, knows_all in candidates
    ]
    return min(judged, key=lambda one: (len(one.problems), one.symbol))


_Member = tuple[_Function | None, bool]
"""The function, None for a value; whether it is a method, whose first parameter is given."""


def _candidates(
    evaluator: Evaluator, symbol: str, module: str, binding: object, contract: str
) -> Iterator[tuple[str, dict[str, _Member], bool]]:
    """What may be compared: name, members, and whether all its members are known."""
    if isinstance(binding, ast.ClassDef):
        yield _class(evaluator, symbol, module, binding)
    elif isinstance(binding, _Function):
        returned = evaluator.name_of(binding.returns, module) if binding.returns is not None else ""
        made = evaluator.class_of(returned) if returned else None
        if made is not None and returned != contract:
            yield _class(evaluator, returned, *made)
        yield symbol, {"__call__": (binding, False)}, True
    elif isinstance(binding, tuple):
        tree = evaluator.sources.tree(module)
        functions: dict[str, _Member] = {}
        for statement in tree.body if tree is not None else []:
            if isinstance(statement, ast.ClassDef) and not statement.name.startswith("_"):
                yield _class(evaluator, f"{module}.{statement.name}", module, statement)
            elif isinstance(statement, _Function) and not statement.name.startswith("_"):
                functions[statement.name] = (statement, False)
                yield f"{module}.{statement.name}", {"__call__": (statement, False)}, True
        if functions:
            yield module, functions, True


def _class(evaluator: Evaluator, name: str, module: str, node: ast.ClassDef) -> tuple[str, dict[str, _Member], bool]:
    lineage = evaluator.lineage(module, node)
    known = {definition.name for _, definition in lineage} | _EMPTY_BASES
    bases = {evaluator.name_of(base, owner).rpartition(".")[2] for owner, one in lineage for base in one.bases}
    return name, _members(evaluator, module, node), bases <= known


def _members(evaluator: Evaluator, module: str, node: ast.ClassDef) -> dict[str, _Member]:
    members: dict[str, _Member] = {}
    for _, definition in reversed(evaluator.lineage(module, node)):
        for statement in definition.body:
            if isinstance(statement, _Function):
                is_value = any(ast.unparse(one).endswith("property") for one in statement.decorator_list)
                is_static = any(ast.unparse(one).endswith("staticmethod") for one in statement.decorator_list)
                members[statement.name] = (None, False) if is_value else (statement, not is_static)
                for name in _stored(statement):
                    members.setdefault(name, (None, False))
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                members[statement.target.id] = (None, False)
            elif isinstance(statement, ast.Assign):
                members.update({one.id: (None, False) for one in statement.targets if isinstance(one, ast.Name)})
    return members


def _stored(function: _Function) -> Iterator[str]:
    """Attributes that a method stores on its first parameter."""
    first = function.args.args[0].arg if function.args.args else ""
    for node in ast.walk(function):
        is_store = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if is_store and isinstance(node.value, ast.Name) and node.value.id == first:  # type: ignore[attr-defined]
            yield node.attr  # type: ignore[attr-defined]


def _problems(wanted: dict[str, _Member], has: dict[str, _Member], *, knows_all: bool) -> Iterator[str]:
    for name, (function, is_method) in wanted.items():
        if name.startswith("_") and name != "__call__" and not (name.startswith("__") and name.endswith("__")):
            continue
        if name in ("__slots__", "__doc__", "__init__"):
            continue
        if name not in has:
            if knows_all:
                yield f"it has no `{name}`"
            continue
        other, other_is_method = has[name]
        if function is not None and other is not None:
            yield from _differences(name, function, other, is_method, other_is_method)
        elif function is None and other is not None:
            yield f"`{name}` is a method, in the contract it is a value"


def _differences(name: str, wanted: _Function, has: _Function, skip: bool, has_skip: bool) -> Iterator[str]:
    want_positional = [*wanted.args.posonlyargs, *wanted.args.args][1 if skip else 0 :]
    have_positional = [*has.args.posonlyargs, *has.args.args][1 if has_skip else 0 :]
    only_by_place = {one.arg for one in wanted.args.posonlyargs}
    for index, parameter in enumerate(want_positional):
        if index >= len(have_positional):
            if has.args.vararg is None:
                yield f"`{name}` does not take `{parameter.arg}`"
        elif have_positional[index].arg != parameter.arg and parameter.arg not in only_by_place:
            yield f"`{name}` calls its parameter `{have_positional[index].arg}`, the contract `{parameter.arg}`"
    taken = {one.arg for one in (*have_positional, *has.args.kwonlyargs)}
    for parameter in wanted.args.kwonlyargs:
        if parameter.arg not in taken and has.args.kwarg is None:
            yield f"`{name}` does not take `{parameter.arg}`"
    given = {one.arg for one in (*want_positional, *wanted.args.kwonlyargs)}
    required = have_positional[len(want_positional) : len(have_positional) - len(has.args.defaults)]
    required += [one for one, default in zip(has.args.kwonlyargs, has.args.kw_defaults, strict=True) if default is None]
    for parameter in required:
        if parameter.arg not in given:
            yield f"`{name}` demands `{parameter.arg}`, which the contract does not give"
    if _awaits(wanted) != _awaits(has):
        how = "awaited, in the contract it is not" if _awaits(has) else "not awaited, in the contract it is"
        yield f"`{name}` is {how}"


def _awaits(function: _Function) -> bool:
    """Whether a call of it is awaited: `async def` that is no generator, or what returns an awaitable."""
    returns = ast.unparse(function.returns) if function.returns is not None else ""
    if isinstance(function, ast.FunctionDef):
        return returns.rpartition(".")[2].startswith(("Awaitable", "Coroutine", "Future", "Task"))
    yields = any(isinstance(node, ast.Yield) for node in ast.walk(function))
    return not yields
