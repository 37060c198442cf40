"""The options that several commands share, as decorators: option, environment, `pyproject.toml`, default."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from testbed import releases
from testbed.errors import BadInput, Location
from testbed.network import Network
from testbed.options import DEFAULT_SCENARIO, ON_THIS_MACHINE, RUNTIMES
from testbed.real_controllers.named_release import named_release
from testbed.releases import Controller, Named
from testbed.settings import DEFAULT_RATE, DEFAULT_SPEED

Command = TypeVar("Command", bound=Callable[..., Any])

_TABLE = "testbed.pyproject"
_READS_STANDARD_INPUT = "testbed.reads_standard_input"
_PYPROJECT = Location(Path("pyproject.toml"))


class InputPath(click.Path):
    """A path that is read; `-` is standard input, which one path of a command line may be."""

    def __init__(self, *, exists: bool = True, folders: bool = False) -> None:
        """Take a file, and with `folders` also a folder of manifests, whose readers know `-` themselves."""
        super().__init__(exists=exists, dir_okay=folders, allow_dash=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path.

        Raises:
            click.BadParameter: it does not exist, or is a second `-`.
        """
        if str(value) != "-" or ctx is None:
            return super().convert(value, param, ctx)
        if ctx.meta.setdefault(_READS_STANDARD_INPUT, False):
            self.fail("standard input can be read once: only one path may be -.", param, ctx)
        ctx.meta[_READS_STANDARD_INPUT] = True
        return Path("-") if self.dir_okay else Path("/dev/stdin")


def remember_pyproject(context: click.Context, table: Mapping[str, Any]) -> None:
    """Let the options of all commands below `context` find the table of the `pyproject.toml`."""
    context.meta[_TABLE] = table


# Not click's `default_map`: it has to name every command with its subcommands.
def _in_pyproject(
    parameter: click.Parameter, ctx: click.Context, value: Any, source: ParameterSource
) -> tuple[Any, ParameterSource]:
    table = ctx.meta.get(_TABLE, {})
    if source is not ParameterSource.DEFAULT or parameter.name not in table:
        return value, source
    value = table[parameter.name]
    is_switch = isinstance(parameter, click.Option) and parameter.is_flag
    if isinstance(value, bool) != is_switch or not isinstance(value, str | int | float):
        kind = "true or false" if is_switch else "a text or a number"
        raise BadInput(f"{_key(parameter)} is not {kind}", where=_PYPROJECT)
    # As text, which click parses and refuses as it does the value of an option.
    return value if is_switch else str(value), ParameterSource.DEFAULT_MAP


def _blamed(parameter: click.Parameter, ctx: click.Context, process: Callable[[], Any]) -> Any:
    """Process a value; a wrong one of `pyproject.toml` is that file's fault, and no option's."""
    try:
        return process()
    except click.BadParameter as error:
        if ctx.get_parameter_source(parameter.name or "") is not ParameterSource.DEFAULT_MAP:
            raise
        raise BadInput(f"{_key(parameter)}: {error.message}", where=_PYPROJECT) from None


def _key(parameter: click.Parameter) -> str:
    return f"[tool.testbed] {(parameter.name or '').replace('_', '-')}"


