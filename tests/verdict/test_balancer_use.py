"""Which client used which balancer when."""

from __future__ import annotations

import dataclasses

from testbed import journal
from testbed.verdict.balancer_use import BalancerUse, Use, balancer_use
from testbed.verdict.history import History
from testbed.verdict.reconciliation import Ledger

REQUEST = journal.Request(
    time=1.5, id="r1", client="app-1", protocol="grpc", method="/a.B/C", shape="unary", intended=1.0,
    sent=1.0, address="a:443", peer="10.0.0.1", pod="envoy-0", listener="tls", status="OK", outcome="ok",
)  # fmt: skip


def used(*requests: journal.Request, moved_at: tuple[float, ...] = ()) -> BalancerUse:
    history, ledger = History(), Ledger()
    for kind, address in (("nlb", "10.0.0.1"), ("alb", "10.0.1.1")):
        history.add(
            journal.Balancer(
                time=0.0, name=kind, type=kind, dns_name=f"{kind}.elb", state="active", addresses=(address,)
            )  # type: ignore[arg-type]
        )
    for request in requests:
        ledger.add_request(request)
    return balancer_use(ledger, history, moved_at)


def test_a_use_runs_from_the_first_request_to_the_last() -> None:
    later = dataclasses.replace(REQUEST, sent=3.0, time=3.2)
    found = used(later, REQUEST)
    assert found.uses == {(0, "app-1", "grpc", "nlb"): Use(1.0, 3.0, 3.2)}
    assert (found.first["nlb"], found.last["nlb"]) == (1.0, 3.0)


def test_a_move_of_the_alias_begins_another_use() -> None:
    after = dataclasses.replace(REQUEST, sent=6.0, time=6.1)
    assert [key[0] for key in used(REQUEST, after, moved_at=(5.0,)).uses] == [0, 1]


def test_clients_protocols_and_balancers_are_apart() -> None:
    others = [{"client": "app-2"}, {"protocol": "rest"}, {"peer": "10.0.1.1"}]
    requests = [dataclasses.replace(REQUEST, **other) for other in others]  # type: ignore[arg-type]
    assert len(used(REQUEST, *requests).uses) == 4


def test_a_request_without_an_answer_used_no_balancer() -> None:
    assert used(dataclasses.replace(REQUEST, peer="", pod="", outcome="unknown")).uses == {}


def lost(sent: float, client: str = "app-1") -> journal.Request:
    return dataclasses.replace(
        REQUEST, client=client, sent=sent, time=sent, peer="", pod="", status="", outcome="failed"
    )


def test_a_client_is_stranded_by_the_balancer_of_its_last_answer_if_all_was_lost_since() -> None:
    assert used(REQUEST, lost(2.0), lost(3.0)).stranded == {"nlb": ["app-1"]}
    assert used(lost(3.0), REQUEST, lost(2.0)).stranded == {"nlb": ["app-1"]}  # the journal is in no order


def test_one_loss_at_the_end_or_an_answer_later_or_another_client_strands_none() -> None:
    answered = dataclasses.replace(REQUEST, sent=4.0, time=4.1, peer="10.0.1.1")
    assert used(REQUEST, lost(2.0)).stranded == {}
    assert used(REQUEST, lost(2.0), lost(3.0), answered).stranded == {}
    assert used(REQUEST, lost(2.0, "app-2"), lost(3.0, "app-2")).stranded == {}
