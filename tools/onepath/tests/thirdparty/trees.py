"""Fetches the pinned trees and lays each out as a project: `<cache>/<name>/{package…, onepath.toml}`.

Run as a script it prints one JSON object, tree to folder: `python trees.py CACHE [NAME …]`. It knows pip and zip files,
nothing of onepath.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
LOCK: Final = HERE / "trees.txt"
CONTRACTS: Final = HERE / "contracts"
NAMES: Final = tuple(sorted(path.stem for path in CONTRACTS.glob("*.toml")))
"""What there is; also the name of each tree's package."""


class TreeError(RuntimeError):
    """A tree is not here and cannot be fetched."""


def tree(name: str, cache: Path) -> Path:
    """The project folder of one tree, fetched if its pin is not there yet. Its contract is always written anew.

    Raises TreeError if it has to be fetched and cannot be.
    """
    pin = next(line for line in LOCK.read_text().splitlines() if line.lower().startswith(f"{name}=="))
    version = re.split(r"==| ", pin)[1]
    folder = cache / f"{name}-{version}"
    if not folder.is_dir():
        unpacked = cache / f".{name}-unpacking"
        shutil.rmtree(unpacked, ignore_errors=True)
        with zipfile.ZipFile(wheel_of(pin, cache)) as wheel:
            wheel.extractall(unpacked)
        unpacked.rename(folder)
    shutil.copyfile(CONTRACTS / f"{name}.toml", folder / "onepath.toml")
    return folder


def wheel_of(pin: str, cache: Path) -> Path:
    """The wheel of one pin, its hash checked by pip. Raises TreeError."""
    requirement = pin.split(" ", maxsplit=1)[0]
    folder = cache / "wheels" / requirement
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder / "requirement.txt"
    wanted.write_text(pin + "\n")
    command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--only-binary=:all:"]
    command += ["--require-hashes", "--ignore-requires-python", "--dest", str(folder), "-r", str(wanted)]
    fetched = subprocess.run(command, capture_output=True, text=True, check=False)
    if fetched.returncode:
        raise TreeError(
            f"{requirement} cannot be fetched: {(fetched.stderr.strip() or 'pip says nothing').splitlines()[-1]}\n"
            f"Run again where pip reaches a package index, or put its wheel into a folder and name that folder in "
            f"PIP_FIND_LINKS; the pin and its hash are in {LOCK.name}."
        )
    return next(folder.glob("*.whl"))


def main(arguments: Sequence[str]) -> int:
    """`CACHE [NAME …]`; all trees if none is named."""
    cache = Path(arguments[0]).absolute()
    try:
        print(json.dumps({name: str(tree(name, cache)) for name in arguments[1:] or NAMES}))
    except TreeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
