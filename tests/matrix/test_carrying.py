"""The table of carrying is the truth: every field over every pair, and what happens is what the table says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from . import upstream_view
from .carrying import OWN, Field, fields
from .cases import LETTERS, PROTOCOL, Cell
from .dialects import Json
from .gateway import target
from .inprocess import InProcess
from .observing import BASE, observe


@pytest.fixture(scope="module")
def inside() -> InProcess:
    """One pipeline for the module."""
    return InProcess()


CELLS = [(row, letter) for row in fields() for letter in LETTERS]


@pytest.mark.parametrize(("row", "letter"), CELLS, ids=[f"{r}-{t}".replace(" ", "_") for r, t in CELLS])
def test_the_field_becomes_what_the_table_says(row: Field, letter: str, inside: InProcess) -> None:
    """carried, mapped, dropped or refused; nothing besides; legal for the strict upstream."""
    if letter == row.client:
        assert_as_it_is(row, inside)
        return
    wanted = row.on[letter]
    seen = observe(inside, row.client, row, letter)
    assert seen.refused == wanted.refused
    assert seen.violations == ()
    assert seen.notes == wanted.notes
    own = list(row.put.values())
    if row.client == "G" and set(row.put) == {"generationConfig"}:
        own = list(row.put["generationConfig"].values())
    assert set(seen.members) == set(wanted.members)
    for path, value in wanted.members.items():
        got = seen.members[path]
        if value == OWN:
            assert same(got, own[0]), path
        elif isinstance(value, dict) and "$tools" in value:
            read = upstream_view.read(PROTOCOL[letter], {"tools": got})
            assert list(read.tools) == value["$tools"]
        else:
            assert same(got, value), path


def same(left: Any, right: Any) -> bool:
    """Equal as JSON, so that 1 is not true."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def assert_as_it_is(row: Field, inside: InProcess) -> None:
    """The same protocol: the upstream has the client's member, whatever it is, and no note was made."""
    inside.reset()
    inside.fake.strict = False
    body: Json = {**BASE[row.client], **row.beside, **row.put}
    protocol = PROTOCOL[row.client]
    model = target(protocol)
    path = {"C": "/v1/chat/completions", "R": "/v1/responses", "M": "/v1/messages"}.get(row.client)
    sent = body if row.client == "G" else {"model": model, **body}
    cell = Cell("carrying", row.client * 2, "stream" if body.get("stream") else "whole")
    passed = inside.send(cell, path or f"/v1beta/models/{model}:generateContent", {}, sent)
    inside.fake.strict = True
    asked = passed.reply.upstream[0].body
    for name, value in body.items():
        if name == "stream_options":
            value = {**value, "include_usage": True} if row.client == "C" else value
        assert same(asked[name], value), name
    assert passed.notes == {}


def test_every_row_names_every_foreign_target() -> None:
    """No hole in the table, no row twice."""
    names = [str(row) for row in fields()]
    assert len(set(names)) == len(names)
    for row in fields():
        assert set(row.on) == set(LETTERS) - {row.client}, row
