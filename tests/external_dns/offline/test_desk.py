"""What `testbed dns` works on: which ExternalDNS, of which release, with which flags and prefix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.errors import BadInput
from testbed.external_dns.core.facts import ALPHA_PREFIX, PREFIX
from testbed.external_dns.offline.desk import Desk, desks
from testbed.releases import Named

STATUS = {"loadBalancer": {"ingress": [{"hostname": "a0-1.elb.eu-west-1.amazonaws.com"}]}}


def service(prefix: str = ALPHA_PREFIX, host: str = "app.example.com") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "annotations": {f"{prefix}hostname": host}},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 443}]},
        "status": STATUS,
    }


def deployment(name: str, tag: str, *args: str) -> dict[str, Any]:
    container = {"name": "dns", "image": f"a/external-dns:{tag}", "args": list(args)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def made(folder: Path, *items: Any, **options: Any) -> list[Desk]:
    path = folder / "all.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return desks([path], **options)


def test_each_deployment_is_an_external_dns_of_its_own(tmp_path: Path) -> None:
    one, other = made(
        tmp_path,
        service(),
        deployment("old", "v0.14.2", "--source=service", "--txt-owner-id=a"),
        deployment("new", "v0.21.0", "--source=service", "--policy=upsert-only", "--txt-owner-id=b"),
    )
    assert [desk.release.tag for desk in (one, other)] == ["v0.14.2", "v0.21.0"]
    assert [desk.flags.owner for desk in (one, other)] == ["a", "b"]
    assert "The release is that of Deployment default/new" in other.heading()


def test_flags_that_are_given_are_one_external_dns_of_the_first_deployments_release(tmp_path: Path) -> None:
    deployed = deployment("dns", "v0.14.2", "--source=ingress")
    [desk] = made(tmp_path, service(), deployed, given=("--source=service", "--policy=sync"))
    assert (desk.release.tag, desk.flags.sources) == ("v0.14.2", ("service",))
    [desk] = made(tmp_path, service(), deployed, environment={"EXTERNAL_DNS_SOURCE": "service", "HOME": "/"})
    assert (desk.flags.sources, desk.variables) == (("service",), {"EXTERNAL_DNS_SOURCE": "service"})


def test_without_a_release_and_a_deployment_the_newest_reads_the_prefix_of_the_manifests(
    tmp_path: Path,
) -> None:
    [desk] = made(tmp_path, service())
    assert (desk.release.tag, desk.flags.annotation_prefix, desk.unread) == ("v0.22.0", ALPHA_PREFIX, "")
    assert f"--annotation-prefix={ALPHA_PREFIX}" in " ".join(desk.heading().split())
    assert desk.claimed == ["app.example.com"]


@pytest.mark.parametrize(
    ("tag", "prefix", "unread"),
    [("v0.21.0", ALPHA_PREFIX, ""), ("v0.21.0", PREFIX, PREFIX), ("v0.22.0", ALPHA_PREFIX, ALPHA_PREFIX)],
)
def test_a_release_that_is_named_reads_its_own_prefix_and_the_other_is_told(
    tmp_path: Path, tag: str, prefix: str, unread: str
) -> None:
    [desk] = made(tmp_path, service(prefix), release=Named(tag, "--external-dns"))
    assert desk.unread == unread
    if unread:
        assert desk.reading_all().flags.annotation_prefix == unread


def test_without_a_listing_the_zone_is_an_empty_one_that_holds_the_claimed_names(tmp_path: Path) -> None:
    [desk] = made(tmp_path, service(host="a.b.example.com,c.example.com,*.example.org"))
    assert [zone.name for zone in desk.zones] == ["example.com", "example.org"]
    assert "No --zone is given" in desk.heading()
    [batch, *_] = desk.sync().batches
    assert {change["Action"] for change in batch.changes} == {"CREATE"}


def test_without_a_listing_and_a_claim_there_is_no_zone(tmp_path: Path) -> None:
    [desk] = made(tmp_path, deployment("shop", "v1"), given=("--source=service", "--policy=sync"))
    with pytest.raises(BadInput, match="no object claims a name"):
        desk.sync()


def test_a_flag_that_the_release_of_the_deployment_lacks_is_refused_with_its_line(tmp_path: Path) -> None:
    [desk] = made(tmp_path, service(), deployment("dns", "v0.7.4", "--source=service", "--min-ttl=1m"))
    with pytest.raises(BadInput, match=r"all\.json:1: .*min-ttl"):
        _ = desk.flags
