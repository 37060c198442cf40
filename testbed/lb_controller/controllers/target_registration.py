"""The targets of a target group: pod IPs or node instances, registered as they come and go.

```
TargetGroupBinding ─ ip ───────► Endpoints of the Service ─► <pod IP>:<endpoint port>
                   └ instance ─► ready Nodes ──────────────► <instance id>:<nodePort>
```

Source: pkg/targetgroupbinding and pkg/backend of the AWS Load Balancer Controller; for instances of the cloud
provider `getNodeConditionPredicate` of the Kubernetes service controller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from testbed.kubernetes import object_fields
from testbed.kubernetes.label_selectors import selects
from testbed.lb_controller.controllers import readiness_gates
from testbed.lb_controller.core.build_inputs import KubernetesObject
from testbed.lb_controller.core.stack import TargetGroupBinding

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

_EXCLUDE_LABELS = (
    "node.kubernetes.io/exclude-from-external-load-balancers",
    "alpha.service-controller.kubernetes.io/exclude-balancer",
)
_LEAVING_TAINT = "ToBeDeletedByClusterAutoscaler"
_PER_CALL = 200
"""The most targets in one RegisterTargets call, as in the controller."""


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A target as ELBv2 knows it: an IP address or an instance id, and the port."""

    id: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetObjects:
    """The Kubernetes objects that targets depend on; `service` and `endpoints` are None if missing."""

    service: KubernetesObject | None
    endpoints: KubernetesObject | None
    nodes: tuple[KubernetesObject, ...] = ()
    pods: Mapping[str, KubernetesObject] | None = None
    """Pods of the namespace by name, for readiness gates."""


def targets_of(binding: TargetGroupBinding, known: TargetObjects) -> frozenset[Target]:
    """The targets of a binding; none if its Service or port is missing."""
    port = service_port(binding, known.service)
    if port is None:
        return frozenset()
    if binding.target_type == "instance":
        return _instances(binding, port, known.nodes)
    return _addresses(binding, port, known)


def instance_id(node: KubernetesObject) -> str | None:
    """`i-0abc` of `aws:///ap-northeast-1a/i-0abc`, or None if the node is not an EC2 instance."""
    last = str(object_fields.spec(node).get("providerID") or "").rpartition("/")[2]
    return last if last.startswith("i-") else None


def service_port(binding: TargetGroupBinding, service: KubernetesObject | None) -> Mapping[str, Any] | None:
    """The Service port by number or name (`k8s.LookupServicePort`); None if it does not exist."""
    wanted = binding.service_port
    for port in object_fields.spec(service).get("ports") or ():
        if port["port"] == wanted or (isinstance(wanted, str) and port.get("name") == wanted):
            return dict(port)
    return None


def _instances(
    binding: TargetGroupBinding, port: Mapping[str, Any], nodes: Iterable[KubernetesObject]
) -> frozenset[Target]:
    node_port = port.get("nodePort")
    if not node_port:
        return frozenset()
    selector = binding.node_selector or {}
    ids = (
        instance_id(node)
        for node in nodes
        if _takes_traffic(node) and selects(selector, object_fields.labels_of(node))
    )
    return frozenset(Target(one, int(node_port)) for one in ids if one)


def _takes_traffic(node: KubernetesObject) -> bool:
    """True if a node gets traffic.

    A node without status, written by hand, counts as ready; a real one always reports its condition.
    """
    if any(label in object_fields.labels_of(node) for label in _EXCLUDE_LABELS):
        return False
    if any(taint.get("key") == _LEAVING_TAINT for taint in object_fields.spec(node).get("taints") or ()):
        return False
    conditions = (node.get("status") or {}).get("conditions") or ()
    return all(one["status"] == "True" for one in conditions if one["type"] == "Ready")


def _addresses(
    binding: TargetGroupBinding, port: Mapping[str, Any], known: TargetObjects
) -> frozenset[Target]:
    """The ready endpoints, and those that only the readiness gate of this binding keeps from being ready."""
    found: set[Target] = set()
    for subset in (known.endpoints or {}).get("subsets") or ():
        ports = [
            one["port"] for one in subset.get("ports") or () if one.get("name", "") == port.get("name", "")
        ]
        waiting = [
            address
            for address in subset.get("notReadyAddresses") or ()
            if readiness_gates.waits_for_gate(
                _pod_of(address, known), readiness_gates.condition_type(binding.name)
            )
        ]
        addresses = [*(subset.get("addresses") or ()), *waiting]
        found.update(Target(address["ip"], int(number)) for address in addresses for number in ports)
    return frozenset(found)


def _pod_of(address: Mapping[str, Any], known: TargetObjects) -> KubernetesObject | None:
    reference = address.get("targetRef") or {}
    return (known.pods or {}).get(str(reference.get("name"))) if reference.get("kind") == "Pod" else None


class Registrar:
    """Makes the registered targets of target groups equal to those of the bindings."""

    def __init__(self, elbv2: ElasticLoadBalancingv2Client) -> None:
        self._elbv2 = elbv2

    def register(self, target_group: str, wanted: frozenset[Target]) -> Mapping[Target, Mapping[str, Any]]:
        """Deregister old targets, then register new ones, in the order of the controller.

        Returns:
            The described health of those targets that were registered before.

        Raises:
            ClientError: AWS refused a call.
        """
        health = {
            Target(one["Target"]["Id"], int(one["Target"]["Port"])): one["TargetHealth"]
            for one in self._elbv2.describe_target_health(TargetGroupArn=target_group)[
                "TargetHealthDescriptions"
            ]
        }
        # A draining target does not count: one that comes back must be registered again, or it stays away.
        standing = {target for target, state in health.items() if state["State"] != "draining"}
        for chunk in _chunks(standing - wanted):
            self._elbv2.deregister_targets(TargetGroupArn=target_group, Targets=chunk)
        for chunk in _chunks(wanted - standing):
            self._elbv2.register_targets(TargetGroupArn=target_group, Targets=chunk)
        return {target: state for target, state in health.items() if target in wanted & standing}


def _chunks(targets: Iterable[Target]) -> Iterable[list[Any]]:
    ordered = [{"Id": one.id, "Port": one.port} for one in sorted(targets)]
    return (ordered[start : start + _PER_CALL] for start in range(0, len(ordered), _PER_CALL))
