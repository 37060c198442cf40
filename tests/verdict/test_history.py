"""Where a name is, from the changes that Route 53 took: simple aliases and weighted ones."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed import journal
from testbed.verdict.history import History

NAMES = {"nlb": "n-1.elb.ap-northeast-1.amazonaws.com", "alb": "a-1.ap-northeast-1.elb.amazonaws.com"}


def record(kind: str, weight: int | None = None, action: str = "UPSERT") -> dict[str, Any]:
    found: dict[str, Any] = {
        "Name": "api.example.com.",
        "Type": "A",
        "AliasTarget": {"DNSName": f"{NAMES[kind]}."},
    }
    if weight is not None:
        found |= {"SetIdentifier": kind, "Weight": weight}
    return {"Action": action, "ResourceRecordSet": found}


def history(*batches: list[dict[str, Any]]) -> History:
    made = History()
    for kind, name in NAMES.items():
        made.add(
            journal.Balancer(time=0.0, name=kind, type=kind, dns_name=name, state="active", addresses=())  # type: ignore[arg-type]
        )
    for time, batch in enumerate(batches, 1):
        made.add(journal.DnsChange(time=float(time), zone="Z", changes=tuple(batch)))
    return made


def places(*batches: list[dict[str, Any]]) -> list[tuple[float, str]]:
    return [(change.time, change.balancer or "") for change in history(*batches).alias_changes()]


def test_a_simple_alias_is_where_its_target_is() -> None:
    assert places([record("nlb")], [record("alb")], [record("alb", action="DELETE")]) == [
        (1.0, "nlb"),
        (2.0, "alb"),
        (3.0, ""),
    ]


def test_a_weighted_name_moves_when_all_of_its_weight_does() -> None:
    assert places(
        [record("nlb", 100)],
        [record("alb", 0)],
        [record("nlb", 90), record("alb", 10)],
        [record("nlb", 50), record("alb", 50)],
        [record("nlb", 0), record("alb", 100)],
        [record("nlb", 0, "DELETE")],
    ) == [(1.0, "nlb"), (5.0, "alb")]


def test_a_weighted_name_without_records_is_gone() -> None:
    assert places([record("nlb", 1)], [record("nlb", 1, "DELETE")]) == [(1.0, "nlb"), (2.0, "")]


def placed(kind: str, **policy: object) -> dict[str, object]:
    change = record(kind)
    return {**change, "ResourceRecordSet": {**change["ResourceRecordSet"], "SetIdentifier": kind, **policy}}


def test_a_name_with_a_record_for_each_region_moves_when_all_lead_to_one_balancer() -> None:
    near = placed("nlb", Region="eu-west-1")
    far = placed("alb", Region="us-east-1")
    assert places([near], [far]) == [(1.0, "nlb")]
    gone = {**near, "Action": "DELETE"}
    assert places([near], [far], [gone]) == [(1.0, "nlb"), (3.0, "alb")]


def test_the_primary_of_a_failover_pair_is_where_the_name_is() -> None:
    both = [placed("alb", Failover="SECONDARY"), placed("nlb", Failover="PRIMARY")]
    assert places(both) == [(1.0, "nlb")]


def test_changes_that_route_53_refused_move_nothing() -> None:
    made = history([record("nlb")])
    made.add(journal.DnsChange(time=2.0, zone="Z", changes=(record("alb"),), refused="no"))
    assert [change.time for change in made.alias_changes()] == [1.0]


@given(st.lists(st.tuples(st.sampled_from(["nlb", "alb"]), st.integers(0, 3)), max_size=12))
def test_a_weighted_name_is_never_where_it_has_no_weight(steps: list[tuple[str, int]]) -> None:
    for count in range(1, len(steps) + 1):
        weights = dict(steps[:count])
        found = places(*([record(kind, weight)] for kind, weight in steps[:count]))
        if any(weights.values()) and found and found[-1][0] == count:
            assert weights[found[-1][1]] == sum(weights.values())


@pytest.mark.parametrize("kind", ["nlb", "alb"])
def test_the_first_weighted_record_is_where_the_name_is(kind: str) -> None:
    assert places([record(kind, 0)]) == [(1.0, kind)]


def test_what_a_part_logs_when_it_is_taken_down_is_not_the_runs() -> None:
    read = History()
    read.add(journal.Log(time=1.0, component="external-dns", level="info", message="m", line="l"))
    read.add(journal.RunFinished(time=2.0, reason="complete", detail=""))
    read.add(journal.Log(time=9.0, component="external-dns", level="info", message="Terminating", line="l"))
    assert ([log.message for log in read.logs], read.end) == (["m"], 2.0)


def test_the_run_begins_with_its_event_whatever_was_set_up_before(made: ModuleType) -> None:
    run = made.Story().events()[0]
    read = History()
    read.add(
        journal.ApiCall(
            time=run.time - 3.0, service="route53", operation="CreateHostedZone", status=201, summary=""
        )
    )
    assert read.begin == run.time - 3.0
    read.add(run)
    assert read.begin == run.time
