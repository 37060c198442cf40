"""Whatever claims names in whatever order: what ExternalDNS never does, tried on Route 53's own rules.

Where a recorded trap breaks a rule (docs/traps.md), the histories here keep out of its way, and say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.clock import Clock
from testbed.dated_releases import Release
from testbed.external_dns.core.facts import ALPHA_PREFIX, Fact, release_of
from testbed.external_dns.offline.hosted_zones_in_memory import HostedZones
from testbed.external_dns.offline.replay import Objects
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.external_dns.process import flags
from testbed.external_dns.process.sync_loop import Controller
from tests.external_dns.releases import READ

HOSTS = ("app.example.com", "api.example.com", "example.com", "deep.app.example.com")
ZONE = "/hostedzone/Z"
SHARED = {"hostname": "k8s-shared-1.eu-west-1.elb.amazonaws.com"}
Item = dict[str, Any]
Step = Sequence[Item]


@dataclass(frozen=True)
class World:
    """An ExternalDNS, and what exists at each of its syncs."""

    version: Release
    prefix: str
    steps: Sequence[Step]


def _item(kind: str, number: int, host: str, address: Mapping[str, str]) -> Item:
    spec = {"type": "LoadBalancer"} if kind == "Service" else {"rules": [{"host": host}]}
    annotations = {f"{ALPHA_PREFIX}hostname": host} if kind == "Service" else {}
    return {
        "kind": kind,
        "metadata": {"namespace": "default", "name": f"web{number}", "annotations": annotations},
        "spec": spec,
        "status": {"loadBalancer": {"ingress": [dict(address)]}},
    }


def _addresses(kind: str, number: int, version: Release) -> list[dict[str, str]]:
    """Addresses that no other object has: equal endpoints of two objects are trap 4.

    v0.7.4 never changes the type of a record (UPSERT beside the old one, refused), so it gets balancers only.
    An Ingress gets no IP: v0.22 unites those of several under a label that is random.
    """
    mark = f"{kind[0].lower()}{number}"
    balancers = [f"{mark}-1.elb.eu-west-1.amazonaws.com", f"k8s-{mark}-2.eu-west-1.elb.amazonaws.com"]
    found = [{"hostname": name} for name in balancers]
    if version.has(Fact.REPLACED_ON_TYPE_CHANGE):
        found.append({"hostname": f"{mark}.example.net"})
        if kind == "Service":
            found.append({"ip": f"192.0.2.{number + 1}"})
    return found


@st.composite
def worlds(draw: st.DrawFn, *, shared: bool = False) -> World:
    """Up to four syncs over up to two Services and two Ingresses, whose hosts and addresses change.

    v0.7.x gets a TXT prefix, without which no TXT can stand beside a CNAME (trap 12), and no apex, whose
    typed TXT lies outside the zone in v0.22. v0.7.5 gets one Service: of two with one host it makes one
    record with two targets (trap 11). With `shared`, objects may also have the address of one balancer.
    """
    version = draw(st.sampled_from([release_of(name) for name in READ]))
    prefix = draw(st.sampled_from(["", "txt-", "%{record_type}."])) if version.has(Fact.TYPED_TXT) else "txt-"
    kinds = [("Service", 0), ("Ingress", 0), ("Ingress", 1)]
    if not version.has(Fact.SERVICES_MERGED):
        kinds.append(("Service", 1))
    steps = []
    for _ in range(draw(st.integers(1, 4))):
        step = []
        for kind, number in kinds:
            if draw(st.booleans()):
                host = draw(st.sampled_from([host for host in HOSTS if host != "example.com"]))
                addresses = _addresses(kind, number, version) + ([SHARED] * 3 if shared else [])
                address = draw(st.sampled_from(addresses))
                step.append(_item(kind, number, host, address))
        steps.append(step)
    return World(version, prefix, steps)


def _account(*records: Mapping[str, Any]) -> HostedZones:
    return HostedZones([ZoneFile(Path("zone.json"), "example.com", ZONE, records)])


def _records(account: HostedZones) -> list[Mapping[str, Any]]:
    (page,) = account.get_paginator("list_resource_record_sets").paginate(HostedZoneId=ZONE)
    return sorted(page["ResourceRecordSets"], key=lambda one: (one["Name"], one["Type"]))


def _run(
    world: World,
    account: HostedZones,
    *,
    owner: str = "me",
    policy: str = "sync",
    seed: int = 0,
    again: int = 0,
) -> None:
    """Sync after each step, and `again` times after the last."""
    arguments = ["--source=service", "--source=ingress", f"--policy={policy}", f"--txt-owner-id={owner}"]
    arguments.append(f"--txt-prefix={world.prefix}")
    if world.version.has(Fact.ANNOTATION_PREFIX_FLAG):
        arguments.append(f"--annotation-prefix={ALPHA_PREFIX}")
    objects = Objects()
    controller = Controller(
        objects,
        account,  # type: ignore[arg-type]
        flags.parse(arguments, world.version, {}),
        world.version,
        Clock(),
        lambda line: None,
        seed,
    )
    for step in world.steps:
        objects.items.clear()
        for item in step:
            objects.apply(item)
        controller.sync()
    for _ in range(again):
        controller.sync()


@given(worlds(), st.integers(0, 3))
@settings(max_examples=60)
def test_route_53_refuses_no_batch_and_a_sync_more_sends_nothing(world: World, seed: int) -> None:
    account = _account()
    _run(world, account, seed=seed)
    assert [one.refusal for one in account.batches if one.refusal] == []
    again = _account(*_records(account))
    _run(World(world.version, world.prefix, world.steps[-1:]), again, seed=seed + 1, again=2)
    assert [one.changes for one in again.batches] == []


@given(worlds())
@settings(max_examples=40)
def test_where_no_two_objects_want_the_same_their_order_decides_nothing(world: World) -> None:
    outcomes = []
    for seed in range(4):
        account = _account()
        _run(world, account, seed=seed)
        outcomes.append(_records(account))
    assert all(one == outcomes[0] for one in outcomes)


@given(worlds(shared=True), st.integers(0, 3))
@settings(max_examples=60)
def test_whatever_the_order_every_name_goes_to_one_of_its_claimants(world: World, seed: int) -> None:
    account = _account()
    _run(world, account, seed=seed)
    assert [one.refusal for one in account.batches if one.refusal] == []
    wanted: dict[str, set[str]] = {}
    for item in world.steps[-1]:
        annotations = item["metadata"]["annotations"]
        host = annotations.get(f"{ALPHA_PREFIX}hostname") or item["spec"]["rules"][0]["host"]
        (address,) = item["status"]["loadBalancer"]["ingress"]
        wanted.setdefault(host, set()).update(address.values())
    found: dict[str, set[str]] = {}
    for record in _records(account):
        if record["Type"] == "TXT":
            continue
        alias = record.get("AliasTarget")
        values = [alias["DNSName"].rstrip(".")] if alias else [v["Value"] for v in record["ResourceRecords"]]
        found.setdefault(record["Name"].rstrip("."), set()).update(values)
    assert found.keys() == wanted.keys()
    assert all(found[name] <= wanted[name] for name in found)


@given(worlds(shared=True), st.sampled_from(["sync", "upsert-only", "create-only"]), st.data())
@settings(max_examples=40)
def test_what_another_owner_made_stays_as_it_is(world: World, policy: str, data: st.DataObject) -> None:
    account = _account()
    _run(world, account, owner="other")
    theirs = _records(account)
    mine = data.draw(worlds().filter(lambda one: one.version == world.version))
    _run(World(world.version, world.prefix, mine.steps), account, policy=policy)
    left = _records(account)
    assert [record for record in theirs if record not in left] == []


def _names(changes: Sequence[Mapping[str, Any]], action: str) -> set[str]:
    return {one["ResourceRecordSet"]["Name"] for one in changes if one["Action"] == action}


@given(worlds(shared=True))
@settings(max_examples=40)
def test_upsert_only_takes_no_name_away(world: World) -> None:
    """A change of type is a DELETE too, but with the CREATE in the same batch: the policy sees an update."""
    account = _account()
    _run(world, account, policy="upsert-only")
    for batch in account.batches:
        assert _names(batch.changes, "DELETE") <= _names(batch.changes, "CREATE")


@given(worlds())
@settings(max_examples=40)
def test_create_only_changes_nothing_that_is_there(world: World) -> None:
    account = _account()
    _run(world, account, policy="create-only")
    assert {change["Action"] for batch in account.batches for change in batch.changes} <= {"CREATE"}


@given(worlds(shared=True), st.integers(0, 9))
@settings(max_examples=20)
def test_one_seed_gives_one_history(world: World, seed: int) -> None:
    sent = []
    for _ in range(2):
        account = _account()
        _run(world, account, seed=seed)
        sent.append([(one.changes, one.refusal) for one in account.batches])
    assert sent[0] == sent[1]
