"""The traps of a cutover with ExternalDNS, each played by syncs; `docs/traps.md` tells them to operators."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from testbed.clock import Clock
from testbed.external_dns.core.facts import ALPHA_PREFIX, PREFIX, Fact, release_of
from testbed.external_dns.core.log_lines import LogLine
from testbed.external_dns.core.reasons import Reason
from testbed.external_dns.offline.hosted_zones_in_memory import HostedZones
from testbed.external_dns.offline.replay import Objects
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.external_dns.process import flags
from testbed.external_dns.process.reconciler import UP_TO_DATE
from testbed.external_dns.process.sync_loop import Controller
from testbed.external_dns.provider.aws_provider import SubmitError
from tests.external_dns.releases import READ

HOST = "app.example.com"
NLB = "a0123-0123.elb.us-east-1.amazonaws.com"
ALB = "k8s-default-web-0123.us-east-1.elb.amazonaws.com"
SMALL_ALB = "0123abcd-default-web-4567.us-east-1.elb.amazonaws.com"
OLD = ("v0.7.4", "v0.7.5")
NEW = "v0.22"
TRAPS = Path(__file__).parents[2] / "docs" / "traps.md"
ABOUT_THE_PAGE = ("test_the_page_for_operators_tells_the_same_traps", "test_each_trap_is_told_in_four_lines")
all_versions = pytest.mark.parametrize("version", READ)
old_versions = pytest.mark.parametrize("version", OLD)


class World:
    """Objects, a hosted zone with Route 53's rules, and an ExternalDNS."""

    def __init__(
        self, version: str, *more: str, records: Sequence[Mapping[str, Any]] = (), seed: int = 0
    ) -> None:
        self.lines: list[LogLine] = []
        self._objects, self._seed = Objects(), seed
        self._account = HostedZones([ZoneFile(Path("zone.json"), "example.com", "/hostedzone/Z1", records)])
        self.restart(version, *more)

    def restart(self, version: str, *more: str) -> None:
        """Start a version with flags; those of the tests unless they are given."""
        found = release_of(version)
        given = {text.partition("=")[0] for text in more}
        usual = ["--source=service", "--source=ingress", "--policy=sync", "--txt-owner-id=me"]
        usual += [f"--annotation-prefix={ALPHA_PREFIX}"] if found.has(Fact.ANNOTATION_PREFIX_FLAG) else []
        arguments = [text for text in usual if text.partition("=")[0] not in given] + [*more]
        self._controller = Controller(
            self._objects,
            self._account,  # type: ignore[arg-type]
            flags.parse(arguments, found, {}),
            found,
            Clock(),
            self.lines.append,
            self._seed,
        )

    def put(self, *items: Mapping[str, Any]) -> World:
        """Apply objects."""
        for item in items:
            self._objects.apply(item)
        return self

    def drop(self, kind: str, name: str = "web") -> World:
        """Delete an object."""
        self._objects.delete({"kind": kind, "namespace": "default", "name": name})
        return self

    def sync(self, times: int = 1) -> list[str]:
        """Run; the changes that Route 53 took, such as `UPSERT app.example.com A`."""
        before = len(self._account.batches)
        for _ in range(times):
            try:
                self._controller.run_once()
            except SubmitError as error:
                self.lines.append(LogLine("error", str(error)))
        taken = [batch for batch in self._account.batches[before:] if not batch.refusal]
        return [
            f"{change['Action']} {change['ResourceRecordSet']['Name']} {change['ResourceRecordSet']['Type']}"
            for batch in taken
            for change in batch.changes
        ]

    @property
    def refusals(self) -> list[str]:
        """What Route 53 refused."""
        return [batch.refusal for batch in self._account.batches if batch.refusal]

    @property
    def reasons(self) -> list[Reason]:
        """Of the latest sync: what decided, or what was in the way."""
        return [one.dropped or one.reason for one in self._controller.decisions]

    @property
    def records(self) -> list[Mapping[str, Any]]:
        """All record sets."""
        [page] = self._account.get_paginator("list_resource_record_sets").paginate("/hostedzone/Z1")
        return list(page["ResourceRecordSets"])

    def alias(self, kind: str = "A") -> str | None:
        """The balancer that the host's alias points to."""
        for record in self.records:
            if record["Name"].rstrip(".") == HOST and record["Type"] == kind and "AliasTarget" in record:
                return str(record["AliasTarget"]["DNSName"].rstrip("."))
        return None


