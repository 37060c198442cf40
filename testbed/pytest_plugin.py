"""pytest fixtures of a running testbed, found by the entry point `pytest11`.

```python
def test_the_alb_answers_by_its_own_name(cutover, traffic):
    cutover.apply("manifests/2-alb.yaml", CERTIFICATE_ARN=cutover.request_certificate("api.example.com"))
    cutover.wait_until(active("alb"), within=300)
```

| fixture | scope | yields |
|---|---|---|
| `testbed_scenario` | session | where the scenario is; override it, or set `scenario` in `[tool.testbed]` |
| `testbed_options` | session | the `Options` of the run (speed, rate, seed, report); override it |
| `testbed` | session | a `RunningTestbed`: addresses, files, environment |
| `cutover` | function | the `Cutover` of the run, to act, wait and expect |
| `traffic` | function | a `Traffic` that runs during the test |

Markers: `testbed_rate(requests_per_second)` of the traffic of one test, and `no_request_lost`: the test fails
if a request of its traffic was lost. What ended only after the test is looked at when the session ends, and
whether the clients' account agrees with the targets'. An `expect` that does not hold fails its test, asserted
or not, and so does traffic that did not run.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testbed.errors import BadInput, TestbedError

if TYPE_CHECKING:
    from testbed.options import Options
    from testbed.rehearsal.cutover import Cutover
    from testbed.runtime.counts import Counts
    from testbed.runtime.embedded import Embedded

_MARKERS = (
    "testbed_rate(requests_per_second): rate of the `traffic` of this test",
    "no_request_lost: fail the test if a request of its `traffic` was lost",
)


@dataclass(frozen=True, slots=True)
class RunningTestbed:
    """Where everything of a running testbed is.

    Attributes:
        host: the name that moves.
        port: the HTTPS port of the balancers.
        dns: address and port of the DNS server.
        aws_endpoint: URL of Route 53, ELBv2 and ACM.
        ca_file: the authorities that clients trust, PEM.
        journal: the journal of the run.
        environment: what `aws` and other tools need, e.g. `AWS_ENDPOINT_URL`.
    """

    host: str
    port: int
    dns: tuple[str, int]
    aws_endpoint: str
    ca_file: Path
    journal: Path
    environment: Mapping[str, str]
    _cutover: Cutover = field(repr=False)
    _topology: Embedded = field(repr=False)
    _rate: float
    _windows: list[tuple[str, float, float]] = field(default_factory=list, repr=False)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command, e.g. `aws`, with the testbed's environment; its output as text.

        Raises:
            CalledProcessError: it fails.
        """
        environment = {**os.environ, **self.environment}
        return subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)


