"""What a tool call was for: coding, search, web or other, judged by names the coding agents really use.

It knows the canonical tool names of Codex, Claude Code and Gemini CLI, and the command words of shells. A shell
tool is judged by the command it ran. It must not know routes or conversations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, Literal, TypeAlias

import msgspec

Category: TypeAlias = Literal["coding", "search", "web", "other"]

CODING_TOOLS: Final = (
    # Claude Code, Codex, Gemini CLI, then names other agents share
    "edit", "multiedit", "write", "notebookedit", "str_replace_based_edit_tool", "str_replace_editor",
    "apply_patch",
    "replace", "write_file", "edit_file",
    "create_file", "insert_edit_into_file", "replace_in_file", "write_to_file", "apply_diff",
)  # fmt: skip
"""Tools that change files. Compared in lower case."""

SEARCH_TOOLS: Final = (
    "read", "grep", "glob", "ls", "notebookread",
    "view_image", "read_mcp_resource", "list_mcp_resources", "grep_files", "list_dir",
    "read_file", "read_many_files", "grep_search", "search_file_content", "list_directory",
    "search_files", "list_files", "codebase_search", "file_search",
)  # fmt: skip
"""Tools that read or look for something in the workspace."""

WEB_TOOLS: Final = (
    "websearch", "webfetch", "web_search", "web_fetch", "google_web_search",
    "url_context", "web_search_preview", "google_search", "browser_search",
)  # fmt: skip
"""Tools that look something up outside the workspace."""

SHELL_TOOLS: Final = frozenset(
    {
        "bash",
        "shell",
        "exec_command",
        "local_shell",
        "shell_command",
        "container.exec",
        "run_shell_command",
        "run_terminal_cmd",
        "execute_command",
    }
)
"""Tools whose command word says what the call was for."""

SCRIPT_TOOLS: Final = frozenset({"exec"})
"""Tools whose input is a script calling other tools as `tools.<name>(…)` (Codex with gpt-5.6 and later)."""

_CODING_WORDS: Final = frozenset(
    {"apply_patch", "applypatch", "patch", "tee", "touch", "mkdir", "mv", "cp", "rm", "ln", "chmod"}
)
_SEARCH_WORDS: Final = frozenset(
    {
        "rg", "grep", "egrep", "fgrep", "ag", "ack", "fd", "find", "cat", "bat", "head", "tail", "less", "more", "nl",
        "wc", "ls", "tree", "stat", "file", "which", "awk", "sed", "jq", "cut", "sort", "uniq", "diff", "pwd", "du",
    }
)  # fmt: skip
_WEB_WORDS: Final = frozenset({"curl", "wget", "lynx", "w3m", "http", "https", "xh"})
_GIT_READS: Final = frozenset(
    {"grep", "log", "show", "diff", "blame", "status", "ls-files", "ls-tree", "cat-file", "rev-parse"}
)
_GIT_WRITES: Final = frozenset(
    {"apply", "am", "commit", "add", "rm", "mv", "merge", "rebase", "cherry-pick", "restore", "revert"}
)
_PREFIX_WORDS: Final = frozenset({"sudo", "env", "time", "nice", "nohup", "command", "exec", "xargs", "stdbuf"})
_SHELLS: Final = frozenset({"bash", "sh", "zsh", "dash", "fish"})

_LOOK_AT: Final = 4_000
"""Characters of a command or script that are judged; the rest is a here-document or data."""

_WORD: Final = re.compile(r"""[^\s;&|()<>'"`]+|&&|\|\||[;|&<>()]+|['"][^'"]*['"]""")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_SCRIPT_CALL: Final = re.compile(
    r"""tools\.([A-Za-z_][A-Za-z0-9_]*)\(\s*(?:\{[^{}]*?\b(?:cmd|command)["']?\s*:\s*(["'`])((?:\\.|(?!\2).)*))?""",
    re.S,
)


class _ShellArguments(msgspec.Struct):
    command: Any = None
    cmd: Any = None
    script: Any = None
    action: Any = None


_decode_shell = msgspec.json.Decoder(_ShellArguments).decode