def service(hostname: str | None = HOST, target: str | None = NLB, **annotations: str) -> dict[str, Any]:
    found = {f"{ALPHA_PREFIX}{key.replace('_', '-')}": value for key, value in annotations.items()}
    if hostname is not None:
        found[f"{ALPHA_PREFIX}hostname"] = hostname
    return {
        "kind": "Service",
        "metadata": {"namespace": "default", "name": "web", "annotations": found},
        "spec": {"type": "LoadBalancer"},
        "status": {"loadBalancer": {"ingress": [{"hostname": target}] if target else []}},
    }


def ingress(
    host: str | None = HOST, target: str | None = ALB, name: str = "web", **annotations: str
) -> dict[str, Any]:
    found = {f"{ALPHA_PREFIX}{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {
        "kind": "Ingress",
        "metadata": {"namespace": "default", "name": name, "annotations": found},
        "spec": {"rules": [{"host": host} if host else {}]},
        "status": {"loadBalancer": {"ingress": [{"hostname": target}] if target else []}},
    }


def dualstack(item: dict[str, Any]) -> dict[str, Any]:
    item["metadata"]["annotations"]["alb.ingress.kubernetes.io/ip-address-type"] = "dualstack"
    return item


def alias_record(target: str) -> dict[str, Any]:
    zone = "Z26RNL4JYFTOTI" if ".elb.us-east-1" in target else "Z35SXDOTRQ7X7K"
    alias = {"HostedZoneId": zone, "DNSName": f"{target}.", "EvaluateTargetHealth": True}
    return {"Name": f"{HOST}.", "Type": "A", "AliasTarget": alias}


