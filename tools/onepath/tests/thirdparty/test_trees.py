"""Trees are laid out once; one that cannot be fetched is an error that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .trees import CONTRACTS, LOCK, NAMES, TreeError, tree


def test_every_contract_has_a_pinned_wheel_with_its_hash() -> None:
    pins = [line.split("==")[0].lower() for line in LOCK.read_text().splitlines() if " --hash=sha256:" in line]
    assert sorted(pins) == list(NAMES)


def test_a_tree_that_cannot_be_fetched_is_an_error_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(TreeError, match=r"Flask==3\.1\.0 cannot be fetched.*\n.*PIP_FIND_LINKS"):
        tree("flask", tmp_path)
    assert not list(tmp_path.glob("flask*"))


def test_the_script_ends_with_that_error(tmp_path: Path) -> None:
    script = Path(__file__).with_name("trees.py")
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    command = [sys.executable, str(script), str(tmp_path), "flask"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "cannot be fetched" in ended.stderr


def test_a_tree_that_is_there_is_not_fetched_and_gets_its_contract(tmp_path: Path) -> None:
    (tmp_path / "flask-3.1.0").mkdir()
    folder = tree("flask", tmp_path)
    assert (folder / "onepath.toml").read_bytes() == (CONTRACTS / "flask.toml").read_bytes()
