"""Traps that the records of a hosted zone show beside the manifests, where a listing is given.

What ExternalDNS would do with the records is not derived from them but played, by its release and its flags.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from testbed.address_families import parted_names
from testbed.check.findings import Severity
from testbed.check.manifest_reading import Reading
from testbed.check.rule_registry import Trap, rule
from testbed.errors import BadInput, Location
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.offline.address_trial import OTHERS, AddressTrial, try_other_addresses
from testbed.external_dns.offline.deployment import external_dns_deployments
from testbed.external_dns.offline.repeated_syncs import RepeatedSyncs
from testbed.releases import EXTERNAL_DNS

_WAY_OUT = (
    "bring both to one balancer before the move: `testbed dns explain NAME` says who owns each of them; or "
    "delete the AAAA record by hand and keep ExternalDNS from making it anew (--exclude-record-types=AAAA)"
)


@rule("one-name-two-balancers", Severity.ERROR)
def one_name_two_balancers(reading: Reading) -> Iterator[Trap]:
    """The A and AAAA records of a name lead to different balancers, so IPv4 and IPv6 clients part."""
    before = {}
    for zone in reading.zones:
        for parted in parted_names(zone.records):
            before[parted.name] = zone
            yield Trap(
                Location(zone.path),
                f"{parted}: clients of the two families use different balancers",
                _WAY_OUT,
            )
    emulated = reading.emulated
    if not reading.zones or emulated is None or without_address(reading):
        return
    cluster = RepeatedSyncs(objects(reading), reading.zones)
    cluster.start(emulated.flags, reading.release)
    cluster.first_syncs()
    for parted in cluster.parted():
        if parted.name not in before:
            yield Trap(
                Location(reading.zones[0].path),
                f"the next syncs of ExternalDNS {reading.release} part {parted}: clients of the two families "
                "use different balancers then",
                _WAY_OUT,
            )


@rule("family-left-behind", Severity.ERROR)
def family_left_behind(reading: Reading) -> Iterator[Trap]:
    """ExternalDNS does not take one of A and AAAA for its own, so the next move parts IPv4 from IPv6."""
    for trial in _trials(reading):
        for one in trial.parted:
            followed, left = ("A", "AAAA") if one.ipv4 in OTHERS else ("AAAA", "A")
            reads_it = left == "A" or reading.release.has(Fact.AAAA_FOR_ALIASES)
            yield Trap(
                _place(reading),
                f"when the load balancer of {one.name} changes, its {followed} record follows and its {left} "
                f"record stays: "
                + (
                    f"no TXT that ExternalDNS {reading.release} reads says that it is its own"
                    if reads_it
                    else f"ExternalDNS {reading.release} takes no AAAA alias for a record of its own"
                ),
                restore(trial, one.name) if reads_it else "delete the AAAA record by hand before the move",
            )


@rule("record-does-not-follow", Severity.ERROR)
def record_does_not_follow(reading: Reading) -> Iterator[Trap]:
    """No TXT says that a claimed record is ExternalDNS's own, so it never moves, and the log is silent."""
    for trial in _trials(reading):
        for name, kinds in trial.staying.items():
            is_one = len(kinds) == 1
            stay = f"{kinds[0]} record stays" if is_one else f"{' and '.join(kinds)} records stay"
            yield Trap(
                _place(reading),
                f"when the load balancer of {name} changes, its {stay} as before: no TXT that ExternalDNS "
                f"{reading.release} reads says that {'it is' if is_one else 'they are'} its own",
                restore(trial, name),
            )


@rule("zone-refuses-batch", Severity.ERROR)
def zone_refuses_batch(reading: Reading) -> Iterator[Trap]:
    """Route 53 refuses what ExternalDNS sends over these records, at every sync."""
    for trial in _trials(reading):
        for refusal in trial.refusals:
            yield Trap(
                _place(reading),
                f"when the load balancers change, Route 53 refuses the batch of ExternalDNS "
                f"{reading.release} at every sync: {refusal}",
                "bring the record that it names into the form that ExternalDNS expects, or delete it "
                "together with its TXT, before the move",
            )


def restore(trial: AddressTrial, name: str) -> str:
    """Return how a name's records become ExternalDNS's own, with the TXTs where they lie in the zone."""
    anew = "delete the record by hand while only one object claims the name, and let ExternalDNS make it anew"
    txts = [f"{one.name} TXT {one.targets[0]}" for one in trial.owner_txts.get(name, ())]
    return f"before the move write {' and '.join(txts)}; or {anew}" if txts else anew


@rule("zone-not-tried", Severity.NOTE)
def zone_not_tried(reading: Reading) -> Iterator[Trap]:
    """What ExternalDNS would do with the records is not tried, since something about it is not known."""
    if not reading.zones:
        return
    if reading.emulated is None:
        yield Trap(
            _place(reading),
            "whether the records would follow a move is not tried: "
            + ("the flags of ExternalDNS are refused" if reading.external_dns else "its flags are not known"),
            "pass the Deployment of ExternalDNS among the manifests, with flags that it takes",
        )
    elif missing := without_address(reading):
        yield Trap(
            _place(reading),
            f"what the next syncs would do with the records is not tried, but only a move: {missing} has no "
            "address in its status",
            "pass the output of `kubectl get service,ingress -A -o yaml`",
        )


def objects(reading: Reading) -> list[Mapping[str, Any]]:
    """The objects of the cluster."""
    return [one.object for one in reading.manifests]


def without_address(reading: Reading) -> str:
    """The first object that claims a name without an address, so that a sync deletes its record; else ""."""
    claiming = [claim.manifest for claims in reading.claims.values() for claim in claims]
    lack = (one for one in claiming if not _addresses(one.object))
    return next((one.title for one in lack), "")


def _addresses(item: Mapping[str, Any]) -> Sequence[Any]:
    found: Sequence[Any] = ((item.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return found


@lru_cache(maxsize=1)
def _trials(reading: Reading) -> list[AddressTrial]:
    """What becomes of the records when the load balancers change, but those that another Deployment moves."""
    if not reading.zones or reading.emulated is None:
        return []
    own = try_other_addresses(objects(reading), reading.zones, reading.emulated.flags, reading.release)
    kept = _kept_by_others(reading) if own.parted or own.staying else set()
    return [
        replace(
            own,
            parted=tuple(one for one in own.parted if one.name not in kept),
            staying={name: kinds for name, kinds in own.staying.items() if name not in kept},
        )
    ]


def _kept_by_others(reading: Reading) -> set[str]:
    kept: set[str] = set()
    for other in external_dns_deployments(reading.manifests):
        if reading.external_dns is None or other.manifest.key == reading.external_dns.manifest.key:
            continue
        release = EXTERNAL_DNS.choose(None, deployed=other.named).release
        with contextlib.suppress(BadInput):  # said of it where it is looked at itself
            flags = other.emulated(release).flags
            kept |= try_other_addresses(objects(reading), reading.zones, flags, release).following
    return kept


def _place(reading: Reading) -> Location:
    return Location(reading.zones[0].path)
