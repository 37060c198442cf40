"""Measures this machine: start, memory, rates, ratios to h2load and to Envoy alone; for `make bench`.

Each row is printed when it is measured, as a line of a Markdown table. Figures of one machine say little
about another, so nothing here is asserted: a row has a bound, and says whether it is met.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
import httpx
import psutil
from botocore.exceptions import ClientError

from testbed import journal
from testbed.bench import compose, rules
from testbed.bench.runs import Played, play
from testbed.bench.table import NO_H2LOAD, Row, heading, ratio_row
from testbed.clock import Clock
from testbed.doctor import examine
from testbed.errors import ExitCode, TestbedError
from testbed.external_dns.bench import HOSTS, taken_by_sync
from testbed.lb_controller.bench import MEMBERS, seconds_to_model
from testbed.network import lease
from testbed.options import DEFAULT_SCENARIO, EXTERNAL_DNS_VERSIONS
from testbed.rehearsal.conditions import active
from testbed.rehearsal.cutover import Cutover, StepFailed
from testbed.rehearsal.scenario import Scenario, load
from testbed.runtime.clients import HTTPS
from testbed.runtime.embedded import Embedded
from testbed.runtime.setup import Setup
from testbed.settings import DEFAULT_RATE, DEFAULT_SPEED, PRODUCTION
from testbed.traffic.bench import LAG_LIMIT, ceiling, h2load
from testbed.traffic.plan import TrafficPlan

START = str(Path(__file__).parent / "scenarios" / "start.py")
STARTS = 3
FIRST_REQUEST_SECONDS = 2.0
MEMORY_MIB = 700.0
STORY_SECONDS = 45.0
COMPOSE_READY_SECONDS, COMPOSE_STORY_SECONDS = 20.0, 90.0
RATES = (1_500.0, 3_000.0)
"""What must be held, and what is hoped for, in requests per second."""
CEILING_RATIO = 0.5
MOVE_ALLOWANCE = 0.1
"""Wall seconds beyond one sync interval and one TTL until the ALB serves."""
ALB_RATIO, NLB_RATIO = 0.5, 0.8
MODEL_SECONDS = 2.0
CHANGE_SECONDS = 1.0
RULES_RATIO = 1.3
RULES_SECONDS = 2.0
PLAN_SECONDS, PLAN_GROWTH = 1.5, 12.0
"""Of a sync of ExternalDNS over many hosts, and how much longer ten times the hosts may take."""
LOAD_SECONDS = 3.0
"""How long a rate is sent to measure a throughput."""
CEILING_FROM = 1_000.0


def machine() -> str:
    """This machine in one paragraph: what figures mean little without."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    found = {finding.name: finding.detail for finding in examine()}
    return (
        f"{cpu}, {len(os.sched_getaffinity(0))} cores, {psutil.virtual_memory().total / (1 << 30):.0f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}, Envoy {found['Envoy']}; "
        f"load average at the start {os.getloadavg()[0]:.1f}"
    )


def _others_seconds() -> float:
    """CPU seconds that this machine spent since its start on what this process did not start."""
    spent = psutil.cpu_times()
    return float(sum(spent) - spent.idle - spent.iowait) - sum(os.times()[:4])


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def start_rows() -> Iterator[Row]:
    """The time to the first request, and the memory of the topology."""
    runs = [play(START, DEFAULT_RATE) for _ in range(STARTS)]
    times = sorted(run.first_request for run in runs if run.first_request is not None)
    what, bound = "from the command to the first request through the NLB", f"≤ {FIRST_REQUEST_SECONDS:g} s"
    if len(times) < STARTS:
        yield Row(what, f"only {len(times)} of {STARTS} runs had an answer", bound, False)
    else:
        middle = statistics.median(times)
        each = ", ".join(f"{one:.2f}" for one in times)
        yield Row(what, f"{middle:.2f} s (median of {each})", bound, middle <= FIRST_REQUEST_SECONDS)
    memory = max(run.memory for run in runs)
    yield Row(
        "memory of the whole topology (PSS) while traffic flows",
        f"{memory:.0f} MiB",
        f"≤ {MEMORY_MIB:g} MiB",
        0 < memory <= MEMORY_MIB,
    )


def story_rows() -> Iterator[Row]:
    """The whole story: its duration, the move to the ALB, and the rates that are held."""
    default = play(DEFAULT_SCENARIO, DEFAULT_RATE)
    passed = default.exit_code == ExitCode.PASS
    yield Row(
        "the whole story at default speed, reports included",
        f"{default.seconds:.1f} s, exit code {default.exit_code}, {default.memory:.0f} MiB",
        f"≤ {STORY_SECONDS:g} s",
        passed and default.seconds <= STORY_SECONDS,
    )
    limit = (PRODUCTION.external_dns_interval + PRODUCTION.alias_ttl) / DEFAULT_SPEED + MOVE_ALLOWANCE
    move = default.figures.move
    yield Row(
        "from the annotation's removal to the first request by the ALB",
        "the ALB served none" if move is None else f"{move:.2f} s",
        f"≤ interval + TTL + 0.1 = {limit:.1f} s",
        move is not None and move <= limit,
    )
    yield _rate_row(DEFAULT_RATE, default)
    for rate in RATES:
        yield _rate_row(rate, play(DEFAULT_SCENARIO, rate))


