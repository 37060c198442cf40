"""`ChangesUnfinished` as it strikes the AWS endpoint, and as it is undone."""

from __future__ import annotations

from testbed.faults.changes_unfinished import ChangesUnfinished
from tests.aws.conftest import Account
from tests.faults.aws_calls import change, listing


def test_a_change_is_refused_and_a_look_is_not(account: Account) -> None:
    zone = account.zone()
    assert change(account, zone) == ""
    with account.endpoint.strike(ChangesUnfinished()):
        assert change(account, zone) == "PriorRequestNotComplete"
        assert listing(account, zone) == ""
    assert change(account, zone) == ""
