"""From a registry to rows: whatever shape the registry has, a row comes out the same.

A registry is a sequence or a mapping of rows (structs, dicts, calls of small functions), a class whose attributes are
rows, or a configuration model whose fields are: defaults, `Literal` values and attribute docstrings make the row.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

from onepath.config import Switches
from onepath.graph import Place
from onepath.switches.evaluating import Evaluator
from onepath.switches.model import Matrix, Refusal, Row, Side, Value
from onepath.switches.sources import Sources
from onepath.switches.values import Record, Reference, Uncomputable, default_of

_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "key": ("key", "id", "name"),
    "field": ("field", "attribute"),
    "values": ("values", "choices", "options", "allowed"),
    "default": ("default",),
    "scope": ("scope",),
    "effect": ("effect", "takes_effect", "apply"),
    "description": ("description", "help", "doc", "summary"),
    "sides": ("sides",),
    "symbols": ("symbols", "implementations", "targets"),
    "available": ("available",),
    "pending": ("pending",),
    "contract": ("contract", "protocol"),
    "differential": ("differential",),
}
"""By part: what rows call it, unless the configuration says otherwise."""


Fields: TypeAlias = dict[str, tuple[Value, tuple[Value, ...]]]
"""By field: its default, and the values its `Literal` allows."""


class RegistryError(Exception):
    """A registry, or a row of it, that cannot be read statically; the message has its place."""


def read_matrix(sources: Sources, configuration: Switches) -> Matrix:
    """The matrix of a registry. Raises RegistryError."""
    module, rest = sources.split(configuration.registry)
    if not module or not rest:
        raise RegistryError(f"switches.registry: `{configuration.registry}` is no name in the roots")
    evaluator = Evaluator(sources)
    place = Place(sources.files[module], 1)
    try:
        if sources.definition(configuration.registry) is None:
            raise RegistryError(f"switches.registry: {sources.files[module]} has no `{rest}`")
        registry = evaluator.named(configuration.registry, place)
        reader = _Reader(evaluator, configuration)
        rows = tuple(reader.rows(registry, place))
        refusals: tuple[Refusal, ...] = ()
        if configuration.combinations:
            if sources.definition(configuration.combinations) is None:
                raise RegistryError(f"switches.combinations: `{configuration.combinations}` is no name in the roots")
            found = evaluator.named(configuration.combinations, place)
            refusals = tuple(reader.refusal(one, place) for one in reader.elements(found, place))
    except Uncomputable as error:
        raise RegistryError(str(error)) from error
    if not rows:
        raise RegistryError(f"switches.registry: `{configuration.registry}` has no rows")
    return Matrix(configuration.registry, sources.files[module], rows, refusals)


def snake(key: str) -> str:
    """`hostBlocks.httpAdapter` as a field would be called: `host_blocks_http_adapter`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key.replace(".", "_").replace("-", "_")).lower()


