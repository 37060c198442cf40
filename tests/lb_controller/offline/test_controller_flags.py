"""The controller's flags in its Deployment."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.errors import BadInput
from testbed.kubernetes.manifests import parse
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.offline import stack_plan
from testbed.lb_controller.offline.controller_flags import ControllerFlags, flags_of
from testbed.lb_controller.offline.deployment import lb_controller, options_of
from tests.lb_controller.offline.manifests_of_groups import parsed
from tests.lb_controller.offline.test_deployment import DEPLOYMENT

IMAGE = "public.ecr.aws/eks/aws-load-balancer-controller:v2.8.3"
RELEASE = LB_CONTROLLER_RELEASES["v2.8.3"]


def deployment(*arguments: str) -> str:
    return DEPLOYMENT.format(image=IMAGE) + "".join(
        f"{'          args:' + chr(10) if number == 0 else ''}            - {argument}\n"
        for number, argument in enumerate(arguments)
    )


def read(*arguments: str) -> ControllerFlags:
    deployed = lb_controller(parse(deployment(*arguments), Path("lbc.yaml")))
    assert deployed
    return flags_of(deployed.container, RELEASE)


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        (["--default-target-type=ip"], "default_target_type", "ip"),
        (["--default-load-balancer-scheme=internet-facing"], "default_scheme", "internet-facing"),
        (["--default-ssl-policy=ELBSecurityPolicy-TLS13-1-2-2021-06"], "default_ssl_policy",
         "ELBSecurityPolicy-TLS13-1-2-2021-06"),
        (["--default-tags=team=a,env=b"], "default_tags", {"team": "a", "env": "b"}),
        (["--external-managed-tags=a,b"], "external_managed_tags", frozenset("ab")),
        (["--ingress-class", "public"], "ingress_class", "public"),
        (["--cluster-name=blue"], "cluster_name", "blue"),
        (["--feature-gates=NLBSecurityGroup=false,ALBSingleSubnet=true"], "feature_gates",
         {"NLBSecurityGroup": False, "ALBSingleSubnet": True}),
        (["--enable-backend-security-group=false"], "enable_backend_security_group", False),
        (["--disable-restricted-sg-rules"], "disable_restricted_security_group_rules", True),
        (["--leader-elect", "--load-balancer-class=own/nlb"], "load_balancer_class", "own/nlb"),
    ],
)  # fmt: skip
def test_a_flag_is_an_option_of_the_controller(arguments: list[str], field: str, value: object) -> None:
    assert getattr(read(*arguments).options(RELEASE), field) == value


def test_what_no_flag_sets_has_the_controllers_default() -> None:
    assert read().options(RELEASE) == flags_of(None, RELEASE).options(RELEASE)
    assert read().options(RELEASE) == ControllerOptions(release=RELEASE)


@pytest.mark.parametrize(
    "argument",
    [
        "--default-target-type=pod",
        "--default-load-balancer-scheme=public",
        "--enable-backend-security-group=perhaps",
        "--default-tags=team",
        "--feature-gates=NLBSecurityGroup=maybe",
    ],
)
def test_a_value_that_ends_the_controller_is_refused_with_its_line(argument: str) -> None:
    with pytest.raises(BadInput) as refused:
        read("--cluster-name=blue", argument)
    assert str(refused.value.where) == "lbc.yaml:12"
    assert argument in str(refused.value)


def test_gates_that_the_release_does_not_know_are_named() -> None:
    assert read("--feature-gates=NLBSecurityGroup=true,GatewayListenerSet=true").unknown_gates == (
        "GatewayListenerSet",
    )


def test_the_plan_obeys_the_flags_of_the_deployment() -> None:
    item = """\
apiVersion: v1
kind: Service
metadata: {name: front, annotations: {service.beta.kubernetes.io/aws-load-balancer-type: external}}
spec: {type: LoadBalancer, loadBalancerClass: service.k8s.aws/nlb, ports: [{port: 80}]}
"""
    found = parsed(item, "---\n", deployment("--default-load-balancer-scheme=internet-facing"))
    (planned,) = stack_plan.plan(found, options_of(found, RELEASE)).stacks
    assert planned.stack
    assert planned.stack.load_balancer
    assert planned.stack.load_balancer.scheme == "internet-facing"
