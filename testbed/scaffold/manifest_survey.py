"""A survey of the manifests of a move: the name, its old and new claimant, the pods and the calls."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from testbed.check.manifest_reading import ACCOUNT, ALB, NLB, Reading, annotation
from testbed.errors import BadInput
from testbed.external_dns.offline.annotation_prefixes import PREFIXES
from testbed.external_dns.offline.deployment import external_dns as deployed_external_dns
from testbed.kubernetes import object_fields
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.core.helm_chart import INGRESS_CLASS
from testbed.lb_controller.core.stack import Stack
from testbed.releases import Choice, Named
from testbed.scaffold.claimants import Claimant, claimants, claimed_by, hostname_key, is_balanced, moving
from testbed.scaffold.generated_calls import calls
from testbed.scaffold.reached_ports import called_port, forwarding, reached
from testbed.scaffold.target_pods import PodsOfMove, pods_of_move
from testbed.settings import PRODUCTION, REGION
from testbed.traffic.calls import Call

CERTIFICATES = (ALB + "certificate-arn", NLB + "ssl-cert")
CONNECTION_AGE = 300.0
"""Seconds after which pods are assumed to end a client's connection."""
NEW_PREFIX_RELEASE = "v0.22.0"
"""The first release that reads external-dns.kubernetes.io/ by default."""
_NLB_DRAIN = 15 * 60.0
"""Production seconds in which clients leave an NLB whose targets end old connections."""
_OF_ANY_POD = (Call("grpc", "/grpc.health.v1.Health/Check", share=3.0), Call("rest", "/", "GET", share=2.0))
_MADE_BY_THE_TESTBED = ("Endpoints", "EndpointSlice", "Event", "Node", "Pod")
_WITHOUT_EFFECT = ("ConfigMap", "Secret")
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Survey:
    """The facts that a scenario is written from.

    Attributes:
        lb_controller_choice: the release of the AWS Load Balancer Controller that is played.
        host: the name that moves; `zone` the hosted zone of all names.
        others_moving: further hosts that Services and Ingresses claim, which the scenario does not call.
        old, new: the claimant that has the name, and the one that takes it over.
        names: the names that a certificate must have.
        hostname: the key of a Service's annotation.
        others: the objects that stand before the move: those of `old`, and all but Ingresses, Services with
            balancers, and what has no effect here.
        pods: the pods that the Services select.
        forwarded: for a balancer of another controller, by its first object: the name of the pods and their
            port.
        port: the port that clients call.
        calls: a call for each path that the ALB forwards.
        external_dns: its flags that are emulated, None if its Deployment is missing or refused; `left_out`
            says what is not among them.
        interval: seconds between two of its syncs.
        external_dns_choice: the release of ExternalDNS that is played.
        account: annotations of the Ingresses and Services with ids of the user's account.
        drain: production seconds in which the clients leave the old balancer.
        classes: IngressClasses of other controllers that no manifest has.
        certificates: the ARNs of certificates that must exist.
        placeholders: names in `${}` that stand for the ARN of a certificate.
    """

    lb_controller_choice: Choice
    host: str
    others_moving: tuple[str, ...]
    old: Claimant
    new: Claimant
    names: tuple[str, ...]
    zone: str
    hostname: str
    others: tuple[Manifest, ...]
    pods: PodsOfMove
    forwarded: Mapping[str, tuple[str, int]]
    port: int
    calls: tuple[Call, ...]
    account: tuple[str, ...]
    classes: tuple[str, ...]
    certificates: tuple[str, ...]
    placeholders: tuple[str, ...]
    drain: float
    external_dns: tuple[str, ...] | None
    left_out: str
    interval: float
    external_dns_choice: Choice


def survey(
    manifests: Sequence[Manifest],
    wanted: str = "",
    external_dns: Named | None = None,
    lb_controller: Named | None = None,
) -> Survey:
    """Survey the manifests of a move; of custom resources only those of pods and gateways are read.

    Args:
        wanted: the host whose move is played, "" for the first that moves.
        external_dns: the release of ExternalDNS that a person names; None for the Deployment's or the newest.
        lb_controller: likewise of the AWS Load Balancer Controller.

    Raises:
        BadInput: the manifests hold no move, or one that cannot be played as it is written.
    """
    known = [manifest for manifest in manifests if not manifest.is_custom]
    hostname = hostname_key(known, wanted)
    if external_dns is None and hostname.startswith(PREFIXES[1]) and deployed_external_dns(known) is None:
        external_dns = Named(NEW_PREFIX_RELEASE, f"the prefix of {hostname}")
    reading = Reading.of(manifests, external_dns, lb_controller)
    deployed = _external_dns(reading)
    host, old, new = claimants(reading, wanted)
    members = (*new.objects, *old.objects)
    port = called_port(old, new)
    pods = pods_of_move(reading, [*reached(reading, old, port), *reached(reading, new, port)])
    forwarded: dict[str, tuple[str, int]] = {}
    for one in (old, new):
        if one.other:
            pods, forwarded[one.objects[0].title] = forwarding(reading, one, pods, port)
    others = tuple(one for one in known if one in old.objects or _stands(one))
    arns, placeholders = _certificates(members)
    _check_filled((*others, *new.objects), placeholders)
    return Survey(
        lb_controller_choice=reading.lb_controller_choice,
        host=host,
        others_moving=tuple(one for one in moving(reading) if one != host),
        old=old,
        new=new,
        names=tuple(dict.fromkeys((host, *claimed_by(reading, *_certified(old, new))))),
        zone=_zone([host, *reading.claims], host),
        hostname=hostname,
        others=others,
        pods=pods,
        forwarded=forwarded,
        port=port,
        calls=_calls(old, new, host, port),
        account=tuple(key for key in ACCOUNT if any(annotation(one, key) for one in members)),
        classes=_absent_classes(reading, members),
        certificates=arns or ((_made_up_arn(host),) if placeholders or "alb" in (old.type, new.type) else ()),
        placeholders=placeholders,
        drain=_NLB_DRAIN + (_keep_alive(old.planned) if old.stack and not old.is_service else 0),
        external_dns=deployed.arguments,
        left_out=deployed.left_out,
        interval=deployed.interval,
        external_dns_choice=reading.external_dns_choice,
    )


