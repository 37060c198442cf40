from __future__ import annotations

from testbed.traffic import process
from testbed.traffic.plan import TrafficPlan


def test_the_plan_goes_to_the_process_on_its_command_line(world, tmp_path):
    plan = world.plan(tmp_path / "journal.ndjson")
    command = process.command(plan)
    assert command.arguments[1:3] == ["-m", "testbed.traffic"]
    assert TrafficPlan.from_json(command.arguments[3]) == plan
