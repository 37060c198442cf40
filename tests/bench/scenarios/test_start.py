from __future__ import annotations

from testbed.bench.rows import START
from testbed.bench.scenarios import start
from testbed.rehearsal.script import load


def test_the_scenario_of_the_start_can_be_loaded():
    assert load(START).name == "start"


def test_its_manifest_is_the_first_of_the_story():
    assert start.MANIFEST.is_file()
    assert start.MANIFEST.parent.parent.name == "zozomat"
