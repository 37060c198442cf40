"""A name whose A and AAAA lead to different balancers when a run ends is no pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from testbed import journal
from testbed.journal import Event
from testbed.verdict.findings import Reason, Result
from testbed.verdict.history import History
from testbed.verdict.parted_names import parted_at_the_end
from testbed.verdict.verdict import compute

NLB, ALB = "edge-0123456789abcdef.elb.eu-west-1.amazonaws.com", "k8s-a-1.eu-west-1.elb.amazonaws.com"


def change(time: float, action: str, *pairs: tuple[str, str], refused: str = "") -> journal.DnsChange:
    changes: tuple[dict[str, Any], ...] = tuple(
        {
            "Action": action,
            "ResourceRecordSet": {
                "Name": "app.example.com.",
                "Type": kind,
                "AliasTarget": {"DNSName": target},
            },
        }
        for kind, target in pairs
    )
    return journal.DnsChange(time=time, zone="example.com", changes=changes, refused=refused)


def parted(*changes: journal.DnsChange) -> list[str]:
    history = History()
    for one in changes:
        history.add(one)
    return [f"{one.ipv4} {one.ipv6}" for one in parted_at_the_end(history)]


BOTH = change(1.0, "CREATE", ("A", NLB), ("AAAA", NLB))


def test_an_alias_whose_aaaa_stayed_behind_is_parted() -> None:
    assert parted(BOTH, change(2.0, "UPSERT", ("A", ALB))) == [f"{ALB} {NLB}"]


@pytest.mark.parametrize(
    "later",
    [
        (),
        (change(2.0, "UPSERT", ("A", ALB), ("AAAA", ALB)),),
        (change(2.0, "UPSERT", ("A", ALB), refused="InvalidChangeBatch"),),
        (change(2.0, "UPSERT", ("A", ALB)), change(3.0, "DELETE", ("AAAA", NLB))),
        (change(2.0, "UPSERT", ("A", ALB)), change(3.0, "UPSERT", ("AAAA", ALB))),
    ],
)
def test_what_moved_together_or_was_refused_or_ended_is_not(later: tuple[journal.DnsChange, ...]) -> None:
    assert parted(BOTH, *later) == []


@pytest.mark.parametrize(
    "record",
    [
        None,
        {},
        {"Type": "A"},
        {"Type": "A", "AliasTarget": 5},
        {"Type": 5},
        {"Type": "A", "SetIdentifier": [], "AliasTarget": {}},
    ],
)
def test_a_change_of_another_shape_is_passed_over(record: Any) -> None:
    strange = journal.DnsChange(
        time=2.0, zone="z", changes=({"Action": "UPSERT", "ResourceRecordSet": record},)
    )
    assert parted(BOTH, strange) == []


def test_such_a_run_fails_and_the_finding_names_both_balancers(events: list[Event]) -> None:
    end = events[-1].time
    made = [change(end - 2, "CREATE", ("A", NLB), ("AAAA", ALB))]
    verdict = compute([*events[:-1], *made, events[-1]])
    [found] = [one for one in verdict.findings if one.reason is Reason.FAMILIES_PARTED]
    assert f"A leads to {NLB}, AAAA to {ALB} at the end" in found.text
    assert verdict.result is Result.FAIL
    assert not any(one.reason is Reason.FAMILIES_PARTED for one in compute(events).findings)


def test_the_finding_says_where_the_requests_of_each_family_went(events: list[Event]) -> None:
    end = events[-1].time
    ipv6 = [
        replace(one, family="ipv6") if isinstance(one, journal.Request) and one.client == "server-1" else one
        for one in events
    ]
    made = [change(end - 2, "CREATE", ("A", NLB), ("AAAA", ALB))]
    verdict = compute([*ipv6[:-1], *made, ipv6[-1]])
    [found] = [one for one in verdict.findings if one.reason is Reason.FAMILIES_PARTED]
    last = verdict.tally.phases[-1].by_family
    for (_, family), outcomes in last.items():
        assert f"{outcomes.total:,} to " in found.text
        assert f" by {'IPv6' if family == 'ipv6' else 'IPv4'}" in found.text
    assert {family for _, family in last} == {"ipv4", "ipv6"}
    counted = verdict.tally
    assert sum(one.total for one in counted.by_family.values()) == counted.all.outcomes.total
    sent = sum(isinstance(one, journal.Request) and one.family == "ipv6" for one in ipv6)
    assert sum(one.total for (_, family), one in counted.by_family.items() if family == "ipv6") == sent > 0


def test_a_run_without_ipv6_clients_says_that_no_request_shows_it(events: list[Event]) -> None:
    end = events[-1].time
    made = [change(end - 2, "CREATE", ("A", NLB), ("AAAA", ALB))]
    verdict = compute([*events[:-1], *made, events[-1]])
    [found] = [one for one in verdict.findings if one.reason is Reason.FAMILIES_PARTED]
    assert "no request of the last step came by IPv6" in found.text
