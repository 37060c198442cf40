"""Plans the load balancers of a folder of manifests, without a cluster and without AWS.

Services get defaults and node ports as from an API server. Facts that only a cluster or an account knows are
assumed: UIDs that the manifests do not hold are empty (so the hash at the end of some names will differ), ACM
has a certificate for every host, there is the IngressClass `alb` of the Helm chart, and the VPC is that of
`vpc`.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from testbed.dated_releases import Release
from testbed.errors import Location
from testbed.kubernetes import object_fields as objects
from testbed.kubernetes.kinds import namespace_of
from testbed.kubernetes.manifests import Manifest
from testbed.kubernetes.rules import defaults
from testbed.lb_controller.core import annotation_dates, stack_json
from testbed.lb_controller.core.annotations import INGRESS_CLASS as CLASS_ANNOTATION
from testbed.lb_controller.core.annotations import INGRESS_PREFIX
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    Certificate,
    ClusterState,
    ControllerOptions,
    Group,
    GroupID,
    KubernetesObject,
    Member,
)
from testbed.lb_controller.core.frontend import DUALSTACK
from testbed.lb_controller.core.helm_chart import INGRESS_CLASS
from testbed.lb_controller.core.stack import Stack
from testbed.lb_controller.core.unobeyed import unobeyed
from testbed.lb_controller.gateway import gateway_stack
from testbed.lb_controller.gateway.gateway_objects import GatewayObjects
from testbed.lb_controller.ingress import alb_stack, groups, listen_ports
from testbed.lb_controller.ingress.ingress_classes import IngressObjects
from testbed.lb_controller.offline.unplanned import Unplanned, has_auto_mode, unplanned, unplanned_gateway
from testbed.lb_controller.offline.vpc import Vpc
from testbed.lb_controller.service import in_tree_nlb, nlb_stack, service_mutator, service_ownership

ACCOUNT = "000000000000"
UNKNOWN_UID = "<uid>"
"""Stands for the UID in names that hold it in plain text."""
OWNER = "AWS Load Balancer Controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStack:
    """A stack, or the reason why it cannot be built.

    Attributes:
        title: `Ingress group zozomat-ingress`, `Service default/envoy`.
        owner: the controller that makes it, `AWS Load Balancer Controller` or `cloud provider`.
        members: the objects that it is made of, `Kind namespace/name`, with their places.
        stack: None if it cannot be built.
        error: the text of the event `FailedBuildModel`, None if it can.
        group: the Ingress group that the stack is built of; None for a Service, and if it cannot be loaded.
    """

    title: str
    owner: str
    members: Mapping[str, Location]
    stack: Stack | None = None
    error: str | None = None
    group: Group | None = None

    def to_json(self) -> dict[str, Any]:
        """The stack in the shape of `expect` of the conformance case model-e2e, or the error."""
        about = {
            "title": self.title,
            "owner": self.owner,
            "members": {name: str(where) for name, where in self.members.items()},
        }
        if self.stack is None:
            return {**about, "error": {"text": self.error, "match": "exact"}}
        not_obeyed = {"notObeyedByPackets": list(unobeyed(self.stack))}
        return {**about, **stack_json.to_json(self.stack), **not_obeyed, "error": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedAnew:
    """What a Service that stands already would become if it were deleted and applied again.

    Attributes:
        service: `Service default/envoy`.
        load_balancer_class: the class that the webhook would give it.
        standing: the stack that it has; None if no controller here makes one.
        anew: the stack that it would have.
    """

    service: str
    where: Location
    load_balancer_class: str
    standing: PlannedStack | None
    anew: PlannedStack

    def __str__(self) -> str:
        """One sentence."""
        start = (
            f"{self.service} is read as standing; applied anew, it gets the class {self.load_balancer_class}"
        )
        before = f" instead of {_in_words(self.standing) if self.standing else 'its present load balancer'}"
        return f"{start}, and {_in_words(self.anew)} is made{before}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """An annotation that the release does not read and a later one does.

    Attributes:
        item: the object that has it, `Ingress default/web`.
        since: the tag of the first release that reads it.
    """

    item: str
    where: Location
    key: str
    release: Release
    since: str

    def __str__(self) -> str:
        """One sentence."""
        return (
            f"{self.release} of the controller does not read {self.key} of {self.item}: {self.since} is the "
            "first that does"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All stacks, and the Ingresses, Services and Gateways that get none.

    Attributes:
        applied_anew: what standing Services would become that the webhook would claim.
        unread: the annotations that the release ignores.
        unplanned: the Ingresses, Services and Gateways that no controller here handles, and who may.
        of_assumed_class: the Ingresses whose class is the one of the Helm chart, which no manifest has.
    """

    stacks: tuple[PlannedStack, ...] = ()
    unplanned: tuple[Unplanned, ...] = ()
    of_assumed_class: tuple[str, ...] = ()
    applied_anew: tuple[AppliedAnew, ...] = ()
    unread: tuple[Unread, ...] = ()

    @property
    def has_failures(self) -> bool:
        """True if a stack cannot be built."""
        return any(item.error is not None for item in self.stacks)

    @property
    def ignored(self) -> Mapping[str, Location]:
        """The objects that nobody takes, or perhaps nobody, `Kind namespace/name`, with their places."""
        return {one.item: one.where for one in self.unplanned if one.reason}

    def to_json(self) -> dict[str, Any]:
        """The stacks in the shape of `expect` of the conformance case model-e2e, and all other objects."""
        return {
            "stacks": [item.to_json() for item in self.stacks],
            "ignored": {name: str(where) for name, where in self.ignored.items()},
            "ofOtherControllers": [one.to_json() for one in self.unplanned if not one.reason],
            "appliedAnew": [
                {"service": one.service, "where": str(one.where), "sentence": str(one), **one.anew.to_json()}
                for one in self.applied_anew
            ],
            "unread": [
                {"object": one.item, "where": str(one.where), "annotation": one.key, "since": one.since}
                for one in self.unread
            ],
        }


