"""`ProvisioningStuck` as it strikes ELBv2, and as it is undone."""

from __future__ import annotations

from testbed.faults.provisioning_stuck import ProvisioningStuck
from tests.aws.conftest import Account


def test_a_balancer_that_is_made_meanwhile_is_active_only_once_it_ends(account: Account) -> None:
    def state(arn: str) -> str:
        found = account.clients.elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        return str(found[0]["State"]["Code"])

    with account.endpoint.strike(ProvisioningStuck()):
        arn = account.balancer()["LoadBalancerArn"]
        assert state(arn) == "provisioning"
    assert state(arn) == "active"
