from __future__ import annotations

from dataclasses import replace
from typing import Any

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.core.stack import Listener
from testbed.lb_controller.deploy.deploy_session import Session
from testbed.lb_controller.deploy.listener_deployer import ListenerDeployment
from tests.lb_controller.deploy.deployed_stacks import (
    NOT_FOUND,
    answer,
    arn_of_balancer,
    deployer,
    every,
    expected,
    forward,
    read_back,
    rule,
    stack,
)


def test_a_changed_listener_port_is_deleted_first_and_then_made(aws: Any) -> None:
    deployer(aws).deploy(stack(aws))
    aws.calls.clear()
    listeners = (Listener(port=81, protocol="HTTP", default_actions=(NOT_FOUND,)),)
    wanted = stack(aws, listeners=listeners, rules=(rule(1, "/a", forward("a"), 81),))
    deployer(aws).deploy(wanted)
    assert aws.mutating()[:2] == ["DeleteListener", "CreateListener"]
    assert read_back(aws) == expected(wanted)


def test_a_rule_put_in_front_moves_the_others_and_rewrites_none(aws: Any) -> None:
    deployer(aws).deploy(stack(aws))
    aws.calls.clear()
    rules = (rule(1, "/new", forward("b")), rule(2, "/a", forward("a")), rule(3, "/b", forward("b")))
    wanted = stack(aws, rules=rules)
    deployer(aws).deploy(wanted)
    assert [one for one in aws.mutating() if "Tags" not in one] == ["SetRulePriorities", "CreateRule"]
    assert read_back(aws) == expected(wanted)


def test_v2_1_rewrites_all_rules_behind_one_put_in_front(aws: Any) -> None:
    deployer(aws, LB_CONTROLLER_RELEASES.oldest).deploy(stack(aws))
    aws.calls.clear()
    rules = (rule(1, "/new", forward("b")), rule(2, "/a", forward("a")), rule(3, "/b", forward("b")))
    wanted = stack(aws, rules=rules)
    deployer(aws, LB_CONTROLLER_RELEASES.oldest).deploy(wanted)
    assert aws.mutating() == ["CreateRule", "ModifyRule", "ModifyRule"]
    assert read_back(aws) == expected(wanted)


def test_certificates_beyond_the_first_come_and_go_one_by_one(aws: Any) -> None:
    first, second, third = (aws.certificate(f"{name}.example.com") for name in "abc")

    def described(*certificates: str) -> list[str]:
        listener = Listener(
            port=443, protocol="HTTPS", default_actions=(NOT_FOUND,), certificates=certificates
        )
        wanted = stack(aws, listeners=(listener,), rules=())
        aws.calls.clear()
        deployer(aws).deploy(wanted)
        shape = aws.elbv2.describe_listeners(LoadBalancerArn=arn_of_balancer(aws))["Listeners"][0]
        found = aws.elbv2.describe_listener_certificates(ListenerArn=shape["ListenerArn"])["Certificates"]
        # Since v3.3 the default certificate is one of those that SNI chooses from, and so is described twice.
        assert [one["IsDefault"] for one in found].count(True) == 1
        return list(dict.fromkeys(one["CertificateArn"] for one in found))

    assert described(first, second) == [first, second]
    assert described(first, second, third) == [first, second, third]
    assert aws.mutating() == ["AddListenerCertificates"]
    assert described(first, third) == [first, third]
    assert aws.mutating() == ["RemoveListenerCertificates"]
    assert described(second, third) == [second, third]
    assert aws.mutating()[0] == "ModifyListener"


def test_a_full_listener_gives_up_an_old_rule_for_each_new_one(aws: Any) -> None:
    deployer(aws).deploy(stack(aws))
    standing = 2

    def refuse_third(operation: str, params: Any) -> Any:
        nonlocal standing
        if operation == "CreateRule" and standing == 2:
            return answer("TooManyRules", "too many rules")
        standing += {"CreateRule": 1, "DeleteRule": -1}.get(operation, 0)
        return None

    aws.refuse = refuse_third
    wanted = stack(aws, rules=(rule(11, "/x", forward("a")), rule(12, "/y", forward("b"))))
    deployer(aws).deploy(wanted)
    assert read_back(aws) == expected(wanted)


def test_the_described_listeners_alone_decide_what_is_created(aws: Any) -> None:
    wanted = stack(aws)
    deployer(aws).deploy(wanted)
    aws.calls.clear()
    options = ControllerOptions(vpc_id=aws.vpc_id)
    session = Session(aws.elbv2, options, replace(wanted, rules=()), lambda level, line: None)
    described = every(aws.elbv2.describe_listeners, LoadBalancerArn=arn_of_balancer(aws))
    aws.calls.clear()

    ListenerDeployment(session).deploy(arn_of_balancer(aws), described)

    assert aws.mutating() == ["DeleteRule", "DeleteRule"]
