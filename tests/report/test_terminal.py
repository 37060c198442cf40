from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from testbed import journal
from testbed.report.terminal import LONGEST_HEADING, plain, print_verdict
from testbed.verdict.verdict import compute, compute_file
from tests.report.consoles import HOSTILE, console, written


def printed(events: list[journal.Event], width: int) -> list[str]:
    out, file = console(width)
    print_verdict(compute(events), out)
    return [line.rstrip() for line in written(file).splitlines()]


def three(made: ModuleType) -> list[journal.Event]:
    found: list[journal.Event] = made.Story(rate=20.0, balancers=made.THREE, moves=made.THREE_MOVES).events()
    return found


@pytest.mark.parametrize("width", [80, 120])
def test_the_verdict_is_as_expected(
    golden_journal: Path, golden: Callable[[str, str], None], width: int
) -> None:
    out, file = console(width)
    print_verdict(compute_file(golden_journal), out, Path("report/report.html"))
    lines = [line.rstrip() for line in written(file).splitlines()]
    assert max(map(len, lines)) <= width
    golden(f".{width}.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_three_balancers_with_long_names_have_a_letter_each_and_fit(made: ModuleType, width: int) -> None:
    lines = printed(three(made), width)
    assert max(map(len, lines)) <= width
    (head,) = [line for line in lines if line.split()[:1] == ["step"]]
    with_latency = ["step", "A", "p99", "B", "p99", "C", "p99", "lost"]
    assert head.split() == (with_latency if width >= 80 else ["step", "A", "B", "C", "lost"])
    assert [line.split() for line in lines if line.startswith("  A ")] == [
        ["A", "service/shop/envoy", "NLB,", "internet-facing"]
    ]
    assert [line.split() for line in lines if line.startswith("  C ")] == [["C", "ALB", "internet-facing"]]


def test_balancers_with_brief_names_are_the_heads_of_their_columns(made: ModuleType) -> None:
    names = {"old": "service/shop/envoy", "new": "service/shop/envoy-internal", "edge": "alb"}
    assert max(map(len, names)) <= LONGEST_HEADING
    given = [journal.BalancerNamed(time=made.EPOCH, name=name, balancer=of) for name, of in names.items()]
    lines = printed([*given, *three(made)], 80)
    (head,) = [line for line in lines if line.split()[:1] == ["step"]]
    assert head.split() == ["step", "old", "p99", "new", "p99", "edge", "p99", "lost"]
    assert ["new", "NLB,", "internal"] in [line.split() for line in lines]
    assert any("Rollback: alias → old; " in line for line in lines)
    assert any(
        line.endswith("old may go: no connection, name or cached answer leads to it") for line in lines
    )


def test_a_balancer_made_anew_is_a_line_with_the_gap(made: ModuleType) -> None:
    old = made.THREE["tree"]
    new = dataclasses.replace(old, dns_name="b-ff.elb.eu-west-1.amazonaws.com", scheme="internal")
    start = made.Story().start(2)
    states = [
        dataclasses.replace(old, time=start, state="deleted"),
        dataclasses.replace(new, time=start + 1, state="provisioning"),
        dataclasses.replace(new, time=start + 2, state="active", addresses=()),
    ]
    text = " ".join(" ".join(printed([*three(made), *states], 80)).split())
    assert (
        "made service/shop/envoy (2) in place of service/shop/envoy (1): for 120 s neither was active" in text
    )


def test_a_terminal_without_unicode_gets_ascii(made: ModuleType) -> None:
    out, file = console(80, encoding="ascii")
    print_verdict(compute(made.Story(rate=10.0).events()), out)
    assert "Forward: alias -> ALB" in written(file)


def test_what_the_run_says_cannot_steer_the_terminal(made: ModuleType) -> None:
    out, file = console(120)
    events = [*made.Story(rate=10.0).events()]
    events.insert(5, journal.Expectation(time=made.EPOCH, step=1, text=HOSTILE, passed=False, detail=HOSTILE))
    owned = dataclasses.replace(made.THREE["tree"], owner=HOSTILE)
    print_verdict(compute([*events, owned]), out)
    text = written(file)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]bold[/red]" in text


def test_plain_is_one_line_of_printable_text() -> None:
    assert plain("a\tb\nc\x1b[0m é ✓") == "a b c [0m é ✓"


def test_of_many_balancers_that_all_serve_the_table_has_as_many_as_fit(made: ModuleType) -> None:
    kinds = [f"b{number}" for number in range(30)]
    balancers = {
        kind: dataclasses.replace(
            made.THREE["tree"], name=kind, dns_name=f"{kind}.elb.ap-northeast-1.amazonaws.com",
            addresses=(f"127.80.{40 + number}.1", f"127.80.{40 + number}.2"), owner=f"service/shop/{kind}",
        )
        for number, kind in enumerate(kinds)
    }  # fmt: skip
    moves = tuple((3, kind) for kind in kinds[1:])
    requests = made.Story(rate=20.0, balancers=balancers, moves=moves).events()
    changes = [
        made.dns_change(made.Story().start(2) + number / 10, "UPSERT", one.dns_name)
        for number, one in enumerate(balancers.values())
    ]
    lines = printed([*requests, *changes], 80)
    assert max(map(len, lines)) <= 80
    (head,) = [line for line in lines if line.split()[:1] == ["step"]]
    shown = head.split()[1:-1]
    assert 3 < len(shown) < 27
    assert any(f"and {30 - len(shown)} more balancers, in the report" in line for line in lines)
