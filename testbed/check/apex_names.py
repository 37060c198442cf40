"""Traps of a name that is its hosted zone's apex: the TXT with its owner lies outside the zone.

What becomes of such a move depends on the release and on `--txt-prefix`, so it is tried: the Service makes
the record in an empty zone, the next object claims the name, the first lets go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.check.findings import Severity
from testbed.check.manifest_reading import Claim, Reading
from testbed.check.rule_registry import Trap, rule
from testbed.external_dns.offline.tried_move import Trial, try_on_empty_zone, txt_outside

_OLD = "k8s-old-0123456789abcdef.elb.us-east-1.amazonaws.com"
_NEW = "k8s-new-1.us-east-1.elb.amazonaws.com"
_WAY_OUT = (
    "set --txt-prefix='%{record_type}.' before the record is made: that TXT lies inside the zone; or move "
    "the record by hand"
)


@dataclass(frozen=True, slots=True)
class _ApexMove:
    holder: Claim
    trial: Trial
    txt: str


@rule("apex-does-not-move", Severity.ERROR)
def apex_does_not_move(reading: Reading) -> Iterator[Trap]:
    """The record of a zone's apex is nobody's, since its TXT lies outside the zone, and does not move."""
    for host, move in _moves(reading).items():
        if move.trial.staying:
            types = move.trial.staying
            stay = f"{' and '.join(types)} stay{'' if len(types) > 1 else 's'}"
            yield Trap(
                move.holder.where,
                f"{host} is the apex of its hosted zone, and its TXT, {move.txt}, lies outside the zone: "
                f"with ExternalDNS {reading.release.tag} {stay} on the load balancer of "
                f"{move.holder.manifest.title} when it lets go, and the log does not say why",
                _WAY_OUT,
            )


@rule("apex-sent-at-every-sync", Severity.WARNING)
def apex_sent_at_every_sync(reading: Reading) -> Iterator[Trap]:
    """The record of a zone's apex moves, and ExternalDNS sends it again at every sync."""
    for host, move in _moves(reading).items():
        if move.trial.repeated and not move.trial.staying:
            yield Trap(
                move.holder.where,
                f"{host} is the apex of its hosted zone, and its TXT, {move.txt}, lies outside the zone: "
                f"ExternalDNS {reading.release.tag} moves the record and sends it again at every sync; from "
                "v0.16.1 on it would not move at all",
                _WAY_OUT,
            )


def _moves(reading: Reading) -> Mapping[str, _ApexMove]:
    """The moves of apex names, as they were tried."""
    found = {}
    flags = reading.tried_flags
    for host, (holder, others) in reading.contested.items():
        if flags is None or not _is_apex(reading, host):
            continue
        txt = txt_outside(host, flags, reading.release, [host])
        if not txt or flags.policy == "create-only":
            continue
        standing = _with(holder.manifest.object, _OLD)
        new = [_with(one.manifest.object, _NEW) for one in others]
        trial = try_on_empty_zone(host, host, standing, new, flags, reading.release)
        if trial:
            found[host] = _ApexMove(holder, trial, txt)
    return found


def _is_apex(reading: Reading, host: str) -> bool:
    filters = reading.external_dns.values("--domain-filter") if reading.external_dns else []
    return host.count(".") == 1 or host in filters


def _with(item: Mapping[str, Any], hostname: str) -> Mapping[str, Any]:
    """The object with an address, whatever it has: only that it is another than the other's counts."""
    return {**item, "status": {"loadBalancer": {"ingress": [{"hostname": hostname}]}}}