def plan(
    manifests: Sequence[Manifest],
    options: ControllerOptions,
    vpc: Vpc | None = None,
    *,
    new: bool = False,
    unaccepted: frozenset[str] = frozenset(),
) -> Plan:
    """Plan all Ingresses, Services and Gateways of the manifests; other custom resources are left out.

    Args:
        vpc: None for one with IPv6 ranges if a manifest asks for a dualstack load balancer.
        new: True if the objects are created now, so that the Service webhook sees them; False if they stand.
        unaccepted: ListenerRuleConfigurations that the controller has not looked at yet, `namespace/name`.
    """
    world = _World.of([one for one in manifests if not one.is_custom], options, vpc, new=new)
    known = IngressObjects.of(world.objects)
    of_assumed_class = _of_assumed_class(known)
    if of_assumed_class:
        known = replace(known, classes={**known.classes, objects.name(INGRESS_CLASS): INGRESS_CLASS})
    stacks = [_plan_group(group_id, known, world) for group_id in groups.group_ids(known, options)]
    of_groups = {name for one in stacks for name in one.members}
    rest = [one for one in world.of_kind("Ingress") if world.manifest_of(one).title not in of_groups]
    anew: list[AppliedAnew] = []
    for service in world.of_kind("Service"):
        planned_service = _plan_service(service, world)
        if service_mutator.claims(service, options):
            anew += _applied_anew(service, planned_service, world)
        if planned_service:
            stacks.append(planned_service)
        elif objects.spec(service).get("type") == "LoadBalancer":
            rest.append(service)
    gateways = GatewayObjects.of(world.objects)
    by_others: list[Unplanned] = []
    for gateway in gateways.gateways:
        if planned_gateway := _plan_gateway(gateway, gateways, world, unaccepted):
            stacks.append(planned_gateway)
        else:
            where = world.manifest_of(gateway).where
            by_others.append(unplanned_gateway(gateway, where, gateways, options))
    auto = has_auto_mode(world.objects)
    return Plan(
        stacks=tuple(stacks),
        unplanned=(
            *(unplanned(one, world.manifest_of(one).where, known, options, auto=auto) for one in rest),
            *by_others,
        ),
        of_assumed_class=of_assumed_class,
        applied_anew=tuple(anew),
        unread=tuple(_unread(stacks, world)),
    )


