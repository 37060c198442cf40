"""Hosted zones written as Route 53's API returns them."""

from __future__ import annotations

from typing import Any

import dns.rdatatype
from hypothesis import strategies as st

from testbed.dns.domain_names import labels_of
from testbed.dns.hosted_zone import HostedZone, RecordSet, Zones
from testbed.dns.route53_answers import Answer, Question, Surroundings, answer

NLB = "nlb-0123456789abcdef.elb.ap-northeast-1.amazonaws.com"
ALB = "alb-1234567890.ap-northeast-1.elb.amazonaws.com"
ADDRESSES = {NLB: ("127.81.10.1", "127.81.10.2"), ALB: ("127.81.11.1", "127.81.11.2")}


def record(name: str, kind: str, *values: str, ttl: int = 300, **more: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": kind,
        "TTL": ttl,
        "ResourceRecords": [{"Value": one} for one in values],
        **more,
    }


def alias(name: str, target: str, kind: str = "A", *, health: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": kind,
        "AliasTarget": {"HostedZoneId": "Z", "DNSName": target, "EvaluateTargetHealth": health},
        **more,
    }


def zones(*records: dict[str, Any], name: str = "example.com.") -> Zones:
    return Zones.of([HostedZone.of("Z1", name, map(RecordSet.of, records))])


def around(**more: Any) -> Surroundings:
    return Surroundings(balancer_addresses=lambda name: ADDRESSES.get(name, ()), **more)


def ask(
    served: Zones,
    name: str,
    kind: str = "A",
    surroundings: Surroundings | None = None,
    *,
    recursive: bool = True,
) -> Answer:
    question = Question(labels_of(name), dns.rdatatype.from_text(kind), recursive)
    return answer(served, question, surroundings or around())


def values(given: Answer) -> list[str]:
    return sorted(value.text for records in given.answers for value in records.values)


LABELS = st.lists(st.sampled_from(["a", "b", "*"]), max_size=4)
NAMES = LABELS.map(lambda labels: ".".join((*labels, "example.com."))) | st.sampled_from(
    [NLB, "gone.elb.x.amazonaws.com"]
)
ANY_RECORD: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(lambda name, value: record(name, "CNAME", value), NAMES, NAMES),
    st.builds(lambda name: record(name, "A", "10.0.0.1"), NAMES),
    st.builds(lambda name: record(name, "NS", "ns.example.net."), NAMES),
    st.builds(
        lambda name, to, health, weight: alias(name, to, health=health, SetIdentifier="x", Weight=weight),
        NAMES, NAMES, st.booleans(), st.integers(0, 3),
    ),
)  # fmt: skip
