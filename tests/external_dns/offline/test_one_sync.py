"""Whatever the objects do: Route 53 takes what is sent, and a name points to one of those that claim it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.dated_releases import Release
from testbed.errors import BadInput
from testbed.external_dns.core.facts import ALPHA_PREFIX, Fact, release_of
from testbed.external_dns.offline import one_sync
from testbed.external_dns.offline.hosted_zones_in_memory import HostedZones
from testbed.external_dns.offline.record_text import record
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.external_dns.process import flags
from testbed.kubernetes.manifests import parse
from tests.external_dns.releases import READ

HOST = "app.example.com"
NLB, ALB, SMALL = (
    f"{name}.elb.amazonaws.com" for name in ("a0.eu-west-1", "k8s-web.eu-west-1", "0abc.eu-west-1")
)


def service(is_annotated: bool) -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {
            "name": "web",
            "namespace": "default",
            "annotations": {f"{ALPHA_PREFIX}hostname": HOST} if is_annotated else {},
        },
        "spec": {"type": "LoadBalancer"},
        "status": {"loadBalancer": {"ingress": [{"hostname": NLB}]}},
    }


def ingress(name: str, balancer: str) -> dict[str, Any]:
    return {
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"rules": [{"host": HOST}]},
        "status": {"loadBalancer": {"ingress": [{"hostname": balancer}]}},
    }


# What a cluster has at a moment: the Service claims or not, and up to two Ingresses, of one ALB or of two.
moments = st.builds(
    lambda claims, ingresses: [service(claims), *ingresses],
    st.booleans(),
    st.lists(
        st.builds(ingress, st.sampled_from(["web-a", "web-b"]), st.sampled_from([ALB, SMALL])),
        max_size=2,
        unique_by=lambda one: one["metadata"]["name"],
    ),
)
versions = st.sampled_from([release_of(name) for name in READ])
policies = st.sampled_from(["sync", "upsert-only", "create-only"])


def arguments(version: Release, policy: str) -> list[str]:
    prefix = [f"--annotation-prefix={ALPHA_PREFIX}"] if version.has(Fact.ANNOTATION_PREFIX_FLAG) else []
    return ["--source=service", "--source=ingress", f"--policy={policy}", "--txt-owner-id=me", *prefix]


def played(version: Release, policy: str, history: list[list[dict[str, Any]]]) -> list[one_sync.Sync]:
    """Each moment planned over the zone that the one before leaves."""
    found = flags.parse(arguments(version, policy), version, {})
    records: list[Any] = []
    syncs = []
    for items in history:
        zone = ZoneFile(Path("zone.json"), "example.com", "/hostedzone/Z1", records)
        sync = one_sync.sync(items, [zone], found, version)
        account = HostedZones([zone])
        for batch in sync.batches:
            account.change_resource_record_sets("/hostedzone/Z1", {"Changes": batch.changes})
        [page] = account.get_paginator("list_resource_record_sets").paginate("/hostedzone/Z1")
        records = page["ResourceRecordSets"]
        syncs.append(sync)
    return syncs


@given(versions, policies, st.lists(moments, min_size=1, max_size=4))
def test_route_53_takes_every_batch_in_whatever_order_the_objects_are_seen(
    version: Release, policy: str, history: list[list[dict[str, Any]]]
) -> None:
    for sync in played(version, policy, history):
        assert sync.error == ""
        for batches in (sync.batches, *sync.others):
            assert [batch.refusal for batch in batches if batch.refusal] == []


@given(versions, st.lists(moments, min_size=1, max_size=4))
def test_what_is_written_points_to_an_object_that_claims_the_name(
    version: Release, history: list[list[dict[str, Any]]]
) -> None:
    for items, sync in zip(history, played(version, "sync", history), strict=True):
        claimed = {ALB, SMALL} & {one["status"]["loadBalancer"]["ingress"][0]["hostname"] for one in items}
        claimed |= {NLB} if items[0]["metadata"]["annotations"] else set()
        for batches in (sync.batches, *sync.others):
            for change in (change for batch in batches for change in batch.changes):
                which, what = record(change["ResourceRecordSet"])
                if change["Action"] != "DELETE" and not which.endswith("TXT"):
                    assert what.removeprefix("alias ") in claimed


@given(versions, policies, st.lists(moments, min_size=1, max_size=3))
def test_each_change_has_a_decision_that_asks_for_it(
    version: Release, policy: str, history: list[list[dict[str, Any]]]
) -> None:
    for sync in played(version, policy, history):
        changed = {
            change["ResourceRecordSet"]["Name"]
            for batch in sync.batches
            for change in batch.changes
            if change["ResourceRecordSet"]["Type"] != "TXT"
        }
        assert changed == {one.name for one in sync.decisions if one.is_change}
        assert all(str(one).startswith(HOST) for one in sync.decisions)


ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec: {gatewayClassName: alb, listeners: [{name: web, port: 443, protocol: HTTPS}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec: {hostnames: [app.example.com], parentRefs: [{name: edge}]}
"""


def test_a_gateway_that_is_given_an_address_has_accepted_its_routes() -> None:
    manifests = parse(ROUTE, Path("web.yaml"))
    newest = release_of("v0.22")
    given_flags = flags.parse(["--source=gateway-httproute", "--policy=sync"], newest, {})
    zone = ZoneFile(Path("zone.json"), "example.com", "/hostedzone/Z", ())

    def targets(*statuses: str) -> set[str]:
        items = one_sync.with_addresses(manifests, statuses)
        found = one_sync.sync(items, [zone], given_flags, newest)
        return {decision.winner.targets[0] for decision in found.decisions if decision.winner}

    assert targets() == set()
    assert targets("gateway/edge=k8s-edge.eu-west-1.elb.amazonaws.com") == {
        "k8s-edge.eu-west-1.elb.amazonaws.com"
    }
    with pytest.raises(BadInput, match="known are gateway/default/edge"):
        targets("httproute/web=k8s-edge.eu-west-1.elb.amazonaws.com")
