"""The pods that the Services of a move select, and which of their ports get TLS. Pure.

The pods are those of the workloads among the manifests whose labels a Service selects. Where it selects none
of them, pods with the labels of its selector are assumed; Services that share a label share them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.check.manifest_reading import Reading
from testbed.errors import BadInput
from testbed.kubernetes import object_fields
from testbed.kubernetes.manifests import Manifest
from testbed.rehearsal.scenario import MOST_TARGETS, Targets

UNKNOWN_TLS, UNKNOWN_PLAIN = 8443, 8080
"""The numbers of target ports that have a name only, and no workload that says its number."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A port of the pods behind a Service that a load balancer reaches.

    Attributes:
        port: its number, or its name in the pods.
        has_tls: True if what arrives there is TLS.
        how: which balancer reaches it, for people.
        by_alb: True if an ALB speaks the TLS itself.
        is_clients: True if a client's connection arrives here as it is: through an NLB.
    """

    service: Manifest
    port: int | str
    has_tls: bool
    how: str
    by_alb: bool = False
    proxy_protocol: bool = False
    is_clients: bool = False


@dataclass(frozen=True, slots=True)
class PodsOfMove:
    """The kinds of pods of a move.

    Attributes:
        targets: each kind; those behind the old claimant first.
        by_alb: the names of kinds that get TLS from an ALB, which sends no server name.
        behind: the name of the first kind behind a Service, by its key.
        guessed: sentences about what no manifest says.
    """

    targets: tuple[Targets, ...]
    by_alb: tuple[str, ...] = ()
    behind: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()

    def of(self, service: Manifest) -> Targets:
        """The first kind of pods behind a Service."""
        return next(one for one in self.targets if one.name == self.behind[service.key])


@dataclass(slots=True)
class _Kind:
    name: str
    namespace: str
    labels: dict[str, str]
    numbers: Mapping[str, int]
    is_known: bool
    tls: dict[int, Reached] = field(default_factory=dict)
    plain: dict[int, Reached] = field(default_factory=dict)
    named: dict[str, int] = field(default_factory=dict)
    proxy_protocol: bool = False
    by_alb: bool = False
    plain_age: bool = False

    def add(self, one: Reached, guessed: list[str]) -> None:
        number = one.port
        if isinstance(number, str):
            unknown = UNKNOWN_TLS if one.has_tls else UNKNOWN_PLAIN
            if number not in self.numbers and number not in self.named:
                guessed.append(
                    f"no workload among the manifests has the port {number} that {one.service.title} leads "
                    f"to: {unknown} is assumed"
                )
            number = self.named.setdefault(number, self.numbers.get(number, unknown))
        own, other = (self.tls, self.plain) if one.has_tls else (self.plain, self.tls)
        if clash := other.get(number):
            with_tls, without = (one, clash) if one.has_tls else (clash, one)
            raise BadInput(
                f"{with_tls.how} passes TLS to target port {number} of the pods of {with_tls.service.title}, "
                f"but {without.how} forwards to it without TLS",
                where=without.service.where,
                do="point the Service behind the Ingress to the pods' plain port, or set backend-protocol: "
                "HTTPS",
            )
        own.setdefault(number, one)
        self.proxy_protocol |= one.proxy_protocol
        self.by_alb |= one.by_alb
        self.plain_age |= one.is_clients and not one.has_tls

    def targets(self, names: tuple[str, ...]) -> Targets:
        return Targets(
            labels=self.labels,
            namespace=self.namespace,
            tls_ports=tuple(self.tls) or (_free(UNKNOWN_TLS, self.plain),),
            plain_ports=tuple(self.plain) or (_free(UNKNOWN_PLAIN, self.tls),),
            port_names=self.named,
            proxy_protocol=self.proxy_protocol,
            name=self.name,
            server_names=names,
            plain_age=self.plain_age,
        )


def pods_of_move(reading: Reading, reached: Sequence[Reached]) -> PodsOfMove:
    """Return the pods that the balancers of a move reach.

    Raises:
        BadInput: a port gets TLS from one balancer and none from the other, a Service has no selector, or
            there are too many kinds.
    """
    workloads = list(_workloads(reading))
    kinds: dict[object, _Kind] = {}
    behind: dict[tuple[str, str, str], _Kind] = {}
    guessed: list[str] = []
    for one in reached:
        for kind in _kinds(one.service, workloads, kinds):
            kind.add(one, guessed)
            behind.setdefault(one.service.key, kind)
    if len(kinds) > MOST_TARGETS:
        raise BadInput(
            f"the Services of this move select {len(kinds)} kinds of pods, and the testbed plays "
            f"{MOST_TARGETS}",
            do="keep only the paths of a few in a copy of the Ingress",
        )
    found = list(kinds.values())
    _name_apart(found)
    return PodsOfMove(
        tuple(kind.targets(_server_names(reading, kind)) for kind in found),
        tuple(kind.name for kind in found if kind.by_alb),
        {key: kind.name for key, kind in behind.items()},
        tuple(dict.fromkeys(guessed)),
    )


def _kinds(service: Manifest, workloads: Sequence[_Kind], kinds: dict[object, _Kind]) -> list[_Kind]:
    """The kinds of pods that a Service selects; they are added to `kinds`."""
    selector = dict(object_fields.spec(service.object).get("selector") or {})
    namespace = service.key[1]
    if not selector:
        raise BadInput(
            f"{service.title} has no selector, so no manifest says which pods are behind it",
            where=service.where,
            do="give it the selector of the pods in a copy of the manifest",
        )
    selected = [one for one in workloads if _selects(selector, namespace, one)]
    for one in selected:
        kinds.setdefault(id(one), one)
    if selected:
        return selected
    for one in kinds.values():
        if not one.is_known and one.namespace == namespace and _are_shared(selector, one.labels):
            one.labels |= selector
            return [one]
    made = kinds[service.key] = _Kind(service.key[2], namespace, selector, {}, is_known=False)
    return [made]


def _selects(selector: Mapping[str, str], namespace: str, workload: _Kind) -> bool:
    return namespace == workload.namespace and selector.items() <= workload.labels.items()


def _are_shared(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """True if one pod has the labels of both, and one of them is common."""
    common = selector.keys() & labels.keys()
    return bool(common) and all(selector[key] == labels[key] for key in common)


def _workloads(reading: Reading) -> Iterator[_Kind]:
    """The pods of Deployments and other workloads, of other groups too (an Argo Rollout, say)."""
    for manifest in (*reading.manifests, *reading.custom):
        template = object_fields.spec(manifest.object).get("template")
        if not isinstance(template, Mapping):
            continue
        labels, spec = (template.get("metadata") or {}).get("labels"), template.get("spec")
        if not isinstance(labels, Mapping) or not isinstance(spec, Mapping):
            continue
        ports = (port for one in spec.get("containers") or () for port in one.get("ports") or ())
        yield _Kind(
            manifest.object["metadata"]["name"],
            manifest.object["metadata"].get("namespace") or "default",
            {str(key): str(value) for key, value in labels.items()},
            {str(one["name"]): int(one["containerPort"]) for one in ports if one.get("name")},
            is_known=True,
        )


def _name_apart(kinds: Iterable[_Kind]) -> None:
    """Give each kind a name of its own; pods `backend-0` are the testbed's."""
    taken = {"backend"}
    for one in kinds:
        name = one.name if one.name not in taken else f"{one.name}-{one.namespace}"
        while name in taken:
            name += "-x"
        one.name = name
        taken.add(name)


