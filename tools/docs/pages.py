"""`python -m tools.docs.pages`: check every Markdown file of the repository; exit 1 if something does not hold.

- a relative link leads to a file or folder of the repository, and `#…` to a heading of it;
- Python, TOML and JSON blocks parse;
- a TOML block is a gateway configuration unless its info string says otherwise, and the real loader takes it; one that
  has providers and a routing table is complete and is compiled as `routecodex config check` does;
- `routecodex` and `nox -s` commands in shell blocks exist.

Info strings: `toml` a configuration, or a part of one; `toml profile` a compat profile; `toml file=NAME` either, kept
beside the page's configurations under that name; `toml foreign` another program's.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import shlex
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import typer
from tools.docs.source import ROOT

from llmswitch_core.compat import BUILT_IN, ProfileError, compile_profiles
from routecodex.app.switches import TABLE
from routecodex.cli.application import app
from routecodex.config.compiled import ProfileDocument
from routecodex.config.compiling import compile_config
from routecodex.config.faults import ConfigError
from routecodex.config.loading import load_text

FOLDERS: Final = ("docs", "src", "bench", "requirements")
"""Where pages are; beside them the root's own and each tool's README."""
ONEPATH: Final = ROOT / "docs" / "onepath"
"""Pages of another tool with a configuration of its own."""
_FENCE: Final = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<info>[^`\n]*)$")
_LINK: Final = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_HEADING: Final = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAMED_FILE: Final = re.compile(r'(?:"file:([^"]+)"|caFile\s*=\s*"([^"]+)")')
_SHELLS: Final = frozenset({"sh", "bash", "shell", "console"})


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins, its info string and its text."""

    file: Path
    line: int
    info: str
    text: str

    @property
    def language(self) -> str:
        return self.info.split()[0] if self.info.split() else ""

    @property
    def words(self) -> list[str]:
        return self.info.split()[1:]

    @property
    def kept_as(self) -> str | None:
        return next((word.partition("=")[2] for word in self.words if word.startswith("file=")), None)

    def fault(self, message: str) -> str:
        return f"{shown(self.file)}:{self.line}: {message}"


def shown(path: Path) -> str:
    """A page's name in messages."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def files() -> list[Path]:
    """Every Markdown file of the repository."""
    below = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md")]
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("tools/*/README.md"), *below])


def faults(paths: list[Path]) -> list[str]:
    """Everything that does not hold, one line each."""
    found: list[str] = []
    for path in paths:
        prose, blocks = parsed(path)
        found += link_faults(path, prose)
        found += block_faults(blocks)
    return found


def parsed(path: Path) -> tuple[list[tuple[int, str]], list[Block]]:
    """(numbered lines outside fences, fenced blocks)."""
    prose: list[tuple[int, str]] = []
    blocks: list[Block] = []
    begin: tuple[int, str, str, int] | None = None
    inside: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = _FENCE.match(line)
        if begin is None:
            if match:
                begin = (number, match["fence"], match["info"].strip(), len(match["indent"]))
                inside = []
            else:
                prose.append((number, line))
        elif match and match["fence"].startswith(begin[1]) and not match["info"].strip():
            blocks.append(Block(path, begin[0], begin[2], "\n".join(inside) + "\n"))
            begin = None
        else:
            inside.append(line[min(begin[3], len(line) - len(line.lstrip(" "))) :])
    if begin is not None:
        raise ValueError(f"{shown(path)}:{begin[0]}: the block never ends")
    return prose, blocks


# --- links ---------------------------------------------------------------------------------------------


def link_faults(path: Path, prose: list[tuple[int, str]]) -> Iterator[str]:
    """Relative links that lead nowhere."""
    for number, line in prose:
        for target in _LINK.findall(_without_code(line)):
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            name, _, anchor = unquote(target).partition("#")
            goal = (path.parent / name).resolve() if name else path
            if not goal.exists() or (path.is_relative_to(ROOT) and not goal.is_relative_to(ROOT)):
                yield f"{shown(path)}:{number}: the link {target} leads nowhere"
            elif anchor and goal.suffix == ".md" and anchor not in anchors(goal):
                yield f"{shown(path)}:{number}: {name or path.name} has no heading #{anchor}"


def _without_code(line: str) -> str:
    """The line with inline code blanked, but for code that is a link's text."""
    return re.sub(r"(`+)(?:(?!\1).)+\1", lambda match: "x" * len(match.group()), line)


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors GitHub gives a file's headings."""
    found: set[str] = set()
    for _, line in parsed(path)[0]:
        match = _HEADING.match(line)
        if match:
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[2]).lower()
            slug = re.sub(r"[^\w\- ]", "", plain, flags=re.UNICODE).replace(" ", "-")
            unique, count = slug, 0
            while unique in found:
                count += 1
                unique = f"{slug}-{count}"
            found.add(unique)
    return frozenset(found)


