from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import orjson

from testbed import journal
from testbed.report import summary
from testbed.verdict.verdict import compute, compute_file


def test_the_summary_is_as_expected(golden_journal: Path, golden: Callable[[str, str], None]) -> None:
    golden(".summary.json", summary.render(compute_file(golden_journal)).decode())


def test_the_summary_has_what_was_promised(golden_journal: Path) -> None:
    found = orjson.loads(summary.render(compute_file(golden_journal)))
    assert found["verdict"] in ("pass", "fail", "inconclusive")
    assert set(found["requests"]) == {"total", "ok", "failed", "unknown"}
    assert {"nlb", "alb"} <= set(found["balancers"])
    assert all("requests" in balancer for balancer in found["balancers"].values())
    assert [step["number"] for step in found["steps"]] == list(range(1, len(found["steps"]) + 1))


def test_the_balancers_are_a_map_by_name_with_what_each_is(made: ModuleType) -> None:
    named = journal.BalancerNamed(time=made.EPOCH, name="old", balancer="service/shop/envoy")
    events = made.Story(rate=20.0, balancers=made.THREE, moves=made.THREE_MOVES).events()
    found = summary.as_dict(compute([named, *events]))
    assert list(found["balancers"]) == ["old", "service/shop/envoy-internal", "alb"]
    old = found["balancers"]["old"]
    assert old["requests"] > 0
    assert {key: old[key] for key in ("type", "scheme", "owner", "dns_name")} == {
        "type": "nlb",
        "scheme": "internet-facing",
        "owner": "service/shop/envoy",
        "dns_name": made.THREE["tree"].dns_name,
    }
    assert list(found["steps"][0]["balancers"]) == list(found["balancers"])
    first = found["moves"][0]
    assert (first["from"], first["to"]) == ("old", "service/shop/envoy-internal")
    assert first["first_request"]["wall"] > 0
    assert "first_alb_request" not in first
    assert "first_alb_request" in found["moves"][-1]
    assert {
        ("first_request", "service/shop/envoy-internal"),
        ("first_alb_request", "alb"),
        ("may_go", "old"),
    } <= {(moment["kind"], moment["balancer"]) for moment in found["moments"]}
