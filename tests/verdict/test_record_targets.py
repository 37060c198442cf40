"""Where the host's records lead over time."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from testbed import journal
from testbed.verdict.history import History
from testbed.verdict.record_targets import record_targets


def history_of(made: ModuleType, *changes: journal.Event) -> History:
    history = History()
    for event in (*made.Story(steps=1, moves=()).events()[:1], *made.TWO.values(), *changes):
        history.add(event)
    history.saw(made.EPOCH + 10)
    return history


def weighted(made: ModuleType, time: float, **weights: int) -> journal.DnsChange:
    def record(kind: str, weight: int) -> dict[str, Any]:
        alias = {"DNSName": made.NAMES[kind] + "."}
        name = f"{made.HOST}."
        return {"Name": name, "Type": "A", "SetIdentifier": kind, "Weight": weight, "AliasTarget": alias}

    changes = tuple({"Action": "UPSERT", "ResourceRecordSet": record(*one)} for one in weights.items())
    return journal.DnsChange(time=made.EPOCH + time, zone="/hostedzone/Z1", changes=changes)


def seen(made: ModuleType, *changes: journal.Event) -> list[tuple[float, float, set[str]]]:
    return [
        (one.start - made.EPOCH, one.end - made.EPOCH, set(one.balancers))
        for one in record_targets(history_of(made, *changes))
    ]


def test_a_record_leads_to_its_balancer_until_it_changes(made: ModuleType) -> None:
    create = made.dns_change(made.EPOCH + 1, "CREATE", "nlb")
    move = made.dns_change(made.EPOCH + 4, "UPSERT", "alb")
    assert seen(made, create, move) == [(1, 4, {"nlb"}), (4, 10, {"alb"})]


def test_a_deleted_record_leads_nowhere(made: ModuleType) -> None:
    create = made.dns_change(made.EPOCH + 1, "CREATE", "nlb")
    delete = made.dns_change(made.EPOCH + 4, "DELETE", "nlb")
    assert seen(made, create, delete) == [(1, 4, {"nlb"}), (4, 10, set())]


def test_weights_share_a_name_and_a_record_without_weight_is_no_answer(made: ModuleType) -> None:
    changes = [
        weighted(made, 1, nlb=100, alb=0),
        weighted(made, 3, nlb=90, alb=10),
        weighted(made, 5, nlb=0, alb=100),
        weighted(made, 7, nlb=0, alb=0),
    ]
    assert seen(made, *changes) == [
        (1, 3, {"nlb"}),
        (3, 5, {"nlb", "alb"}),
        (5, 7, {"alb"}),
        (7, 10, {"nlb", "alb"}),
    ]


def test_another_name_of_the_zone_does_not_count(made: ModuleType) -> None:
    create = made.dns_change(made.EPOCH + 1, "CREATE", "nlb")
    other = made.dns_change(made.EPOCH + 2, "CREATE", "alb", host="other.example.com")
    assert seen(made, create, other) == [(1, 10, {"nlb"})]


def test_without_a_record_of_the_host_a_wildcard_counts(made: ModuleType) -> None:
    wildcard = made.dns_change(made.EPOCH + 1, "CREATE", "alb", host="*.example.com")
    assert seen(made, wildcard) == [(1, 10, {"alb"})]


def test_a_change_that_route_53_refused_moved_nothing(made: ModuleType) -> None:
    create = made.dns_change(made.EPOCH + 1, "CREATE", "nlb")
    refused = journal.DnsChange(
        time=made.EPOCH + 2,
        zone=create.zone,
        changes=made.dns_change(made.EPOCH + 2, "UPSERT", "alb").changes,
        refused="InvalidChangeBatch",
    )
    assert seen(made, create, refused) == [(1, 10, {"nlb"})]
