"""`Elbv2Throttled` as it strikes the AWS endpoint, and as it is undone."""

from __future__ import annotations

from testbed.faults.elbv2_throttled import Elbv2Throttled
from tests.aws.conftest import Account
from tests.faults.aws_calls import balancers, listing


def test_every_call_of_elbv2_is_throttled_and_route_53_is_not(account: Account) -> None:
    zone = account.zone()
    assert balancers(account, zone) == ""
    with account.endpoint.strike(Elbv2Throttled()):
        assert balancers(account, zone) == "Throttling"
        assert listing(account, zone) == ""
    assert balancers(account, zone) == ""
