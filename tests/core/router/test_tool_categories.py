from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmswitch_core.router.tool_categories import ToolCategories

CATEGORIES = ToolCategories()
CLIENTS = Path(__file__).parents[2] / "data" / "clients"


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("Edit", "coding"),
        ("Write", "coding"),
        ("NotebookEdit", "coding"),
        ("apply_patch", "coding"),
        ("replace", "coding"),
        ("write_file", "coding"),
        ("Read", "search"),
        ("Grep", "search"),
        ("Glob", "search"),
        ("grep_search", "search"),
        ("search_file_content", "search"),
        ("read_file", "search"),
        ("list_directory", "search"),
        ("WebSearch", "web"),
        ("WebFetch", "web"),
        ("google_web_search", "web"),
        ("web_fetch", "web"),
        ("get_weather", "other"),
        ("Agent", "other"),
        ("TaskCreate", "other"),
    ],
)
def test_agents_tools_are_judged_by_name(name: str, category: str) -> None:
    assert CATEGORIES.of_call(name, "{}") == category


@pytest.mark.parametrize(
    ("command", "category"),
    [
        ("rg -n needle src", "search"),
        ("/usr/bin/grep needle file", "search"),
        ("cd /workspace && cat README.md", "search"),
        ("sed -n 1,40p file.py", "search"),
        ("cat missing 2>/dev/null", "search"),
        ("cat big | head", "search"),
        ("git -C repo log --oneline", "search"),
        ("(cd a; ls)", "search"),
        ("sudo find . -name '*.py'", "search"),
        ("bash -lc 'rg needle'", "search"),
        ("apply_patch <<'EOF'\n*** Begin Patch", "coding"),
        ("cat > new.py <<'EOF'\nprint()\nEOF", "coding"),
        ("echo hi >> notes.txt", "coding"),
        ("sed -i 's/a/b/' file.py", "coding"),
        ("git commit -m 'rg'", "coding"),
        ("curl -s https://example.com", "web"),
        ("FOO=1 timeout 60 pytest -q", "other"),
        ("npm test", "other"),
        ("echo hello-from-tool", "other"),
        ("echo rg", "other"),
        ("echo x 2>&1 > /dev/null", "other"),
        ("", "other"),
        (";;;", "other"),
        ("git", "other"),
    ],
)
def test_a_shell_command_is_judged_by_its_command_word(command: str, category: str) -> None:
    assert CATEGORIES.of_command(command) == category
    assert CATEGORIES.of_call("Bash", json.dumps({"command": command})) == category
    assert CATEGORIES.of_call("exec_command", json.dumps({"cmd": command})) == category
    assert CATEGORIES.of_call("run_shell_command", json.dumps({"command": command, "description": "rg"})) == category


def test_an_argv_is_judged_by_the_script_its_shell_runs() -> None:
    assert CATEGORIES.of_call("shell", '{"command":["bash","-lc","cd src && rg needle"]}') == "search"
    assert CATEGORIES.of_call("shell", '{"command":["apply_patch","*** Begin Patch"]}') == "coding"
    assert CATEGORIES.of_call("local_shell", '{"action":{"type":"exec","command":["ls","-la"]}}') == "search"


def test_a_codex_script_is_judged_by_the_last_tool_it_calls() -> None:
    script = 'const r = await tools.exec_command({cmd: "rg needle"}); text(r.output);'
    assert CATEGORIES.of_call("exec", script) == "search"
    assert CATEGORIES.of_call("exec", script + ' await tools.apply_patch("*** Begin Patch")') == "coding"
    assert CATEGORIES.of_call("exec", "text('nothing called')") == "other"


@pytest.mark.parametrize("arguments", ["", "{", "[]", "null", '{"command":5}', '{"command":[1,null]}', "\ud800"])
def test_arguments_that_make_no_sense_are_other(arguments: str) -> None:
    assert CATEGORIES.of_call("Bash", arguments) == "other"


def test_a_configured_list_replaces_the_built_in_one() -> None:
    own = ToolCategories(coding=["my_editor"])
    assert own.of_call("MY_EDITOR", "{}") == "coding"
    assert own.of_call("Edit", "{}") == "other"
    assert own.of_call("Read", "{}") == "search"


def test_file_and_web_tools_that_real_clients_declare_have_a_category() -> None:
    """Every such tool in the recorded requests, so that a renamed one is noticed when the recordings are renewed."""
    declared = {name for client in ("claude", "codex", "gemini") for name in _declared_tools(client)}
    judged = {name: CATEGORIES.of_name(name) for name in declared}
    assert {name for name, category in judged.items() if category == "coding"} == {
        "Edit",
        "NotebookEdit",
        "Write",
        "apply_patch",
        "replace",
        "write_file",
    }
    assert {name for name, category in judged.items() if category == "web"} == {
        "WebFetch",
        "WebSearch",
        "google_web_search",
        "web_fetch",
        "web_search",
    }
    assert {name for name, category in judged.items() if category == "search"} == {
        "Read",
        "glob",
        "grep_search",
        "list_directory",
        "read_file",
        "view_image",
    }


def _declared_tools(client: str) -> set[str]:
    names: set[str] = set()
    for path in sorted((CLIENTS / client).glob("[0-9]*.json")):
        _collect(json.loads(path.read_text(encoding="utf-8")).get("tools") or [], names)
    return names


def _collect(tools: list[dict[str, Any]], names: set[str]) -> None:
    for tool in tools:
        inner = tool.get("functionDeclarations") or tool.get("tools")
        if inner:
            _collect(inner, names)
        else:
            names.add(tool.get("name") or tool["type"])
