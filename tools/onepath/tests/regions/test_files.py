"""Pages on disk: nothing is written unless all is well, and what is written is whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from onepath.regions import Plan, WriteError, plan, write

PAGE = "# T\n\n<!-- AUTO:ARCH:BEGIN -->\n<!-- AUTO:ARCH:END -->\n"


def planned(folder: Path, *files: str, body: str = "fresh") -> Plan:
    return plan(folder, {file: {"ARCH": body} for file in files}, "onepath docs", "the code")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_all_pages_are_written(tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text(PAGE)
    assert write(tmp_path, planned(tmp_path, "a.md", "b.md")) == ("a.md", "b.md")
    assert "fresh" in (tmp_path / "b.md").read_text()
    assert sorted(contents(tmp_path)) == ["a.md", "b.md"]


def test_what_is_current_is_not_written_again(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(PAGE)
    write(tmp_path, planned(tmp_path, "a.md"))
    inode = (tmp_path / "a.md").stat().st_ino
    assert write(tmp_path, planned(tmp_path, "a.md")) == ()
    assert (tmp_path / "a.md").stat().st_ino == inode


def test_one_broken_page_stops_all(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(PAGE)
    (tmp_path / "b.md").write_text("<!-- AUTO:ARCH:BEGIN -->\n")
    before = contents(tmp_path)
    with pytest.raises(WriteError, match=r"b\.md:1: ARCH has no END"):
        write(tmp_path, planned(tmp_path, "a.md", "b.md"), force=True)
    assert contents(tmp_path) == before


def test_a_page_that_is_not_there_stops_all(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(PAGE)
    before = contents(tmp_path)
    with pytest.raises(WriteError, match=r"gone\.md:1: cannot be read"):
        write(tmp_path, planned(tmp_path, "a.md", "gone.md"))
    assert contents(tmp_path) == before


def test_a_read_only_page_stops_all_even_for_the_superuser(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(PAGE)
    (tmp_path / "b.md").write_text(PAGE)
    (tmp_path / "b.md").chmod(0o444)
    before = contents(tmp_path)
    with pytest.raises(WriteError, match=r"b\.md: is read-only"):
        write(tmp_path, planned(tmp_path, "a.md", "b.md"))
    assert contents(tmp_path) == before


def test_a_hand_edit_is_overwritten_only_by_force(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text(PAGE)
    write(tmp_path, planned(tmp_path, "a.md"))
    page.write_text(page.read_text().replace("fresh", "mine"))
    edited = page.read_bytes()
    with pytest.raises(WriteError, match=r"a\.md:3: ARCH was edited by hand"):
        write(tmp_path, planned(tmp_path, "a.md"))
    assert page.read_bytes() == edited
    assert write(tmp_path, planned(tmp_path, "a.md"), force=True) == ("a.md",)
    assert "mine" not in page.read_text()


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o664])
def test_the_mode_is_kept(tmp_path: Path, mode: int) -> None:
    page = tmp_path / "a.md"
    page.write_text(PAGE)
    page.chmod(mode)
    write(tmp_path, planned(tmp_path, "a.md"))
    assert stat.S_IMODE(page.stat().st_mode) == mode


def test_the_owner_is_kept(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text(PAGE)
    owner = (1234, 2345) if os.geteuid() == 0 else (os.geteuid(), os.getgroups()[-1])
    os.chown(page, *owner)
    write(tmp_path, planned(tmp_path, "a.md"))
    assert (page.stat().st_uid, page.stat().st_gid) == owner


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.md").write_text(PAGE)
    (tmp_path / "a.md").symlink_to("real/a.md")
    write(tmp_path, planned(tmp_path, "a.md"))
    assert (tmp_path / "a.md").is_symlink()
    assert "fresh" in (tmp_path / "real" / "a.md").read_text()


def test_a_page_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text(PAGE)
    what = planned(tmp_path, "a.md")
    page.write_text(PAGE + "\nwritten meanwhile\n")
    with pytest.raises(WriteError, match="was changed while regions were generated"):
        write(tmp_path, what)
    assert "written meanwhile" in page.read_text()


def test_a_rename_that_fails_takes_back_those_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text(PAGE)
    what = planned(tmp_path, "a.md", "b.md")
    before = contents(tmp_path)
    rename = Path.replace

    def full_disk(self: Path, target: Path) -> Path:
        if Path(target).name == "b.md":
            raise OSError(28, "No space left on device", str(target))
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(WriteError, match="nothing was changed"):
        write(tmp_path, what)
    assert contents(tmp_path) == before
