"""Texts and bytes: conversions and codecs of which the outcome may be known, templates."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.dunders import call_special
from onepath.link.invoke import holding
from onepath.link.items import read_item
from onepath.link.iteration import iterate
from onepath.link.models.model import Model, gives
from onepath.link.solver import Solver
from onepath.link.texts import decoded, formatted
from onepath.link.values import Box, Bytes, Number, Text, Value


def _decoding(kind: str) -> Model:
    def made(solver: Solver, site: Site) -> None:
        for var in site.positional[:1]:
            solver.when(var, _decode, (kind, site.dst))

    return made


def _decode(solver: Solver, payload: Any, value: Value) -> None:
    kind, dst = payload
    made = decoded(solver, kind, value)
    solver.add(dst, made if made is not None else solver.constant("bytes"))


def _codecs_decode(solver: Solver, site: Site) -> None:
    kinds = {"rot13": "rot13", "rot_13": "rot13", "hex": "hex", "base64": "base64"}
    if len(site.positional) > 1:
        for one in list(solver.has(site.positional[1])):
            if isinstance(one, Text) and one.value in kinds:
                solver.when(site.positional[0], _decode, (kinds[one.value], site.dst))
                return
    solver.add(site.dst, solver.constant("str"))


def _chr(solver: Solver, site: Site) -> None:
    for var in site.positional[:1]:
        solver.when(var, _character, site.dst)


def _character(solver: Solver, dst: Any, value: Value) -> None:
    if isinstance(value, Number) and 0 <= value.value < 0x110000:
        solver.add(dst, solver.text(chr(value.value)))
    else:
        solver.add(dst, solver.constant("str"))


def _str(solver: Solver, site: Site) -> None:
    if site.positional:
        formatted(solver, site.frame, site.positional[:1], site.dst, site.line)
        return
    solver.add(site.dst, solver.text(""))


def _bytes(solver: Solver, site: Site) -> None:
    for var in site.positional[:1]:
        solver.when(var, _bytes_of, site.dst)
        iterate(solver, site.frame, var, solver.nowhere, False, site.line)


def _bytes_of(solver: Solver, dst: Any, value: Value) -> None:
    if isinstance(value, Bytes):
        solver.add(dst, value)
        return
    if isinstance(value, Text):
        solver.add(dst, solver.bytes_(value.value.encode("utf-8", "replace").decode("latin-1")))
        return
    if isinstance(value, Box) and not solver.has(value.rest):
        numbers: list[int] = []
        for index in range(len(value.items)):
            var = value.items.get(index)
            only = list(solver.has(var)) if var is not None else []
            if len(only) != 1 or not isinstance(only[0], Number) or not 0 <= only[0].value < 256:
                break
            numbers.append(only[0].value)
        else:
            solver.add(dst, solver.bytes_(bytes(numbers).decode("latin-1")))
            return
    solver.add(dst, solver.constant("bytes"))


def _substitute(solver: Solver, site: Site) -> None:
    """`string.Template.substitute(mapping)`: reads by the template's names, and shows what it reads."""
    for _, var in site.named:
        solver.when(var, _shown, site)
    for var in site.positional[:1]:
        found = solver.new()
        solver.when(var, read_item, (site.frame, holding(solver, solver.constant("str")), found, site.line))
        solver.when(found, _shown, site)
    solver.add(site.dst, solver.constant("str"))


def _shown(solver: Solver, site: Any, value: Value) -> None:
    for method in ("__str__", "__repr__"):
        if call_special(solver, site.frame, value, method, (), -1, site.line):
            return


MODELS: Final[dict[str, Model]] = {
    "builtins.str": _str,
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytes,
    "builtins.chr": _chr,
    "builtins.ord": gives("int"),
    "string.Template.substitute": _substitute,
    "string.Template.safe_substitute": _substitute,
    "base64.b64decode": _decoding("base64"),
    "base64.urlsafe_b64decode": _decoding("base64"),
    "base64.standard_b64decode": _decoding("base64"),
    "base64.decodebytes": _decoding("base64"),
    "binascii.a2b_base64": _decoding("base64"),
    "binascii.unhexlify": _decoding("hex"),
    "binascii.a2b_hex": _decoding("hex"),
    "builtins.bytes.fromhex": _decoding("hex"),
    "codecs.decode": _codecs_decode,
    "codecs.encode": _codecs_decode,
}
"""By full name: what it does."""
