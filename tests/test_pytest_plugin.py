"""The plugin, in sessions of its own: what it says without a topology, and one that plays a short one."""

from __future__ import annotations

import importlib.metadata
import shutil
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from testbed import pytest_plugin
from testbed.clock import Clock
from testbed.traffic.counts import Counts
from testbed.verdict.findings import Reason
from testbed.verdict.verdict import compute
from tests.verdict.journal_changes import Change, held, nothing_due, slept
from tests.verdict.test_findings import INCONCLUSIVE

pytest_plugins = ("pytester",)
ROOT = Path(__file__).resolve().parents[1]
PLUGIN = pytest_plugin.__name__
EPOCH = 1_700_000_000.0


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


def test_the_traffic_of_a_test_counts_from_its_beginning() -> None:
    seen = [
        Counts(ok=5, failed=1, served={"nlb": 5}),
        Counts(ok=9, failed=1, unknown=2, served={"nlb": 6, "alb": 3}),
    ]
    topology: Any = SimpleNamespace(counts=lambda: seen.pop(0), clock=Clock())
    traffic = pytest_plugin.Traffic(topology, 40.0)
    counts = traffic.counts()
    assert (counts.ok, counts.failed, counts.unknown) == (4, 0, 2)
    assert (counts.served_by("nlb"), counts.served_by("alb")) == (1, 3)


def test_markers_and_fixtures_are_known(pytester: pytest.Pytester) -> None:
    told = run(pytester, "--markers").stdout.str()
    assert "@pytest.mark.no_request_lost: " in told
    assert "@pytest.mark.testbed_rate(requests_per_second): " in told
    assert "testbed [session scope]" in run(pytester, "--fixtures").stdout.str()


def test_a_session_that_uses_no_fixture_starts_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\ndef test_quiet():\n"
        "    assert not {'testbed.runtime', 'testbed.rehearsal', 'boto3', 'grpc'} & set(sys.modules)\n"
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


def test_a_scenario_with_a_misspelt_name_is_one_line_before_anything_starts(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        cutover="from testbed import Cutover, scenario\nfrom testbed.conditions import gone\n"
        "@scenario('t', host='api.example.com')\ndef story(cutover: Cutover) -> None:\n"
        "    cutover.expect(gone('nbl'))\n"
    )
    pytester.makepyfile("def test_it(testbed): ...")
    done = run(pytester, "--testbed-scenario", "cutover.py")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*cutover.py:5: no balancer has the name 'nbl'; *"])


def test_a_refused_condition_fails_its_test_although_the_test_swallows_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from testbed.conditions import synced

        @pytest.fixture
        def cutover(): ...

        def test_that_swallows(cutover):
            try:
                synced(0)
            except Exception:
                pass

        def test_that_refuses_nothing(cutover): ...
        """
    )
    done = run(pytester)
    done.assert_outcomes(failed=1, passed=1)
    assert "synced(0) would always hold" in done.stdout.str()


def test_a_setting_that_nobody_knows_is_a_usage_error(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml("[tool.testbed]\nsped = 3\n")
    pytester.makepyfile("def test_it(testbed): ...")
    assert "pyproject.toml:2: [tool.testbed] has no setting 'sped'" in run(pytester).stdout.str()


TESTS = """
import time
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
def test_a_moment_of_traffic(traffic):
    time.sleep(0.2)


@pytest.mark.no_request_lost
def test_a_lost_request_fails_the_test(cutover, traffic):
    cutover.hold(20)
    cutover.delete("service/envoy")
    cutover.hold(240)


def test_aws_is_at_hand(testbed):
    import boto3
    assert testbed.environment["AWS_ENDPOINT_URL"] == testbed.aws_endpoint
