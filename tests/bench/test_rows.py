from __future__ import annotations

import os
import subprocess
import sys

import pytest

import testbed.bench.__main__ as bench
from testbed.bench import runs, table
from testbed.journal import Action, Balancer, Journal, Request, TrafficStopped
from testbed.rehearsal.scenario import load

NLB, ALB = "127.80.10.1", "127.80.11.1"
REMOVAL = "annotate service/envoy external-dns.alpha.kubernetes.io/hostname-"


def balancer(kind: str, address: str) -> Balancer:
    return Balancer(time=0.0, name=kind, type=kind, dns_name=kind, state="active", addresses=(address,))


def request(sent: float, peer: str, outcome: str = "ok", lag: float = 0.0) -> Request:
    return Request(
        time=sent + 0.5, id=str(sent), client="app-0", protocol="grpc", method="/m", shape="unary",
        intended=sent - lag, sent=sent, address="api.example.com:8443", peer=peer, pod="envoy-0",
        listener="tls", status="OK", outcome=outcome,
    )  # fmt: skip


@pytest.fixture
def figures(tmp_path):
    def of(*events):
        with Journal(tmp_path / "journal.ndjson") as written:
            written.write(*events)
        return runs.figures(tmp_path / "journal.ndjson")

    return of


def test_the_first_answer_through_the_nlb_is_no_failed_one_and_none_of_the_alb(figures):
    seen = figures(
        balancer("nlb", NLB), balancer("alb", ALB), request(1.0, NLB, "failed"), request(2.0, ALB),
        request(3.0, NLB), request(4.0, NLB),
    )  # fmt: skip
    assert seen.first_by_nlb == 3.5


def test_the_move_lasts_from_the_first_removal_to_the_first_answer_of_the_alb(figures):
    seen = figures(
        balancer("nlb", NLB),
        balancer("alb", ALB),
        Action(time=1.0, step=1, text="annotate service/envoy example.com/hostname=api.example.com"),
        request(9.0, ALB),
        Action(time=10.0, step=4, text=REMOVAL),
        request(10.5, NLB),
        request(11.0, ALB),
        Action(time=20.0, step=9, text=REMOVAL),
    )
    assert seen.move == 1.5


def test_without_a_removal_or_an_alb_there_is_no_move(figures):
    assert figures(balancer("nlb", NLB), request(1.0, NLB)).move is None


def test_what_was_never_started_is_lost(figures):
    stopped = TrafficStopped(time=9.0, scheduled=4, sent=2, finished=2, never_started=2)
    seen = figures(balancer("nlb", NLB), request(1.0, NLB), request(2.0, "", "unknown"), stopped)
    assert seen.lost == 3
    assert not seen.is_held


def test_a_rate_without_requests_or_with_a_late_start_is_not_held(figures):
    assert not figures(balancer("nlb", NLB)).is_held
    assert figures(request(1.0, NLB, lag=0.004)).is_held
    assert not figures(request(2.0, NLB, lag=0.006)).is_held


def test_a_ratio_below_its_bound_is_not_met():
    assert table.ratio_row("x", 80.0, "Envoy", 100.0, 0.8).met
    assert table.ratio_row("x", 79.0, "Envoy", 100.0, 0.8).met is False
    assert table.ratio_row("x", None, "Envoy", 100.0, 0.8).met is None


def test_without_h2load_the_table_says_so(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert "nghttp2-client" in str(table.ratio_row("x", None, "Envoy", None, 0.8))


def test_the_memory_of_children_counts():
    alone = runs.proportional_memory(os.getpid())
    with subprocess.Popen([sys.executable, "-c", "print(); input()"], stdin=-1, stdout=-1) as child:
        assert child.stdout
        child.stdout.readline()  # it runs
        assert runs.proportional_memory(os.getpid()) > alone
        child.communicate(b"\n")


def test_the_machine_is_described():
    words = bench.machine()
    assert "cores" in words
    assert "Envoy" in words


def test_the_scenario_of_the_start_can_be_loaded():
    assert load(bench.START).name == "start"


def test_many_rules_may_cost_a_third_more_and_no_more():
    assert bench.rules_cost((0.001, 0.0012)).met is True
    assert bench.rules_cost((0.001, 0.0014)).met is False
    assert bench.rules_cost(None).met is None
