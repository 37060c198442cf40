from __future__ import annotations

from testbed.runtime.components import traffic_generator
from testbed.traffic.traffic_plan import TrafficPlan


def test_the_plan_goes_to_the_process_on_its_command_line(world, tmp_path):
    plan = world.plan(tmp_path / "journal.ndjson")
    command = traffic_generator.command(plan)
    assert command.arguments[1:3] == ["-m", "testbed.traffic"]
    assert TrafficPlan.from_json(command.arguments[3]) == plan