def txt_record(name: str, owner: str = "me", resource: str = "service/default/web") -> dict[str, Any]:
    value = f'"heritage=external-dns,external-dns/owner={owner},external-dns/resource={resource}"'
    return {"Name": f"{name}.", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": value}]}


def after_the_cutover(version: str, *more: str, alb: str = ALB) -> World:
    """The Service had the name, the Ingress has it now."""
    world = World(version, *more)
    world.put(service()).sync()
    world.put(ingress(target=alb)).sync()
    world.put(service(None)).sync()
    assert world.alias() == alb
    return world


@all_versions
def test_a_rollback_by_the_annotation_alone_moves_nothing(version: str) -> None:
    world = after_the_cutover(version)
    assert world.put(service()).sync(5) == []
    assert world.alias() == ALB
    assert Reason.KEPT_BY_LABEL in world.reasons
    moved = world.put(ingress(None)).sync()
    assert {text.split()[0] for text in moved} == {"UPSERT"}
    assert world.alias() == NLB


@all_versions
def test_letting_go_before_the_other_claims_deletes_the_record(version: str) -> None:
    world = after_the_cutover(version)
    deleted = world.put(ingress(None)).sync()
    assert {text.split()[0] for text in deleted} == {"DELETE"}
    assert world.alias() is None
    created = world.put(service()).sync()
    assert {text.split()[0] for text in created} == {"CREATE"}

    unready = World(version)
    unready.put(service()).sync()
    unready.put(ingress(target=None), service(None)).sync()
    assert unready.alias() is None


@all_versions
def test_a_service_that_is_without_an_address_for_one_sync_loses_the_name(version: str) -> None:
    world = World(version)
    world.put(service()).sync()
    world.put(ingress()).sync()
    world.put(service(target=None)).sync()
    assert world.alias() == ALB
    assert world.put(service()).sync(5) == []
    assert world.alias() == ALB


@all_versions
def test_two_ingresses_of_one_balancer_make_the_name_jump_at_random(version: str) -> None:
    found = set()
    for seed in range(4):
        world = World(version, seed=seed)
        world.put(service()).sync()
        world.put(ingress(name="web-a"), ingress(name="web-b")).sync()
        world.put(service(None)).sync()
        assert world.alias() == ALB
        world.put(service())
        syncs = next(number for number in range(1, 100) if world.sync())
        assert world.alias() == NLB
        assert world.sync(20) == []
        found.add(syncs)
    assert len(found) > 1


@all_versions
@pytest.mark.parametrize(("alb", "winner"), [(ALB, NLB), (SMALL_ALB, SMALL_ALB)])
def test_in_a_fresh_zone_the_balancers_names_decide(version: str, alb: str, winner: str) -> None:
    world = World(version)
    world.put(service(), ingress(target=alb)).sync()
    assert world.alias() == winner
    assert Reason.SMALLEST_TARGET in world.reasons


@all_versions
def test_all_records_are_up_to_date_says_nothing_of_where_a_name_points(version: str) -> None:
    capitals = World(version).put(service("App.Example.com"))
    assert capitals.sync() == []
    assert any(line.message.startswith(UP_TO_DATE) for line in capitals.lines)
    assert capitals.records == []
    for world in (after_the_cutover(version).put(service()), World(version).put(ingress(None))):
        world.lines.clear()
        world.sync()
        assert UP_TO_DATE in [line.message for line in world.lines]


@all_versions
@pytest.mark.parametrize(
    ("txts", "reason"),
    [
        ((), Reason.NO_OWNER),
        ((txt_record(HOST, "other"), txt_record(f"a-{HOST}", "other")), Reason.OTHER_OWNER),
    ],
)
def test_a_record_without_its_owners_txt_is_frozen_and_the_log_is_silent(
    version: str, txts: tuple[Mapping[str, Any], ...], reason: Reason
) -> None:
    world = World(version, records=[alias_record(NLB), *txts]).put(ingress())
    assert world.sync(3) == []
    assert world.alias() == NLB
    assert reason in world.reasons
    assert {line.level for line in world.lines} == {"info"}
    assert any(line.message == UP_TO_DATE for line in world.lines)


@old_versions
def test_a_txt_that_was_left_behind_blocks_its_whole_batch_or_brings_its_owner_back(version: str) -> None:
    world = World(version, records=[txt_record(HOST)])
    world.put(ingress(), ingress("other.example.com", name="other"))
    assert world.sync(3) == []
    assert len(world.refusals) == 3
    assert "already exists" in world.refusals[0]

    newest = World(NEW, records=[txt_record(f"a-{HOST}"), txt_record(f"aaaa-{HOST}")])
    newest.put(ingress()).sync()
    assert newest.alias() == ALB
    assert newest.reasons.count(Reason.TXT_KEPT) == 2
    newest.put(service()).sync()
    assert newest.alias() == NLB


@old_versions
def test_going_back_from_a_dualstack_alb_leaves_its_aaaa_behind(version: str) -> None:
    world = World(version)
    world.put(service()).sync()
    world.put(dualstack(ingress()), service(None)).sync()
    assert (world.alias(), world.alias("AAAA")) == (ALB, ALB)
    world.put(service()).drop("Ingress").sync()
    assert (world.alias(), world.alias("AAAA")) == (NLB, ALB)
    world.drop("Service").sync()
    assert (world.alias(), world.alias("AAAA")) == (None, ALB)

    late = World(version)
    late.put(ingress()).sync()
    assert late.put(dualstack(ingress())).sync(3) == []


@old_versions
def test_an_upgrade_sends_ipv6_clients_to_the_smaller_target(version: str) -> None:
    world = World(version)
    world.put(service()).sync()
    world.put(ingress(target=SMALL_ALB)).sync()
    world.restart(NEW)
    world.sync()
    assert (world.alias(), world.alias("AAAA")) == (NLB, SMALL_ALB)
    without = World(version)
    without.put(service()).sync()
    without.restart(NEW, "--managed-record-types=A", "--managed-record-types=CNAME")
    without.sync()
    assert without.alias("AAAA") is None


@old_versions
@pytest.mark.parametrize(
    "item",
    [service(ttl="60"), service(target=NLB.replace("a0123", "A0123"))],
    ids=["a ttl", "a balancer's name with capitals"],
)
def test_an_alias_with_a_ttl_is_sent_again_at_every_sync(version: str, item: dict[str, Any]) -> None:
    world = World(version).put(item)
    world.sync()
    assert len(world.sync(4)) == 8
    newest = World(NEW).put(item)
    newest.sync()
    assert newest.sync(4) == []


@old_versions
def test_preferring_cnames_without_a_txt_prefix_never_succeeds(version: str) -> None:
    world = World(version, "--aws-prefer-cname").put(service())
    assert world.sync(3) == []
    assert len(world.refusals) == 3
    assert "CNAME" in world.refusals[0]
    prefixed = World(version, "--aws-prefer-cname", "--txt-prefix=owner-").put(service())
    assert prefixed.sync() == [f"CREATE {HOST} CNAME", f"CREATE owner-{HOST} TXT"]

    newest = World(NEW, "--policy=upsert-only").put(service())
    newest.sync()
    newest.restart(NEW, "--policy=upsert-only", "--aws-prefer-cname")
    newest.sync(2)
    assert newest.alias() == NLB
    assert newest.refusals


def test_version_22_does_not_read_the_annotations_of_before() -> None:
    world = World(NEW)
    world.put(service()).sync()
    world.restart(NEW, f"--annotation-prefix={PREFIX}")
    assert {text.split()[0] for text in world.sync()} == {"DELETE"}
    assert world.alias() is None

    with_ingress = World(NEW)
    with_ingress.put(service()).sync()
    with_ingress.put(ingress()).sync()
    with_ingress.restart(NEW, f"--annotation-prefix={PREFIX}")
    with_ingress.sync()
    assert (with_ingress.alias(), with_ingress.alias("AAAA")) == (ALB, ALB)
    assert not [line for line in with_ingress.lines if line.level in ("warning", "error")]


@all_versions
def test_a_weighted_record_cannot_join_a_simple_one(version: str) -> None:
    world = World(version)
    world.put(service()).sync()
    world.put(ingress(set_identifier="alb", aws_weight="10"))
    assert world.sync(2) == []
    assert world.refusals
    assert "cannot be created as a non-weighted set exists" in world.refusals[0]

    first = World(version)
    first.put(service()).sync()
    first.put(service(set_identifier="nlb", aws_weight="100"))
    assert {text.split()[0] for text in first.sync()} == {"DELETE", "CREATE"}
    assert {text.split()[0] for text in first.put(ingress(set_identifier="alb", aws_weight="10")).sync()} == {
        "CREATE"
    }
    assert first.refusals == []


@all_versions
def test_without_a_registry_the_smallest_target_wins_at_every_sync(version: str) -> None:
    world = World(version, "--registry=noop")
    world.put(service()).sync()
    world.put(ingress(target=SMALL_ALB)).sync()
    assert world.alias() == SMALL_ALB

    other = World(version, "--registry=noop")
    other.put(service()).sync()
    other.put(ingress()).sync()
    other.put(service(None)).sync()
    assert other.alias() == ALB
    other.put(service()).sync()
    assert other.alias() == NLB


def test_migrating_from_another_owner_sends_every_record_again_at_every_sync() -> None:
    world = World(NEW, "--txt-owner-id=old")
    world.put(service()).sync()
    world.restart(NEW, "--txt-owner-id=me", "--migrate-from-txt-owner=old")
    assert [len(world.sync()) for _ in range(3)] == [4, 4, 4]
    world.restart(NEW, "--txt-owner-id=me")
    assert world.sync() == []

    shared = World(NEW, "--txt-owner-id=default")
    shared.put(service()).sync()
    shared.drop("Service").restart(NEW, "--txt-owner-id=me", "--migrate-from-txt-owner=default")
    shared.sync()
    assert f"Desired change: DELETE {HOST} A" in [line.message for line in shared.lines]


@all_versions
def test_a_name_moves_at_the_next_sync_and_not_at_the_edit(version: str) -> None:
    world = World(version)
    world.put(service()).sync()
    world.put(ingress()).sync()
    world.put(service(None))
    assert world.alias() == NLB
    world.sync()
    assert world.alias() == ALB
    assert all("TTL" not in one for one in world.records if "AliasTarget" in one)
    assert {one["TTL"] for one in world.records if one["Type"] == "TXT"} == {300}


@old_versions
def test_a_change_of_target_health_alone_is_not_noticed(version: str) -> None:
    world = World(version)
    world.put(ingress(aws_evaluate_target_health="false")).sync()
    assert world.put(ingress(aws_evaluate_target_health="true")).sync(2) == []
    newest = World(NEW)
    newest.put(ingress(aws_evaluate_target_health="false")).sync()
    assert len(newest.put(ingress(aws_evaluate_target_health="true")).sync()) == 4


def test_the_page_for_operators_tells_the_same_traps() -> None:
    titles = re.findall(r"^## (\d+)\. (.+)$", TRAPS.read_text(), re.MULTILINE)
    assert [int(number) for number, _ in titles] == list(range(1, 19))
    told = [
        "test_" + re.sub(r"[^a-z0-9]+", "_", title.lower().replace("'", "")).strip("_") for _, title in titles
    ]
    played = [name for name in globals() if name.startswith("test_") and name not in ABOUT_THE_PAGE]
    assert told == played


def test_each_trap_is_told_in_four_lines() -> None:
    for text in TRAPS.read_text().split("\n## ")[1:]:
        heads = [line.split(":**")[0] for line in text.splitlines() if line.startswith("- **")]
        assert heads == ["- **You do", "- **What happens", "- **Why", "- **Instead"]