class ToolCategories:
    """Tool names -> category, compiled from lists that configuration may replace (an empty list keeps the default)."""

    __slots__ = ("_table",)

    def __init__(self, coding: Iterable[str] = (), search: Iterable[str] = (), web: Iterable[str] = ()) -> None:
        table: dict[str, Category] = {}
        for category, names, default in (
            ("search", tuple(search), SEARCH_TOOLS),
            ("web", tuple(web), WEB_TOOLS),
            ("coding", tuple(coding), CODING_TOOLS),
        ):
            for name in names or default:
                table[name.lower()] = category  # type: ignore[assignment]
        self._table = table

    def of_name(self, name: str) -> Category | None:
        """The category the name alone tells; None for a shell or an unknown tool."""
        return self._table.get(name.lower())

    def of_call(self, name: str, arguments: str) -> Category:
        """The category of one call. `arguments` is JSON text, or free text for a custom tool."""
        known = self.of_name(name)
        if known is not None:
            return known
        lowered = name.lower()
        if lowered in SHELL_TOOLS:
            return self.of_command(_command_of(arguments))
        if lowered in SCRIPT_TOOLS:
            return self._of_script(arguments)
        return "other"

    def of_command(self, command: str) -> Category:
        """The category of a shell command line: of its first command that is not a change of folder or a wrapper."""
        words = _WORD.findall(command[:_LOOK_AT])
        at = 0
        while at < len(words):
            word = words[at]
            if word == "cd":
                at = _after_separator(words, at)
                continue
            if word in _PREFIX_WORDS or _ASSIGNMENT.match(word) or not (word[0].isalnum() or word[0] in "./_~"):
                at += 1
                continue
            if word == "timeout":
                at += 2
                continue
            if word.rsplit("/", 1)[-1] in _SHELLS and at + 2 < len(words) and words[at + 1].startswith("-"):
                return self.of_command(words[at + 2].strip("'\""))
            return _of_words(words[at:])
        return "other"

    def _of_script(self, script: str) -> Category:
        """The last tool a Codex script calls decides, as the last of parallel calls would."""
        category: Category = "other"
        for called in _SCRIPT_CALL.finditer(script[:_LOOK_AT]):
            name, _, command = called.groups()
            if name.lower() in SHELL_TOOLS:
                category = self.of_command(command or "")
            else:
                category = self.of_name(name) or "other"
        return category


def _after_separator(words: list[str], at: int) -> int:
    while at < len(words) and words[at] not in {"&&", "||", ";", "|"}:
        at += 1
    return at + 1


def _of_words(words: list[str]) -> Category:
    """Judge one command by its word and the few flags that turn a reader into a writer."""
    word = words[0].rsplit("/", 1)[-1].lower()
    mine = words[1 : _after_separator(words, 0) - 1]
    if word == "git":
        verb = _git_verb(mine)
        return "search" if verb in _GIT_READS else "coding" if verb in _GIT_WRITES else "other"
    if word in _CODING_WORDS or (word in {"sed", "perl"} and any(each.startswith(("-i", "-pi")) for each in mine)):
        return "coding"
    if word in {"cat", "echo", "printf"} and _writes_a_file(mine):
        return "coding"
    if word in _SEARCH_WORDS:
        return "search"
    return "web" if word in _WEB_WORDS else "other"


def _git_verb(words: list[str]) -> str:
    """The sub-command behind git's own options, of which `-C` and `-c` take a value."""
    skip = False
    for word in words:
        if skip or word.startswith("-"):
            skip = word in {"-C", "-c"}
            continue
        return word
    return ""


def _writes_a_file(words: list[str]) -> bool:
    """Whether standard output is redirected to something worth keeping."""
    for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False):
        if word in {">", ">>"} and before != "2" and after != "/dev/null":
            return True
    return False


def _command_of(arguments: str) -> str:
    """The command line inside a shell call's arguments: a string, or an argv such as `["bash", "-lc", "rg x"]`."""
    try:
        decoded = _decode_shell(arguments)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return ""
    command = decoded.command if decoded.command is not None else decoded.cmd
    if command is None:
        command = decoded.script
    if command is None and isinstance(decoded.action, dict):
        command = decoded.action.get("command")
    if isinstance(command, str):
        return command
    if isinstance(command, list):
        argv = [word for word in command if isinstance(word, str)]
        if len(argv) >= 3 and argv[0].rsplit("/", 1)[-1] in _SHELLS:
            return argv[-1]
        return " ".join(argv[:64])
    return ""
