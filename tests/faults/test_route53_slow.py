"""`Route53Slow` as it strikes the AWS endpoint, and as it is undone."""

from __future__ import annotations

import threading

from testbed.faults.route53_slow import Route53Slow
from tests.aws.conftest import Account
from tests.faults.aws_calls import balancers, listing


def test_a_call_to_route_53_waits_until_it_ends_and_one_to_elbv2_does_not(account: Account) -> None:
    zone = account.zone()
    answers: list[str] = []
    caller = threading.Thread(target=lambda: answers.append(listing(account, zone)))
    with account.endpoint.strike(Route53Slow(86_000.0)):
        caller.start()
        assert balancers(account) == ""
        assert answers == []
    caller.join()
    assert answers == [""]


def test_a_call_goes_on_when_its_time_has_passed(account: Account) -> None:
    zone = account.zone()
    with account.endpoint.strike(Route53Slow(0.001)):
        assert listing(account, zone) == ""
