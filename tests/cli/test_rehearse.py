"""`testbed rehearse`: what is decided before anything starts. Whole runs are in tests/e2e."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.core import ParameterSource

from testbed import machine
from testbed.cli.rehearse import _lowered, rehearse
from testbed.clock import Clock
from testbed.machine import CpuUse
from testbed.options import ON_COMPOSE, ON_THIS_MACHINE, Options
from testbed.settings import DEFAULT_RATE, lowest_rate
from tests.cli.runs import run

SCRIPT = """\
from testbed import Cutover, scenario

@scenario("A move", host="api.example.com"{more})
def move(cutover: Cutover) -> None: ...
"""


def test_a_scenario_that_cannot_be_played_leaves_the_earlier_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cutover.py").write_text(SCRIPT.format(more=', external_dns_release="v0.13.3"'))
    earlier = tmp_path / "report" / "report.html"
    earlier.parent.mkdir()
    earlier.write_text("of an earlier run")
    done = run(capsys, "rehearse", str(tmp_path / "cutover.py"), "--report", str(earlier.parent))
    assert done.code == 2
    assert "the scenario: there is no ExternalDNS v0.13.3; use v0.13.2 and v0.13.4" in done.err
    assert earlier.read_text() == "of an earlier run"


def test_a_folder_that_cannot_hold_the_report_is_exit_code_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cutover.py").write_text(SCRIPT.format(more=""))
    (tmp_path / "file").write_text("in the way")
    done = run(
        capsys, "rehearse", str(tmp_path / "cutover.py"), "--report", str(tmp_path / "file" / "report")
    )
    assert (done.code, done.err.count("\n")) == (3, 1)
    assert "name another folder with --report" in done.err


def test_every_option_is_one_of_a_run() -> None:
    assert {one.name for one in rehearse.params} == set(Options.__dataclass_fields__) - {"empty"}


@pytest.mark.parametrize(
    ("source", "rate", "on", "lowered"),
    [
        (ParameterSource.DEFAULT, DEFAULT_RATE, ON_THIS_MACHINE, lowest_rate(60.0)),
        (ParameterSource.COMMANDLINE, DEFAULT_RATE, ON_THIS_MACHINE, None),
        (ParameterSource.DEFAULT_MAP, DEFAULT_RATE, ON_THIS_MACHINE, None),
        (ParameterSource.DEFAULT, DEFAULT_RATE, ON_COMPOSE, None),
    ],
    ids=["its own", "of the command line", "of pyproject.toml", "on Compose"],
)
def test_only_a_rate_that_nobody_chose_is_lowered_on_a_busy_machine(
    source: ParameterSource, rate: float, on: str, lowered: float | None
) -> None:
    now = machine.cpu_use()
    before = CpuUse(now.at - 1.0, now.all - 2.0 * machine.cores(), now.own)
    with click.Context(rehearse) as context:
        context.set_parameter_source("rate", source)
        event = _lowered(Options(rate=rate, speed=60.0, on=on), before, Clock(60.0))
    assert (event and event.rate) == lowered
