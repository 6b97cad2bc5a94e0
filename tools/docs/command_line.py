"""The command line: every command with its arguments, options and exit codes, asked of the typer application."""

from __future__ import annotations

import enum
from typing import Any, Final, get_args

import typer
from tools.docs.source import module_doc, modules
from tools.docs.text import code, literal, table

from routecodex.cli import failures
from routecodex.cli.application import app

TITLE: Final = "Command line"
SOURCES: Final = ("src/routecodex/cli/application.py",)

_EXIT_CODES: Final = (
    (0, "done"),
    (2, "the command line itself is wrong"),
    (
        failures.EXIT_INTERNAL,
        "a fault of our own; a rollback that no worker could be brought to; a ledger that is not whole",
    ),
    (
        failures.EXIT_TEMPORARY,
        "not now: no gateway answers, a port is taken, a file cannot be written, a change waits, `doctor` found faults",
    ),
    (failures.EXIT_CONFIGURATION, "the configuration, or a value for it, is wrong"),
    (failures.EXIT_NOT_FOUND, "`run`: the client is not installed"),
    (130, "interrupted"),
)

_EXPLAINED: Final = ("init", "models", "env", "run", "doctor", "rollback", "status")
"""Commands whose module says more that users want to know."""


def page() -> str:
    """The page's body."""
    group: Any = typer.main.get_command(app)
    parts = [
        (
            "`routecodex COMMAND --help` says the same. With `--json` a command answers in JSON on its standard "
            "output, failures included."
        ),
    ]
    for name, command in group.commands.items():
        parts += _command(f"routecodex {name}", command, name)
    parts += [
        "## Exit codes",
        table(("code", "meaning"), [(code(str(number)), told) for number, told in _EXIT_CODES]),
        "## Environment",
        table(
            ("variable", "meaning"),
            [
                (code("ROUTECODEX_CONFIG"), "configuration file, where `--config` names none"),
                (
                    code("ROUTECODEX_HOME"),
                    "folder for configuration, state, logs and pid files; default `~/.routecodex`",
                ),
                (code("ROUTECODEX_FORCE_STABLE"), "see [switches](switches.md)"),
                (code("ROUTECODEX_DEBUG"), "`1`: a fault of our own shows its traceback"),
                (
                    code("ROUTECODEX_A__B"),
                    "overrides `a.b` of the configuration; see [configuration](configuration.md)",
                ),
            ],
        ),
    ]
    return "\n\n".join(parts)


def _command(title: str, command: Any, name: str) -> list[str]:
    inner = getattr(command, "commands", None)
    parts = [f"## {code(title)}", command.help or ""]
    if inner is not None:
        for below, each in inner.items():
            parts += [part.replace("## ", "### ", 1) for part in _command(f"{title} {below}", each, below)]
        return parts
    about = f"routecodex/cli/{name}.py"
    if about in modules() and name in _EXPLAINED:
        rest = module_doc(about).split("\n\n")[1:]
        parts += [" ".join(paragraph.split()) for paragraph in rest[:1]]
    rows = [_row(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
    if rows:
        parts.append(table(("argument or option", "value", "default", "meaning"), rows))
    return parts


def _row(parameter: Any) -> tuple[str, str, str, str]:
    names = parameter.opts if parameter.opts[0].startswith("-") else [parameter.name.upper()]
    default = parameter.default
    flag = getattr(parameter, "is_flag", False)
    shown = "required" if parameter.required else "" if flag or default is None else _plain(default)
    return ", ".join(code(name) for name in names), "" if flag else _kind(parameter), shown, parameter.help or ""


def _kind(parameter: Any) -> str:
    kind = parameter.type_descriptor.annotation
    kind = next((each for each in get_args(kind) if each is not type(None)), kind)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return ", ".join(code(str(member.value)) for member in kind)
    name = {"int": "whole number", "float": "number", "str": "text", "Path": "file"}.get(kind.__name__, kind.__name__)
    low, high = parameter.min, parameter.max
    if low is not None and high is not None:
        return f"{name}, {low} to {high}"
    return f"{name}, {low} or more" if low is not None else name


def _plain(value: Any) -> str:
    return literal(value.value if isinstance(value, enum.Enum) else value).replace('"', "")
