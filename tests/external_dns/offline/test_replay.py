"""A history is played step by step, in the form in which it was recorded."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.errors import BadInput
from testbed.external_dns.core.facts import ALPHA_PREFIX, release_of
from testbed.external_dns.offline.replay import Objects, Play, arguments, replay, replayed
from tests.external_dns.releases import READ

HOST, NLB = "app.example.com", "a0-1.elb.eu-west-1.amazonaws.com"
SERVICE = {
    "kind": "Service",
    "metadata": {"name": "web", "annotations": {f"{ALPHA_PREFIX}hostname": HOST}},
    "spec": {"type": "LoadBalancer"},
    "status": {"loadBalancer": {"ingress": [{"hostname": NLB}]}},
}


def history(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "one", "config": {"policy": "sync", "owner_id": "me"}, "steps": list(steps), **more}


@pytest.mark.parametrize("version", READ)
def test_a_service_that_comes_and_goes_leaves_an_empty_zone(version: str) -> None:
    came = {"do": [{"apply": SERVICE}], "syncs": 1}
    went = {"do": [{"delete": {"kind": "Service", "name": "web"}}], "syncs": 1}
    first, second = replay(history(came, went), release_of(version))
    assert {"name": HOST, "type": "A", "alias": NLB} in first["hosted_zone"]
    assert second["hosted_zone"] == []
    [sync] = second["syncs"]
    assert {change["action"] for change in sync["batches"][0]["changes"]} == {"DELETE"}


def test_a_throttled_call_is_rejected_and_the_next_sync_repeats_it() -> None:
    step = {"do": [{"apply": SERVICE}, {"next_change_calls_fail": 1}], "syncs": 2}
    [result] = replay(history(step), release_of("v0.7.4"))
    first, second = result["syncs"]
    assert first["batches"][0]["rejected"] == "Rate exceeded"
    assert "failed to submit all changes" in first["error"]
    assert second["batches"][0]["changes"] == first["batches"][0]["changes"]
    assert "rejected" not in second["batches"][0]


def test_a_zone_changed_by_hand_is_listed_in_the_order_of_route_53() -> None:
    def by_hand(name: str) -> dict[str, Any]:
        return {"action": "CREATE", "name": name, "type": "A", "ttl": 60, "values": ["192.0.2.1"]}

    step = {"do": [{"hosted_zone": [by_hand("b.example.com"), by_hand("a.z.example.com")]}], "syncs": 0}
    before = [{"name": "c.example.com", "type": "A", "ttl": 60, "values": ["192.0.2.1"]}]
    [result] = replay(history(step, hosted_zone_before=before), release_of("v0.22"))
    names = [record["name"] for record in result["hosted_zone"]]
    assert names == ["b.example.com", "c.example.com", "a.z.example.com"]


def test_results_stand_in_the_steps_of_the_history() -> None:
    played = replayed(history({"label": "nothing", "syncs": 1}), release_of("v0.22"))
    assert played["steps"][0]["label"] == "nothing"
    assert played["steps"][0]["result"]["syncs"][0]["batches"] == []


def test_the_config_becomes_flags_of_the_version() -> None:
    config = {
        "policy": "sync",
        "owner_id": "me",
        "sources": ["ingress"],
        "dry_run": True,
        "managed_records": ["A"],
    }
    old, new = (arguments(config, release_of(version)) for version in ("v0.7.5", "v0.22"))
    assert old == ["--policy=sync", "--txt-owner-id=me", "--source=ingress", "--dry-run"]
    assert new == [*old, "--managed-record-types=A", f"--annotation-prefix={ALPHA_PREFIX}"]


def test_a_config_that_the_version_does_not_take_is_refused() -> None:
    with pytest.raises(BadInput, match="owner id cannot be empty"):
        Play(history(config={"policy": "sync", "owner_id": ""}), release_of("v0.22"))


def test_an_object_is_applied_in_the_place_of_the_one_of_its_name() -> None:
    objects = Objects()
    objects.apply(SERVICE)
    objects.apply({**SERVICE, "spec": {}})
    [item] = objects.list("Service")
    assert item["spec"] == {}
    objects.delete({"kind": "Service", "name": "gone"})
    objects.delete({"kind": "Service", "namespace": "default", "name": "web"})
    assert objects.list("Service") == []
