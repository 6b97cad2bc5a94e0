"""The application: its commands, and how a failure becomes an exit code."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from onepath.cli import diff, docs, exits, explain, graph, init, lint, switches, why
from onepath.config import ConfigurationError
from onepath.discover import RootError

application = typer.Typer(
    name="onepath",
    help="Architecture documentation that cannot lie, and a lint that proves there is one path.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
application.command("init")(init.init)
application.command("docs")(docs.docs)
application.command("lint")(lint.lint)
application.command("graph")(graph.graph)
application.command("why")(why.why)
application.command("switches")(switches.switches)
application.command("diff")(diff.diff)
application.command("explain")(explain.explain)


def _version(asked: bool) -> None:
    if asked:
        from onepath.cli.loading import version

        typer.echo(version())
        raise typer.Exit


@application.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Architecture documentation that cannot lie, and a lint that proves there is one path."""


def main() -> NoReturn:
    """Runs the process's command line and ends the process.

    Memory is given back by its end alone: to look for circles among millions of objects, and to free them one by one,
    takes longer than many a command.
    """
    gc.disable()
    code = run()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(code)  # nobody reads any more; Python says what is to be said of it
    os._exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line; the exit code. Never raises."""
    try:
        code = application(args=list(arguments) if arguments is not None else None, standalone_mode=False)
    except (exits.UsageError, ConfigurationError, RootError) as error:
        sys.stderr.write(f"onepath: {error}\n")
        return exits.USAGE
    except typer.Exit as leaving:
        return leaving.exit_code
    except typer.Abort:
        return 130
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.CLEAN
    except Exception as error:
        show = getattr(error, "show", None)
        if callable(show) and hasattr(error, "exit_code"):
            show()
            return exits.USAGE
        traceback.print_exc()
        sys.stderr.write("onepath: an internal error; please report it with the lines above\n")
        return exits.INTERNAL
    return code if isinstance(code, int) else exits.CLEAN
