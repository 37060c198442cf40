from __future__ import annotations

from collections.abc import Iterator

import pytest

from testbed.aws.in_process import InProcessAws
from testbed.lb_controller.deploy.backend_security_group import BackendSecurityGroup, group_name


@pytest.fixture
def aws() -> Iterator[InProcessAws]:
    with InProcessAws() as made:
        yield made


def shared(aws: InProcessAws) -> BackendSecurityGroup:
    vpc = aws.clients.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    return BackendSecurityGroup(aws.clients.ec2, "testbed", vpc)


def test_it_is_made_once_with_the_name_of_the_cluster_and_found_again(aws: InProcessAws) -> None:
    first = shared(aws)
    made = first.get(["Ingress default/a"], {"team": "web"})
    assert first.get(["Service default/b"], {}) == made
    assert shared(aws).get(["Ingress default/a"], {}) == made
    (created,) = aws.writes
    assert created.parameters["GroupName"] == group_name("testbed") == "k8s-traffic-testbed-34da104963"
    assert created.parameters["TagSpecification.1.Tag.1.Key"] == "team"


def test_it_goes_with_the_last_object_that_needs_it(aws: InProcessAws) -> None:
    group = shared(aws)
    group.get(["Ingress default/a", "Service default/b"], {})
    group.release(["Ingress default/a"], [])
    assert group.id
    group.release(["Service default/b"], ["Ingress default/c"])  # c has a finalizer and never asked
    assert group.id
    group.release(["Service default/b"], [])
    assert group.id is None
    assert aws.writes[-1].action == "DeleteSecurityGroup"


def test_an_object_that_leaves_one_balancer_for_another_takes_it_from_both(aws: InProcessAws) -> None:
    group = shared(aws)
    group.get(["Ingress default/a"], {})  # of the group that it leaves
    group.get(["Ingress default/a"], {})  # of the group that it joins
    group.release(["Ingress default/a"], ["Ingress default/a"])
    assert aws.writes[-1].action == "DeleteSecurityGroup"
