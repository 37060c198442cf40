"""Route 53, row by row of what AWS documents and its stand-ins answer otherwise."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws.conftest import Account
from tests.aws.stand_in_table import Refused, Row, check, unchecked

_numbers = itertools.count(1)
BATCH = Refused("InvalidChangeBatch")
INPUT = Refused("InvalidInput")
ALB, ALB_ZONE = "a-1.ap-northeast-1.elb.amazonaws.com", "Z14GRHDCWA56QT"
NLB_ZONE = "Z31USIVHYNEOWT"


@dataclass
class Zone:
    """A zone of its own for a row."""

    client: Any
    id: str
    name: str

    def change(self, *changes: tuple[str, dict[str, Any]]) -> Any:
        listed = [{"Action": action, "ResourceRecordSet": record} for action, record in changes]
        answer = self.client.change_resource_record_sets(
            HostedZoneId=self.id, ChangeBatch={"Changes": listed}
        )
        return answer["ChangeInfo"]["Status"]

    def record(self, label: str = "a", **more: Any) -> dict[str, Any]:
        name = f"{label}.{self.name}" if label else self.name
        fields = {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}], **more}
        if "AliasTarget" in more:
            del fields["TTL"], fields["ResourceRecords"]
        return {key: value for key, value in fields.items() if value is not None}

    def alias(self, label: str = "a", target: str = ALB, zone: str = ALB_ZONE, **more: Any) -> dict[str, Any]:
        value = {"HostedZoneId": zone, "DNSName": target, "EvaluateTargetHealth": True}
        return self.record(label, AliasTarget=value, **more)

    def values(self, *texts: str) -> list[dict[str, str]]:
        return [{"Value": text} for text in texts]

    def listed(self, **more: Any) -> list[dict[str, Any]]:
        answer = self.client.list_resource_record_sets(HostedZoneId=self.id, **more)
        return [
            dict(record) for record in answer["ResourceRecordSets"] if record["Type"] not in ("NS", "SOA")
        ]

    def labels(self, **more: Any) -> list[str]:
        return [record["Name"].removesuffix(f".{self.name}.") for record in self.listed(**more)]


@pytest.fixture
def zone(account: Account) -> Zone:
    number = next(_numbers)
    # An account of its own: no row waits for the limit on calls of another one.
    client = unchecked(account.url, "route53", f"row{number}")
    name = f"t{number}.example.com"
    made = client.create_hosted_zone(Name=name, CallerReference=f"table{number}")
    return Zone(client, made["HostedZone"]["Id"].rpartition("/")[2], name)


def after(*before: tuple[str, Any], then: Any) -> Any:
    """Ask `then` in a zone in which these changes were made; records are functions of the zone."""

    def ask(zone: Zone) -> Any:
        for action, record in before:
            zone.change((action, record(zone)))
        return then(zone)

    return ask


def create(**fields: Any) -> Any:
    return lambda zone: zone.change(("CREATE", zone.record(**fields)))


def changes(action: str, record: Any) -> Any:
    """Ask for one change; the record is a function of the zone."""
    return lambda zone: zone.change((action, record(zone)))


def own(kind: str) -> Any:
    """The zone's own NS or SOA record set."""

    def found(zone: Zone) -> Any:
        listed = zone.client.list_resource_record_sets(HostedZoneId=zone.id)["ResourceRecordSets"]
        return next(record for record in listed if record["Type"] == kind)

    return found


def change_of_a_zone(zone: Zone) -> Any:
    made = zone.client.create_hosted_zone(Name=f"new.{zone.name}", CallerReference=f"new {zone.name}")
    return zone.client.get_change(Id=made["ChangeInfo"]["Id"])["ChangeInfo"]["Id"] == made["ChangeInfo"]["Id"]


def plain(zone: Zone) -> Any:
    return zone.record()


def weighted(identifier: str, weight: int = 1, **more: Any) -> Any:
    return lambda zone: zone.record(SetIdentifier=identifier, Weight=weight, **more)


def twice_the_reference(zone: Zone) -> Any:
    for _ in range(2):
        zone.client.create_hosted_zone(Name=f"again.{zone.name}", CallerReference=f"twice {zone.name}")


def capitals(zone: Zone) -> Any:
    made = zone.client.create_hosted_zone(Name="Zone0.Example.COM", CallerReference="capitals")["HostedZone"]
    upper = Zone(zone.client, made["Id"].rpartition("/")[2], "zone0.example.com")
    return made["Name"], upper.change(("CREATE", upper.record("w")))


