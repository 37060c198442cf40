"""Each release beside the one before it: one thing that it does otherwise, seen in what is sent or logged."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from testbed.dated_releases import EXTERNAL_DNS_RELEASES
from testbed.errors import BadInput
from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.core.facts import ALPHA_PREFIX, Fact, release_of
from testbed.external_dns.offline.replay import Play, Sync, shown_sync
from testbed.external_dns.process import flags
from testbed.external_dns.sources.wrappers import with_default_targets

HOST = "app.example.com"
NLB, ALB = "a1.elb.us-east-1.amazonaws.com", "k8s-web-1.us-east-1.elb.amazonaws.com"
OWNED = '"heritage=external-dns,external-dns/owner=me,external-dns/resource=service/default/web"'

Item = dict[str, Any]


def service(target: str = NLB, name: str = "web", host: str = HOST, **notes: str) -> Item:
    return _item("Service", name, target, {"hostname": host, **notes}, {"type": "LoadBalancer"})


def ingress(target: str = ALB, name: str = "web", **notes: str) -> Item:
    return _item("Ingress", name, target, notes, {"rules": [{"host": HOST}]})


def _item(kind: str, name: str, target: str, notes: Mapping[str, str], spec: Item) -> Item:
    field = "ip" if target[-1:].isdigit() or ":" in target else "hostname"
    annotations = {ALPHA_PREFIX + note.replace("_", "-"): text for note, text in notes.items() if text}
    return {
        "kind": kind,
        "metadata": {"name": name, "namespace": "default", "annotations": annotations},
        "spec": spec,
        "status": {"loadBalancer": {"ingress": [{field: target}]}},
    }


def alias(kind: str = "A") -> Item:
    return {"name": HOST, "type": kind, "alias": NLB}


def txt(name: str = HOST) -> Item:
    return {"name": name, "type": "TXT", "ttl": 300, "values": [OWNED]}


def syncs(
    tag: str, *steps: Iterable[Mapping[str, Any]], before: Sequence[Item] = (), **config: Any
) -> list[Sync]:
    """Sync once after each step; a step is objects to apply, or other acts of a history."""
    history = {
        "config": {"policy": "sync", "owner_id": "me", **config},
        "hosted_zone_before": before,
        "steps": [
            {"do": [{"apply": act} if "kind" in act else act for act in step], "syncs": 1} for step in steps
        ],
    }
    return [sync for step in Play(history, release_of(tag)).steps() for sync in step.syncs]


def sent(tag: str, *steps: Iterable[Mapping[str, Any]], **more: Any) -> list[list[str]]:
    """Return the batches of the last sync: `CREATE app.example.com A`, `!` before what was refused."""
    return [
        [
            "!" * ("rejected" in batch) + f"{one['action']} {one['name']} {one['type']}"
            for one in batch["changes"]
        ]
        for batch in shown_sync(syncs(tag, *steps, **more)[-1])["batches"]
    ]


def first_record(tag: str, item: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    record: Mapping[str, Any] = syncs(tag, item)[-1].batches[0].changes[0]["ResourceRecordSet"]
    return record


def lines_of(batches: Iterable[Iterable[str]]) -> list[str]:
    return [line for batch in batches for line in batch]


def logged(tag: str, *steps: Iterable[Mapping[str, Any]], **more: Any) -> str:
    return "\n".join(line.message for line in syncs(tag, *steps, **more)[-1].log)


def test_v0_7_5_merges_two_services_of_one_host_and_sends_the_record_at_every_sync() -> None:
    both = [service(), service("b2.elb.us-east-1.amazonaws.com", "other")]
    assert sent("v0.7.4", both, []) == []
    assert sent("v0.7.5", both, []) == [[f"UPSERT {HOST} A", f"UPSERT {HOST} TXT"]]


def test_v0_7_6_reads_internal_hostname() -> None:
    item = service(internal_hostname="in.example.com")
    item["spec"]["clusterIP"] = "10.0.0.1"
    found = [lines_of(sent(tag, [item])) for tag in ("v0.7.5", "v0.7.6")]
    assert ["CREATE in.example.com A" in lines for lines in found] == [False, True]


def test_v0_8_0_compares_targets_without_case() -> None:
    capitals = [service(NLB.replace("a1", "A1"))]
    assert sent("v0.7.6", capitals, []) == [[f"UPSERT {HOST} A", f"UPSERT {HOST} TXT"]]
    assert sent("v0.8.0", capitals, []) == []


def test_v0_9_0_reads_ingress_hostname_source() -> None:
    item = ingress(ingress_hostname_source="annotation-only")
    assert sent("v0.8.0", [item]) == [[f"CREATE {HOST} A", f"CREATE {HOST} TXT"]]
    assert sent("v0.9.0", [item]) == []


def test_v0_10_2_keeps_services_of_two_set_identifiers_apart() -> None:
    both = [service(name=one, set_identifier=one, aws_weight="1") for one in ("one", "two")]
    assert [len(sent(tag, both)[0]) for tag in ("v0.10.1", "v0.10.2")] == [2, 4]


@pytest.mark.parametrize(
    ("old", "new", "target"),
    [
        ("v0.11.0", "v0.11.1", "d1.cloudfront.net"),
        ("v0.13.0", "v0.13.1", "web-1.ap-southeast-3.elb.amazonaws.com"),
        ("v0.13.1", "v0.13.2", "web-1.me-central-1.elb.amazonaws.com"),
    ],
)
def test_a_balancer_becomes_an_alias_where_its_suffix_is_known(old: str, new: str, target: str) -> None:
    kinds = [
        next(
            line.split()[2]
            for line in sent(tag, [service(target)], txt_prefix="txt-")[0]
            if HOST in line.split()
        )
        for tag in (old, new)
    ]
    assert kinds == ["CNAME", "A"]


def test_v0_12_0_writes_a_second_txt_with_the_type_in_its_name() -> None:
    assert sent("v0.11.1", [service()]) == [[f"CREATE {HOST} A", f"CREATE {HOST} TXT"]]
    assert sent("v0.12.0", [service()])[0][2:] == [f"CREATE cname-{HOST} TXT"]


def test_v0_12_1_prefers_an_address_to_a_name() -> None:
    both = [service("203.0.113.9"), ingress("0a-web.us-east-1.elb.amazonaws.com")]
    found = [
        syncs(tag, both)[-1].batches[0].changes[0]["ResourceRecordSet"] for tag in ("v0.12.0", "v0.12.1")
    ]
    assert ["AliasTarget" in record for record in found] == [True, False]


def test_v0_12_2_creates_the_txt_that_an_old_record_lacks() -> None:
    before = [alias(), txt()]
    assert sent("v0.12.1", [service()], before=before) == []
    assert sent("v0.12.2", [service()], before=before) == [[f"CREATE cname-{HOST} TXT"]]


def test_v0_13_0_warns_of_a_region_that_it_does_not_know() -> None:
    item = service("web-1.nowhere-1.elb.amazonaws.com")
    found = [logged(tag, [item], txt_prefix="txt-") for tag in ("v0.12.2", "v0.13.0")]
    assert ["Could not find canonical hosted zone" in text for text in found] == [False, True]


def test_v0_13_2_replaces_a_record_whose_kind_of_policy_changes() -> None:
    steps = [
        [service(set_identifier="a", aws_weight="1")],
        [service(set_identifier="a", aws_region="us-east-1")],
    ]
    found = [{line.split()[0] for line in sent(tag, *steps)[0]} for tag in ("v0.13.1", "v0.13.2")]
    assert found == [{"UPSERT"}, {"CREATE", "DELETE"}]


def test_v0_13_4_sends_a_refused_batch_again_name_by_name() -> None:
    two = [service(), service(name="other", host="two.example.com"), {"next_change_calls_fail": 1}]
    assert [len(sent(tag, two)) for tag in ("v0.13.2", "v0.13.4")] == [1, 3]


def test_v0_13_5_makes_an_aaaa_of_an_ipv6_address() -> None:
    item = [service("2001:db8::1")]
    assert f"CREATE {HOST} A" in sent("v0.13.4", item)[0]
    assert sent("v0.13.5", item) == [[f"CREATE aaaa-{HOST} TXT", f"CREATE {HOST} AAAA"]]


def test_v0_13_6_takes_no_notice_of_a_ttl_on_an_alias() -> None:
    item = [service(ttl="60")]
    assert [bool(sent(tag, item, [])) for tag in ("v0.13.5", "v0.13.6")] == [True, False]


def test_v0_14_0_drops_a_cname_where_an_address_claims_the_name_too() -> None:
    both = [service("203.0.113.9"), ingress()]
    found = [
        {line.split()[2] for line in sent(tag, both, prefer_cname=True, txt_prefix="txt-")[0]}
        for tag in ("v0.13.6", "v0.14.0")
    ]
    assert found == [{"A", "CNAME", "TXT"}, {"A", "TXT"}]


def test_v0_14_1_makes_an_alias_of_the_annotation_again() -> None:
    item = [service(alias="true")]
    found = [
        syncs(tag, item)[-1].batches[0].changes[0]["ResourceRecordSet"] for tag in ("v0.14.0", "v0.14.1")
    ]
    assert ["AliasTarget" in record for record in found] == [False, True]


def test_v0_14_2_deletes_a_record_once_though_its_aaaa_alias_is_read_as_another() -> None:
    before = [alias(), alias("AAAA"), txt(), txt(f"cname-{HOST}")]
    found = [
        [line for batch in sent(tag, [], before=before) for line in batch] for tag in ("v0.14.1", "v0.14.2")
    ]
    assert [lines.count(f"!DELETE {HOST} A") for lines in found] == [2, 0]


def test_v0_15_0_names_the_zone_in_fields_of_its_log_lines() -> None:
    assert ["[Id: " in logged(tag, [service()]) for tag in ("v0.14.2", "v0.15.0")] == [True, False]


def test_v0_15_1_takes_two_spellings_of_an_ipv6_address_for_one() -> None:
    record = {"name": HOST, "type": "AAAA", "ttl": 300, "values": ["2001:db8:0:0:0:0:0:1"]}
    before = [record, txt(f"aaaa-{HOST}")]
    found = [sent(tag, [service("2001:db8::1")], before=before) for tag in ("v0.15.0", "v0.15.1")]
    assert [bool(batches) for batches in found] == [True, False]


def test_v0_16_0_adds_an_aaaa_alias() -> None:
    found = [f"CREATE {HOST} AAAA" in sent(tag, [service()])[0] for tag in ("v0.15.1", "v0.16.0")]
    assert found == [False, True]


def test_v0_17_0_knows_replace_in_a_template() -> None:
    given = ["--source=service", "--fqdn-template={{replace .Name}}"]
    with pytest.raises(BadInput, match="replace"):
        flags.parse(given, release_of("v0.16.1"), {})
    assert flags.parse(given, release_of("v0.17.0"), {}).template


def test_v0_18_0_leaves_the_targets_of_a_source_in_spite_of_default_targets() -> None:
    told: list[str] = []
    claim = Endpoint(HOST, "CNAME", (NLB,))
    found = [
        list(with_default_targets([claim], ("192.0.2.1",), release_of(tag), told.append, force=False))
        for tag in ("v0.13.5", "v0.17.0", "v0.18.0")
    ]
    assert [(one.type, one.targets) for [one] in found] == [
        ("CNAME", ("192.0.2.1",)),
        ("A", ("192.0.2.1",)),
        ("CNAME", (NLB,)),
    ]


def test_v0_18_0_writes_no_txt_without_a_type() -> None:
    found = [f"CREATE {HOST} TXT" in sent(tag, [service()])[0] for tag in ("v0.17.0", "v0.18.0")]
    assert found == [True, False]


def test_v0_19_0_does_not_create_a_txt_that_exists() -> None:
    before = [txt(f"cname-{HOST}"), txt(f"aaaa-{HOST}")]
    assert sent("v0.18.0", [service()], before=before)[0][0].startswith("!")
    assert sent("v0.19.0", [service()], before=before) == [[f"CREATE {HOST} A", f"CREATE {HOST} AAAA"]]


def test_v0_20_0_has_the_flag_of_the_annotation_prefix() -> None:
    assert [flags.has(release_of(tag), "annotation-prefix") for tag in ("v0.19.0", "v0.20.0")] == [
        False,
        True,
    ]


def test_v0_21_0_unites_the_addresses_of_two_ingresses() -> None:
    both = [ingress("203.0.113.1"), ingress("203.0.113.2", "other")]
    found = [syncs(tag, both)[-1].batches[0].changes for tag in ("v0.20.0", "v0.21.0")]
    values = [
        len(change["ResourceRecordSet"]["ResourceRecords"])
        for changes in found
        for change in changes
        if change["ResourceRecordSet"]["Type"] == "A"
    ]
    assert values == [1, 2]


def test_v0_21_0_writes_a_ttl_out_of_range_as_a_number() -> None:
    item = service(ttl="0")
    assert "TTL value must be" in logged("v0.13.6", [item])
    assert r"TTL value '\x00' must be" in logged("v0.20.0", [item])
    assert "TTL value 0 must be" in logged("v0.21.0", [item])


def test_v0_22_0_names_the_txt_of_an_alias_after_its_type() -> None:
    found = [
        [line for line in sent(tag, [service()])[0] if line.endswith("TXT")] for tag in ("v0.21.0", "v0.22.0")
    ]
    assert [lines[0].split()[1] for lines in found] == [f"aaaa-{HOST}", f"a-{HOST}"]


def test_each_pair_of_neighbours_whose_facts_differ_has_its_test() -> None:
    tested = {
        f"v{match[1].replace('_', '.')}"
        for name in globals()
        if (match := re.match(r"test_v(\d+_\d+_\d+)_", name))
    }
    differing = {
        new.tag
        for old, new in itertools.pairwise(EXTERNAL_DNS_RELEASES.values())
        if old.facts(Fact) != new.facts(Fact)
    }
    assert differing <= tested
