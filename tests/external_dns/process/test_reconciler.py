"""One sync reads, plans and applies, and keeps why."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from testbed.clock import Clock
from testbed.external_dns.core.facts import ALPHA_PREFIX, Fact, release_of
from testbed.external_dns.core.log_lines import LeveledLog, LogLine
from testbed.external_dns.core.reasons import Outcome, Reason
from testbed.external_dns.offline.hosted_zones_in_memory import HostedZones, InitialZone
from testbed.external_dns.offline.replay import Objects
from testbed.external_dns.process.desired_endpoints import DesiredEndpoints
from testbed.external_dns.process.flags import parse
from testbed.external_dns.process.metrics import Metrics
from testbed.external_dns.process.object_order import ShuffledObjects, of_any_kind
from testbed.external_dns.process.reconciler import UP_TO_DATE, Reconciler
from testbed.external_dns.provider.aws_provider import SubmitError
from tests.external_dns.releases import READ

ZONE, HOST = "/hostedzone/Z", "app.example.com"
NLB = "a0-1.elb.eu-west-1.amazonaws.com"


class Desk:
    """A reconciler with its objects, zones, log and metrics."""

    def __init__(self, version: str, *more: str, host: str = HOST) -> None:
        chosen, objects = release_of(version), Objects()
        annotations = {f"{ALPHA_PREFIX}hostname": host}
        status = {"loadBalancer": {"ingress": [{"hostname": NLB}]}}
        metadata = {"name": "web", "annotations": annotations}
        spec = {"type": "LoadBalancer"}
        objects.apply({"kind": "Service", "metadata": metadata, "spec": spec, "status": status})
        prefix = [f"--annotation-prefix={ALPHA_PREFIX}"] if chosen.has(Fact.ANNOTATION_PREFIX_FLAG) else []
        flags = parse(["--source=service", "--policy=sync", "--log-level=debug", *prefix, *more], chosen, {})
        self.lines: list[LogLine] = []
        self.zones = HostedZones([InitialZone("example.com", ZONE)])
        self.metrics = Metrics()
        log = LeveledLog(flags.log_level, self.lines.append)
        shuffled = ShuffledObjects(objects.list, flags.annotation_prefix, 0, of_any_kind)
        desired = DesiredEndpoints(objects.list, shuffled, flags, chosen, log)
        route53: Any = self.zones
        self.reconciler = Reconciler(
            desired, route53, flags, chosen, Clock(), log, self.metrics, lambda _: None
        )

    @property
    def messages(self) -> list[str]:
        return [line.message for line in self.lines]


@pytest.mark.parametrize("version", READ)
def test_a_claimed_name_gets_its_records_at_the_first_sync_and_nothing_at_the_second(version: str) -> None:
    desk = Desk(version)
    assert desk.reconciler.reconcile()
    assert {"A", "TXT"} <= {record["Type"] for record in desk.zones.records(ZONE)}
    assert {one.outcome for one in desk.reconciler.decisions} == {Outcome.CREATE}
    sent = len(desk.zones.batches)
    assert not desk.reconciler.reconcile()
    assert len(desk.zones.batches) == sent
    assert desk.messages.count(UP_TO_DATE) == 1
    assert {one.outcome for one in desk.reconciler.decisions} == {Outcome.NOTHING}


@pytest.mark.parametrize("version", READ)
def test_decisions_are_kept_and_errors_counted_when_route_53_refuses(version: str) -> None:
    desk = Desk(version)
    desk.zones.throttled_calls = 9
    with pytest.raises((SubmitError, ClientError)):
        desk.reconciler.reconcile()
    assert desk.metrics.registry_errors == 1
    assert {one.outcome for one in desk.reconciler.decisions} == {Outcome.CREATE}
    assert desk.zones.records(ZONE) == []


def test_a_name_outside_the_domain_filter_is_left_out_with_the_filter() -> None:
    desk = Desk("v0.22", "--domain-filter=example.org")
    desk.reconciler.reconcile()
    assert {one.reason for one in desk.reconciler.decisions} == {Reason.OUTSIDE_DOMAIN}
    assert str(desk.reconciler.decisions[0]).endswith("the name is outside --domain-filter=example.org")


def test_each_decision_is_logged_at_level_debug_with_its_reason() -> None:
    desk = Desk("v0.22")
    desk.reconciler.reconcile()
    logged = [line for line in desk.lines if line.fields.get("reason") == Reason.ONLY_CLAIMANT]
    assert [line.message for line in logged] == [str(one) for one in desk.reconciler.decisions]


def test_with_the_noop_registry_no_txt_is_written() -> None:
    desk = Desk("v0.22", "--registry=noop")
    desk.reconciler.reconcile()
    assert {record["Type"] for record in desk.zones.records(ZONE)} == {"A", "AAAA"}


def test_cached_records_are_used_until_their_interval_is_over() -> None:
    desk = Desk("v0.22", "--txt-cache-interval=24h")
    desk.reconciler.reconcile()
    desk.reconciler.reconcile()
    assert desk.messages.count("Using cached records.") == 1
