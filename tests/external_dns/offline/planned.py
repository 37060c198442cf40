"""A sync over objects and a zone for the tests of its texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from testbed.dated_releases import Release
from testbed.external_dns.core.facts import ALPHA_PREFIX, release_of
from testbed.external_dns.offline import one_sync
from testbed.external_dns.offline.repeated_syncs import RepeatedSyncs, Sync
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.external_dns.process.flags import Flags, parse

HOST = "app.example.com"
NLB, ALB = "a0-1.elb.eu-west-1.amazonaws.com", "k8s-web-1.eu-west-1.elb.amazonaws.com"
VERSION: Release = release_of("v0.7.4")
ARGUMENTS = ("--source=service", "--source=ingress", "--policy=sync", "--txt-owner-id=me")
FLAGS: Flags = parse(ARGUMENTS, VERSION, {})


def service(balancer: str = NLB) -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "default", "annotations": {f"{ALPHA_PREFIX}hostname": HOST}},
        "spec": {"type": "LoadBalancer"},
        "status": {"loadBalancer": {"ingress": [{"hostname": balancer}]} if balancer else {}},
    }


def ingress(name: str = "web", balancer: str = ALB) -> dict[str, Any]:
    return {
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"rules": [{"host": HOST}], "tls": [{"hosts": [HOST]}]},
        "status": {"loadBalancer": {"ingress": [{"hostname": balancer}]}},
    }


def records(owner: str = "me", resource: str = "service/default/web") -> list[dict[str, Any]]:
    """Return an alias to the NLB, and the TXT that names its owner and object."""
    value = f'"heritage=external-dns,external-dns/owner={owner},external-dns/resource={resource}"'
    alias = {"HostedZoneId": "Z2IFOLAFXWLO4F", "DNSName": f"{NLB}.", "EvaluateTargetHealth": True}
    return [
        {"Name": f"{HOST}.", "Type": "A", "AliasTarget": alias},
        {"Name": f"{HOST}.", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": value}]},
    ]


def zone(*of: Mapping[str, Any]) -> ZoneFile:
    return ZoneFile(Path("zone.json"), "example.com", "/hostedzone/Z", of)


def left_by(tag: str, items: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return the records that a release makes of objects in an empty zone."""
    cluster = RepeatedSyncs(items, [zone()])
    release = release_of(tag)
    cluster.start(parse(ARGUMENTS, release, {}), release)
    cluster.first_syncs()
    return cluster.records()


def planned(items: Sequence[Mapping[str, Any]], *of: Mapping[str, Any]) -> Sync:
    return one_sync.sync(items, [zone(*of)], FLAGS, VERSION)
