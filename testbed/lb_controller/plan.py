"""What the controllers would make of a folder of manifests, without a cluster and without AWS.

Services get their defaults and node ports as from an API server. What only a cluster or an account knows is
assumed: UIDs that the manifests do not hold are empty (so the hash at the end of some names will differ), ACM
has a certificate for every host, there are two subnets, and the IngressClass `alb` of the Helm chart.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from testbed.errors import Location
from testbed.kubernetes import admission
from testbed.kubernetes.kinds import namespace_of
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller import (
    advice,
    groups,
    in_tree,
    listen_ports,
    model,
    nlb,
    objects,
    ownership,
    stack_json,
)
from testbed.lb_controller.advice import Advice, Reason
from testbed.lb_controller.annotations import INGRESS_CLASS as CLASS_ANNOTATION
from testbed.lb_controller.classes import IngressObjects
from testbed.lb_controller.inputs import (
    BuildError,
    Certificate,
    ClusterState,
    ControllerOptions,
    Group,
    GroupID,
    KubernetesObject,
    Member,
    Subnet,
)
from testbed.lb_controller.stack import Stack
from testbed.runtime.cluster import INGRESS_CLASS

ACCOUNT = "000000000000"
UNKNOWN_UID = "<uid>"
"""In names of which the UID is a plain part."""
_ZONES = ("a", "c")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStack:
    """A stack, or why there is none.

    Attributes:
        title: `Ingress group zozomat-ingress`, `Service default/envoy`.
        owner: who makes it, `AWS Load Balancer Controller` or `cloud provider`.
        members: the objects that it is made of, `Kind namespace/name`, with their places.
        stack: None if it cannot be built.
        error: the text of the event `FailedBuildModel`, None if it can.
    """

    title: str
    owner: str
    members: Mapping[str, Location]
    stack: Stack | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All stacks, what is worth a word, and the Ingresses and Services that nobody here takes."""

    stacks: tuple[PlannedStack, ...] = ()
    advice: tuple[Advice, ...] = ()
    ignored: Mapping[str, Location] = field(default_factory=dict)

    @property
    def has_failures(self) -> bool:
        """Whether a stack cannot be built."""
        return any(item.error is not None for item in self.stacks)

    def to_json(self) -> dict[str, Any]:
        """Stacks in the shape of `expect` of the conformance case model-e2e, and the advice."""
        return {
            "stacks": [_stack_json(item) for item in self.stacks],
            "advice": [
                {"reason": item.reason.value, "sentence": item.sentence, "where": str(item.where)}
                for item in self.advice
            ],
            "ignored": {name: str(where) for name, where in self.ignored.items()},
        }


def plan(manifests: Sequence[Manifest], options: ControllerOptions) -> Plan:
    """Plan all Ingresses and Services of the manifests."""
    world = _World.of(manifests, options)
    known = IngressObjects.of(world.objects)
    told = _assumed_class(known, world)
    if told:
        known = replace(known, classes={**known.classes, objects.name(INGRESS_CLASS): INGRESS_CLASS})
    ignored = dict(world.places_of("Ingress"))
    stacks: list[PlannedStack] = []
    for group_id in groups.group_ids(known, options):
        planned, found = _plan_group(group_id, known, world)
        stacks.append(planned)
        told += found
        ignored = {name: where for name, where in ignored.items() if name not in planned.members}
    for service in world.of_kind("Service"):
        planned_service = _plan_service(service, world)
        if planned_service:
            stacks.append(planned_service)
        elif objects.spec(service).get("type") == "LoadBalancer":
            ignored |= world.place_of(service)
    return Plan(stacks=tuple(stacks), advice=tuple(told), ignored=ignored)


@dataclass(frozen=True, slots=True)
class _World:
    """The objects as a cluster would have them, and where each was written."""

    objects: tuple[KubernetesObject, ...]
    manifests: Mapping[tuple[str, str, str], Manifest]
    cluster: ClusterState
    options: ControllerOptions

    @classmethod
    def of(cls, manifests: Sequence[Manifest], options: ControllerOptions) -> _World:
        dice = random.Random(0)  # noqa: S311 - node ports, the same in every run
        taken = {port for manifest in manifests for port in admission.node_ports(manifest.object)}
        stored: list[KubernetesObject] = []
        for manifest in manifests:
            item = admission.admit(_in_namespace(manifest.object), manifest.object, taken, dice)
            taken |= admission.node_ports(item)
            stored.append(item)
        return cls(
            tuple(stored),
            {manifest.key: manifest for manifest in manifests},
            _cluster(stored, options),
            options,
        )

    def of_kind(self, kind: str) -> list[KubernetesObject]:
        return [item for item in self.objects if item.get("kind") == kind]

    def place_of(self, item: KubernetesObject) -> dict[str, Location]:
        key = str(item["kind"]), objects.namespace(item), objects.name(item)
        return {f"{key[0]} {objects.key(item)}": self.manifests[key].where}

    def places_of(self, kind: str) -> dict[str, Location]:
        return {name: where for item in self.of_kind(kind) for name, where in self.place_of(item).items()}

    def locate(self, kind: str, namespace: str, name: str, path: tuple[str | int, ...]) -> Location:
        return self.manifests[kind, namespace, name].line(*path)