"""


def test_an_outage_fails_the_test_whose_traffic_ran_although_nothing_was_lost(made: ModuleType) -> None:
    verdict = compute(held(made.EPOCH + 6.0, 1.5)(made.Story(rate=20.0).events()))
    windows = [("a::b", made.EPOCH + 5, made.EPOCH + 7), ("a::c", made.EPOCH + 9, made.EPOCH + 11)]
    (problem,) = pytest_plugin._doubts(windows, verdict)
    assert problem.startswith("a::b: the NLB answered nothing for ")


WINDOWS = [("a::b", EPOCH + 5, EPOCH + 8), ("a::c", EPOCH + 9, EPOCH + 11)]


def test_the_windows_of_a_flawless_session_have_no_doubts(made: ModuleType) -> None:
    assert pytest_plugin._doubts(WINDOWS, compute(made.Story(rate=20.0).events())) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (nothing_due(EPOCH + 6.0, 1.5), "too few requests were due"),
        (slept(EPOCH + 6.0, 1.5), "the generator started its requests late"),
    ],
)
def test_an_outage_that_would_not_have_shown_fails_the_test_whose_traffic_ran(
    made: ModuleType, change: Change, says: str
) -> None:
    verdict = compute(change(made.Story(rate=20.0).events()))
    (problem,) = [one for one in pytest_plugin._doubts(WINDOWS, verdict) if one.startswith("a::")]
    assert problem.startswith("a::b: ")
    assert says in problem


@pytest.mark.parametrize(
    "reason",
    [
        Reason.GENERATOR_SILENT,
        Reason.NEVER_STARTED,
        Reason.NO_REQUESTS,
        Reason.OTHER_RUN,
        Reason.PART_FAILED,
        Reason.SEVERAL_RUNS,
        Reason.UNKNOWN_BALANCER,
    ],
    ids=lambda reason: reason.name,
)
def test_what_casts_doubt_on_all_requests_fails_every_test_that_may_lose_none(
    made: ModuleType, reason: Reason
) -> None:
    change = next(change for change, leads_to in INCONCLUSIVE.values() if leads_to is reason)
    verdict = compute(change(made.Story(rate=20.0).events()))
    texts = [finding.text for finding in verdict.findings if finding.reason is reason]
    assert texts
    assert set(texts) <= set(pytest_plugin._doubts(WINDOWS, verdict))


def test_the_journal_says_when_the_traffic_of_a_test_ran() -> None:
    said: list[str] = []
    recorder = SimpleNamespace(
        traffic_started=lambda rate: said.append(f"started {rate:g}"),
        traffic_stop_requested=lambda: said.append("stopped"),
    )
    topology: Any = SimpleNamespace(
        counts=Counts,
        clock=Clock(),
        start_traffic=lambda rate: said.append(f"sends {rate:g}"),
        pause_traffic=lambda: said.append("pauses"),
    )
    cutover: Any = SimpleNamespace(_recorder=recorder)
    traffic = pytest_plugin.Traffic(topology, 40.0, cutover)
    traffic.start()
    traffic.set_rate(50.0)
    traffic.pause()
    assert said == ["started 40", "sends 40", "started 50", "sends 50", "stopped", "pauses"]


@pytest.mark.e2e
@pytest.mark.skipif(not shutil.which("aws"), reason="the page calls aws (PyPI awscli)")
def test_the_file_of_the_page_passes_as_it_is_printed(pytester: pytest.Pytester) -> None:
    page = (ROOT / "docs" / "how-to" / "my-ci.md").read_text(encoding="utf-8")
    section = page.partition("## In pytest")[2]
    pytester.makepyfile(section.partition("```python\n")[2].partition("```")[0])
    result = run(pytester, "--testbed-scenario", str(ROOT / "scenarios" / "zozomat"))
    result.assert_outcomes(passed=2)


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
    assert outcomes["passed"] == 6, text  # two of them pass, and their teardown fails
    assert outcomes["errors"] >= 3, text
    done.stdout.fnmatch_lines(["expected that the A alias points to the ALB: *"])
    done.stdout.fnmatch_lines(["no_request_lost needs the fixture traffic: *"])
    done.stdout.fnmatch_lines(["* requests failed, * ended unknown"])
    done.stdout.fnmatch_lines(["*::test_a_moment_of_traffic: * let the traffic run for longer"])
    assert "test_traffic_flows_through_it: " not in text


OF_OPTIONS = """
def test_options(testbed_options):
    print(testbed_options.speed, testbed_options.seed, testbed_options.external_dns)
"""


def test_the_environment_wins_over_pyproject_toml_as_for_a_command(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyprojecttoml(
        '[tool.testbed]\nscenario = "s.py"\nspeed = 30\nseed = 7\nexternal-dns = "v0.7.4"\n'
    )
    pytester.makepyfile(OF_OPTIONS)
    monkeypatch.setenv("TESTBED_SPEED", "90")
    monkeypatch.setenv("TESTBED_EXTERNAL_DNS", "v0.22")
    told = run(pytester, "-s").stdout.str()
    assert "90.0 7 Named(tag='v0.22', by='TESTBED_EXTERNAL_DNS', binary='')" in told


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('speed = "fast"', "pyproject.toml: speed 'fast' is not a number above 0"),
        ("rate = -5", "pyproject.toml: rate '-5' is not a number above 0"),
        ("speed = nan", "pyproject.toml: speed 'nan' is not a number above 0"),
        ("seed = 1.5", "pyproject.toml: seed '1.5' is not a whole number"),
    ],
)
def test_a_setting_of_the_wrong_type_is_one_line(pytester: pytest.Pytester, line: str, message: str) -> None:
    pytester.makepyprojecttoml(f'[tool.testbed]\nscenario = "s.py"\n{line}\n')
    pytester.makepyfile(OF_OPTIONS)
    told = run(pytester).stdout.str()
    assert message in told
    assert "Error" not in told
