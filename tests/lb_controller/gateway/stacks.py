"""Builds the stack of the only Gateway among some objects."""

from __future__ import annotations

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.build_inputs import ClusterState, ControllerOptions
from testbed.lb_controller.core.stack import Stack
from testbed.lb_controller.gateway import gateway_stack
from testbed.lb_controller.gateway.gateway_objects import GatewayObjects
from testbed.lb_controller.offline.vpc import Vpc
from tests.lb_controller.gateway.examples import Json

OPTIONS = ControllerOptions(release=LB_CONTROLLER_RELEASES.newest)


def built(*objects: Json, unaccepted: frozenset[str] = frozenset()) -> Stack:
    vpc, found = Vpc(), GatewayObjects.of(objects)
    services = {("shop", one["metadata"]["name"]): one for one in objects if one["kind"] == "Service"}
    cluster = ClusterState(services=services, subnets=vpc.subnets, vpc_cidrs=vpc.cidrs)
    (gateway,) = found.gateways
    return gateway_stack.build(gateway, found, cluster, OPTIONS, unaccepted=unaccepted)


def rules(stack: Stack) -> list[str]:
    """Each rule as `conditions -> action`."""
    lines = []
    for rule in stack.rules:
        conditions = [
            ",".join((*one.values, *one.regex_values, *(f"{pair.key}={pair.value}" for pair in one.query)))
            for one in rule.conditions
        ]
        (action,) = rule.actions
        what = action.type
        if action.forward:
            what = " ".join(
                f"{one.target_group.id.split(':')[-2].rpartition('-')[2]}*{one.weight}"
                for one in action.forward.target_groups
            )
        elif action.fixed_response:
            what = action.fixed_response.status_code
        lines.append(f"{' '.join(conditions)} -> {what}")
    return lines
