"""What is said of a name, and that an operator who follows it gets there and back without a gap."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from testbed.clock import Clock
from testbed.external_dns.core.facts import ALPHA_PREFIX, Fact, release_of
from testbed.external_dns.offline import explain_text, one_sync
from testbed.external_dns.offline.explain import Explanation, explain
from testbed.external_dns.offline.hosted_zones_in_memory import HostedZones
from testbed.external_dns.offline.move_advice import Step
from testbed.external_dns.offline.replay import Objects
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.external_dns.process import flags
from testbed.external_dns.process.sync_loop import Controller
from testbed.external_dns.sources import missing_claims
from tests.external_dns.releases import READ

HOST = "app.example.com"
NLB = "a0-1.elb.eu-west-1.amazonaws.com"
ALB = "k8s-web-1.eu-west-1.elb.amazonaws.com"
OTHER_ALB = "k8s-web-2.eu-west-1.elb.amazonaws.com"
ANNOTATION = f"{ALPHA_PREFIX}hostname"


def service(**more: Any) -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "default", "annotations": {ANNOTATION: HOST}},
        "spec": {"type": "LoadBalancer"},
        "status": {"loadBalancer": {"ingress": [{"hostname": NLB}]}},
        **more,
    }


def ingress(name: str = "web", balancer: str = ALB) -> dict[str, Any]:
    return {
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"rules": [{"host": HOST}]},
        "status": {"loadBalancer": {"ingress": [{"hostname": balancer}]}},
    }


class Cluster:
    """Objects, a zone, and an ExternalDNS that looks at both."""

    def __init__(self, version: str, items: Sequence[Mapping[str, Any]], *more: str) -> None:
        self.release = release_of(version)
        prefix = (
            [f"--annotation-prefix={ALPHA_PREFIX}"] if self.release.has(Fact.ANNOTATION_PREFIX_FLAG) else []
        )
        policy = [] if any("policy" in one for one in more) else ["--policy=sync"]
        arguments = ["--source=service", "--source=ingress", "--txt-owner-id=me", *policy, *prefix, *more]
        self.flags = flags.parse(arguments, self.release, {})
        self.objects = Objects()
        for item in items:
            self.objects.apply(item)
        self.account = HostedZones([ZoneFile(Path("zone.json"), "example.com", "/hostedzone/Z", ())])
        self._controller = Controller(
            self.objects,
            self.account,  # type: ignore[arg-type]
            self.flags,
            self.release,
            Clock(),
            lambda _: None,
        )

    def sync(self) -> None:
        self._controller.run_once()

    @property
    def zone(self) -> ZoneFile:
        [page] = self.account.get_paginator("list_resource_record_sets").paginate("/hostedzone/Z")
        return ZoneFile(Path("zone.json"), "example.com", "/hostedzone/Z", page["ResourceRecordSets"])

    @property
    def target(self) -> str:
        [found] = [one for one in self.zone.records if (one["Name"].rstrip("."), one["Type"]) == (HOST, "A")]
        return str(found["AliasTarget"]["DNSName"].rstrip("."))

    def explain(self, name: str = HOST) -> Explanation:
        items = list(self.objects.items.values())
        sync = one_sync.sync(items, [self.zone], self.flags, self.release)
        return explain(name, items, [self.zone], sync, self.flags, self.release)

    def follow(self, steps: Sequence[Step]) -> None:
        """Do what the commands say, a sync after each step."""
        for step in steps:
            for command in step.commands:
                self._annotate(command)
            self.sync()

    def _annotate(self, command: str) -> None:
        program, verb, option, namespace, place, change, *_ = command.split()
        assert (program, verb, option) == ("kubectl", "annotate", "-n")
        kind, name = place.split("/")
        [item] = [
            one
            for one in self.objects.items.values()
            if missing_claims.resource_of(one) == f"{kind}/{namespace}/{name}"
        ]
        annotations = dict(item["metadata"].get("annotations", {}))
        key, equals, value = change.partition("=")
        if equals:
            annotations[key] = value
        else:
            del annotations[key.removesuffix("-")]
        self.objects.apply({**item, "metadata": {**item["metadata"], "annotations": annotations}})


@pytest.mark.parametrize("version", READ)
@pytest.mark.parametrize("is_at_the_service", [True, False])
def test_who_follows_the_steps_moves_the_name_there_and_back_without_a_gap(
    version: str, is_at_the_service: bool
) -> None:
    first, second = (service(), ingress()) if is_at_the_service else (ingress(), service())
    cluster = Cluster(version, [first])
    cluster.sync()
    cluster.objects.apply(second)
    cluster.sync()
    before = cluster.target
    told = cluster.explain()
    cluster.follow(told.there)
    assert cluster.target not in (before, "")
    cluster.follow(told.back)
    assert cluster.target == before
    changes = itertools.chain.from_iterable(batch.changes for batch in cluster.account.batches)
    assert {one["Action"] for one in changes} == {"CREATE", "UPSERT"}
    assert all(not batch.refusal for batch in cluster.account.batches)


@pytest.mark.parametrize("version", READ)
def test_the_claimant_that_gets_the_name_is_named_beforehand(version: str) -> None:
    cluster = Cluster(version, [service()])
    cluster.sync()
    for item in (ingress("web-b", OTHER_ALB), ingress("web-a")):
        cluster.objects.apply(item)
    told = cluster.explain()
    assert told.there[-1].text.endswith("UPSERT to ingress/default/web-a, the smallest target.")
    cluster.follow(told.there)
    assert cluster.target == ALB


def test_a_service_with_several_names_keeps_the_others() -> None:
    metadata = {
        "name": "web",
        "namespace": "default",
        "annotations": {ANNOTATION: f"www.example.com, {HOST}"},
    }
    cluster = Cluster("v0.7.4", [service(metadata=metadata), ingress()])
    cluster.sync()
    told = cluster.explain()
    [command] = told.there[-1].commands
    assert command.endswith(f"{ANNOTATION}=www.example.com --overwrite")
    assert told.back[0].commands[0].endswith(f"{ANNOTATION}=www.example.com,{HOST} --overwrite")


def test_claims_labels_and_records_of_the_name_are_told() -> None:
    cluster = Cluster("v0.22", [service()])
    cluster.sync()
    cluster.objects.apply(ingress())
    told = cluster.explain("APP.example.com.")
    assert [one.resource for one in told.claims] == ["service/default/web", "ingress/default/web"]
    assert [(one.name, one.type, one.labels["owner"]) for one in told.labels] == [
        ("a-app.example.com", "A", "me"),
        ("aaaa-app.example.com", "AAAA", "me"),
    ]
    assert [one["Type"] for one in told.records] == ["A", "AAAA"]


def test_encrypted_labels_are_read_with_the_key() -> None:
    key = "--txt-encrypt-aes-key=01234567890123456789012345678901"
    cluster = Cluster("v0.22", [service()], "--txt-encrypt-enabled", key)
    cluster.sync()
    assert [one.labels["resource"] for one in cluster.explain().labels] == ["service/default/web"] * 2


def test_equal_claims_are_warned_of() -> None:
    cluster = Cluster("v0.7.4", [service()])
    cluster.sync()
    for name in ("web-a", "web-b"):
        cluster.objects.apply(ingress(name))
    told = cluster.explain()
    [caution] = [text for text in told.cautions if "same target" in text]
    assert caution.startswith("ingress/default/web-a and ingress/default/web-b claim the same target")
    assert "by chance it may" in told.back[0].text


def test_under_create_only_the_steps_are_said_to_have_no_effect() -> None:
    cluster = Cluster("v0.7.4", [service(), ingress()], "--policy=create-only")
    cluster.sync()
    assert any("create-only never changes a record" in text for text in cluster.explain().cautions)


def test_without_a_registry_only_the_targets_decide() -> None:
    cluster = Cluster("v0.7.4", [service(), ingress()], "--registry=noop")
    told = cluster.explain()
    assert "noop registry remembers no holder" in told.there[0].text
    assert told.back == []


def test_a_record_of_another_owner_needs_its_owner_first() -> None:
    cluster = Cluster("v0.7.4", [service()])
    cluster.sync()
    foreign = flags.parse(["--source=ingress", "--txt-owner-id=other"], cluster.release, {})
    items, zones = [ingress()], [cluster.zone]
    sync = one_sync.sync(items, zones, foreign, cluster.release)
    told = explain(HOST, items, zones, sync, foreign, cluster.release)
    assert told.there[0].text.startswith("Before anything else: run with --txt-owner-id=me")


def test_a_name_that_nothing_knows_is_told_as_that() -> None:
    told = Cluster("v0.7.4", [service()]).explain("nix.example.com")
    assert explain_text.render(told, {}) == (
        "Nothing mentions nix.example.com: no record, no TXT and no object.\n"
    )
