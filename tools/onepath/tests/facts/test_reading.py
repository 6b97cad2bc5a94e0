"""What facts say of syntax that has more than one shape, or more than one line."""

from __future__ import annotations

import argparse
import gc
from pathlib import Path
from typing import TypeVar

import pytest

from onepath.facts import model
from onepath.facts.extract import extract, extract_text
from onepath.facts.model import ModuleFacts, Operation

One = TypeVar("One", bound=Operation)


def read(source: str) -> ModuleFacts:
    facts = extract_text(source, "m", "m.py")
    assert not facts.fault
    return facts


def all_of(kind: type[One], source: str) -> list[One]:
    return [one for scope in read(source).scopes for one in scope.code if isinstance(one, kind)]


def texts(source: str) -> list[str]:
    return [one.value for one in all_of(model.Text, source)]


def test_a_parameter_may_be_all_that_an_item_is_set_with() -> None:
    assert len(all_of(model.SetItem, "def put(table, key, value):\n    table[key] = value\n")) == 1


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ('f"a{x}b"', ["a", "b"]),
        ('"a" f"{x}" "b"', ["a", "b"]),
        ('f"a{{" "b" f"{x!r:>3}"', ["a{b", ">3"]),
        ('f"{x=}"', ["x="]),
        ('rf"\\d{x}"', ["\\d"]),
    ],
)
def test_texts_beside_each_other_are_one_formatted_text(source: str, parts: list[str]) -> None:
    assert texts(f"def show(x, w): return {source}") == parts
    assert len(all_of(model.Format, f"def show(x, w): return {source}")) == 1


def test_a_specification_with_values_is_a_formatted_text_of_its_own() -> None:
    source = "def show(x, w): return f'a{x:>{w}}'"
    assert texts(source) == ["a", ">"]
    assert [len(one.parts) for one in all_of(model.Format, source)] == [2, 2]


@pytest.mark.parametrize(
    ("source", "method"), [("{x!r}", "__repr__"), ("{x!a}", "__repr__"), ("{x!s}", "__str__"), ("{x=}", "__repr__")]
)
def test_a_conversion_asks_for_the_text_of_a_value(source: str, method: str) -> None:
    assert [one.method for one in all_of(model.Operate, f'def show(x): return f"{source}"')] == [method]


@pytest.mark.parametrize("source", ["{x}", "{x=:}", "{x:10}"])
def test_without_a_conversion_it_does_not(source: str) -> None:
    assert all_of(model.Operate, f'def show(x): return f"{source}"') == []


def test_line_ends_in_texts_are_those_that_python_sees() -> None:
    facts = extract(b'x = """a\r\nb"""\r\n', "m", "m.py")
    assert [one.value for one in facts.scopes[0].code if isinstance(one, model.Text)] == ["a\nb"]


def test_half_a_surrogate_is_some_text() -> None:
    assert [one.type for one in all_of(model.Constant, 'x = "\\ud800"')] == ["str"]


def test_names_are_what_python_makes_of_their_spelling() -> None:
    assert [one.name for one in read("µ = 1\n").bindings] == ["μ"]


def test_a_sign_and_a_number_are_a_number() -> None:
    assert [one.value for one in all_of(model.Number, "x = (-1, -0, 2)")] == [-1, 0, 2]


def test_lines_are_those_of_the_code_and_not_of_the_brackets_around_it() -> None:
    source = "x = (\n    a\n    + b\n)\nif (\n    a.b\n): pass\ny = [\n    one\n    for one in a\n]\n"
    assert [(one.method, one.line) for one in all_of(model.Operate, source)] == [("__add__", 2), ("__bool__", 6)]
    assert [one.line for one in all_of(model.Iterate, source)] == [10]


def test_the_line_of_an_attribute_is_that_of_its_name() -> None:
    source = "(\n    a\n    .b\n    .c()\n).d = 1\n"
    assert [one.line for one in all_of(model.Attribute, source)] == [3, 4]
    assert [one.line for one in all_of(model.Call, source)] == [4]
    assert [one.line for one in all_of(model.SetAttribute, source)] == [5]


