from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from testbed.lb_controller.core.build_inputs import Subnet
from testbed.network import lease
from testbed.settings import REGION

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client


@dataclass
class Aws:
    """A moto server of the test session, empty at the start of each test."""

    elbv2: ElasticLoadBalancingv2Client
    vpc_id: str
    subnets: tuple[Subnet, ...]
    calls: list[str] = field(default_factory=list)
    refuse: Callable[[str, Any], Any] | None = None
    acm: Any = None

    def certificate(self, name: str) -> str:
        """The ARN of a certificate of ACM for a name."""
        return str(self.acm.request_certificate(DomainName=name)["CertificateArn"])

    def mutating(self) -> list[str]:
        """The calls so far that change something."""
        return [one for one in self.calls if not one.startswith("Describe")]


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    from moto.elbv2.models import ELBv2Backend
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    ELBv2Backend.set_rule_priorities = _set_rule_priorities
    with lease() as network:
        server = ThreadedMotoServer(ip_address=network.control, port=4567, verbose=False)
        server.start()
        yield f"http://{network.control}:4567"
        server.stop()


@pytest.fixture(scope="session")
def aws_of_session(moto_url: str) -> Aws:
    session = boto3.Session("test", "test", region_name=REGION)
    found = session.client("ec2", endpoint_url=moto_url).describe_subnets()["Subnets"]
    elbv2 = session.client("elbv2", endpoint_url=moto_url)
    subnets = tuple(Subnet(id=one["SubnetId"], availability_zone=one["AvailabilityZone"]) for one in found)
    acm = session.client("acm", endpoint_url=moto_url)
    aws = Aws(elbv2, found[0]["VpcId"], subnets[:2], acm=acm)
    elbv2.meta.events.register("before-call.elastic-load-balancing-v2.*", _record(aws))
    return aws


@pytest.fixture
def aws(aws_of_session: Aws) -> Iterator[Aws]:
    aws_of_session.calls.clear()
    yield aws_of_session
    aws_of_session.refuse = None
    empty(aws_of_session)


def empty(aws: Aws) -> None:
    for balancer in aws.elbv2.describe_load_balancers()["LoadBalancers"]:
        aws.elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    for group in aws.elbv2.describe_target_groups()["TargetGroups"]:
        aws.elbv2.delete_target_group(TargetGroupArn=group["TargetGroupArn"])


def _record(aws: Aws) -> Callable[..., Any]:
    def record(model: Any, params: Any, **_: Any) -> Any:
        aws.calls.append(model.name)
        return aws.refuse(model.name, params) if aws.refuse else None

    return record


def _set_rule_priorities(backend: Any, rule_priorities: list[dict[str, Any]]) -> list[Any]:
    """As AWS does it: all at once, so that rules may trade places. moto looks at them one by one."""
    wanted = {one["RuleArn"]: one["Priority"] for one in rule_priorities}
    rules = backend.describe_rules(listener_arn=None, rule_arns=list(wanted))
    listener = backend.describe_listeners(None, [rules[0].listener_arn])[0]
    taken = [rule.priority for rule in listener.rules.values() if rule.arn not in wanted]
    assert not set(taken) & set(wanted.values()), "PriorityInUse"
    assert len(set(wanted.values())) == len(wanted), "DuplicatePriority"
    for rule in rules:
        rule.priority = wanted[rule.arn]
    return list(rules)
