"""Whatever the objects are: a sync settles the zone, and what is not ours stays."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from testbed.aws.route53_refusals import Record
from testbed.clock import Clock
from testbed.dated_releases import Release
from testbed.external_dns.core.facts import ALPHA_PREFIX, Fact, release_of
from testbed.external_dns.core.log_lines import LogLine
from testbed.external_dns.core.reasons import Reason
from testbed.external_dns.offline.hosted_zones_in_memory import HostedZones, InitialZone
from testbed.external_dns.offline.replay import Objects
from testbed.external_dns.process import flags
from testbed.external_dns.process.sync_loop import Controller
from testbed.kubernetes import ObjectStore
from testbed.settings import PATIENCE
from tests.external_dns.releases import READ

ZONE = "/hostedzone/Z"
BALANCERS = (
    "a0-1.elb.eu-west-1.amazonaws.com",
    "k8s-web-1.eu-west-1.elb.amazonaws.com",
    "k8s-app-2.eu-west-1.elb.amazonaws.com",
)
HOSTS = ("app.example.com", "api.example.com", "example.com")
FOREIGN = {
    "app.example.com": '"heritage=external-dns,external-dns/owner=other,external-dns/resource=service/x/y"',
    "a-app.example.com": '"heritage=external-dns,external-dns/owner=other,external-dns/resource=service/x/y"',
}


def _zones(records: Sequence[Record] = ()) -> HostedZones:
    return HostedZones([InitialZone("example.com", ZONE, records)])


def _item(kind: str, name: str, host: str, balancer: str) -> dict[str, Any]:
    spec = {"type": "LoadBalancer"} if kind == "Service" else {"rules": [{"host": host}]}
    return {
        "kind": kind,
        "metadata": {
            "namespace": "default",
            "name": name,
            "annotations": {f"{ALPHA_PREFIX}hostname": host},
        },
        "spec": spec,
        "status": {"loadBalancer": {"ingress": [{"hostname": balancer}]}},
    }


# One Service and one Ingress at most: v0.7.5 sends an UPSERT at every sync where two Services share a host.
items = st.builds(
    lambda service, ingress: [one for one in (service, ingress) if one],
    st.none()
    | st.builds(
        _item, st.just("Service"), st.just("web"), st.sampled_from(HOSTS), st.sampled_from(BALANCERS)
    ),
    st.none()
    | st.builds(
        _item, st.just("Ingress"), st.just("web"), st.sampled_from(HOSTS), st.sampled_from(BALANCERS)
    ),
)
versions = st.sampled_from([release_of(name) for name in READ])


def _controller(
    objects: Objects,
    zone: HostedZones,
    version: Release,
    policy: str = "sync",
    log: list[LogLine] | None = None,
) -> Controller:
    arguments = ["--source=service", "--source=ingress", f"--policy={policy}", "--txt-owner-id=me"]
    if version.has(Fact.ANNOTATION_PREFIX_FLAG):
        arguments.append(f"--annotation-prefix={ALPHA_PREFIX}")
    lines = [] if log is None else log
    return Controller(
        objects,
        zone,  # type: ignore[arg-type]
        flags.parse(arguments, version, {}),
        version,
        Clock(),
        lines.append,
    )


def _objects(items: list[dict[str, Any]]) -> Objects:
    objects = Objects()
    for item in items:
        objects.apply(item)
    return objects


@given(items, versions)
def test_a_second_sync_without_a_change_sends_nothing(items: list[dict[str, Any]], version: Release) -> None:
    zone = _zones()
    controller = _controller(_objects(items), zone, version)
    controller.run_once()
    zone.batches.clear()
    controller.run_once()
    assert zone.batches == []


@given(items, versions, st.sampled_from(["sync", "upsert-only", "create-only"]))
def test_a_record_of_another_owner_is_never_touched(
    items: list[dict[str, Any]], version: Release, policy: str
) -> None:
    theirs: list[Record] = [
        {"Name": "app.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]},
        *(
            {"Name": name, "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": value}]}
            for name, value in FOREIGN.items()
        ),
    ]
    zone = _zones(theirs)
    before = [record for record in zone.records(ZONE) if "app." in record["Name"]]
    _controller(_objects(items), zone, version, policy).run_once()
    assert [record for record in zone.records(ZONE) if "app." in record["Name"]] == before


@pytest.mark.parametrize("version", READ)
def test_the_ingress_gets_the_name_when_the_service_gives_it_up_and_keeps_it(version: str) -> None:
    zone = _zones()
    service = _item("Service", "web", "app.example.com", BALANCERS[0])
    objects = _objects([service])
    controller = _controller(objects, zone, release_of(version))
    targets = []
    for step in (
        None,
        _item("Ingress", "web", "app.example.com", BALANCERS[1]),
        {**service, "metadata": {"namespace": "default", "name": "web"}},
        service,
    ):
        if step:
            objects.apply(step)
        controller.run_once()
        targets.append(
            next(one["AliasTarget"]["DNSName"] for one in zone.records(ZONE) if one["Type"] == "A").rstrip(
                "."
            )
        )
    assert targets == [BALANCERS[0], BALANCERS[0], BALANCERS[1], BALANCERS[1]]


def test_soft_errors_are_counted_until_a_sync_succeeds() -> None:
    lines: list[LogLine] = []
    zone = _zones()
    objects = _objects([_item("Service", "web", "app.example.com", BALANCERS[0])])
    controller = _controller(objects, zone, release_of("v0.22"), log=lines)
    zone.throttled_calls = 2
    for _ in range(3):
        controller.sync()
    told = [line.message for line in lines if "soft error" in line.message]
    assert [text[-32:] for text in told] == [
        "s: [/hostedzone/Z] (consecutive soft errors: 1)"[-32:],
        "s: [/hostedzone/Z] (consecutive soft errors: 2)"[-32:],
        "Reconciliation succeeded after 2 consecutive soft errors"[-32:],
    ]


def test_a_name_outside_all_zones_is_left_out_of_the_plan_and_told() -> None:
    zone = _zones()
    lines: list[LogLine] = []
    item = _item("Service", "web", "app.example.org", BALANCERS[0])
    controller = _controller(_objects([item]), zone, release_of("v0.22"), log=lines)
    assert not controller.run_once()
    assert any("the name is outside all hosted zones" in str(one) for one in controller.decisions)
    assert "All records are already up to date" in [line.message for line in lines]


def test_with_events_a_changed_object_is_synced_before_the_interval() -> None:
    clock = Clock(speed=600.0)
    store = ObjectStore(clock)
    zone = _zones()
    version = release_of("v0.22")
    arguments = ["--source=service", "--policy=sync", "--interval=24h", "--events"]
    given = flags.parse([*arguments, f"--annotation-prefix={ALPHA_PREFIX}"], version, {})
    synced = threading.Event()
    lines: list[str] = []

    def note(line: LogLine) -> None:
        lines.append(line.message)
        synced.set()

    controller = Controller(store, zone, given, version, clock, note)  # type: ignore[arg-type]
    stop = threading.Event()
    thread = threading.Thread(target=controller.run, args=(stop,))
    thread.start()
    try:
        assert synced.wait(PATIENCE.condition)
        store.restore({"apiVersion": "v1", **_item("Service", "web", "app.example.com", BALANCERS[0])})
        for _ in range(round(PATIENCE.condition / PATIENCE.poll)):
            if zone.records(ZONE) or stop.wait(PATIENCE.poll):
                break
        assert {one["Type"] for one in zone.records(ZONE)} == {"A", "AAAA", "TXT"}
    finally:
        stop.set()
        thread.join(PATIENCE.condition)
    assert not thread.is_alive()
    assert lines[-2:] == ["Received SIGTERM. Terminating...", "Terminating main controller loop"]


def test_with_events_an_object_of_another_namespace_causes_no_sync() -> None:
    clock = Clock(speed=600.0)
    store = ObjectStore(clock)
    version = release_of("v0.22")
    arguments = ["--source=service", "--policy=sync", "--events", "--namespace=mine"]
    given = flags.parse(arguments, version, {})
    zone = _zones()
    controller = Controller(store, zone, given, version, clock, lambda line: None)  # type: ignore[arg-type]
    with controller._events() as has_changed:
        store.restore({"apiVersion": "v1", **_item("Service", "web", "app.example.com", BALANCERS[0])})
        assert not has_changed()
        mine = _item("Service", "web", "app.example.com", BALANCERS[0])
        mine["metadata"]["namespace"] = "mine"
        store.restore({"apiVersion": "v1", **mine})
        assert has_changed()


@pytest.mark.parametrize("version", READ)
def test_once_is_one_sync_without_a_wait(version: str) -> None:
    found = release_of(version)
    prefix = [f"--annotation-prefix={ALPHA_PREFIX}"] if found.has(Fact.ANNOTATION_PREFIX_FLAG) else []
    given = flags.parse(["--source=service", "--policy=sync", "--once", *prefix], found, {})
    objects = _objects([_item("Service", "web", "app.example.com", BALANCERS[0])])
    lines: list[LogLine] = []
    asleep = Clock(speed=1e-9)  # a production second is longer than this test
    for failures in (0, 1):
        zone = _zones()
        zone.throttled_calls = failures
        controller = Controller(objects, zone, given, found, asleep, lines.append)  # type: ignore[arg-type]
        controller.run(threading.Event())
        assert (controller.syncs_started, controller.syncs_finished) == (1, 1)
        assert bool(zone.records(ZONE)) is not bool(failures)
    (fatal,) = (line.message for line in lines if line.level == "fatal")
    assert "failed to submit all changes" in fatal
    assert "Failed to do run once" not in fatal


def test_what_no_batch_can_hold_is_said_to_be_left_out() -> None:
    zone = _zones()
    version = release_of("v0.22")
    arguments = ["--source=service", "--policy=sync", "--aws-batch-change-size=3"]
    given = flags.parse([*arguments, f"--annotation-prefix={ALPHA_PREFIX}"], version, {})
    objects = _objects([_item("Service", "web", "app.example.com", BALANCERS[0])])
    controller = Controller(objects, zone, given, version, Clock(), lambda line: None)  # type: ignore[arg-type]
    controller.run_once()
    assert zone.batches == []
    assert {one.dropped for one in controller.decisions} == {Reason.OVERSIZED}


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("v0.7.5", "records retrieval failed: failed to list hosted zones: Throttling: Rate exceeded"),
        (
            "v0.22",
            "Failed to do run once: soft error: records retrieval failed: failed to list hosted zones: "
            "Throttling: Rate exceeded (consecutive soft errors: 1)",
        ),
    ],
)
def test_a_zone_that_cannot_be_read_is_told_and_read_again(version: str, told: str) -> None:
    class Throttled(HostedZones):
        is_throttled = True

        def get_paginator(self, operation: str) -> Any:
            if self.is_throttled:
                raise ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, operation)
            return super().get_paginator(operation)

    zone, lines = Throttled([InitialZone("example.com", ZONE)]), list[LogLine]()
    objects = _objects([_item("Service", "web", "app.example.com", BALANCERS[0])])
    controller = _controller(objects, zone, release_of(version), log=lines)
    controller.sync()
    assert ("error", told) in [(line.level, line.message) for line in lines]
    assert controller.metrics.registry_errors == 1
    zone.is_throttled = False
    controller.sync()
    assert len(zone.batches) == 1