def test_a_function_is_on_the_line_of_its_def_and_a_decorator_on_its_own() -> None:
    source = "@first\n@second\ndef f(): ...\n"
    assert [one.line for one in all_of(model.MakeFunction, source)] == [3]
    assert [one.line for one in all_of(model.Call, source)] == [2, 1]


def test_arguments_come_in_the_order_of_the_source() -> None:
    calls = all_of(model.Call, "f(a(), k=b(), *c())")
    names = {one.dst: one.name for one in all_of(model.Global, "f(a(), k=b(), *c())")}
    assert [names[one.func] for one in calls] == ["a", "b", "c", "f"]


def test_stars_in_brackets_are_unpacked() -> None:
    [index] = all_of(model.Sequence, "x[a, *b]")
    assert (index.kind, index.spread) == ("tuple", (1,))
    assert all_of(model.Sequence, "x[*b]") == []


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("'A | None'", "|(A, None)"),
        ("list['A.B']", "list(A.B)"),
        ("Literal['a' 'b']", "Literal('ab)"),
        ("Annotated[int, Gt(\n    gt = 1,  # more\n)]", "Annotated(int, =Gt(\n    gt = 1,  # more\n))"),
        ("'Annotated[int, Gt( 1 )]'", "Annotated(int, =Gt( 1 ))"),
        ("Callable[..., A]", "Callable(, A)"),
        ("tuple[()]", "tuple()"),
        ("Generic[*Ts]", "Generic(Ts)"),
    ],
)
def test_annotations_are_as_written(written: str, read_as: str) -> None:
    def shown(one: model.Annotation) -> str:
        return one.name + (f"({', '.join(map(shown, one.arguments))})" if one.arguments else "")

    facts = read(f"from __future__ import annotations\ndef f(x: {written}): ...\n")
    assert [shown(one) for one in facts.annotations] == [read_as]


def test_the_text_of_an_annotation_is_found_in_any_encoding() -> None:
    source = "# coding: latin-1\nfrom __future__ import annotations\nä: Annotated['é', Gt('ü')] = 1\n".encode("latin-1")
    assert [one.arguments[1].name for one in extract(source, "m", "m.py").annotations] == ["=Gt('ü')"]


def test_importing_a_name_or_matching_by_keyword_does_not_use_an_outer_one() -> None:
    source = (
        "def outer(path, name):\n"
        "    def inner(subject):\n"
        "        from path import other\n"
        "        match subject:\n"
        "            case Some(name=1): return other\n"
        "    return inner\n"
    )
    assert all_of(model.StoreFree, source) == []


@pytest.mark.parametrize(
    ("source", "reason", "line"),
    [
        (b"x = 1\ny = (\n", "is no Python that this interpreter reads: '(' was never closed", 2),
        (b"# coding: nonsense\n", "is no Python that this interpreter reads: unknown encoding: nonsense", 1),
        (b"x = '\xff'\n", "is no Python that this interpreter reads: ", 1),
        (b"x = 1\0\n", "", 1),
    ],
)
def test_what_cpython_refuses_is_a_fault_with_its_line(source: bytes, reason: str, line: int) -> None:
    facts = extract(source, "m", "m.py")
    assert facts.fault
    assert facts.fault.startswith(reason)
    assert facts.scopes == []
    if reason.endswith("closed"):
        assert facts.fault_line == line


def test_what_was_read_leaves_nothing_behind_for_the_collector() -> None:
    """Thousands of files are read while nobody collects garbage: a circle would keep each file's tree."""
    source = Path(argparse.__file__).read_bytes()
    gc.collect()
    gc.disable()
    try:
        facts = extract(source, "argparse", "argparse.py")
        assert facts.scopes
        assert gc.collect() == 0
    finally:
        gc.enable()
