from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.aws.route53_names import stored_name
from testbed.aws.route53_refusals import Zone, applied, refusal

ZONE = Zone("Z1", "example.com.")
NLB = ("lb-1.elb.ap-northeast-1.amazonaws.com", "Z31USIVHYNEOWT")
ALB = ("lb-2.ap-northeast-1.elb.amazonaws.com", "Z14GRHDCWA56QT")

Change = dict[str, Any]


def record(kind: str, *values: str, name: str = "api.example.com", ttl: int = 300, **more: Any) -> Change:
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": v} for v in values], **more}


def alias(
    target: tuple[str, str] = NLB, kind: str = "A", name: str = "api.example.com", **more: Any
) -> Change:
    dns_name, zone = target
    target = {"DNSName": dns_name, "HostedZoneId": zone, "EvaluateTargetHealth": True}
    return {"Name": name, "Type": kind, "AliasTarget": target, **more}


def weighted(content: Change, identifier: str, weight: int = 1) -> Change:
    return {**content, "SetIdentifier": identifier, "Weight": weight}


def change(action: str, content: Change) -> Change:
    return {"Action": action, "ResourceRecordSet": content}


def refused(records: list[Change], *changes: Change) -> tuple[str, str]:
    found = refusal(ZONE, records, changes)
    return (found.code, found.message) if found else ("", "")


A, TXT, CNAME = record("A", "192.0.2.1"), record("TXT", '"text"'), record("CNAME", "other.example.com")
NS = record("NS", "ns-1.example.net", name="example.com")
SOA = record("SOA", "ns-1.example.net. host.example.net. 1 7200 900 1209600 86400", name="example.com")


@pytest.mark.parametrize(
    ("records", "changes"),
    [
        pytest.param([], [change("CREATE", A), change("CREATE", TXT)], id="a record and its TXT"),
        pytest.param([], [change("UPSERT", A)], id="UPSERT of what is not there"),
        pytest.param([A], [change("UPSERT", alias())], id="plain to alias by UPSERT"),
        pytest.param([alias()], [change("UPSERT", alias(ALB))], id="the cutover"),
        pytest.param([A], [change("DELETE", A)], id="DELETE of what is there"),
        pytest.param([A], [change("DELETE", A), change("CREATE", alias())], id="DELETE, CREATE of one key"),
        pytest.param([A], [change("DELETE", A), change("CREATE", CNAME)], id="DELETE makes room for a CNAME"),
        pytest.param(
            [A],
            [change("DELETE", A), change("CREATE", weighted(A, "nlb"))],
            id="simple to weighted, as ExternalDNS orders it since 0.7.3",
        ),
        pytest.param([weighted(A, "nlb")], [change("CREATE", weighted(A, "alb"))], id="a second weighted"),
        pytest.param(
            [weighted(alias(), "nlb", 100)],
            [
                change("UPSERT", weighted(alias(), "nlb", 0)),
                change("UPSERT", weighted(alias(ALB), "alb", 255)),
            ],
            id="a weighted shift",
        ),
        pytest.param([], [change("CREATE", alias(kind="AAAA"))], id="an AAAA alias"),
        pytest.param([A], [change("CREATE", alias(("api.example.com", "Z1"), name="www.example.com"))],
                     id="an alias within the zone"),
        pytest.param([], [change("CREATE", alias(("dualstack." + ALB[0], ALB[1])))], id="dualstack"),
        pytest.param([NS], [change("UPSERT", {**NS, "TTL": 60})], id="an edit at the apex"),
        pytest.param([], [change("CREATE", record("A", "192.0.2.1", name="*.example.com"))], id="a wildcard"),
        pytest.param([A], [change("DELETE", {**A, "Name": "API.example.com."})], id="names ignore case"),
    ],
)  # fmt: skip
def test_route_53_takes(records: list[Change], changes: list[Change]) -> None:
    assert refusal(ZONE, records, changes) is None