def protected(zone: Zone) -> Any:
    name = {"RecordName": f"a.{zone.name}", "RecordType": "A"}
    zone.change(("CREATE", zone.record()))
    zone.client.create_resource_record_set_protections(HostedZoneId=zone.id, Protections=[name])
    found = zone.client.list_resource_record_set_protections(HostedZoneId=zone.id)
    assert found["ResourceRecordSetProtections"] == [{**name, "RecordName": f"a.{zone.name}."}]
    with pytest.raises(ClientError, match="InvalidChangeBatch"):
        zone.change(("UPSERT", zone.record(TTL=61)))
    zone.client.delete_resource_record_set_protections(HostedZoneId=zone.id, Protections=[name])
    return zone.change(("UPSERT", zone.record(TTL=61)))


def through_a_group(zone: Zone) -> Any:
    zone.change(*(("CREATE", weighted(identifier)(zone)) for identifier in "cab"))
    pages = zone.client.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId=zone.id, PaginationConfig={"PageSize": 1}
    )
    sets = [record for page in pages for record in page["ResourceRecordSets"]]
    return [record.get("SetIdentifier", record["Type"]) for record in sets]


def many(zone: Zone) -> Any:
    """303 record sets, with a weighted group across the end of the first 300."""
    records = [zone.record(f"n{number:03}") for number in range(297)]
    zone.change(*(("CREATE", record) for record in records))
    zone.change(*(("CREATE", weighted(identifier, label="zz")(zone)) for identifier in "abcd"))
    pages = zone.client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone.id)
    sets = [[record["Name"] for record in page["ResourceRecordSets"]] for page in pages]
    first = zone.client.list_resource_record_sets(HostedZoneId=zone.id, MaxItems="500")
    return [len(page) for page in sets], len(first["ResourceRecordSets"]), first["MaxItems"]


def kept_after_a_refusal(zone: Zone) -> Any:
    with pytest.raises(ClientError):
        zone.change(("CREATE", zone.record()), ("CREATE", {**zone.record(), "Name": "notexample.com"}))
    return zone.labels()


def deleted_row(zone: Zone) -> Any:
    for label in "ab":
        zone.change(*(("CREATE", weighted(one, label=label)(zone)) for one in ("old", "new")))
    zone.change(("DELETE", weighted("old", label="a")(zone)))
    return [(record["Name"][0], record["SetIdentifier"]) for record in zone.listed()]


