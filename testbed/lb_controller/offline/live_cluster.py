"""A cluster whose controllers have made its load balancers, without threads, network or account.

```
manifests ─► Kubernetes API ─► the controllers of a run ─► ELBv2 and EC2 inside this process ─► writes
```

What only a cluster or an account knows is assumed: one node, one ready pod behind every Service, a VPC, the
subnets, security groups and certificates that the manifests name, and a certificate for each host.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from testbed.aws.in_process import InProcessAws, Write
from testbed.clock import Clock
from testbed.errors import BadInput
from testbed.kubernetes import ObjectStore, object_fields
from testbed.kubernetes.api_errors import ApiError
from testbed.kubernetes.client import KubernetesClient
from testbed.kubernetes.client_transports import InProcess
from testbed.kubernetes.kinds import namespace_of
from testbed.kubernetes.last_applied import with_last_applied
from testbed.kubernetes.manifests import Manifest
from testbed.kubernetes.object_fields import without_status
from testbed.kubernetes.rules import defaults
from testbed.lb_controller.controllers.in_tree_service_controller import InTreeServiceController
from testbed.lb_controller.controllers.ingress_group_controller import IngressGroupController
from testbed.lb_controller.controllers.nlb_service_controller import NlbServiceController
from testbed.lb_controller.core.build_inputs import (
    SHARED_GROUP,
    ClusterState,
    ControllerOptions,
    KubernetesObject,
    Member,
    Subnet,
)
from testbed.lb_controller.core.helm_chart import INGRESS_CLASS
from testbed.lb_controller.deploy.account_state import Account, SecurityGroups
from testbed.lb_controller.ingress import listen_ports, webhook
from testbed.lb_controller.offline.stack_plan import vpc_for
from testbed.lb_controller.service import service_mutator

APPLIED = (
    *("Namespace", "IngressClassParams", "IngressClass", "Secret", "Node", "Pod"),
    *("Service", "Endpoints", "Ingress"),
)
"""The kinds that the controllers read, in the order in which they are applied."""
NODE = "i-0123456789abcdef0"
_ZONES = ("a", "c")
_STANDS_STILL = Clock(speed=0.0)
"""No production time passes, so what waits for its next attempt waits for ever: each call is made once."""
_IDS = re.compile(r"\b(?:subnet|sg)-[0-9a-z]+\b")
_CERTIFICATES = re.compile(
    r"arn:aws[a-z-]*:(?:acm:[a-z0-9-]*:\d*:certificate|iam::\d*:server-certificate)/[\w./-]+"
)
_PLACEHOLDER = "${"
"""How a value begins that is filled in when the manifest is applied."""
_OF_CERTIFICATES = re.compile(r"(?:^|[-/])(?:certificate-arn|ssl-cert)$")
_NAMED = re.compile(r"(?:^|[-/])(?P<what>subnets|security-groups)$")

Key = tuple[str, str, str]


class LiveCluster:
    """A cluster and its account, as they stand after the last `apply`.

    Args:
        options: the controller's flags; the VPC is the cluster's own.
        manifests: all that will be applied: what they name exists in the account from the start.

    Attributes:
        store: the objects, and the events of the controllers.
    """

    def __init__(self, options: ControllerOptions, manifests: Sequence[Manifest]) -> None:
        self.store = ObjectStore(_STANDS_STILL)
        self._aws = InProcessAws()
        self._client = KubernetesClient(InProcess(self.store, _STANDS_STILL))
        self._chance = random.Random(0)  # noqa: S311 node ports, the same in every run
        self._applied: Mapping[Key, Manifest] = {}
        self._addresses = (f"10.0.{number // 250}.{4 + number % 250}" for number in itertools.count())
        options = replace(options, region=self._aws.clients.region)
        self._account = _account(self._aws, options, [one.object for one in manifests])
        self._start(options)
        for item in (_node(), dict(INGRESS_CLASS), *_foreign_classes(manifests)):
            self.store.create(item)
        for namespace in sorted({one.key[1] for one in manifests if one.key[1]}):
            self.store.put({"kind": "Namespace", "metadata": {"name": namespace}})

    def close(self) -> None:
        """End it."""
        self._stop()
        self._aws.close()

    def upgrade(self, options: ControllerOptions) -> tuple[Write, ...]:
        """Replace the controllers by those of other options, which look at every object once.

        Returns:
            As `apply`.
        """
        self._stop()
        self._start(replace(options, region=self._aws.clients.region))
        return self._follow(self._applied)

    def _start(self, options: ControllerOptions) -> None:
        """Start controllers as a process does: with nothing in memory."""
        vpc = self._account.vpc
        options = replace(options, vpc_id=vpc)
        self._account.security_groups = SecurityGroups(self._aws.clients.ec2, options)
        self.store.mutators[:] = [service_mutator.mutator(options, lambda: True)]
        self.store.webhooks[:] = [webhook.webhook(self.store, options)]
        common = self.store, self._account, options, _STANDS_STILL, lambda _level, _line: None
        controllers = (
            InTreeServiceController(*common),
            NlbServiceController(*common),
            IngressGroupController(*common),
        )
        self._controllers = [(one, self.store.watch(one.kinds)) for one in controllers]

    def _stop(self) -> None:
        for _, watch in self._controllers:
            watch.close()

    def stand(self, manifests: Sequence[Manifest]) -> tuple[Write, ...]:
        """Begin with the objects of the manifests as they stand in a cluster, and let the controllers follow.

        Returns:
            As `apply`.
        """
        wanted = _applied(manifests)
        taken = {port for one in wanted.values() for port in defaults.node_ports(one.object)}
        for key in sorted(wanted, key=_order):
            item = _in_namespace(wanted[key].object)
            admitted = defaults.admit(with_last_applied(item), item, taken, self._chance)
            taken |= defaults.node_ports(admitted)
            if self.store.get(key[0], key[1] or None, key[2]) is None:
                self.store.restore(without_status(admitted))
        return self._follow(wanted)

    def apply(self, manifests: Sequence[Manifest]) -> tuple[Write, ...]:
        """Do what `kubectl apply --prune` does with the manifests, and let the controllers follow.

        Objects that the last manifests had and these have not are deleted.

        Returns:
            The calls to AWS that write, in order; one that is refused again and again is listed once.

        Raises:
            BadInput: the Kubernetes API refuses an object.
        """
        wanted = _applied(manifests)
        for key in sorted(self._applied.keys() - wanted.keys(), key=_order, reverse=True):
            self._client.delete(key[0], key[1] or None, key[2])
        for key in sorted(wanted, key=_order):
            try:
                self._client.apply(_in_namespace(wanted[key].object))
            except ApiError as error:
                raise BadInput(str(error), where=wanted[key].where, do=error.do) from None
        return self._follow(wanted)

    def dns_names(self) -> frozenset[str]:
        """The DNS names of all load balancers that stand."""
        pages = self._aws.clients.elbv2.get_paginator("describe_load_balancers").paginate()
        return frozenset(one["DNSName"] for page in pages for one in page["LoadBalancers"])

    def _follow(self, wanted: Mapping[Key, Manifest]) -> tuple[Write, ...]:
        self._applied = wanted
        self._aws.writes.clear()
        self._assume_endpoints()
        self._settle()
        return tuple(_once(self._aws.writes))

    def _settle(self) -> None:
        is_idle = False
        while not is_idle:
            is_idle = True
            for one, watch in self._controllers:
                is_idle = not one.work_off(watch) and is_idle

    def _assume_endpoints(self) -> None:
        """One ready pod behind every Service whose endpoints no manifest has."""
        for service in self.store.list("Service"):
            key = "Endpoints", object_fields.namespace(service), object_fields.name(service)
            spec = object_fields.spec(service)
            if key in self._applied or spec.get("type") == "ExternalName":
                continue
            standing = self.store.get(*key)
            subsets = (standing or {}).get("subsets") or ()
            address = subsets[0]["addresses"][0]["ip"] if subsets else next(self._addresses)
            ports = [
                {"name": port.get("name", ""), "port": _number(port), "protocol": port.get("protocol", "TCP")}
                for port in spec.get("ports") or ()
            ]
            metadata = {"namespace": key[1], "name": key[2]}
            subset = {"addresses": [{"ip": address}], "ports": ports}
            self.store.put({"kind": "Endpoints", "metadata": metadata, "subsets": [subset]})


def _account(
    aws: InProcessAws, options: ControllerOptions, objects: Sequence[KubernetesObject]
) -> _AssumedAccount:
    """The account with what the objects and the flags name."""
    ec2, plan = aws.clients.ec2, vpc_for(objects, options)
    vpc = ec2.create_vpc(CidrBlock=plan.cidrs[0])["Vpc"]["VpcId"]
    zones = itertools.cycle(f"{options.region}{zone}" for zone in _ZONES)
    text = orjson.dumps([*objects, options.backend_security_group]).decode()
    ids = sorted({*_IDS.findall(text)} - {SHARED_GROUP})
    drawn = tuple(replace(one, id=aws.own_subnet(vpc, one.cidr, next(zones))) for one in plan.subnets)
    names = [*(one for one in ids if one.startswith("subnet-")), *sorted(_names(objects, "subnets"))]
    cidrs = (f"10.0.{number}.0/24" for number in itertools.count(100))
    named = tuple(
        Subnet(
            id=aws.own_subnet(vpc, cidr, next(zones), _id_of_subnet(one), is_alone=True),
            cidr=cidr,
            name=one,
        )
        for one, cidr in zip(names, cidrs, strict=False)
    )
    groups = {name: aws.own_security_group(vpc, name) for name in sorted(_names(objects, "security-groups"))}
    for identity in ids:
        if identity.startswith("sg-"):
            aws.own_security_group(vpc, f"named {identity}", identity)
    for arn in sorted({*_CERTIFICATES.findall(text), *_unfilled_certificates(objects)}):
        aws.own_certificate(f"named{len(arn)}.invalid", arn)
    for host in sorted({host for one in objects if one["kind"] == "Ingress" for host in _hosts(one)}):
        aws.own_certificate(host)
    nodes = aws.own_security_group(vpc, "nodes")
    ec2.create_tags(
        Resources=[nodes], Tags=[{"Key": f"kubernetes.io/cluster/{options.cluster_name}", "Value": "owned"}]
    )
    account = _AssumedAccount(aws.clients.elbv2, aws.clients.acm, options.cluster_name, drawn)
    account.assumed = {
        "named_subnets": named,
        "security_groups": groups,
        "vpc_cidrs": plan.cidrs,
        "vpc_ipv6_cidrs": plan.ipv6_cidrs,
    }
    account.vpc = vpc
    return account


class _AssumedAccount(Account):
    """An account that has what the manifests name."""

    assumed: Mapping[str, Any]
    vpc: str

    def state(
        self, services: Iterable[KubernetesObject], secrets: Iterable[KubernetesObject] = ()
    ) -> ClusterState:
        """As of any account, with the subnets and security groups that annotations name."""
        return replace(super().state(services, secrets), **self.assumed)


def _names(objects: Iterable[KubernetesObject], what: str) -> set[str]:
    """The names, which are no ids, in annotations that list subnets or security groups."""
    return {
        name
        for item in objects
        for key, value in object_fields.annotations_of(item).items()
        if (match := _NAMED.search(key)) and match["what"] == what
        for name in (part.strip() for part in str(value).split(","))
        if name and not _IDS.fullmatch(name)
    }


def _unfilled_certificates(objects: Iterable[KubernetesObject]) -> set[str]:
    """The placeholders in annotations that list certificates: each stands for one that exists."""
    return {
        arn
        for item in objects
        for key, value in object_fields.annotations_of(item).items()
        if _OF_CERTIFICATES.search(key)
        for arn in (part.strip() for part in str(value).split(","))
        if _PLACEHOLDER in arn
    }


def _id_of_subnet(name: str) -> str | None:
    return name if name.startswith("subnet-") else None


def _hosts(ingress: KubernetesObject) -> Iterable[str]:
    return listen_ports.hosts(Member(ingress=ingress))


def _number(port: Mapping[str, Any]) -> int:
    """The port of a pod; one that is given by name is assumed to be the Service's own."""
    target = port.get("targetPort", port["port"])
    return target if isinstance(target, int) else int(port["port"])


