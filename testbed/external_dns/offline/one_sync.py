"""One sync of ExternalDNS over manifests and zone files: what it would send, and why."""

from __future__ import annotations

import gc
import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from testbed.aws.route53_names import plain_name
from testbed.dated_releases import Release
from testbed.errors import BadInput, Location
from testbed.external_dns.core.reasons import Reason
from testbed.external_dns.offline.hosted_zones_in_memory import HostedZones
from testbed.external_dns.offline.repeated_syncs import RepeatedSyncs, Sync, ZonesOf
from testbed.external_dns.offline.tried_move import txts_outside
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.external_dns.process.flags import Flags
from testbed.external_dns.sources.gateway_routes import GATEWAY, GatewayRouteSource, accepted
from testbed.external_dns.sources.source_table import KINDS, SOURCES
from testbed.kubernetes.manifests import Manifest

_ROUTES = tuple(kind for one in SOURCES.values() if issubclass(one, GatewayRouteSource) for kind in one.kinds)
_WITH_ADDRESS = (*(kind for kind in KINDS if kind not in _ROUTES), GATEWAY)
ORDERS = 16
"""The number of orders of the objects that are tried where the order matters."""


def sync(
    items: Iterable[Mapping[str, Any]],
    zones: Sequence[ZoneFile],
    flags: Flags,
    release: Release,
    zones_of: ZonesOf = HostedZones,
) -> Sync:
    """Run once, and return what it does; `--dry-run` is ignored, since nothing real changes.

    Args:
        items: the objects of the cluster.
        zones: the hosted zones.
        flags: of the ExternalDNS.
        release: its version.
        zones_of: makes the Route 53 that answers.

    Raises:
        BadInput: the template does not fit an object.
    """
    objects = list(items)
    with _collector_at_rest():
        names = [zone.name for zone in zones]
        return _sync(lambda: RepeatedSyncs(objects, zones, zones_of), names, flags, release)


def _sync(made: Callable[[], RepeatedSyncs], names: Sequence[str], flags: Flags, release: Release) -> Sync:
    def run(seed: int) -> tuple[RepeatedSyncs, Sync]:
        cluster = made()
        cluster.start(flags, release, seed)
        return cluster, cluster.sync()

    cluster, result = run(0)
    if any(one.reason in (Reason.DUPLICATE, Reason.MERGED) for one in result.decisions):
        runs = (run(seed)[1] for seed in range(1, ORDERS))
        different = {str(one.batches): one.batches for one in runs if one.batches != result.batches}
        result = replace(result, others=tuple(different.values()))
    missing = cluster.missing(result, flags, release)
    parted = cluster.parted()
    claimed = sorted({plain_name(one.name) for one in result.decisions if one.winner})
    outside = txts_outside(claimed, flags, release, names)
    return replace(result, decisions=(*missing, *result.decisions), parted=parted, outside=outside)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Stop the garbage collector: a sync makes many objects and no cycles, which it would walk in vain.

    Afterwards the objects count as old, so that it does not walk them all once either.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def with_addresses(manifests: Iterable[Manifest], addresses: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return the objects with the addresses that `KIND/NAMESPACE/NAME=HOSTNAME` sets.

    Raises:
        BadInput: the text has another form, or there is no such object.
    """
    items = {(one.key[0].lower(), *one.key[1:]): one.object for one in manifests}
    for text in addresses:
        place, equals, address = text.partition("=")
        parts = place.split("/")
        if not equals or not address or len(parts) not in (2, 3):
            raise BadInput(f"--status {text!r} is not KIND/NAMESPACE/NAME=HOSTNAME")
        kind, namespace, name = (parts[0], "default", parts[1]) if len(parts) == 2 else parts
        key = kind.lower(), namespace, name
        if key not in items or items[key]["kind"] not in _WITH_ADDRESS:
            having = [one for one, item in items.items() if item["kind"] in _WITH_ADDRESS]
            known = ", ".join("/".join(one) for one in having) or "none"
            raise BadInput(f"--status {text!r}: no such object in the manifests", do=f"known are {known}")
        status: dict[str, Any] = {"loadBalancer": {"ingress": [{_field(address): address}]}}
        if items[key]["kind"] == GATEWAY:
            status = {"addresses": [{"value": address}]}
        items[key] = {**items[key], "status": status}
    # Where a Gateway has an address, it has seen its routes too.
    has_gateway = any(item["kind"] == GATEWAY and item.get("status") for item in items.values())
    return [accepted(item) if has_gateway and item["kind"] in _ROUTES else item for item in items.values()]


def _field(address: str) -> str:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return "hostname"
    return "ip"


def places(manifests: Iterable[Manifest]) -> dict[str, Location]:
    """Return file and line of each object, by its name in TXTs."""
    return {"/".join((one.key[0].lower(), *one.key[1:])): one.where for one in manifests}