@pytest.mark.parametrize(
    ("records", "changes", "message"),
    [
        pytest.param(
            [TXT], [change("CREATE", TXT)],
            "[Tried to create resource record set [name='api.example.com.', type='TXT'] "
            "but it already exists]",
            id="CREATE of what exists",
        ),
        pytest.param(
            [weighted(A, "nlb")], [change("CREATE", weighted(A, "nlb", 2))],
            "[Tried to create resource record set [name='api.example.com.', type='A', "
            "set-identifier='nlb'] but it already exists]",
            id="CREATE of a weighted one that exists",
        ),
        pytest.param(
            [], [change("DELETE", A)],
            "[Tried to delete resource record set [name='api.example.com.', type='A'] but it was not found]",
            id="DELETE of what is not there",
        ),
        pytest.param(
            [A], [change("DELETE", {**A, "TTL": 60})],
            "[Tried to delete resource record set [name='api.example.com.', type='A'] "
            "but the values provided do not match the current values]",
            id="DELETE with another TTL",
        ),
        pytest.param(
            [alias()], [change("DELETE", alias(ALB))],
            "[Tried to delete resource record set [name='api.example.com.', type='A'] "
            "but the values provided do not match the current values]",
            id="DELETE with another target",
        ),
        pytest.param(
            [A], [change("CREATE", CNAME)],
            "[RRSet of type CNAME with DNS name api.example.com. is not permitted as it conflicts with other "
            "records with the same DNS name in zone example.com.]",
            id="CNAME beside A",
        ),
        pytest.param(
            [CNAME], [change("CREATE", TXT)],
            "[RRSet of type TXT with DNS name api.example.com. is not permitted because a conflicting RRSet "
            "of type CNAME with the same DNS name already exists in zone example.com.]",
            id="TXT beside CNAME",
        ),
        pytest.param(
            [], [change("CREATE", {**CNAME, "Name": "example.com"})],
            "[RRSet of type CNAME with DNS name example.com. is not permitted at apex in zone example.com.]",
            id="CNAME at the apex",
        ),
        pytest.param(
            [A, TXT],
            [change("CREATE", weighted(A, "foo")), change("CREATE", weighted(TXT, "foo")),
             change("DELETE", A), change("DELETE", TXT)],
            "[RRSet with DNS name api.example.com., type A, SetIdentifier foo cannot be created as a "
            "non-weighted set exists with the same name and type., RRSet with DNS name api.example.com., "
            "type TXT, SetIdentifier foo cannot be created as a non-weighted set exists with the same name "
            "and type.]",
            id="external-dns 1411: CREATE before DELETE",
        ),
        pytest.param(
            [weighted(A, "nlb")], [change("CREATE", A)],
            "[RRSet with DNS name api.example.com., type A cannot be created as other RRSets exist with the "
            "same name and type.]",
            id="simple beside weighted",
        ),
        pytest.param(
            [weighted(A, "nlb")], [change("CREATE", weighted({**A, "TTL": 60}, "alb"))],
            "[RRSet with DNS name api.example.com. and type A, SetIdentifier alb cannot be created as "
            "weighted sets must contain the same TTL.]",
            id="weighted with another TTL",
        ),
        pytest.param(
            [], [change("CREATE", alias((NLB[0], ALB[1])))],
            "[Tried to create an alias that targets lb-1.elb.ap-northeast-1.amazonaws.com., type A in zone "
            "Z14GRHDCWA56QT, but the alias target name does not lie within the target zone, Tried to create "
            "an alias that targets lb-1.elb.ap-northeast-1.amazonaws.com., type A in zone Z14GRHDCWA56QT, "
            "but that target was not found]",
            id="an NLB in the zone of ALBs",
        ),
        pytest.param(
            [], [change("CREATE", A), change("CREATE", record("A", "192.0.2.2"))],
            "[The request contains an invalid set of changes for a resource record set "
            "'A api.example.com.']",
            id="twice in a batch",
        ),
        pytest.param(
            [], [change("CREATE", record("A", "192.0.2.1", name="api.example.org"))],
            "[RRSet with DNS name api.example.org. is not permitted in zone example.com.]",
            id="outside the zone",
        ),
        pytest.param(
            [], [change("CREATE", record("A", "192.0.2.1", name="notexample.com"))],
            "[RRSet with DNS name notexample.com. is not permitted in zone example.com.]",
            id="a name that only ends like the zone",
        ),
        pytest.param(
            [NS, SOA], [change("DELETE", NS), change("DELETE", SOA)],
            "[A HostedZone must contain at least one NS record for the zone itself., "
            "A HostedZone must contain exactly one SOA record.]",
            id="the zone's own records",
        ),
        pytest.param(
            [], [change("CREATE", record("TXT", "bare"))],
            "[Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be enclosed in "
            "quotation marks) encountered with 'bare'']",
            id="a TXT without quotes",
        ),
    ],
)  # fmt: skip
def test_route_53_refuses(records: list[Change], changes: list[Change], message: str) -> None:
    assert refused(records, *changes) == ("InvalidChangeBatch", message)


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        pytest.param((NLB[0], "Z0UNKNOWN"), "A", id="a zone that nobody knows"),
        pytest.param(("www.example.org", NLB[1]), "A", id="no balancer in a balancer's zone"),
        pytest.param(("www.example.org", "Z1"), "A", id="a name outside the own zone"),
        pytest.param(("www.example.com", "Z1"), "A", id="no such record in the own zone"),
        pytest.param(NLB, "TXT", id="a type that balancers have not"),
    ],
)
def test_an_alias_needs_a_target_that_route_53_knows(target: tuple[str, str], kind: str) -> None:
    code, message = refused([], change("CREATE", alias(target, kind)))
    assert code == "InvalidChangeBatch"
    assert message.endswith("but that target was not found]")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param({"Name": "api.example.com", "Type": "A"}, "but found none", id="no content"),
        pytest.param({**alias(), "TTL": 60}, "but found more than one", id="an alias with a TTL"),
        pytest.param({**A, "Weight": 1}, "Missing field 'SetIdentifier'", id="weight without identifier"),
        pytest.param({**A, "SetIdentifier": "x"}, "Expected exactly one of [Weight", id="identifier alone"),
        pytest.param(weighted(A, "x", 256), "Weight must be", id="too heavy"),
    ],
)
def test_what_no_record_set_may_look_like_is_invalid_input(content: Change, message: str) -> None:
    code, said = refused([], change("CREATE", content))
    assert code == "InvalidInput"
    assert message in said


