"""The options that commands share: where a value comes from, and what the help shows of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from testbed.cli import options
from testbed.cli.options import remember_pyproject
from testbed.errors import BadInput
from testbed.releases import Named

SPELLINGS = ("option", "environment", "pyproject.toml")


@click.group()
@click.pass_context
def cli(context: click.Context) -> None:
    remember_pyproject(context, context.obj or {})


@cli.group()
def inner() -> None:
    """Subcommands find the table, too."""


@inner.command()
@options.SCENARIO
@options.SPEED
@options.external_dns("--version")
@options.lb_controller()
@options.NETWORK
@options.KEEP
@click.pass_context
def shown(context: click.Context, **chosen: Any) -> None:
    context.find_root().obj["chosen"] = chosen


def chosen(
    *arguments: str, environment: Mapping[str, str] | None = None, table: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    known = dict(table or {})
    result = CliRunner().invoke(
        cli, ["inner", "shown", *arguments], obj=known, env=environment, catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = known["chosen"]
    return found


def test_option_then_environment_then_pyproject_then_default_wins() -> None:
    given = {"environment": {"TESTBED_SPEED": "2"}, "table": {"speed": 3}}
    assert chosen("--speed", "1", **given)["speed"] == 1
    assert chosen(**given)["speed"] == 2
    assert chosen(table=given["table"])["speed"] == 3
    assert chosen()["speed"] == 60


def test_the_scenario_and_switches_may_stand_in_pyproject() -> None:
    found = chosen(table={"scenario": "here", "keep": True})
    assert (found["scenario"], found["keep"]) == ("here", True)
    assert chosen("there", table={"scenario": "here"})["scenario"] == "there"


@pytest.mark.parametrize(
    ("place", "by"),
    [
        ({}, "--external-dns"),
        ({"environment": {"TESTBED_EXTERNAL_DNS": "v0.22"}}, "TESTBED_EXTERNAL_DNS"),
        ({"table": {"external_dns": "v0.22"}}, "pyproject.toml: [tool.testbed] external-dns"),
    ],
    ids=SPELLINGS,
)
def test_a_release_knows_who_named_it(place: Mapping[str, Any], by: str) -> None:
    arguments = () if place else ("--external-dns", "v0.22")
    assert chosen(*arguments, **place)["external_dns"] == Named("v0.22", by)


def test_without_a_name_the_release_is_left_open() -> None:
    found = chosen()
    assert (found["external_dns"], found["lb_controller"]) == (None, None)


@pytest.mark.parametrize("spelling", [["--version", "v0.7.5"], ["--version=v0.7.5"]])
def test_an_older_name_still_works_and_the_help_does_not_list_it(spelling: list[str]) -> None:
    assert chosen(*spelling)["external_dns"] == Named("v0.7.5", "--external-dns")
    text = CliRunner().invoke(cli, ["inner", "shown", "--help"]).output
    assert "--external-dns RELEASE" in text
    assert "--version" not in text


@pytest.mark.parametrize(("option", "tag"), [("--external-dns", "v0.13.3"), ("--lb-controller", "v2.18")])
def test_a_release_that_never_existed_is_refused_before_the_command_runs(option: str, tag: str) -> None:
    with pytest.raises(BadInput, match=rf"{option}: there is no .* {tag}; use "):
        chosen(option, tag)


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "fast"])
def test_a_speed_is_a_finite_number_above_zero(value: str) -> None:
    result = CliRunner().invoke(cli, ["inner", "shown", "--speed", value], obj={})
    assert result.exit_code == 2
    assert "'--speed' (env var: 'TESTBED_SPEED')" in result.output


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"speed": [1]}, r"pyproject\.toml: \[tool\.testbed\] speed is not a text or a number"),
        ({"speed": True}, "speed is not a text or a number"),
        ({"external_dns": {"a": 1}}, "external-dns is not a text or a number"),
        ({"keep": "yes"}, "keep is not true or false"),
        (
            {"external_dns": -5},
            r"pyproject\.toml: \[tool\.testbed\] external-dns: '-5' is not a release of ExternalDNS",
        ),
        ({"speed": "fast"}, r"^pyproject\.toml: \[tool\.testbed\] speed: 'fast' is not a valid float range"),
        ({"network": "10.0.0.0/16"}, r"pyproject\.toml: \[tool\.testbed\] network: .* is not a /16 of 127"),
    ],
)
def test_a_setting_of_the_wrong_type_is_one_line(table: Mapping[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        chosen(table=table)


def test_a_network_is_read_as_one() -> None:
    assert str(chosen("--network", "127.9.0.0/16")["network"]) == "127.9.0.0/16"
    result = CliRunner().invoke(cli, ["inner", "shown", "--network", "10.0.0.0/16"], obj={})
    assert "is not a /16 of 127.0.0.0/8" in result.output


ZONE = """{"ResourceRecordSets": [{"Name": "example.com.", "Type": "SOA", "TTL": 900,
  "ResourceRecords": [{"Value": "ns. admin. 1 7200 900 1209600 86400"}]}]}"""
ACCEPTED = '[[accept]]\nrule = "capitals-in-host"\nreason = "we know"\nfiles = "web.yaml"\n'
CLIENTS = '{"clients": {"grpcio": 1.0}}'
SERVICE = """{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
  "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}"""


@pytest.mark.parametrize(
    ("arguments", "text", "code"),
    [
        (("check", "web.yaml", "--zone", "-"), ZONE, 0),
        (("check", "web.yaml", "--accept", "-"), ACCEPTED, 1),
        (
            ("dns", "plan", "--manifests", "web.yaml", "--zone", "-", "--source=service", "--policy=sync"),
            ZONE,
            0,
        ),
        (("lb", "diff", "-", "web.yaml"), SERVICE, 0),
        (("forecast", "--population", "-"), CLIENTS, 0),
        (("check", "-", "--zone", "-"), ZONE, 2),
        (("lb", "diff", "-", "-"), SERVICE, 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_one_file_of_a_command_may_come_from_standard_input(
    tmp_path: Path, arguments: tuple[str, ...], text: str, code: int
) -> None:
    (tmp_path / "web.yaml").write_text(SERVICE)
    run = [sys.executable, "-m", "testbed", *arguments]
    done = subprocess.run(run, input=text, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert ("standard input can be read once: only one path may be -" in done.stderr) is (code == 2)
