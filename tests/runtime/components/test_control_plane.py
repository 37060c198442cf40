"""A control plane of two clusters on one AWS account."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.aws.boto3_clients import Clients
from testbed.aws.certificate_store import CertificateStore
from testbed.aws.change_feed import ChangeFeed
from testbed.clock import Clock
from testbed.journal import Journal
from testbed.network import MOTO_PORT, Network
from testbed.rehearsal.scenario import EXTERNAL_DNS_FLAGS
from testbed.rehearsal.setup import ClusterSetup, Setup
from testbed.runtime.components import moto
from testbed.runtime.components.control_plane import ControlPlane
from testbed.runtime.upkeep import Upkeep

ZONE = "example.com"
NAMES = ("blue", "green")
SPEED = 600.0
PATIENCE = 20.0


def cluster(name: str, metrics: int) -> ClusterSetup:
    own = (f"--txt-owner-id={name}", f"--metrics-address=:{metrics}")
    kept = (flag for flag in EXTERNAL_DNS_FLAGS if not flag.startswith("--txt-owner-id"))
    return ClusterSetup(name=name, external_dns_version="v0.7.4", external_dns_flags=(*kept, *own))


def service(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": "default",
            "annotations": {"external-dns.alpha.kubernetes.io/hostname": f"{name}.{ZONE}"},
        },
        "spec": {"type": "ExternalName", "externalName": f"{name}.example.org"},
    }


@pytest.fixture
def plane(network: Network, tmp_path: Path) -> Iterator[ControlPlane]:
    """A control plane whose clusters have a Service each; they have synced at least twice."""
    setup = Setup(
        host=f"api.{ZONE}",
        zone=ZONE,
        clusters=tuple(cluster(name, 7979 + number) for number, name in enumerate(NAMES)),
    )
    upkeep = Upkeep()
    try:
        process = upkeep.spawn(moto.command(network.control, MOTO_PORT), tmp_path)
        process.wait_until(lambda: moto.is_ready(process))
        clients = Clients(f"http://{network.control}:{MOTO_PORT}")
        clients.route53.create_hosted_zone(Name=ZONE, CallerReference="test")
        with Journal(tmp_path / "journal.ndjson") as journal:
            made = ControlPlane(
                setup,
                Clock(SPEED),
                network,
                journal,
                customer=clients,
                inside=clients,
                observer=clients,
                changes=ChangeFeed(),
                certificates=CertificateStore(tmp_path / "tls"),
                upkeep=upkeep,
            )
            for name, one in made.clusters.items():
                one.store.put(service(name))
            made.start_clusters(upkeep.loop())
            wait_for_syncs(made, upkeep)
            yield made
    finally:
        upkeep.close()


def wait_for_syncs(plane: ControlPlane, upkeep: Upkeep) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.05)):
        upkeep.check()
        if all(one.external_dns_syncs()[1] >= 2 for one in plane.clusters.values()):
            return
        pause.wait(0.05)
    raise AssertionError("no second sync")


def records(network: Network) -> dict[tuple[str, str], str]:
    route53 = Clients(f"http://{network.control}:{MOTO_PORT}").route53
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    found = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {
        (one["Name"], one["Type"]): one["ResourceRecords"][0]["Value"]
        for one in found
        if one["Type"] in ("CNAME", "TXT")
    }


def test_each_external_dns_sees_only_the_objects_of_its_own_cluster(
    plane: ControlPlane, network: Network
) -> None:
    for name, other in (NAMES, NAMES[::-1]):
        said = "\n".join(plane.clusters[name].external_dns_log())
        assert f"Endpoints generated from service: default/{name}: " in said
        assert f"Desired change: CREATE {name}.{ZONE}" in said
        # Of the other cluster it sees the records in the zone, and that they are not its own.
        assert f"from service: default/{other}" not in said
        assert f"CREATE {other}." not in said
    found = records(network)
    for name in NAMES:
        assert found[f"{name}.{ZONE}.", "CNAME"] == f"{name}.example.org"
        owners = [
            text for (_, kind), text in found.items() if kind == "TXT" and f"service/default/{name}" in text
        ]
        assert owners
        assert all(f"external-dns/owner={name}," in text for text in owners)


def test_clusters_share_no_node_no_pod_and_no_api(plane: ControlPlane) -> None:
    blue, green = plane.clusters.values()
    for kind, field in (("Node", "addresses"), ("Pod", "podIP")):
        known = [
            {str(item["status"][field]) for item in one.store.list_all() if item["kind"] == kind}
            for one in (blue, green)
        ]
        assert all(known)
        assert known[0].isdisjoint(known[1])
    urls = [one.kubernetes.kubeconfig()["clusters"][0]["cluster"]["server"] for one in (blue, green)]
    assert urls == [blue.kubernetes.url, green.kubernetes.url]
    assert len(set(urls)) == 2
