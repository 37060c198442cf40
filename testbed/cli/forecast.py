"""`testbed forecast`: what a population of any size does after the alias has moved."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from testbed.cli import options
from testbed.printing import echo, echo_json


class _Count(click.ParamType[int]):
    """A whole number, which may be written as Python and people do: 2_000_000 or 2,000,000."""

    name = "number"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        digits = str(value).replace("_", "").replace(",", "")
        if not digits.isascii() or not digits.isdecimal() or len(digits) > 18:
            self.fail(f"{value!r} is not a whole number such as 2_000_000.", param, ctx)
        return int(digits)


class _Finite(click.FloatRange):
    """A number; `nan` is neither below nor above a bound."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


@click.command()
@options.SCENARIO
@click.option("--clients", type=_Count(), default=1_000_000, show_default=True, help="How many call, in all.")
@click.option(
    "--population",
    type=options.InputPath(),
    help="A TOML or JSON file that says who calls, or - for standard input; default: the scenario's clients.",
)
@click.option(
    "--requests-every",
    type=_Finite(0.01, 86_400),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Between two requests of a client whose part of the population does not say.",
)
@click.option(
    "--bytes",
    "size",
    type=_Finite(0, 1e12),
    default=2000.0,
    show_default=True,
    help="Of a request and its answer together.",
)
@click.option(
    "--rules", type=click.IntRange(0, 1000), default=10, show_default=True, help="Rules of the new listener."
)
@click.option(
    "--output", "-o", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Format."
)
def forecast(
    scenario: str,
    clients: int,
    population: Path | None,
    requests_every: float,
    size: float,
    rules: int,
    output: str,
) -> int:
    """Forecast the move of a population that no machine can play.

    SCENARIO gives the connection age at the targets and who calls. Printed is how the old balancer empties,
    who never leaves it, how the new one fills, and whether capacity should be reserved before the move. No
    packet is sent.
    """
    import orjson

    from testbed.client_models import DEFAULT_POPULATION, Population
    from testbed.errors import ExitCode
    from testbed.forecast import Circumstances, forecast_text
    from testbed.forecast import forecast as forecast_of
    from testbed.rehearsal.script import load

    story = load(scenario)
    read = Population.read(population) if population else story.clients
    found = forecast_of(
        read or DEFAULT_POPULATION,
        clients,
        Circumstances(story.connection_age, requests_every, size, rules),
    )
    if output == "json":
        echo_json(orjson.dumps(forecast_text.as_json(found), option=orjson.OPT_INDENT_2))
    else:
        if not read:
            echo("The scenario names no clients, so these are assumed:")
        echo("\n".join(forecast_text.lines(found)))
    return ExitCode.PASS
