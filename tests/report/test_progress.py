"""What a terminal or a file shows while a run is played."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import pytest
from rich.console import Console

from testbed import journal
from testbed.clock import Clock
from testbed.errors import Missing
from testbed.report.progress import Progress
from testbed.traffic.counts import Counts
from tests.report.consoles import HOSTILE, console, written


def play(made: ModuleType, out: Console) -> Progress:
    story = made.Story(rate=5.0)
    events = [event for event in story.events() if not isinstance(event, journal.Request | journal.Access)]
    served = {made.NAMES["nlb"]: 1_500, made.NAMES["alb"]: 2_500}
    clock = Clock(60.0, made.EPOCH)
    progress = Progress(out, clock, lambda: Counts(ok=4_000, failed=3, unknown=1, served=served))
    with progress:
        for event in events:
            progress.hear(event)
    return progress


def test_without_a_terminal_each_thing_is_a_line(made: ModuleType) -> None:
    out, file = console(80)
    play(made, out)
    lines = written(file).splitlines()
    assert "    1:00  step 1: The NLB serves everything" in lines
    assert "   13:06    · annotate service/envoy external-dns.alpha.kubernetes.io/hostname-" in lines
    assert "   13:30    · api.example.com → ALB" in lines
    assert "   13:36    ✓ the A alias points to the ALB" in lines
    assert any(
        "step 6 passed: 4,000 ok, 3 failed, 1 unknown so far (NLB 1,500, ALB 2,500)" in line for line in lines
    )
    assert not any("\x1b" in line for line in lines)


def test_the_first_line_says_that_a_run_has_no_external_dns(made: ModuleType) -> None:
    out, file = console(200)
    progress = Progress(out, Clock(60.0, made.EPOCH), Counts)
    with progress:
        progress.hear(dataclasses.replace(made.Story(rate=5.0).events()[0], external_dns=""))
    assert "5 requests/s, no ExternalDNS, 60x speed" in written(file)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_at_a_terminal_the_picture_fits_its_width(made: ModuleType, width: int) -> None:
    out, file = console(width, terminal=True)
    progress = play(made, out)
    with out.capture() as capture:
        out.print(progress._picture())
    text = capture.get()
    assert "The NLB serves everything"[: width - 20] in text
    assert "4,000" in text
    assert written(file)


def test_errors_of_controllers_and_of_parts_are_said_as_they_happen(made: ModuleType) -> None:
    out, file = console(200)
    progress = Progress(out, Clock(60.0, made.EPOCH), Counts)
    warning = journal.ControllerEvent(
        time=made.EPOCH + 1,
        object="service/default/envoy",
        type="Warning",
        reason="FailedDeployModel",
        message="protected",
    )
    refusal = journal.Log(
        time=made.EPOCH + 2, component="nlb-envoy", level="error", message="Envoy refuses", line="taken"
    )
    with progress:
        for event in (warning, warning, refusal, dataclasses.replace(warning, type="Normal")):
            progress.hear(event)
    lines = [line.split(maxsplit=1)[1] for line in written(file).splitlines()]
    assert lines == [
        "! service/default/envoy: FailedDeployModel: protected",
        "✗ nlb-envoy: Envoy refuses: taken",
    ]


def test_a_generator_that_died_does_not_end_the_picture(made: ModuleType) -> None:
    def counts() -> Counts:
        raise Missing("the generator ended")

    out, file = console(80)
    progress = Progress(out, Clock(1.0), counts)
    progress.hear(journal.StepStarted(time=1, number=1, title="First", why=""))
    progress.hear(journal.StepFinished(time=2, number=1, outcome="failed"))
    out.print(progress._picture())
    assert "step 1 failed: 0 ok" in written(file)


def test_without_unicode_each_line_is_ascii(made: ModuleType) -> None:
    out, file = console(80, encoding="ascii")
    play(made, out)
    assert "step 6 passed" in written(file)


def test_what_the_run_says_cannot_steer_the_terminal(made: ModuleType) -> None:
    out, file = console(120)
    progress = Progress(out, Clock(1.0), Counts)
    progress.hear(journal.StepStarted(time=1, number=1, title=HOSTILE, why=""))
    progress.hear(journal.Action(time=1, step=1, text=HOSTILE))
    progress.hear(dataclasses.replace(made.THREE["tree"], owner=HOSTILE))
    progress.hear(dataclasses.replace(made.THREE["made"], owner=HOSTILE))
    out.print(progress._picture())
    text = written(file)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]bold[/red]" in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_three_balancers_have_a_bar_each_with_their_names(made: ModuleType, width: int) -> None:
    out, _ = console(width)
    served = {balancer.dns_name: 1_000 * number for number, balancer in enumerate(made.THREE.values())}
    progress = Progress(out, Clock(60.0, made.EPOCH), lambda: Counts(ok=3_000, served=served))
    for balancer in made.THREE.values():
        progress.hear(balancer)
    progress.hear(made.dns_change(made.EPOCH, "UPSERT", made.THREE["made"].dns_name))
    with out.capture() as capture:
        out.print(progress._picture())
    lines = [line.rstrip() for line in capture.get().splitlines()]
    assert max(map(len, lines)) <= width
    bars = [line for line in lines if "req/s" in line]
    assert [line.split()[0] for line in bars] == ["service/shop/envoy", "service/shop/envoy-intern…", "ALB"]
    assert [line.endswith("● alias") for line in bars] == [False, True, False]


def test_a_name_that_the_scenario_gives_is_said_from_then_on(made: ModuleType) -> None:
    out, file = console(80)
    progress = Progress(out, Clock(60.0, made.EPOCH), Counts)
    progress.hear(journal.BalancerNamed(time=made.EPOCH, name="old", balancer="service/shop/envoy"))
    for balancer in made.THREE.values():
        progress.hear(balancer)
    for target in ("tree", "made", "group"):
        progress.hear(made.dns_change(made.EPOCH, "UPSERT", made.THREE[target].dns_name))
    progress.hear(journal.StepFinished(time=made.EPOCH, number=1, outcome="passed"))
    lines = [line.split(None, 2)[-1] for line in written(file).splitlines()]
    assert lines[:3] == [
        "api.example.com → old",
        "api.example.com → service/shop/envoy-internal",
        "api.example.com → ALB",
    ]
    assert lines[3].endswith("(old 0, service/shop/envoy-internal 0, ALB 0)")


def test_an_aaaa_has_a_line_of_its_own_and_the_picture_follows_the_a(made: ModuleType) -> None:
    out, file = console(80)
    progress = Progress(out, Clock(60.0, made.EPOCH), Counts)
    for balancer in made.THREE.values():
        progress.hear(balancer)
    moved = made.dns_change(made.EPOCH, "UPSERT", made.THREE["group"].dns_name)
    stayed = made.dns_change(made.EPOCH, "UPSERT", made.THREE["tree"].dns_name)
    change = stayed.changes[0]
    record = {**change["ResourceRecordSet"], "Type": "AAAA"}
    for event in (moved, dataclasses.replace(stayed, changes=({**change, "ResourceRecordSet": record},))):
        progress.hear(event)
    lines = [line.split(None, 2)[-1] for line in written(file).splitlines()]
    assert lines[0] == "api.example.com → ALB"
    assert lines[1].startswith("api.example.com AAAA → ")
    assert progress.alias == ("alb",)