# --- blocks --------------------------------------------------------------------------------------------


def block_faults(blocks: list[Block]) -> Iterator[str]:
    """Blocks that do not parse, or that the gateway would refuse."""
    kept = {block.kept_as: block.text for block in blocks if block.kept_as}
    for block in blocks:
        try:
            if block.language == "python":
                ast.parse(block.text)
            elif block.language == "json":
                json.loads(block.text)
            elif block.language == "toml":
                yield from map(block.fault, _toml_faults(block, kept))
            elif block.language in _SHELLS:
                yield from map(block.fault, _shell_faults(block.text))
        except (SyntaxError, ValueError) as error:
            yield block.fault(f"the {block.language} block does not parse: {error}")


def _toml_faults(block: Block, kept: dict[str, str]) -> list[str]:
    tree = tomllib.loads(block.text)
    if "foreign" in block.words or block.file.is_relative_to(ONEPATH) or block.file.is_relative_to(ROOT / "tools"):
        return []
    if "profile" in block.words or (block.kept_as and ("request" in tree or "extends" in tree or "failure" in tree)):
        return _profile_faults(tree)
    environ = dict.fromkeys(_VARIABLE.findall(block.text), "http://127.0.0.1:9") | {"HOME": "/nowhere"}
    with tempfile.TemporaryDirectory(prefix="routecodex-docs-") as name:
        folder = Path(name)
        _write_named(folder, block.text, kept)
        environ["ROUTECODEX_HOME"] = name
        loaded = load_text(block.text, environ, TABLE, path=folder / "config.toml")
        router = tree.get("virtualrouter", {})
        if loaded.has_errors or not (router.get("providers") and router.get("routing")):
            return [fault.text for fault in loaded.faults if fault.severity == "error"]
        try:
            compile_config(loaded, environ)
        except ConfigError as error:
            return [fault.text for fault in error.faults if fault.severity == "error"]
    return []


def _write_named(folder: Path, text: str, kept: dict[str, str]) -> None:
    """The files a configuration names: those the page shows, and stand-ins for secrets and certificates."""
    for name, content in kept.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    for secret, certificate in _NAMED_FILE.findall(text):
        path = folder / (secret or certificate)
        if path.is_relative_to(folder) and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            account = {"client_email": "x@example", "private_key": "x", "token_uri": "https://example"}
            path.write_text(json.dumps(account) if path.suffix == ".json" else "stand-in\n", encoding="utf-8")


def _profile_faults(tree: dict[str, Any]) -> list[str]:
    try:
        compile_profiles(BUILT_IN, [ProfileDocument(tree.get("name", "unnamed"), "block", tree)])
    except ProfileError as error:
        return [str(fault) for fault in error.faults]
    return []


# --- commands ------------------------------------------------------------------------------------------


def _shell_faults(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        words = _words(line)
        for index, word in enumerate(words):
            if Path(word).name == "routecodex" and word in ("routecodex", ".venv/bin/routecodex"):
                yield from _command_faults(words[index + 1 :])
            elif word == "nox" and "-s" in words[index:]:
                session = words[words.index("-s", index) + 1]
                if session not in sessions():
                    yield f"there is no nox session {session}"


def _words(line: str) -> list[str]:
    line = line.removeprefix("$ ").replace('"$(', " ").replace(')"', " ; ")
    try:
        found = shlex.split(line, comments=True)
    except ValueError:
        return []
    stops = [index for index, word in enumerate(found) if word in ("|", "&&", ";", ">")]
    return [word for index, word in enumerate(found) if not stops or index < stops[0] or "&&" in found]


def _command_faults(words: list[str]) -> Iterator[str]:
    command: Any = typer.main.get_command(app)
    names: list[str] = []
    own = words[: words.index("--")] if "--" in words else words
    for word in own:
        if word in ("&&", "|", ";"):
            break
        inner = getattr(command, "commands", None)
        if inner is not None and not word.startswith("-"):
            names.append(word)
            if word not in inner:
                yield f"there is no command routecodex {' '.join(names)}"
                return
            command = inner[word]
        elif word.startswith("-") and word not in ("-h", "--help"):
            options = {option for each in command.params for option in each.opts}
            if word.partition("=")[0] not in options:
                yield f"routecodex {' '.join(names)} has no option {word}"


@cache
def sessions() -> frozenset[str]:
    """Names of the nox sessions."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and any("session" in ast.unparse(each) for each in node.decorator_list)
    )


def main() -> int:
    """The command; see the module's docstring. It takes no arguments and writes nothing."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.docs.pages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    found = faults(files())
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