class _Reader:
    def __init__(self, evaluator: Evaluator, configuration: Switches) -> None:
        self.evaluator = evaluator
        self.configuration = configuration

    def rows(self, registry: Any, place: Place) -> Iterator[Row]:
        if isinstance(registry, Reference):
            yield from self._class_rows(registry, place)
        elif isinstance(registry, Mapping):
            for key, one in registry.items():
                yield self._row(one, str(key), place)
        else:
            for one in self.elements(registry, place):
                yield self._row(one, "", place)

    def elements(self, value: Any, place: Place) -> list[Any]:
        """The elements of a sequence, or a mapping's values."""
        if isinstance(value, Mapping):
            return list(value.values())
        if isinstance(value, list | tuple):
            return list(value)
        if isinstance(value, Record) and len(value.fields) == 1:
            return self.elements(next(iter(value.fields.values())), place)
        raise Uncomputable(place, "is neither a sequence nor a mapping of rows")

    def _part(self, row: Any, part: str) -> Any:
        own = self.configuration.fields.get(part)
        for name in (own,) if own else _PARTS[part]:
            value = self.evaluator.get(row, name)
            if value is not None:
                return value
        return None

    def _row(self, row: Any, key: str, place: Place) -> Row:
        if not isinstance(row, Record | Mapping):
            raise Uncomputable(place, f"row `{key or row}` is neither a struct nor a dict")
        at = row.place if isinstance(row, Record) else place
        name = key or self._part(row, "key")
        if not isinstance(name, str):
            raise Uncomputable(at, "a row has no key")
        values = self._values(row)
        default = self._part(row, "default")
        default = values[0] if default is None and values else _value(default)
        if default not in values:
            values = (default, *values)
        ordered = (default, *(value for value in values if value != default))
        texts = self._by_value(self._part(row, "sides"), ordered)
        symbols = self._by_value(self._part(row, "symbols"), ordered)
        for value in ordered:
            direct = self.evaluator.get(row, str(value)) if isinstance(value, str) else None
            if direct is not None:
                texts.setdefault(value, direct)
        given = self._part(row, "available")
        available = set(ordered) if given is None else {_value(one) for one in given}
        names = list(dict.fromkeys([*ordered, *(value for value in texts if value not in ordered)]))
        sides = tuple(
            self._side(value, texts.get(value), symbols.get(value), available=value in available) for value in names
        )
        return Row(
            key=name,
            field=_text(self._part(row, "field")) or snake(name),
            kind=self._kind(name, default, sides),
            default=default,
            sides=sides,
            scope=_text(self._part(row, "scope")),
            effect=_text(self._part(row, "effect")),
            description=_text(self._part(row, "description")),
            pending=_text(self._part(row, "pending")),
            contract=_text(self._part(row, "contract")) or self.configuration.contracts.get(name, ""),
            differential=_text(self._part(row, "differential")) or self.configuration.differentials.get(name, ""),
            place=at,
        )

    def _kind(self, key: str, default: Value, sides: tuple[Side, ...]) -> Literal["sides", "setting"]:
        """Words choose code unless the configuration says that they do not; truth, numbers and lists are settings."""
        if any(side.symbol or side.file for side in sides):
            return "sides"
        is_word = isinstance(default, str) and len(sides) > 1
        return "sides" if is_word and key not in self.configuration.settings else "setting"

    def _values(self, row: Any) -> tuple[Value, ...]:
        values = self._part(row, "values")
        if values is None:
            sides = self._part(row, "sides")
            values = list(sides) if isinstance(sides, Mapping) else []
        return tuple(_value(one) for one in values)

    def _by_value(self, given: Any, values: tuple[Value, ...]) -> dict[Value, Any]:
        """What is given for each value: a mapping by value, or a sequence in the values' order."""
        if given is None:
            return {}
        if isinstance(given, Mapping):
            return {_value(key): one for key, one in given.items()}
        return dict(zip(values, given, strict=False))

    def _side(self, value: Value, given: Any, symbol: Any, *, available: bool) -> Side:
        text, target = "", ""
        for one in (given, symbol):
            if isinstance(one, Reference):
                target = one.name
            elif isinstance(one, Record | Mapping):
                text = text or _text(self._part(one, "description") or self.evaluator.get(one, "text"))
                inner = self.evaluator.get(one, "symbol") or self.evaluator.get(one, "target")
                inner = inner or self.evaluator.get(one, "file")
                target = target or (inner.name if isinstance(inner, Reference) else _text(inner))
            elif isinstance(one, str):
                is_symbol = one is symbol or self._is_target(one)
                text, target = (text, one) if is_symbol else (one, target)
        sources = self.evaluator.sources
        if "/" in target or sources.is_file(target):
            return Side(value=value, text=text, file=target, available=available)
        module, _ = sources.split(target)
        file = sources.files.get(module, "") if target else ""
        return Side(value=value, text=text, symbol=target.replace(":", "."), file=file, available=available)

    def _is_target(self, text: str) -> bool:
        """Whether a side's text is no prose but a symbol of the program or a file of the project."""
        if re.search(r"\s", text) or "." not in text:
            return False
        sources = self.evaluator.sources
        return bool(sources.split(text)[0]) or "/" in text or sources.is_file(text)

    def refusal(self, one: Any, place: Place) -> Refusal:
        """A combination: a record or dict with key, value, needs_key, needs_value, reason; or these in order."""
        if isinstance(one, tuple) and len(one) in (4, 5):
            parts = [*one, ""][:5]
        else:
            names = ("key", "value", "needs_key", "needs_value", "reason")
            parts = [self.evaluator.get(one, name) for name in names]
        if not isinstance(parts[0], str) or not isinstance(parts[2], str):
            at = one.place if isinstance(one, Record) else place
            raise Uncomputable(at, "a combination needs key, value, needs_key, needs_value, reason")
        return Refusal(parts[0], _value(parts[1]), parts[2], _value(parts[3]), _text(parts[4]))

    # -- classes

    def _class_rows(self, registry: Reference, place: Place, prefix: str = "") -> Iterator[Row]:
        found = self.evaluator.class_of(registry.name)
        if found is None:
            raise Uncomputable(place, f"`{registry.name}` is no class of the program, no sequence and no mapping")
        module, node = found
        fields = self.evaluator.field_nodes(module, node)
        for name, (owner, statement, text) in fields.items():
            yield from self._field_rows(f"{prefix}{name}", owner, statement, text)
        for one in node.body:
            target = one.targets[0] if isinstance(one, ast.Assign) else None
            value = self.evaluator.expression(one.value, module) if isinstance(one, ast.Assign) else None
            if isinstance(target, ast.Name) and isinstance(value, Record):
                key = self._part(value, "key")
                yield self._row(value, key if isinstance(key, str) else target.id, place)

    def _field_rows(self, name: str, module: str, statement: ast.AnnAssign, text: str) -> Iterator[Row]:
        annotation = _bare(statement.annotation)
        target = self.evaluator.name_of(annotation, module)
        place = Place(self.evaluator.sources.files[module], statement.lineno)
        value = self.evaluator.expression(statement.value, module) if statement.value is not None else None
        if target and self.evaluator.class_of(target) is not None and (value is None or isinstance(value, Record)):
            yield from self._class_rows(Reference(target), place, f"{name}.")
            return
        described = value if isinstance(value, Record) else None
        default = _value(default_of(value))
        values = self.literals(annotation, module)
        if not values and isinstance(default, bool):
            values = (default, not default)
        extra = self.evaluator.get(described, "json_schema_extra") if described is not None else None
        more = extra if isinstance(extra, Mapping) else {}
        description = text or _text(self.evaluator.get(described, "description") if described is not None else "")
        yield self._row(
            {**more, "values": values or (default,), "default": default, "description": description, "field": name},
            name,
            place,
        )

    def literals(self, annotation: ast.expr, module: str) -> tuple[Value, ...]:
        """The values of a `Literal[...]`, also where an alias stands for it."""
        annotation = _bare(annotation)
        if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value).endswith("Literal"):
            parts = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
            return tuple(_value(self.evaluator.expression(part, module)) for part in parts)
        if isinstance(annotation, ast.Name):
            found = self.evaluator.sources.definition(f"{module}.{annotation.id}")
            if found is not None and isinstance(found[1], ast.expr):
                return self.literals(found[1], found[0])
        return ()


