"""The load balancers of controllers that are not emulated: the address by which a rehearsal has them. Pure.

An object whose status has the DNS name of an ALB or NLB keeps it. Another address (an IP, a Classic Load
Balancer, a name outside AWS) leads out of the rehearsal, and one that is missing leads nowhere: an NLB or ALB
with a made-up name stands for it then, and `init` says so.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from testbed.aws.balancer_names import balancer_type
from testbed.check.manifest_reading import Reading, addresses_of
from testbed.errors import BadInput
from testbed.kubernetes import object_fields
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.offline.unplanned import AUTO_MODE, CLASSIC
from testbed.network import BalancerType
from testbed.settings import REGION

_LONGEST_PART = 8


@dataclass(frozen=True, slots=True)
class OtherBalancer:
    """A load balancer of another controller.

    Attributes:
        type: what it is, or what stands for it.
        by: whose it is, in a word or two: `nginx`, `EKS Auto Mode`.
        address: the made-up name; "" if that of the status is used.
        why: why there is a made-up name, for people; "" if there is none.
    """

    type: BalancerType
    by: str
    address: str = ""
    why: str = ""


def other_balancer(reading: Reading, manifest: Manifest) -> OtherBalancer:
    """Return the load balancer of an object that no controller here takes.

    Raises:
        BadInput: nobody makes one, or perhaps nobody.
    """
    unplanned = reading.unplanned.get(manifest.title)
    if unplanned is None or unplanned.reason:
        reason = unplanned.reason if unplanned else "it is not of type LoadBalancer"
        raise BadInput(
            f"{manifest.title} gets no load balancer: {reason}",
            where=manifest.where,
            do="give it the class of its controller, or its status, as `kubectl get -o yaml` prints it",
        )
    is_service, by = manifest.key[0] == "Service", _short(manifest, unplanned.taker)
    given = addresses_of(manifest)
    kind = balancer_type(given[0]) if given else None
    # The name of a Classic Load Balancer is like that of an ALB, and an ALB never has a Service.
    if kind and not (is_service and kind == "alb"):
        return OtherBalancer(kind, by)
    made: BalancerType = "nlb" if is_service or not unplanned.taker.startswith(AUTO_MODE) else "alb"
    address = _made_up(manifest, made)
    if not given:
        why = f"{manifest.title} has no address in its status: the {made.upper()} {address} stands for it"
    else:
        why = (
            f"{given[0]}, the address of {manifest.title}, is no ALB or NLB: the NLB {address} stands for it"
        )
    return OtherBalancer(made, by, address, why)


def class_of(manifest: Manifest) -> str:
    """The class of an Ingress or Service; "" if it names none."""
    spec = object_fields.spec(manifest.object)
    annotated = object_fields.annotations_of(manifest.object).get("kubernetes.io/ingress.class")
    return str(spec.get("ingressClassName") or spec.get("loadBalancerClass") or annotated or "")


def _short(manifest: Manifest, taker: str) -> str:
    if taker.startswith(AUTO_MODE):
        return AUTO_MODE
    if taker == CLASSIC:
        return "the cloud provider"
    return class_of(manifest) or "another controller"


def _made_up(manifest: Manifest, kind: BalancerType) -> str:
    """A DNS name as of the AWS Load Balancer Controller: `k8s-shop-web-0123456789-…`."""
    _, namespace, name = manifest.key
    digest = hashlib.sha256("/".join(manifest.key).encode()).hexdigest()
    parts = (re.sub(r"[^a-z0-9]", "", one.lower())[:_LONGEST_PART] for one in (namespace, name))
    label = "-".join(("k8s", *filter(None, parts), digest[:10]))
    if kind == "nlb":
        return f"{label}-{digest[10:26]}.elb.{REGION}.amazonaws.com"
    return f"{label}-{int(digest[10:18], 16):010d}.{REGION}.elb.amazonaws.com"
