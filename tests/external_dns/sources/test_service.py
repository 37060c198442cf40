"""Targets of a Service come from its type and the flags."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.external_dns.core.facts import annotation_prefix, release_of
from testbed.external_dns.process.flags import parse
from testbed.external_dns.sources.service import ServiceSource, as_load_balancer
from testbed.external_dns.sources.source import SourceContext
from tests.external_dns.releases import READ
from tests.external_dns.sources.annotated_objects import ALB, item, read


@pytest.mark.parametrize(
    ("spec", "flags", "targets"),
    [
        ({"type": "LoadBalancer"}, [], (ALB,)),
        ({"type": "LoadBalancer", "externalIPs": ["192.0.2.1"]}, [], ("192.0.2.1",)),
        ({"clusterIP": "10.0.0.1"}, [], None),
        ({"clusterIP": "10.0.0.1"}, ["--publish-internal-services"], ("10.0.0.1",)),
        ({"clusterIP": "None"}, ["--publish-internal-services"], None),
        ({"type": "ExternalName", "externalName": "a.test"}, [], ("a.test",)),
        ({"type": "LoadBalancer"}, ["--service-type-filter=LoadBalancer"], (ALB,)),
        ({"type": "LoadBalancer"}, ["--service-type-filter=ExternalName"], None),
    ],
)
@pytest.mark.parametrize("version", READ)
def test_the_type_of_a_service_and_the_flags_choose_its_targets(
    version: str, spec: dict[str, Any], flags: list[str], targets: tuple[str, ...] | None
) -> None:
    found, _ = read(item("Service", spec, hostname="note.test"), *flags, version=version)
    assert found == ({"note.test": targets} if targets else {})


def test_v0_7_filters_no_service_by_label() -> None:
    manifest = item("Service", {"type": "LoadBalancer"}, {"app": "web"}, hostname="note.test")
    assert read(manifest, "--label-filter=app=api", version="v0.7.5")[0] == {"note.test": (ALB,)}


def test_the_internal_hostname_gets_the_cluster_ip_since_v0_7_6() -> None:
    spec = {"type": "LoadBalancer", "clusterIP": "10.0.0.1"}
    notes = {"hostname": "note.test", "internal_hostname": "inside.test"}
    new, _ = read(item("Service", spec, None, **notes))
    assert new == {"note.test": (ALB,), "inside.test": ("10.0.0.1",)}
    old, _ = read(item("Service", spec, None, **notes), version="v0.7.5")
    assert old == {"note.test": (ALB,)}


@pytest.mark.parametrize(
    ("version", "targets"), [("v0.7.4", [(ALB,), ("other.test",)]), ("v0.7.5", [("other.test", ALB)])]
)
def test_v0_7_5_makes_one_endpoint_of_services_of_one_name(
    version: str, targets: list[tuple[str, ...]]
) -> None:
    chosen = release_of(version)
    manifests = [item("Service", {"type": "LoadBalancer"}) for _ in range(2)]
    for manifest in manifests:
        manifest["metadata"]["annotations"] = {f"{annotation_prefix(chosen)}hostname": "note.test"}
    manifests[1]["metadata"]["name"] = "api"
    manifests[1]["status"] = {"loadBalancer": {"ingress": [{"hostname": "other.test"}]}}
    flags = parse(["--source=service", "--policy=sync"], chosen, {})
    endpoints = ServiceSource(SourceContext(chosen, flags)).endpoints(manifests)
    assert sorted(tuple(sorted(one.targets)) for one in endpoints) == sorted(
        tuple(sorted(one)) for one in targets
    )


def test_a_service_becomes_one_of_type_load_balancer_and_keeps_the_rest() -> None:
    spec = {"type": "ClusterIP", "clusterIP": "10.0.0.1"}
    manifest = item("Service", spec)
    assert as_load_balancer(manifest)["spec"] == {"type": "LoadBalancer", "clusterIP": "10.0.0.1"}
    assert manifest["spec"] == spec
