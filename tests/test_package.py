"""What `import testbed` gives, and what it does not cost."""

from __future__ import annotations

import subprocess
import sys

import pytest

import testbed
from testbed.rehearsal.cutover import Cutover
from testbed.rehearsal.scenario import Scenario, Targets, scenario

ONLY_ITSELF = "import sys, testbed; print([name for name in sys.modules if name.startswith('testbed.')])"


def test_a_scenario_imports_what_it_needs_from_the_package() -> None:
    found = (testbed.Cutover, testbed.Scenario, testbed.Targets, testbed.scenario)
    assert found == (Cutover, Scenario, Targets, scenario)
    assert {"Cutover", "Scenario", "Targets", "scenario", "__version__"} <= set(dir(testbed))


def test_a_child_process_that_imports_the_package_loads_nothing_else() -> None:
    done = subprocess.run([sys.executable, "-c", ONLY_ITSELF], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_name_that_the_package_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'testbed' has no attribute 'Manager'"):
        _ = testbed.Manager  # type: ignore[attr-defined]
