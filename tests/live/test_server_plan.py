from __future__ import annotations

from pathlib import Path

from testbed.live.server_plan import ServerPlan


def test_a_plan_is_one_line_and_is_read_as_it_was_written() -> None:
    plan = ServerPlan(journal=Path("/tmp/a b/journal.ndjson"), address="127.80.0.1", port=7080, token="t")
    assert "\n" not in plan.to_json()
    assert ServerPlan.from_json(plan.to_json()) == plan
