"""The command line: parse, call one function, turn the result into an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

from testbed import __version__, interrupts, options
from testbed.errors import ExitCode, TestbedError
from testbed.options import Options

LAZY = {
    "check": "testbed.check_cli",
    "init": "testbed.init_cli",
    "dns": "testbed.dns_cli",
    "lb": "testbed.lb_cli",
}


class _Commands(click.Group):
    """Imports the command groups of other modules only when one of their commands is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *LAZY])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in LAZY:
            return super().get_command(ctx, cmd_name)
        command = getattr(importlib.import_module(LAZY[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="testbed")
@click.pass_context
def cli(context: click.Context) -> None:
    """Rehearse an AWS NLB to ALB cutover on this machine, with real packets.

    Each option may also be set in the environment, or in [tool.testbed] of ./pyproject.toml; the order is
    option, environment, pyproject.toml, default. Exit codes: 0 pass, 1 a request was lost or an expectation
    failed, 2 bad input, 3 something is missing on this machine, 4 inconclusive, 130 interrupted.
    """
    known = {
        parameter.name or ""
        for command in (rehearse, up)
        for parameter in command.params
        if isinstance(parameter, click.Option)
    }
    table = dict(options.from_pyproject({*known, "scenario", "thresholds"}))
    table.pop("thresholds", None)  # read with their lines when a run needs them
    context.default_map = {"rehearse": table, "up": table}


@cli.command()
@click.argument("scenario", default=options.DEFAULT_SCENARIO)
@options.SPEED
@options.RATE
@options.EXTERNAL_DNS
@options.REPORT
@options.SEED
@options.KEEP
@options.ENVIRONMENT
@options.ON
@options.NETWORK
@options.PRIVILEGED_PORTS
def rehearse(**chosen: Any) -> int:
    """Play SCENARIO (a folder, a script, or SCRIPT:VARIANT) and print the verdict."""
    from testbed.commands import rehearse as play

    return play(Options(**chosen))


@cli.command()
@click.argument("scenario", default=options.DEFAULT_SCENARIO)
@options.SPEED
@options.EXTERNAL_DNS
@options.SEED
@options.ENVIRONMENT
@options.EMPTY
@options.NETWORK
@options.PRIVILEGED_PORTS
def up(**chosen: Any) -> int:
    """Start SCENARIO's topology as it stands before the cutover, and keep it until Ctrl-C."""
    from testbed.commands import up as keep_up

    return keep_up(Options(**chosen))


@cli.command()
def doctor() -> int:
    """Say what this machine has and lacks."""
    from testbed.doctor import doctor as examine

    return examine()


@cli.command()
@click.argument("journal", type=click.Path(path_type=Path))
@options.REPORT
def report(journal: Path, report: Path) -> int:
    """Read JOURNAL again and write its reports anew."""
    from testbed.commands import render

    return render(journal, report)


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `testbed`; ends the process with a documented exit code."""
    with interrupts.by_ctrl_c():
        code = _run(arguments)
    sys.exit(code)


def _run(arguments: list[str] | None) -> int:
    try:
        result = cli.main(arguments, prog_name="testbed", standalone_mode=False)
    except TestbedError as error:
        click.echo(f"testbed: {error}", err=True)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            from testbed.report.github import of_error

            click.echo(of_error(error))
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        click.echo(f"testbed: {' '.join(error.format_message().split())}", err=True)
        return ExitCode.BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        click.echo("testbed: interrupted", err=True)
        return ExitCode.INTERRUPTED
    return int(result or 0)