class _Setting(click.Option):
    """An option that `pyproject.toml` may set; `aliases` are older names, which the help does not list."""

    def __init__(self, *args: Any, aliases: tuple[str, ...] = (), **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self._aliases = aliases

    # click's help lists every name of an option, so the older ones are made known to the parser alone.
    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        super().add_to_parser(parser, ctx)
        if self._aliases:
            parser.add_option(obj=self, opts=self._aliases, dest=self.name, action="store", nargs=1)

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        return _in_pyproject(self, ctx, *super().consume_value(ctx, opts))

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        return _blamed(self, ctx, lambda: super(_Setting, self).process_value(ctx, value))


class _SettingArgument(click.Argument):
    """An argument that `pyproject.toml` may set."""

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        return _in_pyproject(self, ctx, *super().consume_value(ctx, opts))

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        return _blamed(self, ctx, lambda: super(_SettingArgument, self).process_value(ctx, value))


class _Positive(click.FloatRange):
    """A finite number greater than zero."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

    # float() reads "nan" and "inf", and NaN is neither below nor above a bound.
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


class _NetworkType(click.ParamType[Network]):
    name = "network"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Network:
        if isinstance(value, Network):
            return value
        try:
            return Network.parse(str(value))
        except BadInput as error:
            self.fail(str(error), param, ctx)


OF_THE_RUN = "its Deployment's, else the scenario's"
"""The default release of a command that plays a scenario."""


class _Release(click.ParamType[Named]):
    """A release of a controller, with the option, the variable or the file that names it."""

    name = "release"

    def __init__(self, controller: Controller, *, may_be_open: bool) -> None:
        self._controller, self._may_be_open = controller, may_be_open

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Named:
        if isinstance(value, Named):
            return value
        # click notes where a value comes from before it converts the value.
        source = ctx.get_parameter_source(param.name) if ctx and param and param.name else None
        named = named_release(str(value), self._controller, _named_by(self._controller.option, source))
        if not (self._may_be_open and named.tag == releases.OPEN):
            self._controller.named(named)  # refused here, before a command reads anything
        return named


def _named_by(option: str, source: ParameterSource | None) -> str:
    if source is ParameterSource.ENVIRONMENT:
        return _variable(option)
    if source is ParameterSource.DEFAULT_MAP:
        return f"pyproject.toml: [tool.testbed] {option.lstrip('-')}"
    return option


def _variable(option: str) -> str:
    return "TESTBED_" + option.lstrip("-").split("/")[0].upper().replace("-", "_")


def _option(option: str, **attributes: Any) -> Callable[[Command], Command]:
    attributes = {"show_default": True, **attributes}
    return click.option(option, cls=_Setting, envvar=_variable(option), show_envvar=True, **attributes)


def _release(
    controller: Controller, aliases: tuple[str, ...], *, text: str, default: str
) -> Callable[[Command], Command]:
    return _option(
        controller.option,
        type=_Release(controller, may_be_open=default == OF_THE_RUN),
        default=None,
        aliases=aliases,
        metavar="RELEASE",
        show_default=default or False,
        help=f"{text}: {controller.span}." if default else text,
    )


def external_dns(
    *aliases: str,
    text: str = "Decide as this release of ExternalDNS does",
    default: str = f"its Deployment's, else {releases.EXTERNAL_DNS.newest}",
) -> Callable[[Command], Command]:
    """`--external-dns`, with older names that the help does not list."""
    return _release(releases.EXTERNAL_DNS, aliases, text=text, default=default)


def lb_controller(
    *aliases: str,
    text: str = "Decide as this release of the AWS Load Balancer Controller does",
    default: str = f"its Deployment's, else {releases.LB_CONTROLLER.newest}",
) -> Callable[[Command], Command]:
    """`--lb-controller`, with older names that the help does not list."""
    return _release(releases.LB_CONTROLLER, aliases, text=text, default=default)


SCENARIO = click.argument("scenario", cls=_SettingArgument, default=DEFAULT_SCENARIO)
SPEED = _option(
    "--speed",
    type=_Positive(),
    default=DEFAULT_SPEED,
    help="Production seconds that pass in one second.",
)
RATE = _option("--rate", type=_Positive(), default=DEFAULT_RATE, help="Requests per second.")
REPORT = _option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("report"),
    help="Folder for the journal and the reports.",
)
REPORT_OF_A_JOURNAL = _option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Folder for the reports; default: that of the journal.",
)
SEED = _option("--seed", type=int, default=1, help="Seed of everything random: same seed, same dice.")
CHAOS = _option(
    "--chaos",
    type=int,
    default=None,
    help="Strike with faults that this seed draws, during the traffic: same seed, same schedule.",
)
KEEP = _option(
    "--keep", is_flag=True, default=False, help="Keep the topology running after the verdict, until Ctrl-C."
)
ENVIRONMENT = _option(
    "--environment",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Folder for a kubeconfig and an environment file, while it runs; .testbed if it is kept running.",
)
EMPTY = _option(
    "--empty",
    is_flag=True,
    default=False,
    help="Apply no manifests: backends and target Envoys only, for what you build by aws yourself.",
)
NETWORK = _option(
    "--network", type=_NetworkType(), default=None, help="Loopback /16 to use; default: the first free one."
)
ON = _option(
    "--on",
    type=click.Choice(RUNTIMES),
    default=ON_THIS_MACHINE,
    help="Play it on local processes, or on the containers that docker compose keeps up.",
)
LIVE = _option("--live", is_flag=True, default=False, help="Show it on a page of this machine while it runs.")
OPEN = _option("--open", is_flag=True, default=False, help="With --live, open the page in a browser.")
PRIVILEGED_PORTS = _option(
    "--privileged-ports",
    is_flag=True,
    default=False,
    help="Bind 443, 80 and 53 as they are (needs the right to).",
)


def together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return the options as one decorator; the help lists them in this order."""

    def decorated(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


OF_A_PLAY = together(
    *(SCENARIO, SPEED, RATE),
    external_dns(default=OF_THE_RUN),
    lb_controller(default=OF_THE_RUN),
    *(REPORT, SEED),
)
"""What `rehearse` and `walk` both take, but for where the run takes place."""