def _rate_row(rate: float, run: Played) -> Row:
    seen = run.figures
    lag50, lag99 = (f"{seen.lag(share) * 1000:.1f}" for share in (0.5, 0.99))
    words = f"{seen.lost:,} of {seen.requests:,} lost, lag p50 {lag50} ms, p99 {lag99} ms"
    goal = " (goal)" if rate == max(RATES) else ""
    return Row(
        f"{rate:,.0f} requests per second through the whole story{goal}",
        f"{words}, exit code {run.exit_code}",
        f"0 lost, lag p99 ≤ {LAG_LIMIT * 1000:g} ms",
        seen.is_held,
    )


@contextmanager
def _empty_topology(scenario: Scenario) -> Iterator[Embedded]:
    """A topology for a scenario's host, before any manifest."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="testbed-bench-")))
        network = stack.enter_context(lease())
        written = stack.enter_context(journal.Journal(folder / "journal.ndjson"))
        version = EXTERNAL_DNS_VERSIONS[0]
        setup = Setup(scenario.host, scenario.zone, version, scenario.flags(version), None, seed=1)
        topology = Embedded(setup, Clock(speed=DEFAULT_SPEED), network, written, folder)
        stack.callback(topology.close)
        topology.start()
        yield topology


@contextmanager
def both_balancers() -> Iterator[tuple[TrafficPlan, str, str, str]]:
    """A topology whose name is at the NLB, with an ALB beside it.

    Yields:
        The plan of traffic through the NLB, and the addresses of the NLB, the ALB and a target Envoy. All
        three have the same port and the same routes. Connections have no maximum age, which h2load takes
        for an error.
    """
    scenario = load(DEFAULT_SCENARIO)
    with _empty_topology(scenario) as topology:
        network = topology.network
        cutover = Cutover(scenario, topology, DEFAULT_RATE)
        cutover.apply(*scenario.manifests)
        arn = cutover.request_certificate(scenario.host)
        cutover.apply("manifests/2-alb.yaml", CERTIFICATE_ARN=arn)
        for kind in ("nlb", "alb"):
            cutover.wait_until(active(kind), within=300)
        nlb, alb = (cutover.addresses(cutover.balancers(kind)[0])[0] for kind in ("nlb", "alb"))
        plan = TrafficPlan(
            run="bench",
            clock=topology.clock,
            journal=Path("unused"),  # each measurement has its own
            host=scenario.host,
            port=network.port(HTTPS),
            dns=f"{network.dns}:{network.dns_port}",
            ca_file=topology.certificates.bundle,
            rate=CEILING_FROM,
        )
        yield plan, nlb, alb, network.envoy_pod(0)


def throughput_rows(*, with_ceiling: bool) -> Iterator[Row]:
    """Throughput by h2load through both balancers beside Envoy alone, and the generator's beside h2load's."""
    with both_balancers() as (plan, nlb, alb, envoy):
        alone, by_nlb, by_alb = (h2load(address, plan, LOAD_SECONDS) for address in (envoy, nlb, alb))
        for name, reached, least in (("NLB", by_nlb, NLB_RATIO), ("ALB", by_alb, ALB_RATIO)):
            yield ratio_row(
                f"{name} by h2load, beside the target's Envoy alone", reached, "Envoy alone", alone, least
            )
        if not with_ceiling:
            return
        held = [one.answered for one in ceiling(plan, LOAD_SECONDS) if not one.lost]
        beside = h2load(nlb, plan, LOAD_SECONDS)
        yield ratio_row(
            "ceiling of the generator through the NLB, beside h2load's",
            max(held, default=0.0),
            "h2load",
            beside,
            CEILING_RATIO,
        )


def rules_rows() -> Iterator[Row]:
    """How late a changed rule is obeyed, and what 100 rules cost beside 5, on two ALBs of one topology."""
    scenario = load(DEFAULT_SCENARIO)
    with _empty_topology(scenario) as topology:
        clients = topology.clients
        arn = clients.acm.request_certificate(DomainName=scenario.host)["CertificateArn"]
        subnets = clients.ec2.describe_subnets()["Subnets"]
        ids = [one["SubnetId"] for one in subnets[:2]]
        names = [
            rules.build(clients.elbv2, arn, subnets[0]["VpcId"], ids, topology.network, count)
            for count in (rules.FEW, rules.MANY)
        ]
        Cutover(scenario, topology, DEFAULT_RATE).wait_until(active("alb"), within=300)
        few, many = (topology.addresses(name)[0] for name in names)
        port = topology.network.port(HTTPS)
        yield change_cost(
            rules.seconds_until_obeyed(
                clients.elbv2,
                names[-1],
                f"https://{many}:{port}",
                scenario.host,
                topology.certificates.bundle,
            )
        )
        yield rules_cost(rules.latencies((few, many), scenario.host, port, RULES_SECONDS))


def change_cost(seconds: Sequence[float]) -> Row:
    """The row of some changes, each in wall seconds until it was obeyed."""
    return Row(
        "from a rule changed in ELBv2 until the ALB obeys it",
        f"{max(seconds):.2f} s (the longest of {len(seconds)}; median {statistics.median(seconds):.2f} s)",
        f"≤ {CHANGE_SECONDS:g} s",
        max(seconds) <= CHANGE_SECONDS,
    )


def rules_cost(measured: tuple[float, float] | None) -> Row:
    """The row of two latencies in wall seconds, with few rules and with many."""
    what = f"latency at the last of {rules.MANY} rules, beside the last of {rules.FEW}"
    bound = f"≤ {RULES_RATIO:g}"
    if measured is None:
        reason = "not all answers were good" if shutil.which("h2load") else NO_H2LOAD
        return Row(what, reason, bound, None)
    few, many = measured
    words = f"{many / few:.2f} ({many * 1000:.2f} ms; {few * 1000:.2f} ms)"
    return Row(what, words, bound, many / few <= RULES_RATIO)


def model_row() -> Row:
    """The model of a large group."""
    seconds = seconds_to_model()
    return Row(
        f"the model of a group of {MEMBERS:,} Ingresses",
        f"{seconds:.2f} s",
        f"≤ {MODEL_SECONDS:g} s",
        seconds <= MODEL_SECONDS,
    )


def plan_rows(*, with_growth: bool) -> Iterator[Row]:
    """A sync of ExternalDNS over many hosts, and over ten times as many."""
    taken = taken_by_sync()
    yield Row(
        f"a sync of ExternalDNS planned for {HOSTS:,} hosts",
        f"{taken.planned:.2f} s (and {taken.judged:.2f} s to judge its batches as Route 53 would)",
        f"≤ {PLAN_SECONDS:g} s",
        taken.planned <= PLAN_SECONDS,
    )
    if with_growth:
        growth = taken_by_sync(10 * HOSTS).planned / taken.planned
        what = f"the same for {10 * HOSTS:,} hosts"
        yield Row(what, f"{growth:.1f} times as long", f"≤ {PLAN_GROWTH:g}", growth <= PLAN_GROWTH)


def compose_rows() -> Iterator[Row]:
    """The same on Docker Compose, with images present."""
    ready = compose.seconds_until_ready()
    yield Row(
        "until the topology stands on Docker Compose",
        f"{ready:.1f} s",
        f"≤ {COMPOSE_READY_SECONDS:g} s",
        ready <= COMPOSE_READY_SECONDS,
    )
    story, code = compose.seconds_of_story()
    yield Row(
        "the story on Docker Compose",
        f"{story:.1f} s ({code.name.lower()})",
        f"≤ {COMPOSE_STORY_SECONDS:g} s",
        story <= COMPOSE_STORY_SECONDS,
    )


def rows(*, quick: bool) -> Iterator[Row]:
    """All rows, each when it is measured; `quick` leaves out the whole stories and the ceiling."""
    yield model_row()
    yield from plan_rows(with_growth=not quick)
    yield from _told("start", start_rows())
    yield from _told("rules", rules_rows())
    yield from _told("throughput", throughput_rows(with_ceiling=not quick))
    if not quick:
        yield from _told("story", story_rows())
        yield from _told("Docker Compose", compose_rows())


def _told(what: str, measured: Iterator[Row]) -> Iterator[Row]:
    """A measurement that cannot be made is a row that says why, and the others are still made."""
    try:
        yield from measured
    except (TestbedError, StepFailed, ClientError, httpx.HTTPError, OSError) as error:
        yield Row(what, f"could not be measured: {error}", "", None)


@click.command()
@click.option("--quick", is_flag=True, help="Leave out the whole stories and the search for the ceiling.")
def main(quick: bool) -> None:
    """Measure this machine and print a Markdown table; about five minutes, one with --quick."""
    click.echo(f"{machine()}\n")
    before, others = time.monotonic(), _others_seconds()
    click.echo(heading())
    for row in rows(quick=quick):
        click.echo(str(row))
    available = (time.monotonic() - before) * len(os.sched_getaffinity(0))
    share = max(0.0, _others_seconds() - others) / available
    click.echo(f"\nOther processes of this machine took {share:.0%} of its CPUs meanwhile.")


if __name__ == "__main__":
    main()
