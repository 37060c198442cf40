"""`ChangeBatchesRefused` as it strikes the AWS endpoint, and as it is undone."""

from __future__ import annotations

from testbed.faults.change_batches_refused import ChangeBatchesRefused
from tests.aws.conftest import Account
from tests.faults.aws_calls import change, client


def test_a_batch_is_refused_whole_and_nothing_is_written(account: Account) -> None:
    zone = account.zone()
    assert change(account, zone) == ""
    with account.endpoint.strike(ChangeBatchesRefused()):
        assert change(account, zone) == "InvalidChangeBatch"
        found = client(account, "route53").list_resource_record_sets(HostedZoneId=zone)
        assert len(found["ResourceRecordSets"]) == 1 + 2  # what stood before, with SOA and NS
    assert change(account, zone) == ""
