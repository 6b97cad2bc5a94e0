"""Which clients, exactly: installs what package-lock.json names, and refuses any other version.

The JavaScript clients live in `.cache/e2e/clients`, installed by `npm ci` whenever the lock file has changed. The
Python SDKs are the environment's; their pins stand in requirements/test.txt.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FOLDER = ROOT / ".cache" / "e2e" / "clients"
PYTHON_SDKS = ("openai", "anthropic", "google-genai")
PROGRAMS = ("codex", "claude", "gemini")


class ClientsAbsentError(RuntimeError):
    """A client cannot be installed, or another version than the pinned one is there."""


def install() -> dict[str, str]:
    """Have every pinned client at hand; name -> version. Raises ClientsAbsentError."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise ClientsAbsentError("The end-to-end session needs Node.js 20 or later with npm on PATH.")
    lock = (HERE / "package-lock.json").read_bytes()
    stamp, wanted = FOLDER / ".installed", hashlib.sha256(lock).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        _install(npm, node)
        stamp.write_text(wanted)
    return {**_javascript(), **_python()}


def program(name: str) -> str:
    """Path of a CLI."""
    return str(FOLDER / "node_modules" / ".bin" / name)


def _install(npm: str, node: str) -> None:
    """`npm ci` without install scripts (two of them compile terminals nobody needs here), then the one that counts."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, FOLDER / name)
    _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], "npm ci")
    place = FOLDER / "node_modules" / "@anthropic-ai" / "claude-code"
    _run([node, str(place / "install.cjs")], "Claude Code's own installer", place)


def _run(command: list[str], what: str, folder: Path = FOLDER) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        raise ClientsAbsentError(f"{what} did not end within ten minutes: the clients cannot be installed.") from None
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise ClientsAbsentError(f"{what} failed with {done.returncode}: the clients cannot be installed.\n{tail}")


def _javascript() -> dict[str, str]:
    pinned: dict[str, str] = json.loads((HERE / "package.json").read_text())["dependencies"]
    for package, version in pinned.items():
        manifest = FOLDER / "node_modules" / package / "package.json"
        found = json.loads(manifest.read_text())["version"] if manifest.is_file() else "absent"
        if found != version:
            raise ClientsAbsentError(f"{package} is {found}, pinned is {version}. Remove {FOLDER} and run again.")
    for name in PROGRAMS:
        _check_starts(name)
    return dict(pinned)


def _check_starts(name: str) -> None:
    """A program that cannot even tell its version is not installed."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(FOLDER)}
    done = subprocess.run(
        [program(name), "--version"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise ClientsAbsentError(f"{name} --version failed: {(done.stdout + done.stderr).strip()[-500:]}")


def _python() -> dict[str, str]:
    locked = (ROOT / "requirements" / "test.txt").read_text()
    found: dict[str, str] = {}
    for name in PYTHON_SDKS:
        pin = re.search(rf"^{re.escape(name)}==(\S+)", locked, re.MULTILINE)
        if pin is None:
            raise ClientsAbsentError(f"requirements/test.txt does not pin {name}.")
        try:
            found[f"{name} (Python)"] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            raise ClientsAbsentError(f"{name} is not installed. Run this through `nox -s e2e`.") from None
        if found[f"{name} (Python)"] != pin[1]:
            raise ClientsAbsentError(f"{name} is {found[f'{name} (Python)']}, pinned is {pin[1]}.")
    return found
