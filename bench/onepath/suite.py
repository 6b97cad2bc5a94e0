"""The public PyCG micro-benchmark, pinned: fetched once, its content checked.

A case is a folder `<category>/<case>/` with programs and `callgraph.json`, its list of edges. Nothing of it is run. The
repository has all 119 cases; the package's source archive, for machines that reach no GitHub, lacks one, which stands
here as it stands there (Apache License 2.0, Vitalis Salis).
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

from bench.onepath.trees import CACHE
from bench.processes import BenchError

_REPOSITORY: Final = "https://github.com/vitsalis/PyCG"
_COMMIT: Final = "8d5dc40837803beef1d8d379fbf2cdad6cd94641"
_ARCHIVE: Final = "pycg==0.0.8 --hash=sha256:644b4df4346b393ca29450223da12598a6e6ad51fcfb1c218330b774f643a6c1"
_SNIPPETS: Final = Path("micro-benchmark") / "snippets"
_CASES: Final = "*/*/callgraph.json"
_ABSENT: Final = "classes/instance"
_ABSENT_FILES: Final = {
    "README.md": "A class is instantiated and we check whether an edge is created to its `__init__`\nfunction.\n",
    "callgraph.json": """{
    "main": [
        "main.MyClass.__init__",
        "main.MyClass.func"
    ],
    "main.MyClass.__init__": [],
    "main.MyClass.func": []
}
""",
    "main.py": """class MyClass:
    def __init__(self):
        pass

    def func(self):
        pass

a = MyClass()
a.func()
""",
}
_CONTENT: Final = "d66c68352689cad3ca5245b3b15904428a3ff8036d33931229746d33c3879b10"
"""Of all 119 cases, as `digest` has it."""


def suite() -> Path:
    """The folder of the cases. Raises BenchError if it cannot be fetched, or is not what is pinned."""
    folder = CACHE / "pycg-suite"
    if not folder.is_dir():
        unpacked = CACHE / ".pycg-suite-unpacking"
        shutil.rmtree(unpacked, ignore_errors=True)
        unpacked.mkdir(parents=True)
        if not _cloned(unpacked):
            _unpacked(unpacked)
        found = next(unpacked.glob(f"**/{_SNIPPETS}"))
        if digest(found) != _CONTENT:
            raise BenchError(f"The PyCG suite in {found} is not the one that is pinned.")
        found.rename(folder)
        shutil.rmtree(unpacked)
    return folder


def digest(folder: Path) -> str:
    """SHA-256 over names and bytes of every file of the cases."""
    total = hashlib.sha256()
    files = (path for case in folder.glob(_CASES) for path in case.parent.rglob("*") if path.is_file())
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in files):
        total.update(f"{name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return total.hexdigest()


def _cloned(folder: Path) -> bool:
    """Whether GitHub gave the commit."""
    commands = (
        ("init", "--quiet"),
        ("fetch", "--quiet", "--depth", "1", _REPOSITORY, _COMMIT),
        ("checkout", "--quiet", "FETCH_HEAD"),
    )
    return all(
        subprocess.run(["git", "-C", str(folder), *command], capture_output=True, check=False, timeout=300).returncode
        == 0
        for command in commands
    )


def _unpacked(folder: Path) -> None:
    wanted = folder / "requirement.txt"
    wanted.write_text(_ARCHIVE + "\n")
    command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--no-binary=:all:", "--require-hashes"]
    fetched = subprocess.run(
        [*command, "--dest", str(folder), "-r", str(wanted)], capture_output=True, text=True, check=False
    )
    if fetched.returncode:
        raise BenchError(
            f"The PyCG suite can be had neither from {_REPOSITORY} nor from a package index:\n"
            f"{fetched.stderr.strip()[-500:]}\nUnpack its {_SNIPPETS} anywhere and name that folder with --suite."
        )
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    absent = next(folder.glob(f"*/{_SNIPPETS}")) / _ABSENT
    absent.mkdir()
    for name, text in _ABSENT_FILES.items():
        (absent / name).write_bytes(text.encode())
