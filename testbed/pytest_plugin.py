"""pytest fixtures of a running testbed, found by the entry point `pytest11`.

```python
def test_the_alb_answers_by_its_own_name(cutover, traffic):
    cutover.apply("manifests/2-alb.yaml", CERTIFICATE_ARN=cutover.request_certificate("api.example.com"))
    cutover.wait_until(active("alb"), within=300)
```

| fixture | scope | yields |
|---|---|---|
| `testbed_scenario` | session | path of the scenario; override it, or set `scenario` in `[tool.testbed]` |
| `testbed_options` | session | the `Options` of the run (speed, rate, seed, releases, report); override it |
| `testbed` | session | a `RunningTestbed`: addresses, files, environment |
| `cutover` | function | the `Cutover` of the run, to act, wait and expect |
| `traffic` | function | a `Traffic` that runs during the test |

Markers: `testbed_rate(requests_per_second)` sets the rate of the traffic of one test. With `no_request_lost`
a test fails if a request of its traffic was lost, or had to wait through an outage, or if an outage would not
have shown: its traffic must run for a minute of production time. The end of the session checks that, and the
requests that ended only after their test, and compares the clients' account with the targets'. An
`expect` that does not hold fails its test, asserted or not, and so does traffic that did not run.
"""

from __future__ import annotations

import math
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testbed.errors import BadInput, TestbedError

# Functions import what they need: every session of pytest loads this module, with or without a testbed.
if TYPE_CHECKING:
    from testbed.options import Options
    from testbed.rehearsal.cutover import Cutover
    from testbed.rehearsal.topology import Topology
    from testbed.releases import Named
    from testbed.traffic.counts import Counts
    from testbed.verdict.verdict import Verdict

_MARKERS = (
    "testbed_rate(requests_per_second): rate of the `traffic` of this test",
    "no_request_lost: fail the test if a request of its `traffic` was lost",
)


@dataclass(frozen=True, slots=True)
class RunningTestbed:
    """The addresses, files and variables of a running testbed.

    Attributes:
        host: the name that moves.
        port: the HTTPS port of the balancers.
        dns: address and port of the DNS server.
        aws_endpoint: URL of Route 53, ELBv2 and ACM.
        ca_file: the authorities that clients trust, PEM.
        journal: the journal of the run.
        environment: variables for `aws` and other tools, for example `AWS_ENDPOINT_URL`.
    """

    host: str
    port: int
    dns: tuple[str, int]
    aws_endpoint: str
    ca_file: Path
    journal: Path
    environment: Mapping[str, str]
    _cutover: Cutover = field(repr=False)
    _topology: Topology = field(repr=False)
    _rate: float
    _windows: list[tuple[str, float, float]] = field(default_factory=list, repr=False)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command, for example `aws`, with the testbed's environment; its output is text.

        Raises:
            CalledProcessError: it fails.
        """
        environment = {**os.environ, **self.environment}
        return subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)


class Traffic:
    """The clients of the host during one test."""

    def __init__(self, topology: Topology, rate: float, cutover: Cutover | None = None) -> None:
        self._topology = topology
        self._cutover = cutover
        self.rate = rate
        self._before = topology.counts()
        self.began = topology.clock.wall()

    def set_rate(self, rate: float) -> None:
        """Continue at another rate, in requests per second."""
        self.rate = rate
        self.start()

    def start(self) -> None:
        """Send from now on, and let the journal say so: a verdict asks what was due."""
        if self._cutover:
            self._cutover._recorder.traffic_started(self.rate)
        self._topology.start_traffic(self.rate)

    def pause(self) -> None:
        """Send nothing for now."""
        if self._cutover:
            self._cutover._recorder.traffic_stop_requested()
        self._topology.pause_traffic()

    def counts(self) -> Counts:
        """Return the requests that ended since the test began, by outcome and balancer."""
        counts = self._topology.counts().since(self._before)
        return replace(counts, names=self._cutover.names) if self._cutover else counts


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--testbed-scenario`, which wins over `scenario` in `[tool.testbed]`."""
    group = parser.getgroup("testbed")
    group.addoption("--testbed-scenario", metavar="PATH", help="scenario whose topology the fixtures start")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose marker `no_request_lost` has no traffic to look at."""
    names = getattr(item, "fixturenames", ())
    if item.get_closest_marker("no_request_lost") and "traffic" not in names:
        pytest.fail("no_request_lost needs the fixture traffic: the test sends no request", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test of the cutover in which a condition was refused, whatever has swallowed the error."""
    if "cutover" not in getattr(item, "fixturenames", ()):
        return (yield)
    from testbed.rehearsal import conditions

    before = len(conditions.refusals)
    result = yield
    if refused := conditions.refusals[before:]:
        pytest.fail(str(refused[0]), pytrace=False)
    return result


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.fixture(scope="session")
def testbed_scenario(pytestconfig: pytest.Config) -> str:
    """The path of the scenario: a folder with a script, a script, or SCRIPT:VARIANT."""
    scenario = pytestconfig.getoption("--testbed-scenario") or _configured(pytestconfig.rootpath).get(
        "scenario"
    )
    if not scenario:
        pytest.fail(
            "no scenario: give --testbed-scenario, set scenario in [tool.testbed], or override the fixture "
            "testbed_scenario",
            pytrace=False,
        )
    return str(pytestconfig.rootpath / str(scenario))


