"""`ChangesPending` as it strikes Route 53, and as it is undone."""

from __future__ import annotations

from testbed.faults.changes_pending import ChangesPending
from testbed.settings import PRODUCTION
from tests.aws.conftest import Account
from tests.faults.aws_calls import RECORD, client


def test_a_change_is_pending_long_after_its_time_and_in_sync_once_it_ends(account: Account) -> None:
    zone, route53 = account.zone(), client(account, "route53")
    record = {**RECORD, "Name": f"a.{account.zone_name(zone)}"}
    changes = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}

    def status() -> str:
        return str(route53.get_change(Id=made["ChangeInfo"]["Id"])["ChangeInfo"]["Status"])

    with account.endpoint.strike(ChangesPending()):
        made = route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)
        clock = account.endpoint._clock
        due = clock.now() + 2 * PRODUCTION.route53_propagation
        while clock.now() < due:
            assert status() == "PENDING"
        assert status() == "PENDING"
    assert status() == "INSYNC"
