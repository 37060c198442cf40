"""The zone's records as the changes leave them."""

from __future__ import annotations

from typing import Any

from testbed import journal
from testbed.live.zone_records import ZoneRecords

HOST = "api.example.com"
NLB, ALB = "n-1.elb.ap-northeast-1.amazonaws.com", "a-1.ap-northeast-1.elb.amazonaws.com"
NAMES = {NLB: "NLB", ALB: "ALB"}


def change(action: str, record: dict[str, Any], refused: str = "") -> journal.DnsChange:
    changes = ({"Action": action, "ResourceRecordSet": {"Name": f"{HOST}.", **record}},)
    return journal.DnsChange(time=1.0, zone="example.com.", changes=changes, refused=refused)


def alias(target: str, kind: str = "A", **more: Any) -> dict[str, Any]:
    return {"Type": kind, "AliasTarget": {"DNSName": f"dualstack.{target.upper()}."}, **more}


def txt(resource: str, owner: str = "testbed") -> dict[str, Any]:
    text = f'"heritage=external-dns,external-dns/owner={owner},external-dns/resource={resource}"'
    return {"Type": "TXT", "ResourceRecords": [{"Value": text}]}


def shown(*changes: journal.DnsChange | journal.DnsAnswer) -> list[tuple[str, str]]:
    records = ZoneRecords()
    for one in changes:
        records.answer(one) if isinstance(one, journal.DnsAnswer) else records.change(one)
    return [(record.type, record.value) for record in records.shown(lambda name: NAMES[name]).values()]


def test_aliases_of_both_families_and_their_owner() -> None:
    assert shown(
        change("CREATE", alias(NLB)),
        change("CREATE", alias(NLB, "AAAA")),
        change("CREATE", txt("service/default/envoy")),
    ) == [("A", "→ NLB"), ("AAAA", "→ NLB"), ("TXT", "service/default/envoy")]


def test_an_upsert_moves_the_alias_and_a_delete_takes_it_away() -> None:
    assert shown(change("CREATE", alias(NLB)), change("UPSERT", alias(ALB))) == [("A", "→ ALB")]
    assert shown(change("CREATE", alias(NLB)), change("DELETE", alias(NLB))) == []


def test_a_refused_change_changes_nothing() -> None:
    assert shown(change("CREATE", alias(NLB)), change("UPSERT", alias(ALB), refused="Throttling")) == [
        ("A", "→ NLB")
    ]


def test_weights_are_told_apart_by_their_identifier() -> None:
    records = ZoneRecords()
    records.change(change("CREATE", alias(NLB, SetIdentifier="old", Weight=9)))
    records.change(change("CREATE", alias(ALB, SetIdentifier="new", Weight=1)))
    assert records.leads(HOST, lambda name: NAMES[name]) == "A 9 → NLB; A 1 → ALB"
    assert records.targets(HOST) == {ALB: "A 1", NLB: "A 9"}


def test_other_txt_and_cname_records_are_not_of_this_picture() -> None:
    other = {"Type": "TXT", "ResourceRecords": [{"Value": '"v=spf1 -all"'}]}
    assert (
        shown(
            change("CREATE", other), change("CREATE", {"Type": "CNAME", "ResourceRecords": [{"Value": "x"}]})
        )
        == []
    )


def test_a_plain_address_record_shows_its_values() -> None:
    assert shown(change("CREATE", {"Type": "A", "ResourceRecords": [{"Value": "192.0.2.1"}]})) == [
        ("A", "192.0.2.1")
    ]


def test_the_answers_of_the_name_servers_stand_beside_the_record() -> None:
    records = ZoneRecords()
    records.change(change("CREATE", alias(NLB)))
    records.answer(
        journal.DnsAnswer(time=1.0, name=HOST, type="A", rcode="NOERROR", answers=("127.80.10.1",), ttl=60)
    )
    assert records.shown(lambda _: "NLB")[f"{HOST} A"].detail == f"{NLB}; answered: 127.80.10.1 (TTL 60)"


def test_without_a_record_the_alias_leads_nowhere() -> None:
    assert ZoneRecords().leads(HOST, str) == "no alias"
