from __future__ import annotations

import os
import subprocess
import sys

import pytest

from testbed.bench import command_runs
from testbed.errors import Missing
from testbed.journal import Action, Balancer, Journal, Request, TrafficStopped

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
        return command_runs.figures(tmp_path / "journal.ndjson")

    return of


def test_the_first_answer_through_the_nlb_skips_failures_and_answers_of_the_alb(figures):
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


def test_requests_that_were_never_started_count_as_lost(figures):
    stopped = TrafficStopped(time=9.0, scheduled=4, sent=2, finished=2, never_started=2)
    seen = figures(balancer("nlb", NLB), request(1.0, NLB), request(2.0, "", "unknown"), stopped)
    assert seen.lost == 3
    assert not seen.is_held


def test_a_rate_without_requests_or_with_a_late_start_is_not_held(figures):
    assert not figures(balancer("nlb", NLB)).is_held
    assert figures(request(1.0, NLB, lag=0.004)).is_held
    assert not figures(request(2.0, NLB, lag=0.006)).is_held


def test_the_memory_of_children_counts():
    alone = command_runs.proportional_memory(os.getpid())
    with subprocess.Popen([sys.executable, "-c", "print(); input()"], stdin=-1, stdout=-1) as child:
        assert child.stdout
        child.stdout.readline()  # it runs
        assert command_runs.proportional_memory(os.getpid()) > alone
        child.communicate(b"\n")


def test_a_run_that_ends_before_its_journal_is_reported_with_its_last_words(tmp_path):
    with pytest.raises(Missing, match=r"status 2: .*no-such-scenario"):
        command_runs.play(str(tmp_path / "no-such-scenario.py"), 10.0)
