from __future__ import annotations

from testbed.check.findings import Severity


def test_the_severities_are_levels_of_sarif_from_the_worst_down() -> None:
    assert [one.value for one in Severity] == ["error", "warning", "note"]
