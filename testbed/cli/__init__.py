"""The command line: parse, call one function, turn the result into an exit code."""

from __future__ import annotations

import errno
import importlib
import os
import sys
import traceback

import click

from testbed import __version__, interrupts
from testbed.errors import ExitCode, TestbedError
from testbed.printing import discard_output, echo, echo_command

COMMANDS = (
    *("check", "clients", "compare", "dns", "doctor", "explain-rule", "forecast", "init", "lb"),
    *("rehearse", "report", "up", "walk"),
)
"""Each is the function of its name in the module of its name, with `_` for `-`."""


class _Commands(click.Group):
    """Imports the module of a command only when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click calls it so
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(importlib.import_module(f"testbed.cli.{name}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="testbed")
@click.pass_context
def cli(context: click.Context) -> None:
    """Rehearse an AWS NLB to ALB cutover on this machine, with real packets.

    Each option that names its environment variable may also be set there, or in [tool.testbed] of
    ./pyproject.toml; the first of option, environment, pyproject.toml, default wins.

    Exit codes: 0 pass, 1 a request was lost or an expectation failed, 2 bad input, 3 something is missing on
    this machine, 4 inconclusive, 70 a fault of the testbed itself, 130 interrupted.
    """
    # Imported here: `testbed --version` needs none of it.
    from testbed.cli.options import remember_pyproject
    from testbed.options import SETTINGS, from_pyproject

    remember_pyproject(context, from_pyproject(SETTINGS))


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `testbed`; ends the process with a documented exit code."""
    with interrupts.by_ctrl_c():
        code = _run(arguments)
    sys.exit(code)


def _run(arguments: list[str] | None) -> int:
    try:
        # Not in click's standalone mode, which ends the process with codes of its own.
        result = cli.main(arguments, prog_name="testbed", standalone_mode=False)
    except TestbedError as error:
        echo(f"testbed: {error}", err=True)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            from testbed.report.github import of_error

            echo_command(of_error(error))
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        # Its message is the whole help, which the branch below would fold into one line. The code stays that
        # of bad input: an empty variable in a script's `testbed $COMMAND` must not pass.
        error.show()
        return ExitCode.BAD_INPUT
    except click.ClickException as error:
        echo(f"testbed: {' '.join(error.format_message().split())}", err=True)
        return ExitCode.BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        echo("testbed: interrupted", err=True)
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 the process ends with it, and says so
        return _unexpected(error)
    return int(result or 0)


_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_GONE = (errno.EPIPE, errno.EIO)
"""A pipe without a reader; a terminal that was closed."""


def _unexpected(error: Exception) -> ExitCode:
    # Commands turn errors of their own files into errors of the testbed: one without a file is the output's.
    if isinstance(error, OSError) and not error.filename:
        if error.errno in _GONE:
            discard_output(sys.stdout)
            return ExitCode.INTERRUPTED
        if error.errno in _NO_SPACE:
            discard_output(sys.stdout)
            echo(f"testbed: the output cannot be written: {error.strerror}; free some space", err=True)
            return ExitCode.MISSING
    traceback.print_exception(error)
    what = f"this is a fault of the testbed ({__version__}), not of your input"
    echo(f"testbed: {what}: please report it with the lines above and the command", err=True)
    return ExitCode.CRASH
