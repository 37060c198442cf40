"""Weighted target groups of an NLB: the annotation `actions.<PROTOCOL>-<port>` of a Service.

```
service.beta.kubernetes.io/actions.TCP-443: |
  {"type": "forward", "forwardConfig": {"baseServiceWeight": 90, "targetGroups": [
    {"serviceName": "new-edge", "servicePort": 443, "weight": 10}]}}
```

The protocol is the listener's, so `TLS` where the NLB ends TLS. The other Services are targets with the
settings of the annotated one: its annotations count, theirs do not. Recorded with v3.5.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core import forward_actions, go_json, service_ports
from testbed.lb_controller.core.annotations import of_service
from testbed.lb_controller.core.build_inputs import BuildError, ClusterState, KubernetesObject
from testbed.lb_controller.core.forward_actions import FORWARD_SHAPE, BackendForward, BackendTarget
from testbed.lb_controller.core.stack import (
    Forward,
    Kind,
    Ref,
    Reference,
    TargetGroup,
    TargetGroupBinding,
    WeightedTargetGroup,
)
from testbed.lb_controller.service import nlb_target_groups
from testbed.lb_controller.service.nlb_target_access import Balancer

Port = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ListenerTargets:
    """Builds the target groups of one NLB, each once.

    Attributes:
        service: the Service whose NLB it is.
        cluster: has the other Services that its annotations name.
        balancer: the settings that all groups share.
        groups: what was built, by resource id.
        bindings: the bindings of these groups, by the same ids.
    """

    service: KubernetesObject
    cluster: ClusterState
    balancer: Balancer
    groups: dict[str, TargetGroup] = field(default_factory=dict)
    bindings: dict[str, TargetGroupBinding] = field(default_factory=dict)

    def forward(self, port: Port, listener_protocol: str, protocol: str) -> Forward:
        """The forward of the listener of a port, to target groups of a protocol.

        Raises:
            BuildError: an annotation is invalid, or a port cannot be a target.
        """
        chosen = forward_of(self.service, listener_protocol, port["port"])
        if chosen is None:
            return Forward(target_groups=(WeightedTargetGroup(target_group=self._own(port, protocol)),))
        has_services = any(target.service for target in chosen.targets)
        shares = []
        if has_services or chosen.base_weight is not None:
            own = self._own(port, protocol)
            shares.append(WeightedTargetGroup(target_group=own, weight=chosen.base_weight))
        for target in chosen.targets:
            other = self._other(target, protocol)
            shares.append(WeightedTargetGroup(target_group=other, weight=target.weight))
        return Forward(target_groups=tuple(shares), stickiness=chosen.stickiness)

    def _own(self, port: Port, protocol: str) -> Reference:
        return self._added(*nlb_target_groups.build(self.service, port, protocol, self.balancer))

    def _other(self, target: BackendTarget, protocol: str) -> Reference:
        existing = forward_actions.existing_target_group(target, self.cluster)
        if existing is not None:
            return existing
        other = other_service(self.service, target, self.cluster)
        port = service_ports.service_port(other, target.port or 0)
        built = nlb_target_groups.build(other, port, protocol, self.balancer, base=self.service)
        return self._added(*built)

    def _added(self, group: TargetGroup, binding: TargetGroupBinding) -> Reference:
        self.groups.setdefault(group.id, group)
        self.bindings.setdefault(binding.id, binding)
        return Ref(Kind.TARGET_GROUP, group.id)


def forward_of(service: KubernetesObject, protocol: str, port: int) -> BackendForward | None:
    """The forward of a listener; None if the Service has no annotation for it.

    Raises:
        BuildError: it is not a forward, or it names no targets.
    """
    entry = go_json.read(of_service(service).json(f"actions.{protocol}-{port}"), FORWARD_SHAPE)
    if entry is None:
        return None
    if entry.get("type") != "forward":
        raise BuildError(f"unknown action type: {entry.get('type') or ''}")
    return forward_actions.parse(entry)


def other_service(base: KubernetesObject, target: BackendTarget, cluster: ClusterState) -> KubernetesObject:
    """The Service of a target with the annotations of the Service whose balancer it is behind.

    Raises:
        BuildError: it does not exist.
    """
    found = cluster.services.get((object_fields.namespace(base), target.service or ""))
    if found is None:
        raise BuildError(f'services "{target.service}" not found')
    annotations = dict(object_fields.annotations_of(base))
    return {**found, "metadata": {**object_fields.metadata(found), "annotations": annotations}}
