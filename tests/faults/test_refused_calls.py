"""Which calls a fault of the APIs refuses."""

from __future__ import annotations

from testbed.faults import ChangeBatchesRefused, Route53Throttled
from testbed.faults.refused_calls import RefusedCall


def test_it_refuses_its_operations_of_its_service_and_no_other() -> None:
    refused = RefusedCall("Throttling", "Rate exceeded", 400)
    assert Route53Throttled().refusal("route53", "ListHostedZones") == refused
    assert Route53Throttled().refusal("elbv2", "DescribeRules") is None
    assert ChangeBatchesRefused().refusal("route53", "ListResourceRecordSets") is None
    assert ChangeBatchesRefused().refusal("route53", "ChangeResourceRecordSets") is not None
