"""The plugin, in sessions of its own: what it says without a topology, and one that plays a short one."""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path

import pytest

pytest_plugins = ("pytester",)
ROOT = Path(__file__).resolve().parents[1]
PLUGIN = "testbed.pytest_plugin"


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """A session in a process of its own; the plugin is named where it is not installed yet."""
    known = {point.value for point in importlib.metadata.entry_points(group="pytest11")}
    named = () if PLUGIN in known else ("-p", PLUGIN)
    options = (
        "-p",
        "no:cacheprovider",
        "--strict-markers",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
    )
    return pytester.runpytest_subprocess(*named, *options, *arguments)


def test_it_is_found_by_its_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"testbed": PLUGIN}


def test_markers_and_fixtures_are_known(pytester: pytest.Pytester) -> None:
    told = run(pytester, "--markers").stdout.str()
    assert "@pytest.mark.no_request_lost: " in told
    assert "@pytest.mark.testbed_rate(requests_per_second): " in told
    assert "testbed [session scope]" in run(pytester, "--fixtures").stdout.str()


def test_a_session_that_uses_no_fixture_starts_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\ndef test_quiet():\n"
        "    assert not {'testbed.commands', 'testbed.rehearsal', 'boto3', 'grpc'} & set(sys.modules)\n"
    )
    run(pytester).assert_outcomes(passed=1)


def test_without_a_scenario_the_one_line_says_what_to_do(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(testbed): ...")
    done = run(pytester)
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["no scenario: give --testbed-scenario, *"])


def test_a_scenario_that_is_not_there_is_one_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(testbed): ...")
    done = run(pytester, "--testbed-scenario", "nowhere")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*nowhere: no such scenario; *"])
    assert "Traceback" not in done.stdout.str()


def test_a_setting_that_nobody_knows_is_a_usage_error(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml("[tool.testbed]\nsped = 3\n")
    pytester.makepyfile("def test_it(testbed): ...")
    assert "pyproject.toml:2: [tool.testbed] has no setting 'sped'" in run(pytester).stdout.str()


TESTS = """
import socket
import dns.message, dns.query
import pytest
from testbed.rehearsal.conditions import active, alias_at, served_by


def test_the_nlb_has_the_name(cutover, testbed):
    cutover.wait_until(alias_at("nlb"), within=120)
    cutover.wait_until(active("nlb"), within=300)
    address, port = testbed.dns
    answer = dns.query.udp(dns.message.make_query(testbed.host, "A"), address, port=port, timeout=5)
    assert answer.answer
    assert testbed.ca_file.exists()


def test_an_expectation_that_nobody_asserts_fails_the_test(cutover):
    cutover.expect(alias_at("alb"))


@pytest.mark.no_request_lost
def test_without_traffic_there_is_nothing_to_lose(cutover): ...


@pytest.mark.testbed_rate(40)
@pytest.mark.no_request_lost
def test_traffic_flows_through_it(cutover, traffic):
    assert traffic.rate == 40
    cutover.wait_until(served_by("nlb"), within=60)
    cutover.hold(60)
    seen = traffic.counts()
    assert seen.ok > 0 and seen.served_by("nlb") > 0 and seen.served_by("alb") == 0


@pytest.mark.no_request_lost
def test_a_lost_request_fails_the_test(cutover, traffic):
    cutover.hold(20)
    cutover.delete("service/envoy")
    cutover.hold(240)


def test_aws_is_at_hand(testbed):
    import boto3
    assert testbed.environment["AWS_ENDPOINT_URL"] == testbed.aws_endpoint
"""


@pytest.mark.e2e
@pytest.mark.timeout(240)
def test_a_topology_runs_for_the_session(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml(
        f"[tool.testbed]\nspeed = 60\nrate = 60\nscenario = '{ROOT}/scenarios/zozomat'\n"
    )
    pytester.makepyfile(TESTS)
    done = run(pytester)
    text = done.stdout.str()
    outcomes = done.parseoutcomes()
    assert outcomes["passed"] == 5, text  # two of them pass, and their teardown fails
    assert outcomes["errors"] >= 3, text
    done.stdout.fnmatch_lines(["expected that the A alias points to the ALB: *"])
    done.stdout.fnmatch_lines(["no_request_lost needs the fixture traffic: *"])
    done.stdout.fnmatch_lines(["* requests failed, * ended unknown"])
    assert "test_traffic_flows_through_it: " not in text