class Traffic:
    """The clients of the host, as one test sees them."""

    def __init__(self, topology: Embedded, rate: float) -> None:
        self._topology = topology
        self.rate = rate
        self._before = topology.counts()
        self.began = topology.clock.wall()

    def set_rate(self, rate: float) -> None:
        """Go on at another rate, requests per second."""
        self.rate = rate
        self._topology.start_traffic(rate)

    def counts(self) -> Counts:
        """Requests that ended since the test began, by outcome and balancer."""
        from testbed.runtime.counts import Counts

        now, before = self._topology.counts(), self._before
        served = {kind: now.served_by(kind) - before.served_by(kind) for kind in ("nlb", "alb")}
        return Counts(now.ok - before.ok, now.failed - before.failed, now.unknown - before.unknown, served)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--testbed-scenario`, over `scenario` in `[tool.testbed]`."""
    group = parser.getgroup("testbed")
    group.addoption("--testbed-scenario", metavar="PATH", help="scenario whose topology the fixtures start")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A marker that would look at nothing is an error."""
    names = getattr(item, "fixturenames", ())
    if item.get_closest_marker("no_request_lost") and "traffic" not in names:
        pytest.fail("no_request_lost needs the fixture traffic: the test sends no request", pytrace=False)


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.fixture(scope="session")
def testbed_scenario(pytestconfig: pytest.Config) -> str:
    """A folder with a scenario, a script, or SCRIPT:VARIANT."""
    given = pytestconfig.getoption("--testbed-scenario") or _configured(pytestconfig.rootpath).get("scenario")
    if not given:
        pytest.fail(
            "no scenario: give --testbed-scenario, set scenario in [tool.testbed], or override the fixture "
            "testbed_scenario",
            pytrace=False,
        )
    return str(pytestconfig.rootpath / str(given))


@pytest.fixture(scope="session")
def testbed_options(
    testbed_scenario: str, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Options:
    """Speed, rate and the rest, from `[tool.testbed]`; the report goes to a temporary folder."""
    from testbed.options import Options

    known = Options()
    table = _configured(pytestconfig.rootpath)
    return Options(
        scenario=testbed_scenario,
        speed=float(str(table.get("speed", known.speed))),
        rate=float(str(table.get("rate", known.rate))),
        external_dns=str(table.get("external_dns", known.external_dns)),
        seed=int(str(table.get("seed", known.seed))),
        report=tmp_path_factory.mktemp("testbed-report"),
    )


@pytest.fixture(scope="session")
def testbed(testbed_options: Options) -> Iterator[RunningTestbed]:
    """The scenario's topology as it stands before the cutover, until the session ends."""
    with ExitStack() as stack:
        with _told_without_traceback():
            running = stack.enter_context(_started(testbed_options))
        yield running
        with _told_without_traceback():
            lost = _end(running)
    if lost:
        pytest.fail("\n".join(lost), pytrace=False)


@pytest.fixture
def cutover(testbed: RunningTestbed) -> Iterator[Cutover]:
    """Acts on the running topology: `apply`, `annotate`, `wait_until`, `expect`."""
    acting = testbed._cutover
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
    running = Traffic(topology, float(marker.args[0]) if marker else testbed._rate)
    topology.start_traffic(running.rate)
    yield running
    with _told_without_traceback():
        topology.check()
    topology.pause_traffic()
    seen, ended = running.counts(), topology.clock.wall()
    if ended - running.began > PATIENCE.traffic_start and not seen.total:
        pytest.fail(f"no request ended within {ended - running.began:.1f} s", pytrace=False)
    if request.node.get_closest_marker("no_request_lost"):
        testbed._windows.append((request.node.nodeid, running.began, ended))
        if seen.failed or seen.unknown:
            pytest.fail(f"{seen.failed} requests failed, {seen.unknown} ended unknown", pytrace=False)


@contextmanager
def _started(options: Options) -> Iterator[RunningTestbed]:
    from testbed.commands import running
    from testbed.rehearsal.cutover import Cutover
    from testbed.rehearsal.scenario import load
    from testbed.runtime.embedded import Embedded
    from testbed.settings import REGION

    scenario = load(options.scenario)
    options.report.mkdir(parents=True, exist_ok=True)
    with running(scenario, options, options.report) as topology:
        assert isinstance(topology, Embedded), "the options of a session say nothing of Compose"
        cutover = Cutover(scenario, topology, options.rate, options.external_dns)
        cutover.apply(*scenario.manifests)
        network = topology.network
        yield RunningTestbed(
            host=scenario.host,
            port=network.port(scenario.port),
            dns=(network.dns, network.dns_port),
            aws_endpoint=network.aws_endpoint,
            ca_file=topology.certificates.bundle,
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
    """End the traffic and look again at the tests that may lose no request; a sentence for each that did."""
    from testbed import journal
    from testbed.rehearsal.verdict import ACCOUNT, compute_file

    running._topology.check()
    running._topology.finish()
    lost = {name: 0 for name, _, _ in running._windows}
    for event in journal.read(running.journal):
        if isinstance(event, journal.Request) and event.outcome != "ok":
            for name, began, ended in running._windows:
                lost[name] += began <= event.intended <= ended
    found = [f"{name}: {count} requests were lost in the end" for name, count in lost.items() if count]
    if running._windows:
        found += [one.text for one in compute_file(running.journal).findings if one.reason in ACCOUNT]
    return found


def _configured(root: Path) -> Mapping[str, object]:
    from testbed.options import Options, from_pyproject

    known = {*Options.__dataclass_fields__, "thresholds"}
    try:
        return from_pyproject(known, root)
    except BadInput as error:
        raise pytest.UsageError(str(error)) from None


@contextmanager
def _told_without_traceback() -> Iterator[None]:
    try:
        yield
    except TestbedError as error:
        pytest.fail(str(error), pytrace=False)
