"""The typer application: which commands there are, and what becomes of an error none of them foresaw.

It knows the commands' names and nothing of what they do.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import typer

from routecodex.cli import (
    baseline,
    config_changes,
    config_commands,
    doctor,
    env,
    init,
    ledger_commands,
    models,
    rollback,
    run,
    server_commands,
    service,
    start,
    status,
    stop,
    switch_commands,
    version,
)
from routecodex.cli.failures import EXIT_INTERNAL, EXIT_TEMPORARY, CommandError, tell


def _end(code: int) -> None:
    """What a command returns is the exit code."""
    raise typer.Exit(code)


app = typer.Typer(
    name="routecodex",
    result_callback=_end,
    help="An LLM gateway for coding agents.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


_COMMANDS: Final[Mapping[str, Callable[..., int]]] = {
    "init": init.init,
    "start": start.start,
    "stop": stop.stop,
    "status": status.status,
    "models": models.models,
    "env": env.env,
    "run": run.run,
    "doctor": doctor.doctor,
    "rollback": rollback.rollback,
    "version": version.version,
}
_CONFIG_COMMANDS: Final[Mapping[str, Callable[..., int]]] = {
    "check": config_commands.check,
    "show": config_commands.show,
    "schema": config_commands.schema,
    "plan": config_changes.plan,
    "apply": config_changes.apply,
    "reload": config_changes.reload,
}
_SWITCH_COMMANDS: Final[Mapping[str, Callable[..., int]]] = {
    "list": switch_commands.list_switches,
    "show": switch_commands.show,
    "explain": switch_commands.explain,
    "set": switch_commands.set_switch,
    "clear": switch_commands.clear,
}
_LEDGER_COMMANDS: Final[Mapping[str, Callable[..., int]]] = {
    "show": ledger_commands.show,
    "verify": ledger_commands.verify,
}
_SERVER_COMMANDS: Final[Mapping[str, Callable[..., int]]] = {
    "restart": server_commands.restart,
    "drain": server_commands.drain,
}
_SERVICE_COMMANDS: Final[Mapping[str, Callable[..., int]]] = {"install": service.install}
_BASELINE_COMMANDS: Final[Mapping[str, Callable[..., int]]] = {"freeze": baseline.freeze}
_PASSING_ARGUMENTS: Final = {"allow_extra_args": True, "ignore_unknown_options": True}


def _said(command: Callable[..., int]) -> str:
    """What the list of commands says of one: all of its docstring, which typer alone would cut off."""
    return " ".join((command.__doc__ or "").split())


for _name, _command in _COMMANDS.items():
    _settings = _PASSING_ARGUMENTS if _name == "run" else None
    app.command(_name, short_help=_said(_command), context_settings=_settings)(_command)

_config = typer.Typer(
    help="Check, show, plan and apply the configuration.", no_args_is_help=True, rich_markup_mode=None
)
for _name, _command in _CONFIG_COMMANDS.items():
    _config.command(_name, short_help=_said(_command))(_command)
app.add_typer(_config, name="config")

_switch = typer.Typer(help="See, explain and change the switches.", no_args_is_help=True, rich_markup_mode=None)
for _name, _command in _SWITCH_COMMANDS.items():
    _switch.command(_name, short_help=_said(_command))(_command)
app.add_typer(_switch, name="switch")

_ledger = typer.Typer(
    help="Read and verify the record of every control-plane change.", no_args_is_help=True, rich_markup_mode=None
)
for _name, _command in _LEDGER_COMMANDS.items():
    _ledger.command(_name, short_help=_said(_command))(_command)
app.add_typer(_ledger, name="ledger")

_server = typer.Typer(help="Restart or drain the running gateway.", no_args_is_help=True, rich_markup_mode=None)
for _name, _command in _SERVER_COMMANDS.items():
    _server.command(_name, short_help=_said(_command))(_command)
app.add_typer(_server, name="server")

_service = typer.Typer(help="Run the gateway as a service.", no_args_is_help=True, rich_markup_mode=None)
for _name, _command in _SERVICE_COMMANDS.items():
    _service.command(_name, short_help=_said(_command))(_command)
app.add_typer(_service, name="service")

_baseline = typer.Typer(help="What every switch is measured against.", no_args_is_help=True, rich_markup_mode=None)
for _name, _command in _BASELINE_COMMANDS.items():
    _baseline.command(_name, short_help=_said(_command))(_command)
app.add_typer(_baseline, name="baseline")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. No traceback reaches a user (ROUTECODEX_DEBUG=1 shows it)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["--version"]:
        words[0] = "version"
    own = words[: words.index("--")] if "--" in words else words
    as_json = "--json" in own
    try:
        app(args=words, prog_name="routecodex")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else EXIT_INTERNAL if end.code else 0
    except CommandError as error:
        tell(error, as_json=as_json)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        tell(_system_refused(error), as_json=as_json)
        return EXIT_TEMPORARY
    except Exception as error:
        if os.environ.get("ROUTECODEX_DEBUG"):
            raise
        cause = f"This should not have happened: {type(error).__name__} in `{' '.join(own[:2])}`."
        step = "Run it again with ROUTECODEX_DEBUG=1 and report what it prints."
        tell(CommandError(EXIT_INTERNAL, cause, step, code="internal"), as_json=as_json)
        return EXIT_INTERNAL
    return 0


def _system_refused(error: OSError) -> CommandError:
    """A file or process operation that no command foresaw: the system's own words."""
    where = f" ({error.filename})" if error.filename else ""
    return CommandError(
        EXIT_TEMPORARY,
        f"The system refused: {error.strerror or type(error).__name__}{where}.",
        "Mend that, or choose another folder with ROUTECODEX_HOME.",
        code="system",
    )