def _free(number: int, taken: Mapping[int, Any]) -> int:
    while number in taken:
        number += 1
    return number


def _server_names(reading: Reading, kind: _Kind) -> tuple[str, ...]:
    """The hosts of a Gateway for these pods: Envoy Gateway and Istio choose the filter chain by them.

    A Gateway of the Gateway API does not say which pods it has; it counts for those of its namespace.
    """
    names: dict[str, None] = {}
    for manifest in (*reading.manifests, *reading.custom):
        group, spec = manifest.object["apiVersion"].partition("/")[0], object_fields.spec(manifest.object)
        if manifest.object["kind"] != "Gateway":
            continue
        if group == "networking.istio.io" and _is_of(spec.get("selector"), kind):
            servers = [one for one in spec.get("servers") or () if one.get("tls")]
            names |= {
                str(host).rpartition("/")[2]: None for one in servers for host in one.get("hosts") or ()
            }
        elif group == "gateway.networking.k8s.io" and _namespace(manifest) == kind.namespace:
            listeners = [
                one for one in spec.get("listeners") or () if one.get("protocol") in ("HTTPS", "TLS")
            ]
            names |= {str(one.get("hostname") or "*"): None for one in listeners}
    return () if "*" in names else tuple(names)


def _is_of(selector: Any, kind: _Kind) -> bool:
    return isinstance(selector, Mapping) and bool(selector) and selector.items() <= kind.labels.items()


def _namespace(manifest: Manifest) -> str:
    return manifest.object["metadata"].get("namespace") or "default"
