"""The dated facts of the AWS Load Balancer Controller."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import testbed
from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.facts import Fact

PACKAGE = Path(testbed.__file__).parent / "lb_controller"
TABLES = {
    PACKAGE / "core" / name
    for name in ("facts.py", "annotation_dates.py", "feature_gates.py", "iam_actions.py")
}
TAG = re.compile(r"v\d+(\.\d+)*")
OF_A_RELEASE = {"release", "tag", "place", "released"}


def asks_for_a_version(node: ast.AST) -> bool:
    """True for a comparison of a release, and for a version number in quotes."""
    if isinstance(node, ast.Compare):
        sides = (node.left, *node.comparators)
        if any(isinstance(side, ast.Constant) and side.value is None for side in sides):
            return False
        return any(getattr(side, "attr", getattr(side, "id", "")) in OF_A_RELEASE for side in sides)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(TAG.fullmatch(node.value))


@pytest.mark.parametrize("fact", Fact)
def test_a_fact_parts_two_releases_and_names_its_source(fact: Fact) -> None:
    holds = [release.has(fact) for release in LB_CONTROLLER_RELEASES.values()]
    assert sorted(set(holds)) == [False, True]
    assert fact.dates.source


@pytest.mark.parametrize(
    "code", ["release.place < other.place", "options.release is oldest", "table['v2.4.0']", "x == one.tag"]
)
def test_a_comparison_of_releases_is_seen(code: str) -> None:
    assert any(map(asks_for_a_version, ast.walk(ast.parse(code))))


def test_no_code_outside_the_tables_asks_for_a_version() -> None:
    sites = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path not in TABLES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.Compare, ast.Constant)) and asks_for_a_version(node)
    ]
    assert sites == []
