"""Demands that a script makes and never looks at."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed import conditions
from testbed.errors import BadInput
from testbed.rehearsal.dropped_demands import CONDITIONS, check_script
from testbed.rehearsal.script import load

IMPORTS = """\
import testbed.conditions
from testbed import Cutover, conditions, scenario
from testbed.conditions import *
from testbed.conditions import gone as is_gone
from testbed.faults import KILL

"""
SCRIPT = """
@scenario("t", host="api.example.com")
def story(c: Cutover) -> None:
    {line}
"""
LINE = (IMPORTS + SCRIPT).split("\n").index("    {line}") + 1


def written(folder: Path, line: str, before: str = "") -> Path:
    path = folder / "cutover.py"
    path.write_text(IMPORTS + SCRIPT.format(line=line) + before)
    return path


def test_every_condition_is_known() -> None:
    others = {"Condition", "Observation", "Observer"}
    assert set(conditions.__all__) - others == CONDITIONS


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (
            'served_by("alb")',
            r"served_by\(\) on a line of its own checks nothing; write expect\(served_by\('alb'\)",
        ),
        ('conditions.served_by("alb")', r"served_by\(\) on a line of its own"),
        ("testbed.conditions.no_record()", r"no_record\(\) on a line of its own"),
        ('is_gone("nlb")', r"gone\(\) on a line of its own"),
        ('[c.step("s", why="w") and None]; weights(nlb=1)', r"weights\(\) on a line of its own"),
        ('c.step("s", why="w")', r"c\.step\(…\) does nothing without a with; write with c\.step\(…\):"),
        ('c.fault(KILL, "envoy-0")', r"c\.fault\(…\) does nothing without a with"),
        ('c.fault(faults.TargetKilled("envoy-0"), for_="2m")', r"c\.fault\(…\) does nothing without a with"),
    ],
)
def test_what_is_made_and_never_used_is_refused_with_its_line(tmp_path: Path, line: str, what: str) -> None:
    path = written(tmp_path, line)
    with pytest.raises(BadInput, match=rf"cutover\.py:{LINE}: {what}"):
        load(str(path))


@pytest.mark.parametrize(
    "line",
    [
        'c.expect(served_by("alb"))',
        'asked = served_by("alb"); c.expect(asked)',
        'with c.step("s", why="w"): c.hold(1)',
        'with c.fault(KILL, "envoy-0"): c.hold(1)',
        'queue = __import__("queue"); queue.gone("file")',
        "model = c; model.step()",
    ],
)
def test_what_is_used_is_not(tmp_path: Path, line: str) -> None:
    check_script(written(tmp_path, line))


def test_a_function_of_the_script_may_have_the_name_of_a_condition(tmp_path: Path) -> None:
    own = '\n\ndef active(name: str) -> None:\n    """Look by itself."""\n'
    check_script(written(tmp_path, 'active("alb")', own))