ROWS = [
    Row(
        "D1 an alias without a dot is read back in lower case with one",
        after(
            ("UPSERT", lambda zone: zone.alias(target=ALB.upper())),
            then=lambda zone: zone.listed()[0]["AliasTarget"]["DNSName"],
        ),
        f"{ALB}.",
    ),
    Row(
        "D2 the order is that of ASCII over reversed labels with the trailing dot",
        after(
            *(
                ("CREATE", lambda zone, label=label: zone.record(label))
                for label in ("a", "z.a", "*", "1", "a-b")
            ),
            then=Zone.labels,
        ),
        ["1", "\\052", "a-b", "a", "z.a"],
    ),
    Row(
        "D2 a wildcard is one name in either spelling",
        after(("CREATE", lambda zone: zone.record("*")), then=create(label="\\052")),
        BATCH,
    ),
    Row(
        "D3 CREATE of a new value before DELETE of the old",
        after(
            ("CREATE", plain),
            then=lambda zone: zone.change(("CREATE", zone.record(TTL=61)), ("DELETE", zone.record())),
        ),
        BATCH,
    ),
    Row(
        "D3 DELETE of the old, then CREATE",
        after(
            ("CREATE", plain),
            then=lambda zone: zone.change(("DELETE", zone.record()), ("CREATE", zone.record(TTL=61))),
        ),
        "PENDING",
    ),
    Row(
        "D3 two UPSERTs of one set in a batch",
        lambda zone: zone.change(("UPSERT", zone.record()), ("UPSERT", zone.record(TTL=61))),
        BATCH,
    ),
    Row(
        "D3 one DELETE twice in a batch",
        after(
            ("CREATE", plain),
            then=lambda zone: zone.change(("DELETE", zone.record()), ("DELETE", zone.record())),
        ),
        BATCH,
    ),
    Row(
        "D4 CREATE of a name that exists",
        after(("CREATE", plain), then=create(TTL=61)),
        Refused("InvalidChangeBatch", "but it already exists"),
    ),
    Row(
        "D4 CREATE, DELETE, CREATE again",
        after(("CREATE", plain), ("CREATE", lambda zone: zone.record("z")), ("DELETE", plain), then=create()),
        "PENDING",
    ),
    Row(
        "D4 DELETE with another TTL",
        after(("CREATE", plain), then=lambda zone: zone.change(("DELETE", zone.record(TTL=61)))),
        Refused("InvalidChangeBatch", "but the values provided do not match"),
    ),
    Row(
        "D4 DELETE with the value before the last UPSERT",
        after(
            ("CREATE", plain),
            ("UPSERT", lambda zone: zone.record(TTL=61)),
            then=lambda zone: zone.change(("DELETE", zone.record())),
        ),
        BATCH,
    ),
    Row("D4 the second change of a batch is wrong: nothing is made", kept_after_a_refusal, []),
    Row("D4 a name outside the zone", create(Name="other.test"), BATCH),
    Row(
        "D4 a name that only ends like the zone",
        lambda zone: zone.change(("CREATE", {**zone.record(), "Name": f"not{zone.name}"})),
        BATCH,
    ),
    Row("D4 an empty batch", Zone.change, INPUT),
    Row(
        "D5 CNAME beside A",
        after(("CREATE", plain), then=create(Type="CNAME", ResourceRecords=[{"Value": "x.test"}])),
        BATCH,
    ),
    Row(
        "D5 A beside CNAME",
        after(
            ("CREATE", lambda zone: zone.record(Type="CNAME", ResourceRecords=[{"Value": "x.test"}])),
            then=create(),
        ),
        BATCH,
    ),
    Row("D5 CNAME at the apex", create(label="", Type="CNAME", ResourceRecords=[{"Value": "x.test"}]), BATCH),
    Row(
        "D5 alias to itself",
        lambda zone: zone.change(("CREATE", zone.alias(target=f"a.{zone.name}", zone=zone.id))),
        BATCH,
    ),
    Row(
        "D5 alias to an absent name of its zone",
        lambda zone: zone.change(("CREATE", zone.alias(target=f"b.{zone.name}", zone=zone.id))),
        BATCH,
    ),
    Row("D5 TXT without quotes", create(Type="TXT", ResourceRecords=[{"Value": "x"}]), BATCH),
    Row("D5 a TXT string of 300", create(Type="TXT", ResourceRecords=[{"Value": f'"{"x" * 300}"'}]), BATCH),
    Row("D5 alias with TTL", lambda zone: zone.change(("CREATE", {**zone.alias(), "TTL": 60})), INPUT),
    Row("D5 neither alias nor records", create(TTL=None, ResourceRecords=None), INPUT),
    Row("D5 no TTL", create(TTL=None), INPUT),
    Row("D5 one address twice", create(ResourceRecords=[{"Value": "192.0.2.1"}] * 2), BATCH),
    Row("D5 300.1.1.1", create(ResourceRecords=[{"Value": "300.1.1.1"}]), BATCH),
    Row(
        "D5 two CNAME values",
        create(Type="CNAME", ResourceRecords=[{"Value": "x.test"}, {"Value": "y.test"}]),
        BATCH,
    ),
    Row("D5 a label of 64", create(label="x" * 64), BATCH),
    Row("D5 TTL 2147483648", create(TTL=2**31), INPUT),
    Row("D5 TTL 2147483647", create(TTL=2**31 - 1), "PENDING"),
    Row("D5 DELETE of the apex NS", changes("DELETE", own("NS")), BATCH),
    Row("D5 DELETE of the SOA", changes("DELETE", own("SOA")), BATCH),
    Row("D6 weight without identifier", create(Weight=1), INPUT),
    Row("D6 identifier without policy", create(SetIdentifier="a"), INPUT),
    Row("D6 weight 256", create(SetIdentifier="a", Weight=256), INPUT),
    Row("D6 weight -1", create(SetIdentifier="a", Weight=-1), INPUT),
    Row("D6 simple beside weighted", after(("CREATE", weighted("a")), then=create()), BATCH),
    Row(
        "D6 weighted beside latency",
        after(
            ("CREATE", lambda zone: zone.record(SetIdentifier="a", Region="eu-west-1")),
            then=create(SetIdentifier="b", Weight=1),
        ),
        BATCH,
    ),
    Row(
        "D6 another TTL in the group",
        after(("CREATE", weighted("a")), then=create(SetIdentifier="b", Weight=1, TTL=61)),
        BATCH,
    ),
    Row("D6 weight and region", create(SetIdentifier="a", Weight=1, Region="eu-west-1"), INPUT),
    Row(
        "D6 a second row of one identifier",
        after(("CREATE", weighted("a")), then=create(SetIdentifier="a", Weight=2)),
        BATCH,
    ),
    Row(
        "D6 DELETE of a row with another weight",
        after(("CREATE", weighted("a")), then=lambda zone: zone.change(("DELETE", weighted("a", 2)(zone)))),
        BATCH,
    ),
    Row(
        "D6+ DELETE of one name's row leaves those of others",
        deleted_row,
        [("a", "new"), ("b", "new"), ("b", "old")],
    ),
    Row(
        "D6+ weight 0 is kept, and UPSERT changes that row",
        after(
            ("CREATE", weighted("a", 0)),
            ("UPSERT", weighted("a", 255)),
            then=lambda zone: [one["Weight"] for one in zone.listed()],
        ),
        [255],
    ),
    Row(
        "D6+ multi-value alias",
        lambda zone: zone.change(("CREATE", zone.alias(SetIdentifier="a", MultiValueAnswer=True))),
        INPUT,
    ),
    Row(
        "D6+ multi-value CNAME",
        create(Type="CNAME", SetIdentifier="a", MultiValueAnswer=True, ResourceRecords=[{"Value": "x.test"}]),
        INPUT,
    ),
    Row(
        "D6+ an unknown health check",
        create(SetIdentifier="a", Weight=1, HealthCheckId="0b1f0a4a-0000-4000-8000-000000000000"),
        Refused("NoSuchHealthCheck", status=404),
    ),
    Row(
        "D6+ two PRIMARY",
        after(
            ("CREATE", lambda zone: zone.record(SetIdentifier="a", Failover="PRIMARY")),
            then=create(SetIdentifier="b", Failover="PRIMARY"),
        ),
        BATCH,
    ),
    Row("D7 pages of one through a weighted group", through_a_group, ["NS", "SOA", "a", "b", "c"]),
    Row("D7 303 sets, a group across the end of 300; MaxItems 500", many, ([300, 3], 300, "300")),
    Row(
        "D7 start at *.x",
        after(
            ("CREATE", lambda zone: zone.record("*")),
            then=lambda zone: zone.labels(StartRecordName=f"*.{zone.name}"),
        ),
        ["\\052"],
    ),
    Row(
        "D7 start at \\052.x",
        after(
            ("CREATE", lambda zone: zone.record("*")),
            then=lambda zone: zone.labels(StartRecordName=f"\\052.{zone.name}"),
        ),
        ["\\052"],
    ),
    Row(
        "D7 start in capitals",
        after(
            ("CREATE", plain),
            ("CREATE", lambda zone: zone.record("b")),
            then=lambda zone: zone.labels(StartRecordName=f"B.{zone.name}".upper()),
        ),
        ["b"],
    ),
    Row("D7 a type without a name", lambda zone: zone.listed(StartRecordType="A"), INPUT),
    Row(
        "D7 1001 changes",
        lambda zone: zone.change(*(("CREATE", zone.record(f"n{n}")) for n in range(1001))),
        BATCH,
    ),
    Row(
        "D7 501 UPSERTs",
        lambda zone: zone.change(*(("UPSERT", zone.record(f"n{n}")) for n in range(501))),
        BATCH,
    ),
    Row(
        "alias of an ALB with the zone of NLBs",
        lambda zone: zone.change(("CREATE", zone.alias(zone=NLB_ZONE))),
        Refused("InvalidChangeBatch", "does not lie within the target zone"),
    ),
    Row(
        "alias of an ALB with a zone that is not there",
        lambda zone: zone.change(("CREATE", zone.alias(zone="Z00000000000000000000"))),
        BATCH,
    ),
    Row(
        "alias of an ALB with the zone's own id",
        lambda zone: zone.change(("CREATE", zone.alias(zone=zone.id))),
        BATCH,
    ),
    Row(
        "alias of type CNAME to a balancer",
        lambda zone: zone.change(("CREATE", zone.alias(Type="CNAME"))),
        BATCH,
    ),
    Row(
        "alias of type TXT to a balancer", lambda zone: zone.change(("CREATE", zone.alias(Type="TXT"))), BATCH
    ),
    Row(
        "alias without EvaluateTargetHealth",
        lambda zone: zone.change(
            ("CREATE", zone.record(AliasTarget={"HostedZoneId": ALB_ZONE, "DNSName": ALB}))
        ),
        INPUT,
    ),
    Row("D14 a change is pending first", create(), "PENDING"),
    Row(
        "GetChange of an unknown id",
        lambda zone: zone.client.get_change(Id="C000"),
        Refused("NoSuchChange", status=404),
    ),
    Row("the change of a new zone has an id that GetChange knows", change_of_a_zone, True),
    Row(
        "CreateHostedZone twice with one CallerReference",
        twice_the_reference,
        Refused("HostedZoneAlreadyExists", status=409),
    ),
    Row("a zone made in capitals", capitals, ("zone0.example.com.", "PENDING")),
    Row(
        "DELETE of a zone with records",
        after(("CREATE", plain), then=lambda zone: zone.client.delete_hosted_zone(Id=zone.id)),
        Refused("HostedZoneNotEmpty"),
    ),
    Row("a protected record set is not changed", protected, "PENDING"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_route_53_answers_as_aws_documents(row: Row, zone: Zone) -> None:
    check(row, zone)
