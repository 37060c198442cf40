"""How long one sync over many hosts takes, for `make bench`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.external_dns.core.endpoint import OWNER, RESOURCE
from testbed.external_dns.core.facts import ALPHA_PREFIX, release_of
from testbed.external_dns.offline import one_sync
from testbed.external_dns.offline.hosted_zones_in_memory import HostedZones
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.external_dns.process import flags
from testbed.external_dns.registry.txt_registry import serialized

HOSTS = 10_000
FLAGS = (
    "--source=service",
    "--source=ingress",
    "--policy=sync",
    "--txt-owner-id=bench",
    f"--annotation-prefix={ALPHA_PREFIX}",
)
VERSION = "v0.22"
_ZONE = "example.com"


@dataclass(frozen=True, slots=True)
class Taken:
    """Wall seconds of a sync: to plan batches and reasons, and to judge the batches as Route 53 would."""

    planned: float
    judged: float


class _TimedZones(HostedZones):
    seconds = 0.0

    def change_resource_record_sets(self, HostedZoneId: str, ChangeBatch: Mapping[str, Any]) -> None:  # noqa: N803
        started = time.perf_counter()
        super().change_resource_record_sets(HostedZoneId, ChangeBatch)
        self.seconds += time.perf_counter() - started


def taken_by_sync(hosts: int = HOSTS) -> Taken:
    """Time a sync over objects and records in memory: batches, Route 53's answers, and the reasons.

    Half of the hosts belong to Services, half to Ingresses. Half of each have records already, half of which
    point to a load balancer that is gone: half of all hosts get new records, a quarter gets changed ones.
    """
    version = release_of(VERSION)
    parsed = flags.parse(FLAGS, version, {})
    items = [_item(number) for number in range(hosts)]
    zone = ZoneFile(Path("zone.json"), _ZONE, "/hostedzone/Z1", _records(hosts))
    zones = _TimedZones([zone])
    started = time.perf_counter()
    sync = one_sync.sync(items, [zone], parsed, version, lambda _: zones)
    seconds = time.perf_counter() - started
    assert len(sync.decisions) == 2 * hosts  # an A and an AAAA each
    return Taken(seconds - zones.seconds, zones.seconds)


def _host(number: int) -> str:
    return f"host-{number}.{_ZONE}"


def _balancer(number: int) -> str:
    return f"k8s-default-web-{number:010d}.eu-west-1.elb.amazonaws.com"


def _kind(number: int) -> str:
    return "Ingress" if number % 2 else "Service"


def _item(number: int) -> dict[str, Any]:
    metadata: dict[str, Any] = {"namespace": "default", "name": f"web-{number}"}
    spec: dict[str, Any] = {"rules": [{"host": _host(number)}]}
    if _kind(number) == "Service":
        metadata["annotations"] = {f"{ALPHA_PREFIX}hostname": _host(number)}
        spec = {"type": "LoadBalancer"}
    status = {"loadBalancer": {"ingress": [{"hostname": _balancer(number)}]}}
    return {"kind": _kind(number), "metadata": metadata, "spec": spec, "status": status}


def _records(hosts: int) -> list[dict[str, Any]]:
    records = []
    for number in (host for host in range(hosts) if host // 2 % 2):
        owner = serialized({OWNER: "bench", RESOURCE: f"{_kind(number).lower()}/default/web-{number}"})
        target = _balancer(number if number // 4 % 2 else number + hosts)
        for record_type in ("A", "AAAA"):
            alias = {"HostedZoneId": "Z32O12XQLNTSW2", "DNSName": f"{target}.", "EvaluateTargetHealth": True}
            records.append({"Name": f"{_host(number)}.", "Type": record_type, "AliasTarget": alias})
            txt: dict[str, Any] = {"TTL": 300, "ResourceRecords": [{"Value": f'"{owner}"'}]}
            records.append({"Name": f"{record_type.lower()}-{_host(number)}.", "Type": "TXT", **txt})
    return records
