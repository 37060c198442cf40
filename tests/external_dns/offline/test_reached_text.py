from __future__ import annotations

from testbed.external_dns.offline.reached_sync import outcome
from testbed.external_dns.offline.reached_text import agreement, difference

ALIAS = {
    "Action": "UPSERT",
    "ResourceRecordSet": {
        "Name": "api.example.com",
        "Type": "A",
        "SetIdentifier": "new",
        "Weight": 10,
        "AliasTarget": {"DNSName": "b.elb.amazonaws.com", "HostedZoneId": "Z1", "EvaluateTargetHealth": True},
    },
}
TXT = {
    "Action": "DELETE",
    "ResourceRecordSet": {
        "Name": "api.example.com",
        "Type": "TXT",
        "TTL": 300,
        "ResourceRecords": [{"Value": '"heritage"'}],
    },
}


def test_a_sync_that_both_do_is_shown_once() -> None:
    assert list(agreement(outcome([((ALIAS, TXT), False)], failed=False))) == [
        "    = both send",
        '      DELETE api.example.com. TXT "heritage" (TTL 300)',
        "      UPSERT api.example.com. A alias b.elb.amazonaws.com. in Z1 SetIdentifier=new Weight=10",
    ]
    assert list(agreement(outcome([], failed=False))) == ["    = both send nothing"]


def test_a_difference_shows_both_sides() -> None:
    real = outcome([((TXT,), True)], failed=True)
    emulated = [outcome([], failed=False), outcome([((ALIAS,), False)], failed=False)]
    assert list(difference(real, emulated)) == [
        "    ! the real one sends",
        '      DELETE api.example.com. TXT "heritage" (TTL 300), refused',
        "      and the sync fails",
        "    ! the emulation sends (order 1 of 2)",
        "      nothing",
        "    ! the emulation sends (order 2 of 2)",
        "      UPSERT api.example.com. A alias b.elb.amazonaws.com. in Z1 SetIdentifier=new Weight=10",
    ]