def _assumed_class(known: IngressObjects, world: _World) -> list[Advice]:
    """A word at the first Ingress whose class is that of the Helm chart and not among the manifests."""
    name = objects.name(INGRESS_CLASS)
    if name in known.classes:
        return []
    for ingress in known.ingresses:
        by_annotation = CLASS_ANNOTATION in objects.annotations_of(ingress)
        if not by_annotation and objects.spec(ingress).get("ingressClassName") == name:
            key = "Ingress", objects.namespace(ingress), objects.name(ingress)
            sentence = (
                f"the IngressClass {name} of Ingress {objects.key(ingress)} is not among the manifests; it "
                "is taken for the one that the Helm chart of the AWS Load Balancer Controller installs"
            )
            where = world.locate(*key, ("spec", "ingressClassName"))
            return [Advice(Reason.ASSUMED_CLASS, sentence, where)]
    return []


def _plan_group(group_id: GroupID, known: IngressObjects, world: _World) -> tuple[PlannedStack, list[Advice]]:
    title, owner = f"Ingress group {group_id}", "AWS Load Balancer Controller"
    members: dict[str, Location] = {}
    try:
        group = groups.load_group(group_id, known, world.options)
        members = _members(group, world)
        stack = model.build_ingress_group(group, world.cluster, world.options)
    except BuildError as error:
        members = members or _candidates(group_id, known, world)
        return PlannedStack(title=title, owner=owner, members=members, error=str(error)), []
    planned = PlannedStack(title=title, owner=owner, members=members, stack=stack)
    return planned, advice.of_group(group, stack, world.locate)


def _plan_service(service: KubernetesObject, world: _World) -> PlannedStack | None:
    title, members = f"Service {objects.key(service)}", world.place_of(service)
    is_ours = ownership.is_supported(service, world.options)
    if not is_ours and not in_tree.owns(service):
        return None
    owner = "AWS Load Balancer Controller" if is_ours else "cloud provider"
    if not is_ours and not objects.uid(service):
        service = {**service, "metadata": {**objects.metadata(service), "uid": UNKNOWN_UID}}
    build = nlb.build_service if is_ours else in_tree.build
    try:
        stack = build(service, world.cluster, world.options)
    except BuildError as error:
        return PlannedStack(title=title, owner=owner, members=members, error=str(error))
    return PlannedStack(title=title, owner=owner, members=members, stack=stack)


def _members(group: Group, world: _World) -> dict[str, Location]:
    return {name: where for member in group.members for name, where in world.place_of(member.ingress).items()}


def _candidates(group_id: GroupID, known: IngressObjects, world: _World) -> dict[str, Location]:
    """Who belongs to a group that could not be loaded, or carries its finalizer."""
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


def _cluster(stored: Iterable[KubernetesObject], options: ControllerOptions) -> ClusterState:
    by_kind: dict[str, dict[tuple[str, str], KubernetesObject]] = {}
    for item in stored:
        named = by_kind.setdefault(str(item["kind"]), {})
        named[objects.namespace(item), objects.name(item)] = item
    hosts = {
        host
        for ingress in by_kind.get("Ingress", {}).values()
        for host in listen_ports.hosts(Member(ingress=ingress))
    }
    arn = f"arn:aws:acm:{options.region}:{ACCOUNT}:certificate/assumed-for-"
    return ClusterState(
        services=by_kind.get("Service", {}),
        secrets=by_kind.get("Secret", {}),
        certificates=tuple(Certificate(arn=arn + host, names=(host,)) for host in sorted(hosts)),
        subnets=tuple(
            Subnet(id=f"subnet-{zone}", availability_zone=f"{options.region}{zone}") for zone in _ZONES
        ),
    )


def _stack_json(item: PlannedStack) -> dict[str, Any]:
    about = {
        "title": item.title,
        "owner": item.owner,
        "members": {name: str(where) for name, where in item.members.items()},
    }
    if item.stack is None:
        return {**about, "error": {"text": item.error, "match": "exact"}}
    return {**about, **stack_json.to_json(item.stack), "error": None}