def _node() -> dict[str, Any]:
    return {
        "kind": "Node",
        "metadata": {"name": "node"},
        "spec": {"providerID": f"aws:///{_ZONES[0]}/{NODE}"},
    }


def _foreign_classes(manifests: Iterable[Manifest]) -> list[dict[str, Any]]:
    """The classes that Ingresses name and no manifest has: those of another controller."""
    there = {
        INGRESS_CLASS["metadata"]["name"],
        *(one.key[2] for one in manifests if one.key[0] == "IngressClass"),
    }
    named = {
        object_fields.spec(one.object).get("ingressClassName") for one in manifests if one.key[0] == "Ingress"
    }
    return [
        {
            "kind": "IngressClass",
            "metadata": {"name": name},
            "spec": {"controller": f"example.com/{name}"},
        }
        for name in sorted(filter(None, named - there))
    ]


def _in_namespace(item: KubernetesObject) -> KubernetesObject:
    namespace = namespace_of(item["kind"], object_fields.metadata(item).get("namespace"))
    metadata = {**object_fields.metadata(item), **({"namespace": namespace} if namespace else {})}
    return {**item, "metadata": metadata}


def _applied(manifests: Iterable[Manifest]) -> dict[Key, Manifest]:
    return {one.key: one for one in manifests if one.object["kind"] in APPLIED}


def _order(key: Key) -> tuple[int, str, str]:
    return APPLIED.index(key[0]), key[1], key[2]


def _once(writes: Iterable[Write]) -> Iterable[Write]:
    refused: list[Write] = []
    for one in writes:
        if one.refusal and one in refused:
            continue
        refused += [one] if one.refusal else []
        yield one
