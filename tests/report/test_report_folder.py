"""The folder of a report: of one run at a time, and of no earlier one."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.errors import ExitCode, Missing
from testbed.report import report_folder
from testbed.report.report_files import OF_A_RUN
from testbed.runtime.running import JOURNAL
from testbed.settings import PATIENCE

HOLDS = """\
import sys, pathlib
from testbed.report.report_folder import held
with held(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_nothing_of_an_earlier_run_is_left_in_the_folder(tmp_path: Path) -> None:
    for name in (JOURNAL, *OF_A_RUN):
        (tmp_path / name).write_text("of an earlier run")
    (tmp_path / "notes.txt").write_text("mine")
    with report_folder.held(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Missing, match=r"cannot be made: .*; name another folder with --report"):
        report_folder.make(tmp_path / "file" / "report")


def test_a_second_run_is_refused_and_touches_nothing_of_the_first(tmp_path: Path) -> None:
    with report_folder.held(tmp_path):
        (tmp_path / JOURNAL).write_text("of the first")
        with (
            pytest.raises(Missing, match=f"another run writes into {tmp_path}; wait for its end, or name"),
            report_folder.held(tmp_path),
        ):
            pass
        assert (tmp_path / JOURNAL).read_text() == "of the first"
    with report_folder.held(tmp_path):
        assert not (tmp_path / JOURNAL).exists()


def test_a_folder_under_another_name_is_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with report_folder.held(tmp_path), pytest.raises(Missing), report_folder.held(tmp_path / "link"):
        pass


def test_a_run_that_is_killed_keeps_no_lock(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        with pytest.raises(Missing, match="another run writes into"), report_folder.held(tmp_path):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE.process_stop)
    with report_folder.held(tmp_path):
        pass


def test_rehearse_is_refused_in_one_line_before_anything_starts(tmp_path: Path) -> None:
    story = Path(__file__).resolve().parents[2] / "scenarios" / "zozomat"
    command = [sys.executable, "-m", "testbed", "rehearse", str(story), "--report", str(tmp_path)]
    with report_folder.held(tmp_path):
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PATIENCE.process_start
        )
    assert done.returncode == ExitCode.MISSING
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"testbed: another run writes into {tmp_path}; wait for its end, or name")
