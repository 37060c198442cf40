"""The claimants of a host: the one that has the name today, and the one that takes it over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from testbed.balancer_identity import owner_of
from testbed.check.manifest_reading import Reading, annotation
from testbed.errors import BadInput
from testbed.external_dns.offline.annotation_prefixes import PREFIXES
from testbed.kubernetes import object_fields
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.core.stack import Stack
from testbed.lb_controller.offline.stack_plan import OWNER
from testbed.network import BalancerType
from testbed.scaffold.other_balancers import OtherBalancer, other_balancer


@dataclass(frozen=True, slots=True)
class Claimant:
    """Objects that become one balancer and claim the host.

    Attributes:
        objects: a Service, or the Ingresses of one group or of one controller.
        stack: the balancer that they become; None if another controller makes it.
        other: the balancer of another controller.
        claim: the value of the Service's annotation, which may name more than the host; "" of Ingresses.
    """

    objects: tuple[Manifest, ...]
    stack: Stack | None
    claim: str = ""
    other: OtherBalancer | None = None

    @property
    def type(self) -> BalancerType:
        """The type of the balancer."""
        if self.other:
            return self.other.type
        return "nlb" if self.is_service else "alb"

    @property
    def is_service(self) -> bool:
        """True of a Service."""
        return self.objects[0].key[0] == "Service"

    @property
    def owner(self) -> str:
        """The name of the balancer: `service/shop/envoy`, `ingress-group/shop`."""
        if self.stack:
            return owner_of(self.stack.stack_tags())
        return "/".join(self.objects[0].key).lower()

    @property
    def planned(self) -> Stack:
        """The balancer that a controller here makes."""
        assert self.stack
        return self.stack

    @property
    def made_by(self) -> str:
        """`NLB`, or `NLB of EKS Auto Mode`, for people."""
        return f"{self.type.upper()} of {self.other.by}" if self.other else self.type.upper()


def hostname_key(manifests: Sequence[Manifest], wanted: str) -> str:
    """Return the key of the hostname annotation that the move's Service has, or its Ingresses would have."""
    services = [one for one in manifests if one.object["kind"] == "Service"]
    for manifest in sorted(services, key=lambda one: not _names(one, wanted)):
        for prefix in PREFIXES:
            if is_balanced(manifest) and annotation(manifest, prefix + "hostname"):
                return prefix + "hostname"
    keys = [key for one in manifests for key in object_fields.annotations_of(one.object)]
    used = [prefix for prefix in PREFIXES if any(key.startswith(prefix) for key in keys)]
    return (used[0] if used else PREFIXES[0]) + "hostname"


def claimants(reading: Reading, wanted: str) -> tuple[str, Claimant, Claimant]:
    """Return the host that moves, the claimant that has it and the one that takes it over.

    One that has an address comes before one that has none, a Service before Ingresses, a balancer of another
    controller or of the cloud provider before one of the AWS Load Balancer Controller, and otherwise the
    first in the manifests.

    Args:
        wanted: the host, "" for the first that moves.

    Raises:
        BadInput: no host moves, more than two load balancers claim it, or one of the two gets none.
    """
    wanted = wanted.lower()
    if wanted and wanted not in reading.claims:
        raise BadInput(
            f"no object has the host {wanted}", do=f"there are {', '.join(reading.claims) or 'no hosts'}"
        )
    for host in [wanted] if wanted else reading.claims:
        groups = _groups(reading, host)
        if len(groups) == 2:
            (old, _), (new, _) = sorted(
                ((group, _place(reading, group)) for group in groups), key=lambda one: one[1]
            )
            return host, _claimant(reading, old), _claimant(reading, new)
        if len(groups) > 2 and (wanted or not moving(reading)[1:]):
            raise BadInput(
                f"{len(groups)} load balancers claim {host}: {', '.join(one[0].title for one in groups)}",
                do="keep only the manifests of two of them",
            )
    raise _no_move(reading, wanted)


def moving(reading: Reading) -> tuple[str, ...]:
    """Return the hosts that objects of two load balancers claim."""
    return tuple(host for host in reading.claims if len(_groups(reading, host)) > 1)


def claimed_by(reading: Reading, *by: Manifest) -> list[str]:
    """Return the hosts that some objects claim."""
    return [host for host, claims in reading.claims.items() if any(one.manifest in by for one in claims)]


def is_balanced(manifest: Manifest) -> bool:
    """True of an Ingress, and of a Service that gets a load balancer."""
    kind, spec = manifest.object["kind"], object_fields.spec(manifest.object)
    return kind == "Ingress" or (kind == "Service" and spec.get("type") == "LoadBalancer")


def _no_move(reading: Reading, wanted: str) -> BadInput:
    services = [one for one in reading.of_kind("Service") if is_balanced(one)]
    for service in services:
        key = next((one + "hostname" for one in PREFIXES if annotation(service, one + "hostname")), "")
        if key and not key.startswith(reading.prefix):
            return BadInput(
                f"ExternalDNS {reading.release.tag} does not read the hostname of {service.title}: its "
                f"annotations begin with {reading.prefix}",
                where=service.where,
                do="rename the annotation, or give its Deployment --annotation-prefix",
            )
    for host in [wanted] if wanted else reading.claims:
        (group, *_) = _groups(reading, host) or ([],)
        if group:
            return BadInput(
                f"only {', '.join(one.title for one in group)} has the host {host}: nothing moves",
                where=group[0].where,
                do="add the objects of the other load balancer, as they will be after the move",
            )
    return BadInput(
        "no Service of type LoadBalancer has a hostname annotation of ExternalDNS, and no Ingress has a host",
        do=f"give a Service with {PREFIXES[0]}hostname, and Ingresses with the host",
    )


def _names(service: Manifest, host: str) -> bool:
    given = [annotation(service, prefix + "hostname") or "" for prefix in PREFIXES]
    return bool(host) and host.lower() in re.split(r"[\s,]+", ",".join(given).lower())


def _groups(reading: Reading, host: str) -> list[list[Manifest]]:
    """The objects that claim a host, those of one load balancer together, in the order of the manifests."""
    found: dict[str, list[Manifest]] = {}
    for claim in reading.claims.get(host, ()):
        if is_balanced(claim.manifest):
            found.setdefault(reading.balancer_of(claim), []).append(claim.manifest)
    return list(found.values())


def _place(reading: Reading, group: Iterable[Manifest]) -> tuple[bool, bool, bool]:
    """The place in a move: what sorts first has the name today."""
    first = next(iter(group))
    stack = reading.stack_of(first)
    has_address = bool(object_fields.balancer_entries(first.object))
    return not has_address, first.object["kind"] != "Service", stack is not None and stack.owner == OWNER


def _claimant(reading: Reading, group: Sequence[Manifest]) -> Claimant:
    first = group[0]
    planned = reading.stack_of(first)
    claim = (annotation(first, reading.prefix + "hostname") or "") if first.key[0] == "Service" else ""
    if planned is None:
        return Claimant(tuple(group), None, claim, other_balancer(reading, first))
    objects = tuple(reading.members(planned))
    if planned.stack is None or planned.stack.load_balancer is None:
        kind = "NLB" if objects[0].object["kind"] == "Service" else "ALB"
        raise BadInput(f"{objects[0].title} gets no {kind}: {planned.error}", where=objects[0].where)
    return Claimant(objects, planned.stack, claim)
