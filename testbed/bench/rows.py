"""The rows of the benchmark: each measures a figure and compares it with its bound."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
from botocore.exceptions import ClientError

from testbed.bench import compose_cost, rule_cost
from testbed.bench.command_runs import Played, play
from testbed.bench.generator_ceiling import LAG_LIMIT, ceiling
from testbed.bench.group_model import MEMBERS, seconds_to_model
from testbed.bench.h2load import h2load
from testbed.bench.sync_planning import HOSTS, taken_by_sync
from testbed.bench.table import NO_H2LOAD, Row, ratio_row
from testbed.bench.topologies import both_balancers, empty_topology
from testbed.errors import ExitCode, TestbedError
from testbed.options import DEFAULT_SCENARIO
from testbed.rehearsal.conditions import active
from testbed.rehearsal.cutover import Cutover, StepFailed
from testbed.rehearsal.script import load
from testbed.settings import DEFAULT_RATE, DEFAULT_SPEED, PRODUCTION

START = str(Path(__file__).parent / "scenarios" / "start.py")
STARTS = 3
FIRST_REQUEST_SECONDS = 2.0
MEMORY_MIB = 700.0
STORY_SECONDS = 45.0
COMPOSE_READY_SECONDS, COMPOSE_STORY_SECONDS = 20.0, 90.0
RATES = (1_500.0, 3_000.0)
"""Requests per second: the rate that must be held, and the goal."""
CEILING_RATIO = 0.5
MOVE_ALLOWANCE = 0.1
"""Wall seconds beyond one sync interval and one TTL until the ALB serves."""
ALB_RATIO, NLB_RATIO = 0.5, 0.8
MODEL_SECONDS = 2.0
CHANGE_SECONDS = 1.0
RULES_RATIO = 1.3
RULES_SECONDS = 2.0
PLAN_SECONDS, PLAN_GROWTH = 1.5, 12.0
"""Seconds of a sync of ExternalDNS over many hosts, and the factor that ten times the hosts may cost."""
LOAD_SECONDS = 3.0
"""Wall seconds that h2load and the generator send to measure a throughput."""


def rows(*, quick: bool) -> Iterator[Row]:
    """Yield each row once it is measured; `quick` leaves out the whole stories and the ceiling."""
    yield model_row()
    yield from plan_rows(with_growth=not quick)
    yield from _measured_or_why("start", start_rows())
    yield from _measured_or_why("rules", rules_rows())
    yield from _measured_or_why("throughput", throughput_rows(with_ceiling=not quick))
    if not quick:
        yield from _measured_or_why("story", story_rows())
        yield from _measured_or_why("Docker Compose", compose_rows())


def _measured_or_why(what: str, measured: Iterator[Row]) -> Iterator[Row]:
    """Yield the rows; a measurement that fails becomes a row with its reason, and the others go on."""
    try:
        yield from measured
    except (TestbedError, StepFailed, ClientError, httpx.HTTPError, OSError) as error:
        yield Row(what, f"could not be measured: {error}", "", None)


def start_rows() -> Iterator[Row]:
    """Measure the time to the first request, and the memory of the topology."""
    runs = [play(START, DEFAULT_RATE) for _ in range(STARTS)]
    times = sorted(run.first_request for run in runs if run.first_request is not None)
    what, bound = "from the command to the first request through the NLB", f"≤ {FIRST_REQUEST_SECONDS:g} s"
    if len(times) < STARTS:
        yield Row(what, f"only {len(times)} of {STARTS} runs got an answer", bound, False)
    else:
        middle = statistics.median(times)
        each = ", ".join(f"{seconds:.2f}" for seconds in times)
        yield Row(what, f"{middle:.2f} s (median of {each})", bound, middle <= FIRST_REQUEST_SECONDS)
    memory = max(run.memory for run in runs)
    yield Row(
        "memory of the whole topology (PSS) while traffic flows",
        f"{memory:.0f} MiB",
        f"≤ {MEMORY_MIB:g} MiB",
        0 < memory <= MEMORY_MIB,
    )


def story_rows() -> Iterator[Row]:
    """Play the whole story: its duration, the move to the ALB, and the rates that are held."""
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
        "the ALB served no request" if move is None else f"{move:.2f} s",
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


def throughput_rows(*, with_ceiling: bool) -> Iterator[Row]:
    """Compare h2load through both balancers with Envoy alone, and the generator with h2load."""
    with both_balancers() as (plan, nlb, alb, envoy):
        alone, by_nlb, by_alb = (h2load(address, plan, LOAD_SECONDS) for address in (envoy, nlb, alb))
        for name, reached, least in (("NLB", by_nlb, NLB_RATIO), ("ALB", by_alb, ALB_RATIO)):
            yield ratio_row(
                f"{name} by h2load, beside the target's Envoy alone", reached, "Envoy alone", alone, least
            )
        if not with_ceiling:
            return
        held = [measured.answered for measured in ceiling(plan, LOAD_SECONDS) if not measured.lost]
        beside = h2load(nlb, plan, LOAD_SECONDS)
        yield ratio_row(
            "ceiling of the generator through the NLB, beside h2load's",
            max(held, default=0.0),
            "h2load",
            beside,
            CEILING_RATIO,
        )


def rules_rows() -> Iterator[Row]:
    """Measure the delay of a changed rule, and the cost of 100 rules beside 5, on two ALBs."""
    scenario = load(DEFAULT_SCENARIO)
    with empty_topology(scenario) as topology:
        clients = topology.clients
        cutover = Cutover(scenario, topology, DEFAULT_RATE)
        arn = cutover.request_certificate(scenario.host)
        subnets = clients.ec2.describe_subnets()["Subnets"]
        ids = [subnet["SubnetId"] for subnet in subnets[:2]]
        names = [
            rule_cost.build(clients.elbv2, arn, subnets[0]["VpcId"], ids, topology.network, count)
            for count in (rule_cost.FEW, rule_cost.MANY)
        ]
        for name in names:
            cutover.wait_until(active(name), within=300)
        few, many = (topology.addresses(name)[0] for name in names)
        port = topology.network.port(topology.setup.port)
        yield change_cost(
            rule_cost.seconds_until_obeyed(
                clients.elbv2,
                names[-1],
                f"https://{many}:{port}",
                scenario.host,
                topology.bundle,
            )
        )
        yield rules_cost(rule_cost.latencies((few, many), scenario.host, port, RULES_SECONDS))


def change_cost(seconds: Sequence[float]) -> Row:
    """The row for changes of a rule, each in wall seconds until the ALB obeyed it."""
    return Row(
        "from a rule changed in ELBv2 until the ALB obeys it",
        f"{max(seconds):.2f} s (the longest of {len(seconds)}; median {statistics.median(seconds):.2f} s)",
        f"≤ {CHANGE_SECONDS:g} s",
        max(seconds) <= CHANGE_SECONDS,
    )


def rules_cost(measured: tuple[float, float] | None) -> Row:
    """The row for two latencies in wall seconds, with few rules and with many."""
    what = f"latency at the last of {rule_cost.MANY} rules, beside the last of {rule_cost.FEW}"
    bound = f"≤ {RULES_RATIO:g}"
    if measured is None:
        reason = "some answers failed" if shutil.which("h2load") else NO_H2LOAD
        return Row(what, reason, bound, None)
    few, many = measured
    words = f"{many / few:.2f} ({many * 1000:.2f} ms; {few * 1000:.2f} ms)"
    return Row(what, words, bound, many / few <= RULES_RATIO)


def model_row() -> Row:
    """Measure the model of a large Ingress group."""
    seconds = seconds_to_model()
    return Row(
        f"the model of a group of {MEMBERS:,} Ingresses",
        f"{seconds:.2f} s",
        f"≤ {MODEL_SECONDS:g} s",
        seconds <= MODEL_SECONDS,
    )


def plan_rows(*, with_growth: bool) -> Iterator[Row]:
    """Measure a sync of ExternalDNS over many hosts, and over ten times as many."""
    taken = taken_by_sync()
    yield Row(
        f"a sync of ExternalDNS planned for {HOSTS:,} hosts",
        f"{taken.planned:.2f} s (and {taken.judged:.2f} s to check its batches by the rules of Route 53)",
        f"≤ {PLAN_SECONDS:g} s",
        taken.planned <= PLAN_SECONDS,
    )
    if with_growth:
        growth = taken_by_sync(10 * HOSTS).planned / taken.planned
        what = f"the same for {10 * HOSTS:,} hosts"
        yield Row(what, f"{growth:.1f} times as long", f"≤ {PLAN_GROWTH:g}", growth <= PLAN_GROWTH)


def compose_rows() -> Iterator[Row]:
    """Measure the start and the story on Docker Compose; the images must be present."""
    ready = compose_cost.seconds_until_ready()
    yield Row(
        "until the topology is up on Docker Compose",
        f"{ready:.1f} s",
        f"≤ {COMPOSE_READY_SECONDS:g} s",
        ready <= COMPOSE_READY_SECONDS,
    )
    story, code = compose_cost.seconds_of_story()
    yield Row(
        "the story on Docker Compose",
        f"{story:.1f} s ({code.name.lower()})",
        f"≤ {COMPOSE_STORY_SECONDS:g} s",
        story <= COMPOSE_STORY_SECONDS,
    )
