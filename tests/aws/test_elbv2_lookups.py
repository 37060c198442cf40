"""What the refusals of ELBv2 are decided by, read from moto."""

from __future__ import annotations

from testbed.aws.elbv2_lookups import Elbv2Lookups
from testbed.aws.upstream import Upstream
from tests.aws.conftest import Account


async def test_balancers_groups_and_rules_are_read_as_they_are(account: Account, moto: str) -> None:
    balancer = account.balancer("network")["LoadBalancerArn"]
    group = account.group(None, "TCP")
    listener = account.listener(
        balancer, "TCP", 80, DefaultActions=[{"Type": "forward", "TargetGroupArn": group}]
    )
    upstream = Upstream(moto)
    try:
        lookups = Elbv2Lookups(upstream)
        found = await lookups.group(group)
        assert found is not None
        assert (found.protocol, found.target_type, found.balancers) == ("TCP", "ip", (balancer,))
        assert (await lookups.listener(listener)).load_balancer == balancer
        assert [one.arn for one in await lookups.listeners_of(balancer)] == [listener]
        assert len(await lookups.zones(balancer) or ()) == 2
        assert await lookups.rule_count(balancer) == 0
        (default,) = account.clients.elbv2.describe_rules(ListenerArn=listener)["Rules"]
        assert await lookups.is_default(default["RuleArn"]) is True
    finally:
        await upstream.close()


async def test_what_is_not_there_is_none(account: Account, moto: str) -> None:
    gone = account.balancer()["LoadBalancerArn"]
    account.clients.elbv2.delete_load_balancer(LoadBalancerArn=gone)
    upstream = Upstream(moto)
    try:
        lookups = Elbv2Lookups(upstream)
        assert await lookups.zones(gone) is None
        assert await lookups.group(gone.replace("loadbalancer/app", "targetgroup")) is None
        assert await lookups.is_default(gone.replace("loadbalancer", "listener-rule") + "/1/2") is None
        assert await lookups.balancer_named("nobody") is None
        assert await lookups.attributes(gone) == {}
    finally:
        await upstream.close()