@dataclass(frozen=True, slots=True)
class _World:
    """The objects as a cluster would have them, and the manifest of each."""

    objects: tuple[KubernetesObject, ...]
    manifests: Mapping[tuple[str, str, str], Manifest]
    cluster: ClusterState
    options: ControllerOptions

    @classmethod
    def of(
        cls, manifests: Sequence[Manifest], options: ControllerOptions, vpc: Vpc | None, *, new: bool
    ) -> _World:
        dice = random.Random(0)  # noqa: S311 - node ports, the same in every run
        taken = {port for manifest in manifests for port in defaults.node_ports(manifest.object)}
        stored: list[KubernetesObject] = []
        for manifest in manifests:
            item = defaults.admit(_in_namespace(manifest.object), manifest.object, taken, dice)
            taken |= defaults.node_ports(item)
            if new:
                item = service_mutator.as_created(item, options)
            stored.append(item)
        return cls(
            tuple(stored),
            {manifest.key: manifest for manifest in manifests},
            _cluster(stored, options, vpc or vpc_for(stored, options)),
            options,
        )

    def of_kind(self, kind: str) -> list[KubernetesObject]:
        return [item for item in self.objects if item.get("kind") == kind]

    def manifest_of(self, item: KubernetesObject) -> Manifest:
        return self.manifests[str(item["kind"]), objects.namespace(item), objects.name(item)]

    def place_of(self, item: KubernetesObject) -> dict[str, Location]:
        return {f"{item['kind']} {objects.key(item)}": self.manifest_of(item).where}


def _of_assumed_class(known: IngressObjects) -> tuple[str, ...]:
    """The Ingresses that name the class of the Helm chart, unless it is among the manifests."""
    name = objects.name(INGRESS_CLASS)
    if name in known.classes:
        return ()
    return tuple(
        f"Ingress {objects.key(ingress)}"
        for ingress in known.ingresses
        if CLASS_ANNOTATION not in objects.annotations_of(ingress)
        and objects.spec(ingress).get("ingressClassName") == name
    )


def _plan_group(group_id: GroupID, known: IngressObjects, world: _World) -> PlannedStack:
    title, owner = f"Ingress group {group_id}", OWNER
    try:
        group = groups.load_group(group_id, known, world.options)
    except BuildError as error:
        members = _candidates(group_id, known, world)
        return PlannedStack(title=title, owner=owner, members=members, error=str(error))
    members = _members(group, world) or _candidates(group_id, known, world)
    try:
        stack = alb_stack.build_ingress_group(group, world.cluster, world.options)
    except BuildError as error:
        return PlannedStack(title=title, owner=owner, members=members, error=str(error), group=group)
    return PlannedStack(title=title, owner=owner, members=members, stack=stack, group=group)


def _plan_service(service: KubernetesObject, world: _World) -> PlannedStack | None:
    title, members = f"Service {objects.key(service)}", world.place_of(service)
    is_ours = service_ownership.is_supported(service, world.options)
    if not is_ours and not in_tree_nlb.owns(service):
        return None
    owner = OWNER if is_ours else in_tree_nlb.OWNER
    # The provider's name of the NLB is the UID itself, not a hash of it, so an empty one would show.
    if not is_ours and not objects.uid(service):
        service = {**service, "metadata": {**objects.metadata(service), "uid": UNKNOWN_UID}}
    build = nlb_stack.build_service if is_ours else in_tree_nlb.build
    try:
        stack = build(service, world.cluster, world.options)
    except BuildError as error:
        return PlannedStack(title=title, owner=owner, members=members, error=str(error))
    return PlannedStack(title=title, owner=owner, members=members, stack=stack)


def _plan_gateway(
    gateway: KubernetesObject, known: GatewayObjects, world: _World, unaccepted: frozenset[str]
) -> PlannedStack | None:
    kind = gateway_stack.balancer_type(gateway, known)
    if kind is None or gateway_stack.why_not_served(kind, world.options):
        return None
    title, members = f"Gateway {objects.key(gateway)}", world.place_of(gateway)
    try:
        stack = gateway_stack.build(gateway, known, world.cluster, world.options, unaccepted=unaccepted)
    except BuildError as error:
        return PlannedStack(title=title, owner=OWNER, members=members, error=str(error))
    return PlannedStack(title=title, owner=OWNER, members=members, stack=stack)


