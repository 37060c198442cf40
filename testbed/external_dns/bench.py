"""How long one sync over many hosts takes, for `make bench`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.external_dns import flags, one_sync
from testbed.external_dns.account import Account
from testbed.external_dns.endpoint import OWNER, RESOURCE
from testbed.external_dns.profile import ALPHA_PREFIX, profile
from testbed.external_dns.txt_registry import serialized
from testbed.external_dns.zone_file import ZoneFile

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


class _TimedAccount(Account):
    seconds = 0.0

    def change_resource_record_sets(self, HostedZoneId: str, ChangeBatch: Mapping[str, Any]) -> None:  # noqa: N803
        started = time.perf_counter()
        super().change_resource_record_sets(HostedZoneId, ChangeBatch)
        self.seconds += time.perf_counter() - started


def taken_by_sync(hosts: int = HOSTS) -> Taken:
    """A sync from objects and records in memory to its batches, what Route 53 says of them, and the reasons.

    Half of the hosts are of Services, half of Ingresses. Of both, half have records already, half of which
    point to a load balancer that is gone: half of all hosts are to be created, a quarter is to be changed.
    """
    version = profile(VERSION)
    given = flags.parse(FLAGS, version, {})
    items = [_item(number) for number in range(hosts)]
    zone = ZoneFile(Path("zone.json"), _ZONE, "/hostedzone/Z1", _records(hosts))
    account = _TimedAccount([zone])
    started = time.perf_counter()
    found = one_sync.sync(items, [zone], given, version, lambda _: account)
    seconds = time.perf_counter() - started
    assert len(found.decisions) == 2 * hosts  # an A and an AAAA each
    return Taken(seconds - account.seconds, account.seconds)


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
    found = []
    for number in (one for one in range(hosts) if one // 2 % 2):
        owner = serialized({OWNER: "bench", RESOURCE: f"{_kind(number).lower()}/default/web-{number}"})
        target = _balancer(number if number // 4 % 2 else number + hosts)
        for record_type in ("A", "AAAA"):
            alias = {"HostedZoneId": "Z32O12XQLNTSW2", "DNSName": f"{target}.", "EvaluateTargetHealth": True}
            found.append({"Name": f"{_host(number)}.", "Type": record_type, "AliasTarget": alias})
            txt: dict[str, Any] = {"TTL": 300, "ResourceRecords": [{"Value": f'"{owner}"'}]}
            found.append({"Name": f"{record_type.lower()}-{_host(number)}.", "Type": "TXT", **txt})
    return found
