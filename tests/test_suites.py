"""The runner of the suites: what a suite took, what it left behind, and that none passes without tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.suites import MARKS, SUITES, total

ROOT = Path(__file__).resolve().parents[1]
CALL = """
import sys
from tests import suites
suites.SUITES = {"own": suites.Suite("own", (), ("-p", "no:cacheprovider", "-c", "pytest.ini"))}
sys.exit(suites.main(["own"]))
"""


def suite(folder: Path, test: str) -> tuple[int, list[str]]:
    """Run a suite of one test in a folder of its own; the exit code and the lines that are printed."""
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = own\n")
    (folder / "test_own.py").write_text(test)
    done = subprocess.run(
        [sys.executable, "-c", CALL],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    *lines, _, summed = done.stdout.splitlines()
    assert re.fullmatch(r"\d+ passed, \d+ failed, \d+ skipped", summed)
    return done.returncode, lines


def test_a_row_has_the_seconds_and_the_last_line_of_pytest(tmp_path: Path) -> None:
    code, lines = suite(tmp_path, "import pytest\n\n@pytest.mark.own\ndef test_it(): pass\n")
    assert code == 0
    name, seconds, unit, *words = lines[-1].split()
    assert (name, seconds.isdigit(), unit, words[:2]) == ("own", True, "s", ["1", "passed"])


def test_a_suite_without_tests_has_neither_passed_nor_failed(tmp_path: Path) -> None:
    code, lines = suite(tmp_path, "def test_it(): pass\n")
    assert (code, lines[-1].endswith("no tests yet")) == (0, True)
    assert "passed" not in lines[-1]


def test_a_failed_test_fails_the_suite(tmp_path: Path) -> None:
    code, lines = suite(tmp_path, "import pytest\n\n@pytest.mark.own\ndef test_it(): assert False\n")
    assert (code, "FAILED: 1 failed" in lines[-1]) == (1, True)


def test_a_process_that_is_left_behind_is_named_and_ended(tmp_path: Path) -> None:
    test = """
import subprocess
import pytest

@pytest.mark.own
def test_it():
    subprocess.Popen(["sleep", "600"], start_new_session=True)
"""
    code, lines = suite(tmp_path, test)
    assert code == 1
    assert "1 passed" in lines[-1]
    assert lines[-1].endswith("sleep 600")
    pid = int(lines[-1].split()[-3])
    assert not Path(f"/proc/{pid}").exists()


def test_the_last_line_adds_up_all_suites() -> None:
    rows = [
        "unit            163 s  4782 passed in 161.75s (0:02:41)",
        "conformance      12 s  2756 passed, 17 skipped, 3 xfailed in 11.56s",
        "e2e             414 s  FAILED: 4 failed, 34 passed, 7 errors in 412.57s (0:06:52)",
        "chaos            11 s  no tests yet",
    ]
    assert total(rows) == "7572 passed, 11 failed, 17 skipped"


def test_every_registered_mark_is_a_suite(pytestconfig: pytest.Config) -> None:
    registered = {str(line).partition(":")[0] for line in pytestconfig.getini("markers")}
    assert set(MARKS) <= registered
    assert {suite.expression for suite in SUITES.values()} >= set(MARKS)


def test_every_test_belongs_to_a_suite() -> None:
    assert SUITES["unit"].expression.split(" and ") == [f"not {mark}" for mark in MARKS]


@pytest.mark.parametrize("mark", MARKS)
def test_a_suite_looks_where_its_mark_stands(mark: str) -> None:
    """A marked test outside the places of its suite would run in none."""
    (suite,) = (one for one in SUITES.values() if one.expression == mark)
    marked = re.compile(rf"mark\.{mark}\b")
    files = [path for path in (ROOT / "tests").rglob("*.py") if marked.search(path.read_text("utf-8"))]
    places = [ROOT / place for place in suite.places]
    assert files
    assert [path for path in files if not any(path.is_relative_to(place) for place in places)] == []


@pytest.mark.parametrize("name", ["test", "slow"])
def test_make_runs_every_suite_once(name: str) -> None:
    recipes = {
        line.partition("tests/suites.py ")[2]
        for line in subprocess.run(
            ["make", "--dry-run", "--silent", name], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        if "tests/suites.py" in line
    }
    assert recipes == {{"test": "unit conformance e2e", "slow": "stories compose real client chaos"}[name]}