def _stands(manifest: Manifest) -> bool:
    """True of what stands before a move, whatever moves, and has an effect or a name for kubectl."""
    return not is_balanced(manifest) and manifest.object["kind"] not in (
        *_MADE_BY_THE_TESTBED,
        *_WITHOUT_EFFECT,
    )


def _absent_classes(reading: Reading, members: Iterable[Manifest]) -> tuple[str, ...]:
    """The IngressClasses that Ingresses name and no manifest has; every cluster here has the controller's."""
    known = {one.key[2] for one in reading.of_kind("IngressClass")} | {INGRESS_CLASS["metadata"]["name"]}
    named = (object_fields.spec(one.object).get("ingressClassName") for one in members)
    return tuple(dict.fromkeys(str(one) for one in named if one and one not in known))


def _certificates(members: Iterable[Manifest]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ARNs of the certificates that objects name, and the placeholders in place of one."""
    values = [annotation(one, key) or "" for one in members for key in CERTIFICATES]
    given = [part.strip() for value in values for part in value.split(",") if part.strip()]
    names = tuple(dict.fromkeys(name for one in given for name in _PLACEHOLDER.findall(one)))
    return tuple(dict.fromkeys(one for one in given if not _PLACEHOLDER.search(one))), names


def _check_filled(manifests: Iterable[Manifest], known: Sequence[str]) -> None:
    for one in manifests:
        for name in _PLACEHOLDER.findall(json.dumps(one.object, default=str)):
            if name not in known:
                raise BadInput(
                    f"{one.title} has the placeholder ${{{name}}}, which nothing fills",
                    where=one.where,
                    do="render the manifests first, e.g. with `kustomize build` or envsubst",
                )


def _made_up_arn(host: str) -> str:
    return f"arn:aws:acm:{REGION}:123456789012:certificate/{uuid.uuid5(uuid.NAMESPACE_DNS, host)}"


@dataclass(frozen=True, slots=True)
class _ExternalDns:
    arguments: tuple[str, ...] | None = None
    left_out: str = ""
    interval: float = PRODUCTION.external_dns_interval


def _external_dns(reading: Reading) -> _ExternalDns:
    """The flags of the Deployment, if the release that is played knows all of them."""
    if reading.external_dns is None:
        return _ExternalDns()
    try:
        found = reading.external_dns.emulated(reading.release)
    except BadInput as error:
        return _ExternalDns(left_out=str(error))
    left_out = "; ".join(one.what for one in found.left_out)
    return _ExternalDns(found.arguments, left_out, found.flags.interval)


def _keep_alive(alb: Stack) -> float:
    """Production seconds after which an ALB ends the connection of a client that does not."""
    attributes = alb.load_balancer.attributes if alb.load_balancer else {}
    return float(attributes.get("client_keep_alive.seconds", PRODUCTION.alb_client_keep_alive))


def _certified(old: Claimant, new: Claimant) -> tuple[Manifest, ...]:
    """The objects whose hosts a certificate must name: those of the ALBs, or all if there is none."""
    albs = tuple(item for one in (new, old) if not one.is_service for item in one.objects)
    return albs or (*new.objects, *old.objects)


def _calls(old: Claimant, new: Claimant, host: str, port: int) -> tuple[Call, ...]:
    """A call for each path that the ALB forwards, the old one of two; without an ALB, calls of any pod."""
    stack = next((one.stack for one in (old, new) if one.stack and not one.is_service), None)
    if stack:
        return tuple(calls(stack, host, port))
    # An ALB of another controller has one target group here, so it takes the calls of one protocol.
    is_alb = "alb" in (old.type, new.type)
    return tuple(one for one in _OF_ANY_POD if one.protocol == "rest" or not is_alb)


def _zone(hosts: Sequence[str], host: str) -> str:
    """The hosted zone: the longest suffix of all hosts, of two labels at least; for one host, its parent."""
    plain = [one.lower().removeprefix("*.").split(".") for one in dict.fromkeys(hosts)]
    if len(plain) == 1:
        labels = plain[0]
        return ".".join(labels[1:] if len(labels) > 2 else labels)
    common: list[str] = []
    for parts in zip(*(reversed(one) for one in plain), strict=False):
        if len(set(parts)) > 1:
            break
        common.insert(0, parts[0])
    if len(common) < 2:
        raise BadInput(f"the hosts {', '.join(hosts)} have no hosted zone in common")
    return ".".join(common) if ".".join(common) != host or len(common) == 2 else ".".join(common[1:])
