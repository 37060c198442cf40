from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.aws.route53_rules import key_of, refusals

NLB = "a1-0123456789abcdef.elb.ap-northeast-1.amazonaws.com"
ALB = "k8s-app-1.ap-northeast-1.elb.amazonaws.com"
NLB_ZONE, ALB_ZONE = "Z31USIVHYNEOWT", "Z14GRHDCWA56QT"


def alias(name: str, target: str, zone: str, kind: str = "A") -> dict[str, Any]:
    return {
        "Name": name,
        "Type": kind,
        "AliasTarget": {"DNSName": target, "HostedZoneId": zone, "EvaluateTargetHealth": True},
    }


def plain(name: str, kind: str, *values: str, **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "TTL": 300, "ResourceRecords": [{"Value": v} for v in values], **more}


def refused(records: list[dict[str, Any]], *changes: tuple[str, dict[str, Any]]) -> list[str]:
    batch = [{"Action": action, "ResourceRecordSet": record} for action, record in changes]
    return refusals("Z1", "example.com.", records, batch)


API = alias("api.example.com", NLB, NLB_ZONE)


def test_an_alias_moves_by_an_upsert() -> None:
    assert refused([API], ("UPSERT", alias("api.example.com.", ALB, ALB_ZONE))) == []


@pytest.mark.parametrize(
    ("records", "action", "record", "message"),
    [
        (
            [API],
            "CREATE",
            API,
            "Tried to create resource record set [name='api.example.com.', type='A'] but it",
        ),
        ([], "DELETE", API, "but it was not found"),
        ([API], "DELETE", alias("api.example.com", ALB, ALB_ZONE), "do not match the current values"),
        ([API], "CREATE", plain("api.example.com", "CNAME", "x.org"), "conflicts with other records"),
        (
            [plain("a.example.com", "CNAME", "x.org")],
            "CREATE",
            plain("a.example.com", "A", "192.0.2.1"),
            "CNAME",
        ),
        ([], "CREATE", plain("example.com", "CNAME", "x.org"), "not permitted at apex"),
        ([], "CREATE", plain("api.other.org", "A", "192.0.2.1"), "not permitted in zone example.com."),
        ([], "CREATE", alias("a.example.com", NLB, ALB_ZONE), "does not lie within the target zone"),
        (
            [],
            "CREATE",
            alias("a.example.com", "unknown.org", NLB_ZONE),
            "does not lie within the target zone",
        ),
        ([], "CREATE", plain("a.example.com", "TXT", "no quotes"), "quotation marks"),
        ([], "CREATE", {"Name": "a.example.com", "Type": "A"}, "found none in Change"),
        (
            [API],
            "CREATE",
            plain("api.example.com", "A", "192.0.2.1", Weight=1, SetIdentifier="x"),
            "cannot be created as other RRSets exist",
        ),
    ],
)
def test_what_route_53_refuses(
    records: list[dict[str, Any]], action: str, record: dict[str, Any], message: str
) -> None:
    assert message in " ".join(refused(records, (action, record)))


def test_a_simple_record_may_give_way_to_a_weighted_one_in_one_batch() -> None:
    weighted = {**API, "Weight": 1, "SetIdentifier": "nlb"}
    assert refused([API], ("CREATE", weighted), ("DELETE", API)) == []


NAMES = st.sampled_from(["a.example.com", "b.example.com", "example.com"])
RECORDS = st.one_of(
    st.builds(lambda name: alias(name, NLB, NLB_ZONE), NAMES),
    st.builds(lambda name: plain(name, "CNAME", "x.org"), NAMES),
    st.builds(lambda name: plain(name, "TXT", '"x"'), NAMES),
    st.builds(
        lambda name, w: plain(name, "A", "192.0.2.1", Weight=w, SetIdentifier=str(w)),
        NAMES,
        st.integers(0, 2),
    ),
)


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["CREATE", "UPSERT", "DELETE"]), RECORDS), max_size=4), max_size=6
    )
)
def test_accepted_batches_never_leave_a_state_that_route_53_would_refuse(
    batches: list[list[tuple[str, dict[str, Any]]]],
) -> None:
    zone: dict[Any, dict[str, Any]] = {}
    for batch in batches:
        if refused(list(zone.values()), *batch):
            continue
        for action, record in sorted(batch, key=lambda change: change[0] != "DELETE"):
            if action == "DELETE":
                del zone[key_of(record)]
            else:
                zone[key_of(record)] = record
        for name in {key[0] for key in zone}:
            here = {key: record for key, record in zone.items() if key[0] == name}
            types = {key[1] for key in here}
            assert "CNAME" not in types or types == {"CNAME"}
            for kind in types:
                assert len({"Weight" in record for key, record in here.items() if key[1] == kind}) == 1