def _applied_anew(
    service: KubernetesObject, standing: PlannedStack | None, world: _World
) -> Iterator[AppliedAnew]:
    created = service_mutator.as_created(service, world.options)
    anew = _plan_service(created, world)
    if anew is None or anew == standing:
        return
    for name, where in world.place_of(service).items():
        yield AppliedAnew(
            service=name,
            where=where,
            load_balancer_class=world.options.load_balancer_class,
            standing=standing,
            anew=anew,
        )


def _in_words(planned: PlannedStack) -> str:
    """`the internal NLB k8s-default-envoy-0123456789 of the AWS Load Balancer Controller`."""
    if planned.stack is None or planned.stack.load_balancer is None:
        return f"nothing, because {planned.error}," if planned.error else "nothing"
    balancer = planned.stack.load_balancer
    return f"the {balancer.scheme} NLB {balancer.name} of the {planned.owner}"


def _unread(stacks: Iterable[PlannedStack], world: _World) -> Iterator[Unread]:
    """The unread annotations of what this controller reads: members of stacks, and Services behind them."""
    release = world.options.release
    own = {name for one in stacks if one.owner == OWNER for name in one.members}
    for item in (*world.of_kind("Ingress"), *world.of_kind("Service")):
        manifest = world.manifest_of(item)
        for one in annotation_dates.ignored(item, release):
            of_target_group = item["kind"] == "Service" and one.key.startswith(INGRESS_PREFIX)
            if of_target_group or manifest.title in own:
                where = manifest.line("metadata", "annotations", one.key)
                yield Unread(item=manifest.title, where=where, key=one.key, release=release, since=one.since)


def _members(group: Group, world: _World) -> dict[str, Location]:
    return {name: where for member in group.members for name, where in world.place_of(member.ingress).items()}


def _candidates(group_id: GroupID, known: IngressObjects, world: _World) -> dict[str, Location]:
    """The Ingresses that belong to a group that could not be loaded, or carry its finalizer."""
    found: dict[str, Location] = {}
    for ingress in known.ingresses:
        if groups.has_finalizer(group_id, ingress):
            found |= world.place_of(ingress)
        try:
            member_of = groups.find_group(ingress, known, world.options)
        except BuildError:
            continue  # not a member of this group
        if member_of and member_of[1] == group_id:
            found |= world.place_of(ingress)
    return found


def _in_namespace(item: Mapping[str, Any]) -> dict[str, Any]:
    metadata = dict(item["metadata"])
    namespace = namespace_of(item["kind"], metadata.get("namespace"))
    if namespace:
        metadata["namespace"] = namespace
    metadata.setdefault("uid", "")
    return {**item, "metadata": metadata}


def vpc_for(stored: Iterable[KubernetesObject], options: ControllerOptions) -> Vpc:
    """A VPC for some objects: with IPv6 ranges if one of them asks for a dualstack load balancer."""
    asks = options.default_ip_address_type.startswith(DUALSTACK) or any(
        text.startswith(DUALSTACK) for item in stored for text in _address_types(item)
    )
    return Vpc(region=options.region, has_ipv6=asks)


def _address_types(item: KubernetesObject) -> list[str]:
    found = [text for key, text in objects.annotations_of(item).items() if key.endswith("ip-address-type")]
    return [*found, str(objects.spec(item).get("ipAddressType") or "")]


def _cluster(stored: Iterable[KubernetesObject], options: ControllerOptions, vpc: Vpc) -> ClusterState:
    by_kind: dict[str, dict[tuple[str, str], KubernetesObject]] = {}
    for item in stored:
        named = by_kind.setdefault(str(item["kind"]), {})
        named[objects.namespace(item), objects.name(item)] = item
    hosts = {
        host
        for ingress in by_kind.get("Ingress", {}).values()
        for host in listen_ports.hosts(Member(ingress=ingress))
    }
    hosts |= gateway_stack.hosts(GatewayObjects.of(stored))
    arn = f"arn:aws:acm:{options.region}:{ACCOUNT}:certificate/assumed-for-"
    return ClusterState(
        services=by_kind.get("Service", {}),
        secrets=by_kind.get("Secret", {}),
        certificates=tuple(
            Certificate(arn=arn + host, names=(host,)) for host in sorted(hosts) if vpc.has_certificates
        ),
        subnets=vpc.subnets,
        vpc_cidrs=vpc.cidrs,
        vpc_ipv6_cidrs=vpc.ipv6_cidrs,
    )
