"""`Route53Throttled` as it strikes the AWS endpoint, and as it is undone."""

from __future__ import annotations

from testbed.faults.route53_throttled import Route53Throttled
from tests.aws.conftest import Account
from tests.faults.aws_calls import listing


def test_every_call_of_the_account_is_throttled_until_it_ends(account: Account) -> None:
    zone = account.zone()
    assert listing(account, zone) == ""
    with account.endpoint.strike(Route53Throttled()):
        assert listing(account, zone) == "Throttling"
    assert listing(account, zone) == ""
