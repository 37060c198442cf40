from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson

from testbed.rehearsal.verdict import compute_file
from testbed.report import summary


def test_the_summary_is_as_expected(golden_journal: Path, golden: Callable[[str, str], None]) -> None:
    golden(".summary.json", summary.render(compute_file(golden_journal)).decode())


def test_the_summary_has_what_was_promised(golden_journal: Path) -> None:
    found = orjson.loads(summary.render(compute_file(golden_journal)))
    assert found["verdict"] in ("pass", "fail", "inconclusive")
    assert set(found["requests"]) == {"total", "ok", "failed", "unknown"}
    assert {"nlb", "alb"} <= set(found["balancers"])
    assert all("requests" in balancer for balancer in found["balancers"].values())
    assert [step["number"] for step in found["steps"]] == list(range(1, len(found["steps"]) + 1))