def model_fields(evaluator: Evaluator, model: str) -> Fields:
    """By field of a configuration struct: its default and the values its `Literal` allows. Raises RegistryError."""
    found = evaluator.class_of(model)
    if found is None:
        raise RegistryError(f"switches.model: `{model}` is no class in the roots")
    reader = _Reader(evaluator, Switches(registry=""))
    fields: Fields = {}
    for name, (module, statement, _) in evaluator.field_nodes(*found).items():
        try:
            value = evaluator.expression(statement.value, module) if statement.value is not None else None
        except Uncomputable:
            continue
        default = default_of(value)
        if isinstance(default, str | bool | int | tuple | list):
            fields[name] = (_value(default), reader.literals(statement.annotation, module))
    return fields


def _bare(annotation: ast.expr) -> ast.expr:
    """`Annotated[X, …]`, `Final[X]`, `ClassVar[X]` and quoted annotations as X."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return _bare(ast.parse(annotation.value, mode="eval").body)
    if isinstance(annotation, ast.Subscript):
        name = ast.unparse(annotation.value).rpartition(".")[2]
        if name in ("Annotated", "Final", "Required", "NotRequired"):
            inner = annotation.slice
            return _bare(inner.elts[0] if isinstance(inner, ast.Tuple) else inner)
    return annotation


def _value(value: Any) -> Value:
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(str(one) for one in value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Reference):
        return value.name.rpartition(".")[2]
    return str(value) if isinstance(value, dict) else None


def _text(value: Any) -> str:
    if isinstance(value, Reference):
        return value.name
    return " ".join(value.split()) if isinstance(value, str) else ""
