"""The table of conformance: how many recorded cases of each file were decided as the real controller did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

_RESULTS = pytest.StashKey[dict[tuple[str, str], Counter[str]]]()
_REASONS = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin an empty table; a test says its row with the mark `conformance(suite, file, case)`."""
    config.addinivalue_line(
        "markers", "conformance(suite, file, case): a recorded case of the real controller"
    )
    config.stash[_RESULTS] = {}
    config.stash[_REASONS] = Counter()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests beside this file that play nothing belong to the suite, with a row or without."""
    here = Path(__file__).parent
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        if item.path.is_relative_to(here) and not marks & {"conformance", "chaos"}:
            item.add_marker(pytest.mark.conformance)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Count the outcome of each conformance test in its row."""
    report: pytest.TestReport = yield  # type: ignore[misc, assignment]
    mark = item.get_closest_marker("conformance")
    if mark is not None and mark.args and (report.when == "call" or report.skipped or report.failed):
        suite, file, case = mark.args
        outcome = "left out" if report.skipped or hasattr(report, "wasxfail") else report.outcome
        item.config.stash[_RESULTS].setdefault((suite, file), Counter())[outcome] += 1
        if outcome == "left out":
            why = getattr(report, "wasxfail", "") or str(report.longrepr)
            item.config.stash[_REASONS][f"{suite}/{file} {case}: {why}"] += 1
    return report  # type: ignore[return-value]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    results = config.stash[_RESULTS]
    if not results:
        return
    terminalreporter.section("conformance")
    terminalreporter.write_line(f"{'suite':<14}{'file':<32}{'passed':>8}{'failed':>8}{'left out':>10}")
    for (suite, file), counts in sorted(results.items()):
        terminalreporter.write_line(
            f"{suite:<14}{file:<32}{counts['passed']:>8}{counts['failed']:>8}{counts['left out']:>10}"
        )
    for reason in sorted(config.stash[_REASONS]):
        terminalreporter.write_line(f"left out: {reason}")
