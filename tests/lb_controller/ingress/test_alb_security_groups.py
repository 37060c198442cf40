from __future__ import annotations

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions
from testbed.lb_controller.core.frontend import DUALSTACK, IPV4
from testbed.lb_controller.core.stack import MANAGED_SECURITY_GROUP_ID, Kind, Ref
from testbed.lb_controller.ingress.alb_security_groups import manages_backend_rules, security_groups_of
from testbed.lb_controller.ingress.listen_ports import ListenPort
from tests.lb_controller.examples import cluster, group, ingress

OWN = Ref(Kind.SECURITY_GROUP, MANAGED_SECURITY_GROUP_ID)
PORTS = {443: ListenPort(protocol="HTTPS", inbound_cidrs=("10.0.0.0/8",), inbound_cidrs_ipv6=("fd00::/8",))}
NAMED = cluster(security_groups={"web": "sg-2"})


def test_an_alb_without_named_groups_gets_one_with_its_ports_and_ranges() -> None:
    attached, managed, backend = security_groups_of(
        group(ingress("a")), PORTS, IPV4, NAMED, ControllerOptions()
    )

    assert attached == (OWN, "sg-backend")
    assert backend == "sg-backend"
    assert managed
    assert [(one.from_port, one.to_port, one.cidr) for one in managed.ingress] == [(443, 443, "10.0.0.0/8")]


def test_ipv6_ranges_are_admitted_by_a_dualstack_alb_only() -> None:
    _, managed, _ = security_groups_of(group(ingress("a")), PORTS, DUALSTACK, NAMED, ControllerOptions())

    assert managed
    assert [one.cidr or one.cidr_ipv6 for one in managed.ingress] == ["10.0.0.0/8", "fd00::/8"]


def test_v2_1_has_no_backend_group_so_targets_admit_the_group_of_the_alb() -> None:
    options = ControllerOptions(release=LB_CONTROLLER_RELEASES.oldest)

    attached, _, backend = security_groups_of(group(ingress("a")), PORTS, IPV4, NAMED, options)

    assert (attached, backend) == ((OWN,), OWN)


@pytest.mark.parametrize(
    ("manages", "attached"), [("false", ("sg-1", "sg-2")), ("true", ("sg-1", "sg-2", "sg-backend"))]
)
def test_named_groups_leave_the_rules_of_targets_alone_unless_an_annotation_says_otherwise(
    manages: str, attached: tuple[str, ...]
) -> None:
    item = ingress("a", security_groups="web,sg-1", manage_backend_security_group_rules=manages)

    found, managed, _ = security_groups_of(group(item), PORTS, IPV4, NAMED, ControllerOptions())

    assert (found, managed) == (attached, None)


def test_members_that_name_different_groups_fail_the_group() -> None:
    items = ingress("a", security_groups="sg-1"), ingress("b", security_groups="sg-2")

    with pytest.raises(BuildError, match=r"conflicting securityGroups: \[sg-1\] \| \[sg-2\]"):
        security_groups_of(group(*items), PORTS, IPV4, NAMED, ControllerOptions())


def test_members_that_disagree_on_the_rules_of_targets_fail_the_group() -> None:
    items = (
        ingress("a", manage_backend_security_group_rules="true"),
        ingress("b", manage_backend_security_group_rules="false"),
    )

    with pytest.raises(BuildError, match="conflicting manage backend security group rules settings"):
        manages_backend_rules(group(*items).members, ControllerOptions())
