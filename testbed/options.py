"""The options of a run as a value, and the table `[tool.testbed]` that may set them.

Every option `--some-thing` is also `TESTBED_SOME_THING` in the environment and `some-thing` in the table
`[tool.testbed]` of the `pyproject.toml` in the working directory. The first that is set wins, in the order
option, environment, `pyproject.toml`, default. `testbed.cli.options` has the options of the command line.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.errors import BadInput, Location
from testbed.network import Network
from testbed.releases import Named
from testbed.settings import DEFAULT_RATE, DEFAULT_SPEED

DEFAULT_SCENARIO = "scenarios/zozomat"
ON_THIS_MACHINE, ON_COMPOSE = "processes", "compose"
RUNTIMES = (ON_THIS_MACHINE, ON_COMPOSE)
"""What `--on` takes; `testbed.runtime.running` starts each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a run.

    Attributes:
        external_dns, lb_controller: the releases that a person names; None leaves the choice to the manifests
            and the scenario.
        chaos: the seed that draws faults; None for none besides the scenario's own.
        network: None for the first free one.
        live, open: whether a page shows the run, and whether a browser opens it.
    """

    scenario: str = DEFAULT_SCENARIO
    speed: float = DEFAULT_SPEED
    rate: float = DEFAULT_RATE
    external_dns: Named | str | None = None
    lb_controller: Named | str | None = None
    report: Path = Path("report")
    seed: int = 1
    chaos: int | None = None
    keep: bool = False
    environment: Path | None = None
    empty: bool = False
    network: Network | None = None
    privileged_ports: bool = False
    on: str = ON_THIS_MACHINE
    live: bool = False
    open: bool = False

    def command(self, external_dns: str, lb_controller: str) -> str:
        """Return the command that plays the same again, whatever the environment and `pyproject.toml` say.

        Args:
            external_dns, lb_controller: the releases that were played; "" if there was none.
        """
        words = [
            "testbed",
            "rehearse",
            self.scenario,
            "--speed",
            f"{self.speed:g}",
            "--rate",
            f"{self.rate:g}",
        ]
        words += ["--seed", str(self.seed)]
        words += [] if self.chaos is None else ["--chaos", str(self.chaos)]
        for option, release in (("--external-dns", external_dns), ("--lb-controller", lb_controller)):
            words += [option, release] if release else []
        words += ["--on", self.on] if self.on != ON_THIS_MACHINE else []
        return shlex.join(words)


SETTINGS = frozenset({*Options.__dataclass_fields__, "thresholds"})
"""The keys of `[tool.testbed]`, with underscores."""


def from_pyproject(known: Collection[str], folder: Path | None = None) -> Mapping[str, Any]:
    """Return the table `[tool.testbed]` of the folder's `pyproject.toml`, with underscores in its keys.

    Args:
        known: the keys that the table may have, with underscores.
        folder: None for the working directory.

    Raises:
        BadInput: the file is not TOML, or the table has an unknown key; with file and line.
    """
    path = (folder or Path.cwd()) / "pyproject.toml"
    try:
        text = path.read_text(encoding="utf-8")
        tools = tomllib.loads(text).get("tool", {})
        table = tools.get("testbed", {}) if isinstance(tools, dict) else {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        # tomllib has the line in its message only, until Python 3.14.
        line = re.search(r"line (\d+)", str(error))
        raise BadInput(
            f"cannot be read: {error}", where=Location(path, int(line[1]) if line else None)
        ) from None
    if not isinstance(table, dict):
        raise BadInput("[tool.testbed] is not a table", where=Location(path, _line_of("testbed", text)))
    settings = {key.replace("-", "_"): value for key, value in table.items()}
    for key in table:
        if key.replace("-", "_") not in known:
            names = ", ".join(sorted(name.replace("_", "-") for name in known))
            raise BadInput(
                f"[tool.testbed] has no setting {key!r}",
                where=Location(path, _line_of(key, text)),
                do=f"it knows {names}",
            )
    return settings


def _line_of(key: str, text: str) -> int | None:
    pattern = re.compile(rf"^\s*[\"']?{re.escape(key)}[\"']?\s*=")
    for number, line in enumerate(text.splitlines(), start=1):
        if pattern.match(line):
            return number
    return None
