"""`docs/reference/` is what the code says today, and the generator notices when it is not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tools.docs import configuration, errors, features, http
from tools.docs.reference import FOLDER, PAGES, main, stale, write
from tools.docs.source import modules
from tools.docs.text import DocumentationError


def test_the_reference_is_fresh() -> None:
    """Run `python -m tools.docs.reference` where this fails."""
    assert stale() == {}


def test_the_check_command_agrees_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in FOLDER.iterdir()}
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == ""
    assert {path: path.stat().st_mtime_ns for path in FOLDER.iterdir()} == before


def test_a_page_edited_by_hand_is_stale(tmp_path: Path) -> None:
    write(tmp_path)
    assert stale(tmp_path) == {}
    edited = tmp_path / "switches.md"
    edited.write_bytes(edited.read_bytes().replace(b"controlBus", b"kernelOfApps"))
    found = stale(tmp_path)
    assert list(found) == ["switches.md"]
    assert "-" in found["switches.md"]
    assert "kernelOfApps" in found["switches.md"]


def test_a_missing_page_is_stale(tmp_path: Path) -> None:
    assert sorted(stale(tmp_path)) == sorted(page.file for page in PAGES)


def test_the_same_tree_gives_the_same_bytes() -> None:
    assert [page.text() for page in PAGES] == [page.text() for page in PAGES]


def test_a_setting_without_a_meaning_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(configuration.MEANINGS, "server.backlog")
    with pytest.raises(DocumentationError, match=r"no meaning: server\.backlog"):
        configuration.page()


def test_a_meaning_without_a_setting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(configuration.MEANINGS, "server.colour", "Red.")
    with pytest.raises(DocumentationError, match=r"no such setting: server\.colour"):
        configuration.page()


def test_a_header_of_our_own_that_nobody_explains_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(modules(), "routecodex/odd.py", ast.parse('HEADER = b"x-routecodex-odd"'))
    with pytest.raises(DocumentationError, match="x-routecodex-odd"):
        http.page()


def test_an_operation_that_nobody_explains_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(http._OPERATIONS, "embed")
    with pytest.raises(DocumentationError, match="Operation differ on: embed"):
        http.page()


def test_a_feature_key_that_nobody_explains_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = ast.parse('def f(features):\n    return features.get("oddness", 1)')
    monkeypatch.setitem(modules(), "llmswitch_core/protocols/gemini/odd.py", tree)
    with pytest.raises(DocumentationError, match="gemini: oddness"):
        features.page()


def test_codes_are_found_where_they_are_raised_and_behind_functions_that_pass_them_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = """
def refused(code, message):
    return GatewayError(ErrorKind.CONFLICT, code, message)

def f(name):
    if name:
        raise refused("odd_name", f"The name {name} is odd.")
    raise GatewayError(ErrorKind.TIMEOUT, "odd_time", "It took too long.")
"""
    monkeypatch.setitem(modules(), "routecodex/odd.py", ast.parse(source))
    found = {(each.code, each.kind, each.message) for each in errors.gateway_codes()}
    assert ("odd_name", "conflict", "The name … is odd.") in found
    assert ("odd_time", "timeout", "It took too long.") in found
