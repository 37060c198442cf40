"""Where two versions part over one history, and what the upgrade would send."""

from __future__ import annotations

from typing import Any

from testbed.external_dns.core.facts import ALPHA_PREFIX, release_of
from testbed.external_dns.offline.version_comparison import compare

NLB, ALB = "a0-1.elb.eu-west-1.amazonaws.com", "k8s-web-1.eu-west-1.elb.amazonaws.com"
HOST = "app.example.com"


def history(*items: dict[str, Any], **config: str) -> dict[str, Any]:
    steps = [
        {"label": f"step {number}", "do": [{"apply": item}], "syncs": 1} for number, item in enumerate(items)
    ]
    return {
        "id": "one",
        "name": "a history",
        "config": {"policy": "sync", "owner_id": "me", **config},
        "steps": steps,
    }


def service(hostname: str | None = HOST) -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {"name": "web", "annotations": {f"{ALPHA_PREFIX}hostname": hostname} if hostname else {}},
        "spec": {"type": "LoadBalancer"},
        "status": {"loadBalancer": {"ingress": [{"hostname": NLB}]}},
    }


def ingress() -> dict[str, Any]:
    return {
        "kind": "Ingress",
        "metadata": {"name": "web"},
        "spec": {"rules": [{"host": HOST}]},
        "status": {"loadBalancer": {"ingress": [{"hostname": ALB}]}},
    }


def test_one_version_does_not_part_from_itself_and_its_restart_sends_nothing() -> None:
    found = compare(history(service(), ingress(), service(None)), release_of("v0.7.4"), release_of("v0.7.4"))
    assert found.partings == ()
    assert found.upgrade.batches == ()


def test_the_newest_version_adds_an_aaaa_alias_at_the_first_step_and_at_the_upgrade() -> None:
    found = compare(history(service(), ingress()), release_of("v0.7.4"), release_of("v0.22"))
    [parting] = found.partings
    assert (parting.number, parting.first, parting.second) == (1, (), (f"{HOST} AAAA alias {NLB}",))
    [batch] = found.upgrade.batches
    created = [one["ResourceRecordSet"]["Type"] for one in batch.changes if one["Action"] == "CREATE"]
    assert (batch.refusal, "AAAA" in created) == ("", True)


def test_annotations_that_the_newer_version_does_not_read_cut_a_name_over_at_the_upgrade() -> None:
    """With the default prefix the Ingress's rule host is still read, the Service's annotation is not."""
    config = {"annotation_prefix": "external-dns.kubernetes.io/"}
    found = compare(history(service(), ingress(), **config), release_of("v0.7.4"), release_of("v0.22"))
    assert found.partings[-1].first == (f"{HOST} A alias {NLB}",)
    assert f"{HOST} A alias {ALB}" in found.partings[-1].second
    targets = {
        one["ResourceRecordSet"]["AliasTarget"]["DNSName"]
        for batch in found.upgrade.batches
        for one in batch.changes
        if "AliasTarget" in one["ResourceRecordSet"]
    }
    assert targets == {ALB}