def test_a_refusal_names_all_that_is_wrong() -> None:
    _, message = refused([A], change("CREATE", A), change("DELETE", TXT))
    assert "already exists, Tried to delete" in message


def test_upserts_count_twice_towards_the_limit() -> None:
    many = [f'"{number}"' for number in range(501)]
    assert refused([], change("UPSERT", record("TXT", *many)))[0] == "InvalidChangeBatch"
    assert refused([], change("CREATE", record("TXT", *many))) == ("", "")


def test_a_batch_holds_32000_characters_of_values_and_those_of_upserts_count_twice() -> None:
    many = [f'"{number:0>198}"' for number in range(80)]  # 16,000 characters with their quotes
    assert refused([], change("UPSERT", record("TXT", *many))) == ("", "")
    assert refused([], change("UPSERT", record("TXT", *many, '"1"'))) == (
        "InvalidChangeBatch",
        "[RDATA character limit of 32000 exceeded.]",
    )
    assert refused([], change("CREATE", record("TXT", *many, '"1"'))) == ("", "")


names = st.sampled_from(["example.com", "api.example.com", "www.example.com"])
plain = st.one_of(
    st.builds(lambda n, v: record("A", f"192.0.2.{v}", name=n), names, st.integers(1, 3)),
    st.builds(lambda n, v: record("TXT", f'"{v}"', name=n), names, st.integers(1, 3)),
    st.builds(lambda n: record("CNAME", "other.example.org", name=n), names),
    st.builds(
        lambda n, t, k: alias(t, k, n), names, st.sampled_from([NLB, ALB]), st.sampled_from(["A", "AAAA"])
    ),
)
contents = st.one_of(plain, st.builds(weighted, plain, st.sampled_from(["nlb", "alb"]), st.integers(0, 255)))
batches = st.lists(
    st.builds(change, st.sampled_from(["CREATE", "UPSERT", "DELETE"]), contents), min_size=1, max_size=5
)


@given(st.lists(batches, max_size=6))
def test_no_history_of_taken_batches_mixes_what_dns_forbids(history: list[list[Change]]) -> None:
    records: list[Any] = []
    for batch in history:
        if refusal(ZONE, records, batch) is None:
            records = list(applied(records, batch).values())
        for one in records:
            beside = [other for other in records if stored_name(other["Name"]) == stored_name(one["Name"])]
            types = {other["Type"] for other in beside}
            assert "CNAME" not in types or types == {"CNAME"}
            same = [other for other in beside if other["Type"] == one["Type"]]
            assert len({"Weight" in other for other in same}) == 1
            assert "Weight" in one or len(same) == 1


@given(st.lists(batches, max_size=4), batches)
def test_what_exists_may_be_deleted_as_it_is_and_created_again(
    history: list[list[Change]], last: list[Change]
) -> None:
    records: list[Any] = []
    for batch in [*history, last]:
        if refusal(ZONE, records, batch) is None:
            records = list(applied(records, batch).values())
    for one in records:
        assert refusal(ZONE, records, [change("DELETE", one)]) is None
        assert refusal(ZONE, records, [change("UPSERT", one)]) is None
        assert refusal(ZONE, records, [change("CREATE", one)]) is not None
