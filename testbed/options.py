"""How a run was asked for: flags, then environment, then `[tool.testbed]`, then the defaults.

Every flag `--some-thing` is also `TESTBED_SOME_THING` in the environment and `some-thing` in the table
`[tool.testbed]` of the `pyproject.toml` in the working directory. The first that is given wins, in the
order flag, environment, `pyproject.toml`, default.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from testbed.errors import BadInput, Location
from testbed.network import Network
from testbed.settings import DEFAULT_RATE, DEFAULT_SPEED

EXTERNAL_DNS_VERSIONS = ("v0.7.4", "v0.7.5", "v0.22")
DEFAULT_SCENARIO = "scenarios/zozomat"
ON_THIS_MACHINE, ON_COMPOSE = "processes", "compose"

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run was asked to be; `network` None takes the first free one."""

    scenario: str = DEFAULT_SCENARIO
    speed: float = DEFAULT_SPEED
    rate: float = DEFAULT_RATE
    external_dns: str = EXTERNAL_DNS_VERSIONS[0]
    report: Path = Path("report")
    seed: int = 1
    keep: bool = False
    environment: Path | None = None
    empty: bool = False
    network: Network | None = None
    privileged_ports: bool = False
    on: str = ON_THIS_MACHINE


class _Positive(click.FloatRange):
    """A finite number greater than nought."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

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


def _option(flag: str, **attributes: Any) -> Callable[[Command], Command]:
    variable = "TESTBED_" + flag.lstrip("-").split("/")[0].upper().replace("-", "_")
    return click.option(flag, envvar=variable, show_envvar=True, show_default=True, **attributes)


SPEED = _option(
    "--speed",
    type=_Positive(),
    default=DEFAULT_SPEED,
    help="Production seconds that pass in one second.",
)
RATE = _option("--rate", type=_Positive(), default=DEFAULT_RATE, help="Requests per second.")
EXTERNAL_DNS = _option(
    "--external-dns",
    type=click.Choice(EXTERNAL_DNS_VERSIONS),
    default=EXTERNAL_DNS_VERSIONS[0],
    help="Decide as this version of ExternalDNS does.",
)
REPORT = _option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("report"),
    help="Folder for the journal and the reports.",
)
SEED = _option("--seed", type=int, default=1, help="Of everything random: same seed, same dice.")
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
    type=click.Choice((ON_THIS_MACHINE, ON_COMPOSE)),
    default=ON_THIS_MACHINE,
    help="Play it on local processes, or on the containers that docker compose keeps up.",
)
PRIVILEGED_PORTS = _option(
    "--privileged-ports",
    is_flag=True,
    default=False,
    help="Bind 443, 80 and 53 as they are (needs the right to).",
)


def from_pyproject(known: Collection[str], folder: Path | None = None) -> Mapping[str, Any]:
    """The table `[tool.testbed]` of the folder's `pyproject.toml`, as parameter names and values.

    Raises:
        BadInput: the file is no TOML, or the table has a key that is no flag.
    """
    path = (folder or Path.cwd()) / "pyproject.toml"
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text).get("tool", {}).get("testbed", {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        line = re.search(r"line (\d+)", str(error))
        raise BadInput(
            f"cannot be read: {error}", where=Location(path, int(line[1]) if line else None)
        ) from None
    found = {str(key).replace("-", "_"): value for key, value in table.items()}
    for key in table:
        if str(key).replace("-", "_") not in known:
            flags = ", ".join(sorted(name.replace("_", "-") for name in known))
            raise BadInput(
                f"[tool.testbed] has no setting {key!r}",
                where=Location(path, _line_of(str(key), text)),
                do=f"it knows {flags}",
            )
    return found


def _line_of(key: str, text: str) -> int | None:
    pattern = re.compile(rf"^\s*[\"']?{re.escape(key)}[\"']?\s*=")
    for number, line in enumerate(text.splitlines(), start=1):
        if pattern.match(line):
            return number
    return None
