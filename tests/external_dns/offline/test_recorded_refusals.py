"""The zone of the recorded histories refuses less than Route 53, in Route 53's words."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.aws.route53_refusals import Zone, by_name
from testbed.external_dns.offline.recorded_refusals import judged

ZONE = Zone("Z", "example.com.")
ADDRESS = {"TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
TITLE = "[name='app.example.com.', type='A']"


def change(action: str, kind: str = "A", name: str = "app.example.com", **content: Any) -> dict[str, Any]:
    return {"Action": action, "ResourceRecordSet": {"Name": name, "Type": kind, **(content or ADDRESS)}}


@pytest.mark.parametrize(
    ("before", "changes", "message"),
    [
        ([], [change("DELETE")], f"Tried to delete resource record set {TITLE} but it was not found"),
        (
            [change("CREATE")],
            [change("CREATE")],
            f"Tried to create resource record set {TITLE} but it already exists",
        ),
        (
            [change("CREATE")],
            [change("DELETE", TTL=300, ResourceRecords=[{"Value": "192.0.2.1"}])],
            f"Tried to delete resource record set {TITLE} "
            "but the values provided do not match the current values",
        ),
        (
            [change("CREATE")],
            [change("CREATE", "CNAME", TTL=60, ResourceRecords=[{"Value": "lb.test"}])],
            "RRSet of type CNAME with DNS name app.example.com. is not permitted as it conflicts with other "
            "records with the same DNS name in zone example.com.",
        ),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(
    before: list[dict[str, Any]], changes: list[dict[str, Any]], message: str
) -> None:
    refusal = judged(ZONE, by_name(one["ResourceRecordSet"] for one in before), changes)
    assert refusal is not None
    assert (refusal.code, refusal.message) == ("InvalidChangeBatch", f"[{message}]")


def test_changes_count_in_their_order_and_a_name_in_any_case() -> None:
    state = by_name([change("CREATE")["ResourceRecordSet"]])
    moved = change("CREATE", TTL=60, ResourceRecords=[{"Value": "192.0.2.2"}])
    assert judged(ZONE, state, [change("DELETE", name="APP.example.com."), moved]) is None
    [record] = state["app.example.com."].values()
    assert record["ResourceRecords"] == [{"Value": "192.0.2.2"}]


def test_an_alias_is_deleted_whatever_the_case_of_its_target() -> None:
    def alias(action: str, target: str) -> dict[str, Any]:
        content = {"DNSName": target, "HostedZoneId": "Z1", "EvaluateTargetHealth": True}
        return change(action, AliasTarget=content)

    state = by_name([alias("CREATE", "LB.test")["ResourceRecordSet"]])
    assert judged(ZONE, state, [alias("DELETE", "lb.test.")]) is None
    assert state["app.example.com."] == {}
