"""The table of docs/faults.md: each of the 44 numbers, and tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from testbed.faults import KNOWN
from testbed.runtime.compose.composed import Composed
from testbed.runtime.processes import Processes

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("| ")
]
TABLE = {int(row[0]): row for row in ROWS if row[0].isdecimal()}


def test_each_number_has_a_row_of_its_own_in_order() -> None:
    assert [int(row[0]) for row in ROWS if row[0].isdecimal()] == list(range(1, 45))
    assert all(len(row) == 5 and all(row) for row in TABLE.values())


@pytest.mark.parametrize("number", TABLE)
def test_a_row_names_a_test_that_exists_or_says_neither_yet(number: int) -> None:
    *_, here, named = TABLE[number]
    if named == "none":
        assert here.startswith("neither yet")
        return
    assert not here.startswith("neither yet")
    for one in named.split(", "):
        path, _, function = one.strip("`").partition("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        functions = {
            node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert function in functions
        # One that may be left out shows nothing.
        assert not any("skip" in ast.unparse(mark) for mark in functions[function].decorator_list)
        marks = next((ast.unparse(node) for node in tree.body if "pytestmark" in ast.unparse(node)), "")
        assert "skip" not in marks


@pytest.mark.parametrize("fault", KNOWN.values(), ids=KNOWN)
def test_the_page_says_of_each_fault_where_it_is_played(fault: type) -> None:
    (row,) = [
        line.split("|")
        for line in PAGE.splitlines()
        if line.startswith("| `") and f"`{fault.__name__}`" in line
    ]
    for cell, runtime in zip(row[2:4], (Processes, Composed), strict=True):
        assert cell.strip().startswith("yes") == (fault.reach in runtime.reaches)


def test_an_injectable_row_names_a_fault_that_is_registered() -> None:
    known = {fault.__name__ for fault in KNOWN.values()}
    for number, row in TABLE.items():
        if "injectable" in row[3]:
            assert known & set(re.findall(r"`(\w+)`", row[3])), number