@pytest.fixture(scope="session")
def testbed_options(
    testbed_scenario: str, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Options:
    """The options of the run: the environment, else `[tool.testbed]`; the report goes to a new folder."""
    from testbed.options import Options

    known = Options()
    table = _configured(pytestconfig.rootpath)
    return Options(
        scenario=testbed_scenario,
        speed=_positive(table, "speed", known.speed),
        rate=_positive(table, "rate", known.rate),
        external_dns=_setting(table, "external_dns"),
        lb_controller=_setting(table, "lb_controller"),
        seed=_seed(table, known.seed),
        report=tmp_path_factory.mktemp("testbed-report"),
    )


@pytest.fixture(scope="session")
def testbed(testbed_options: Options) -> Iterator[RunningTestbed]:
    """The scenario's topology as before its cutover; it runs until the session ends."""
    with ExitStack() as stack:
        with _without_traceback():
            running = stack.enter_context(_started(testbed_options))
        yield running
        with _without_traceback():
            lost = _end(running)
    if lost:
        pytest.fail("\n".join(lost), pytrace=False)


@pytest.fixture
def cutover(testbed: RunningTestbed) -> Iterator[Cutover]:
    """The cutover of the running topology: `apply`, `annotate`, `wait_until`, `expect`."""
    acting = testbed._cutover
    # The cutover lives as long as the session, so only what this test adds is its own.
    before = len(acting.unmet)
    yield acting
    if unmet := acting.unmet[before:]:
        pytest.fail("\n".join(f"expected that {text}" for text in unmet), pytrace=False)


@pytest.fixture
def traffic(request: pytest.FixtureRequest, testbed: RunningTestbed) -> Iterator[Traffic]:
    """Requests of the host during the test, at the rate of the run or of the marker `testbed_rate`."""
    from testbed.settings import PATIENCE

    marker = request.node.get_closest_marker("testbed_rate")
    topology = testbed._topology
    running = Traffic(topology, float(marker.args[0]) if marker else testbed._rate, testbed._cutover)
    running.start()
    yield running
    with _without_traceback():
        topology.check()
    running.pause()
    seen, ended = running.counts(), topology.clock.wall()
    if ended - running.began > PATIENCE.traffic_start and not seen.total:
        pytest.fail(f"no request ended within {ended - running.began:.1f} s", pytrace=False)
    if request.node.get_closest_marker("no_request_lost"):
        testbed._windows.append((request.node.nodeid, running.began, ended))
        if seen.failed or seen.unknown:
            pytest.fail(f"{seen.failed} requests failed, {seen.unknown} ended unknown", pytrace=False)


@contextmanager
def _started(options: Options) -> Iterator[RunningTestbed]:
    from testbed.rehearsal import standing
    from testbed.rehearsal.balancer_references import check_references
    from testbed.rehearsal.configured_thresholds import located_thresholds
    from testbed.rehearsal.cutover import Cutover
    from testbed.rehearsal.heartbeat import heartbeat
    from testbed.rehearsal.played_releases import played_releases
    from testbed.rehearsal.playing import write_start
    from testbed.rehearsal.script import load
    from testbed.report import report_folder
    from testbed.runtime.running import running
    from testbed.settings import REGION

    scenario = load(options.scenario)
    # Its thresholds are not measured here, but a name in them that means nothing is a mistake all the same.
    releases = played_releases(scenario, options)
    check_references(scenario, located_thresholds(scenario), releases.lb_controller.played)
    with (
        report_folder.held(options.report) as folder,
        running(scenario, options, folder) as topology,
        heartbeat(topology.journal, topology.clock),
    ):
        write_start(scenario, topology, options)
        cutover = Cutover(scenario, topology, options.rate)
        # The fixture `traffic` sends at once, and a test cannot wait before it.
        standing.let_stand(cutover)
        network = topology.network
        yield RunningTestbed(
            host=scenario.host,
            port=network.port(scenario.port),
            dns=(network.dns, network.dns_port),
            aws_endpoint=network.aws_endpoint,
            ca_file=topology.bundle,
            journal=topology.journal.path,
            environment={
                "AWS_ENDPOINT_URL": network.aws_endpoint,
                "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing",
                "AWS_DEFAULT_REGION": REGION,
            },
            _cutover=cutover,
            _topology=topology,
            _rate=options.rate,
        )


def _end(running: RunningTestbed) -> Sequence[str]:
    """End the traffic and check the `no_request_lost` tests again; return a sentence for each that fails."""
    from testbed import journal
    from testbed.verdict.verdict import compute_file

    running._topology.check()
    running._topology.finish()
    lost = {name: 0 for name, _, _ in running._windows}
    for event in journal.read(running.journal):
        if isinstance(event, journal.Request) and event.outcome != "ok":
            for name, began, ended in running._windows:
                # By the intended time: a request of this test may be sent, and end, after it.
                lost[name] += began <= event.intended <= ended
    problems = [f"{name}: {count} requests were lost in the end" for name, count in lost.items() if count]
    if running._windows:
        problems += _doubts(running._windows, compute_file(running.journal))
    return problems


def _doubts(windows: Sequence[tuple[str, float, float]], verdict: Verdict) -> list[str]:
    """Return a sentence for each reason why requests in the windows of tests may have been lost unseen.

    What has a time counts in the window of its test; what has none may concern any request.
    """
    from testbed.verdict import outage_findings
    from testbed.verdict.findings import OF_TRAFFIC

    gaps, history, problems = verdict.gaps, verdict.history, []
    for name, began, ended in windows:
        stalls = [stall for stall in gaps.stalls if stall.start < ended and began < stall.end]
        unseen = [gap for gap in gaps.unseen if gap.start < ended and began < gap.end]
        problems += [f"{name}: {outage_findings.stalled(stall, history)}" for stall in stalls]
        problems += [f"{name}: {text}" for _, text in outage_findings.unseen(unseen, history, gaps.limit)]
    return problems + [finding.text for finding in verdict.findings if finding.reason in OF_TRAFFIC]


def _setting(table: Mapping[str, object], name: str) -> Named | None:
    """Return the text of a setting and who set it: the environment, as for a command, else the table."""
    from testbed.releases import Named

    variable = f"TESTBED_{name.upper()}"
    if value := os.environ.get(variable):
        return Named(value, variable)
    return Named(str(table[name]), "pyproject.toml") if name in table else None


def _positive(table: Mapping[str, object], name: str, default: float) -> float:
    setting = _setting(table, name)
    if setting is None:
        return default
    with suppress(ValueError):
        number = float(setting.tag)
        if 0 < number < math.inf:
            return number
    pytest.fail(f"{setting.by}: {name} {setting.tag!r} is not a number above 0", pytrace=False)


def _seed(table: Mapping[str, object], default: int) -> int:
    setting = _setting(table, "seed")
    try:
        return default if setting is None else int(setting.tag)
    except ValueError:
        assert setting
        pytest.fail(f"{setting.by}: seed {setting.tag!r} is not a whole number", pytrace=False)


def _configured(root: Path) -> Mapping[str, object]:
    from testbed.options import SETTINGS, from_pyproject

    try:
        return from_pyproject(SETTINGS, root)
    except BadInput as error:
        raise pytest.UsageError(str(error)) from None


@contextmanager
def _without_traceback() -> Iterator[None]:
    try:
        yield
    except TestbedError as error:
        pytest.fail(str(error), pytrace=False)
