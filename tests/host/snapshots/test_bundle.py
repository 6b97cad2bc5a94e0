"""A bundle is whole, bounded, hashed and private."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tarfile
from pathlib import Path

import pytest

from routecodex.blocks.snapshots import MOST_BYTES, Part, write


def contents(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]


def test_what_goes_in_comes_out_with_its_hashes(tmp_path: Path) -> None:
    bundle = write(tmp_path / "b", "one", [Part("a.json", b"{}"), Part("b", b"")], 1_700_000_000.5)
    parts = contents(bundle.path)
    manifest = json.loads(parts.pop("manifest.json"))

    assert parts == {"a.json": b"{}", "b": b""}
    assert {part["name"]: part["sha256"] for part in manifest["parts"]} == {
        name: hashlib.sha256(content).hexdigest() for name, content in parts.items()
    }
    assert bundle.sha256 == hashlib.sha256(bundle.path.read_bytes()).hexdigest()
    assert bundle.bytes == bundle.path.stat().st_size
    assert stat.S_IMODE(bundle.path.stat().st_mode) == 0o600
    assert [path.name for path in bundle.path.parent.iterdir()] == ["one.tar.gz"]


def test_the_same_again_is_the_same_bytes(tmp_path: Path) -> None:
    parts = [Part("a", b"x" * 1000)]
    first, second = write(tmp_path / "1", "n", parts, 5.0), write(tmp_path / "2", "n", parts, 5.0)
    assert first.sha256 == second.sha256


@pytest.mark.parametrize("most", [400_000, MOST_BYTES])
def test_it_never_grows_beyond_its_bound_and_says_what_was_cut(most: int, tmp_path: Path) -> None:
    noise = os.urandom(most)
    parts = [Part("first", noise[:1000]), Part("log", noise + b"the end", keep_end=True), Part("last", noise)]
    bundle = write(tmp_path, "big", parts, 1.0, most)
    found = contents(bundle.path)
    cut = {part["name"]: part["cut"] for part in json.loads(found["manifest.json"])["parts"]}

    assert bundle.bytes <= most
    assert found["first"] == noise[:1000]
    assert found["log"].endswith(b"the end")
    assert cut["first"] == 0
    assert cut["log"] == len(noise) + 7 - len(found["log"])
    assert cut["last"] == len(noise) - len(found["last"])


def test_a_folder_that_takes_nothing_is_told_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").mkdir()
    with pytest.raises(OSError, match=r"."):
        write(tmp_path, "x", [Part("a", b"a")], 1.0)
    assert [path.name for path in tmp_path.iterdir()] == ["x.tar.gz"]
