"""Files are found in the file system, in one order everywhere, under the names Python would give them."""

from __future__ import annotations

from pathlib import Path

import pytest

from onepath.discover import RootError, discover


def plant(folder: Path, *files: str) -> None:
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def names(folder: Path, *roots: str, exclude: tuple[str, ...] = ()) -> list[str]:
    return [module.name for module in discover(folder, roots, exclude).modules]


def test_a_package_root_gives_names_that_start_with_its_own(tmp_path: Path) -> None:
    plant(tmp_path, "src/pkg/__init__.py", "src/pkg/a.py", "src/pkg/sub/__init__.py", "src/pkg/sub/b.py")
    assert names(tmp_path, "src/pkg") == ["pkg", "pkg.a", "pkg.sub", "pkg.sub.b"]


def test_a_folder_without_init_is_code_too(tmp_path: Path) -> None:
    plant(tmp_path, "pkg/a.py", "pkg/plain/b.py")
    found = discover(tmp_path, ["pkg"])
    assert [module.name for module in found.modules] == ["pkg.a", "pkg.plain.b"]
    assert found.namespaces == {"pkg", "pkg.plain"}


@pytest.mark.parametrize("root", ["src/", "src/.", "./src/"])
def test_below_a_source_folder_names_start_even_if_it_holds_an_init(tmp_path: Path, root: str) -> None:
    plant(tmp_path, "src/__init__.py", "src/pkg/a.py", "src/tool.py")
    assert names(tmp_path, root) == ["pkg.a", "tool"]


def test_the_current_folder_is_a_source_folder(tmp_path: Path) -> None:
    plant(tmp_path, "main.py", "lib/x.py")
    assert names(tmp_path, ".") == ["lib.x", "main"]


def test_one_file_is_a_root(tmp_path: Path) -> None:
    plant(tmp_path, "tool.py", "other.py")
    assert names(tmp_path, "tool.py") == ["tool"]


def test_files_are_shown_relative_with_slashes(tmp_path: Path) -> None:
    plant(tmp_path, "src/pkg/a.py")
    assert [module.file for module in discover(tmp_path, ["src/pkg"]).modules] == ["src/pkg/a.py"]


def test_what_is_never_code_is_left_out(tmp_path: Path) -> None:
    plant(tmp_path, "p/a.py", "p/.git/x.py", "p/__pycache__/y.py", "p/env/lib/z.py", "p/env/pyvenv.cfg", "p/notes.txt")
    assert names(tmp_path, "p") == ["p.a"]


def test_excluded_paths_are_left_out(tmp_path: Path) -> None:
    plant(tmp_path, "p/a.py", "p/vendored/b.py", "p/x/migrations/c.py", "p/x/d_pb2.py")
    assert names(tmp_path, "p", exclude=("p/vendored", "**/migrations", "*_pb2.py")) == ["p.a"]


def test_a_star_stays_within_a_folder(tmp_path: Path) -> None:
    plant(tmp_path, "p/a/x.py", "p/a/b/x.py")
    assert names(tmp_path, "p", exclude=("p/*/x.py",)) == ["p.a.b.x"]


def test_a_package_shadows_the_module_of_its_name(tmp_path: Path) -> None:
    plant(tmp_path, "p/a.py", "p/a/__init__.py")
    found = discover(tmp_path, ["p"])
    assert [module.file for module in found.modules] == ["p/a/__init__.py"]
    assert [(one.file, one.by) for one in found.shadowed] == [("p/a.py", "p/a/__init__.py")]


def test_the_same_folder_under_two_roots_is_read_once(tmp_path: Path) -> None:
    plant(tmp_path, "src/pkg/a.py")
    found = discover(tmp_path, ["src/pkg", "src/"])
    assert [module.name for module in found.modules] == ["pkg.a"]
    assert not found.shadowed


def test_a_link_to_a_folder_above_ends(tmp_path: Path) -> None:
    plant(tmp_path, "p/a.py")
    (tmp_path / "p" / "loop").symlink_to(tmp_path / "p", target_is_directory=True)
    assert names(tmp_path, "p") == ["p.a"]


def test_a_name_that_is_no_identifier_stays_as_written(tmp_path: Path) -> None:
    plant(tmp_path, "p/my-script.py")
    assert names(tmp_path, "p") == ["p.my-script"]


@pytest.mark.parametrize("root", ["nowhere", "empty"])
def test_a_root_without_code_is_an_error(tmp_path: Path, root: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RootError, match=f"root `{root}`"):
        discover(tmp_path, [root])


def test_a_root_above_the_project_is_shown_absolute(tmp_path: Path) -> None:
    plant(tmp_path, "other/x.py")
    (tmp_path / "project").mkdir()
    assert names(tmp_path / "project", "../other") == ["other.x"]
