"""Plays the moves between two balancers of one type, each as it should be done and as it should not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from testbed import journal

FOLDER = Path(__file__).parent / "balancers"
PATIENCE = 120
SPEED, RATE = "120", "60"
"""A minute of production is half a second: each run takes a few seconds."""
BUSY = {"started_late", "lost_while_late"}
"""Reasons of a verdict that says nothing because this machine was busy."""

pytestmark = [pytest.mark.stories, pytest.mark.timeout(4 * PATIENCE)]


def rehearse(folder: Path, scenario: str, variant: str) -> tuple[int, dict[str, Any]]:
    """Play a variant; once more if the machine was too busy to start its requests in time."""
    script = f"{FOLDER / scenario / 'cutover.py'}:{variant}"
    command = [sys.executable, "-m", "testbed", "rehearse", script, "--speed", SPEED, "--rate", RATE]
    summary: dict[str, Any] = {}
    for _ in range(2):
        done = subprocess.run(
            [*command, "--report", str(folder)], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert (folder / "summary.json").exists(), done.stdout + done.stderr
        summary = json.loads((folder / "summary.json").read_text())
        if BUSY.isdisjoint(reason["reason"] for reason in summary["reasons"]):
            break
    return done.returncode, summary


def described(summary: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    """The balancers; requests without an answer are counted beside them, and have no type."""
    return {
        name: (one["type"], one["scheme"], one["owner"])
        for name, one in summary["balancers"].items()
        if "type" in one
    }


def moves(summary: dict[str, Any]) -> list[tuple[str, str]]:
    return [(move["from"], move["to"]) for move in summary["moves"]]


def failed_expectations(folder: Path) -> list[str]:
    events = journal.read(folder / "journal.ndjson")
    return [event.text for event in events if isinstance(event, journal.Expectation) and not event.passed]


OLD_NLB = ("nlb", "internet-facing", "service/default/envoy")
NEW_NLB = ("nlb", "internet-facing", "service/default/envoy-new")
OLD_ALB = ("alb", "internet-facing", "ingress/default/old")
NEW_ALB = ("alb", "internet-facing", "ingress-group/shop")


def test_an_nlb_moves_to_another_nlb_and_nothing_is_lost(tmp_path: Path) -> None:
    status, summary = rehearse(tmp_path, "nlb_to_nlb", "passes")
    assert (status, summary["verdict"]) == (0, "pass"), summary["reasons"]
    assert described(summary) == {"old": OLD_NLB, "service/default/envoy-new": NEW_NLB}
    assert moves(summary) == [("old", "service/default/envoy-new")]
    assert all(one["requests"] for one in summary["balancers"].values())
    assert failed_expectations(tmp_path) == []


def test_an_nlb_that_is_deleted_before_the_move_loses_requests(tmp_path: Path) -> None:
    status, summary = rehearse(tmp_path, "nlb_to_nlb", "fails")
    assert (status, summary["verdict"]) == (1, "fail")
    assert described(summary) == {"old": OLD_NLB, "service/default/envoy-new": NEW_NLB}
    assert failed_expectations(tmp_path) == []


def test_an_nlb_that_another_controller_makes_anew_is_another_balancer(tmp_path: Path) -> None:
    _, summary = rehearse(tmp_path, "nlb_to_nlb", "in_place")
    first, second = "service/default/envoy (1)", "service/default/envoy (2)"
    assert {name: owner for name, (_, _, owner) in described(summary).items()} == {
        first: "service/default/envoy",
        second: "service/default/envoy",
    }
    assert moves(summary) == [(first, second)]
    assert failed_expectations(tmp_path) == []


def test_an_alb_moves_to_that_of_a_group_and_nothing_is_lost(tmp_path: Path) -> None:
    status, summary = rehearse(tmp_path, "alb_to_alb", "passes")
    assert (status, summary["verdict"]) == (0, "pass"), summary["reasons"]
    assert described(summary) == {"ingress/default/old": OLD_ALB, "ingress-group/shop": NEW_ALB}
    assert moves(summary) == [("ingress/default/old", "ingress-group/shop")]


def test_an_alb_that_is_deleted_before_the_move_loses_requests(tmp_path: Path) -> None:
    status, summary = rehearse(tmp_path, "alb_to_alb", "fails")
    assert (status, summary["verdict"]) == (1, "fail")
    assert summary["requests"]["failed"] + summary["requests"]["unknown"] > 0
    assert failed_expectations(tmp_path) == []


@pytest.mark.parametrize(("variant", "ends"), [("passes", (0, "pass")), ("fails", (1, "fail"))])
def test_an_alb_of_another_scheme_is_another_balancer(
    tmp_path: Path, variant: str, ends: tuple[int, str]
) -> None:
    status, summary = rehearse(tmp_path, "scheme_edited", variant)
    assert (status, summary["verdict"]) == ends, summary["reasons"]
    assert described(summary) == {
        "old": ("alb", "internal", "ingress/default/web"),
        "ingress/default/web (2)": ("alb", "internet-facing", "ingress/default/web"),
    }
    assert moves(summary) == [("old", "ingress/default/web (2)")]
    assert summary["requests"]["failed"] > 0
    assert failed_expectations(tmp_path) == []


def test_the_nlb_of_a_controller_that_is_not_emulated_serves_until_an_alb_takes_over(tmp_path: Path) -> None:
    status, summary = rehearse(tmp_path, "foreign", "story")
    assert (status, summary["verdict"]) == (0, "pass"), summary["reasons"]
    assert summary["balancers"]["nginx"]["owner"] == "ingress/default/web"
    dns_name = "nginx-0123456789abcdef.elb.eu-west-1.amazonaws.com"
    assert summary["balancers"]["nginx"]["dns_name"] == dns_name
    assert moves(summary) == [("nginx", "alb")]
