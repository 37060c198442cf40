"""`testbed walk` in a terminal: a person predicts, is told, and may leave at any question."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.test_rehearse import PATIENCE, ROOT, run_testbed

pytestmark = [pytest.mark.stories, pytest.mark.timeout(2 * PATIENCE)]

STORY = "scenarios/runbook"
ALIAS, LOST = "Where does the alias point", "Is a request lost"


class Screen:
    """A terminal: what it shows, and a keyboard."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.text = ""
        self._read_to = 0

    def until(self, *questions: str) -> str:
        """Read on until one of the texts is shown after what was read before; "" at the end."""
        while True:
            new = self.text[self._read_to :]
            found = [(new.index(one) + len(one), one) for one in questions if one in new]
            if found:
                end, first = min(found)
                self._read_to += end
                return first
            shown = b""
            with suppress(OSError):  # the end of a terminal without a program
                shown = os.read(self._descriptor, 1 << 16)
            if not shown:
                return ""
            self.text += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode(errors="replace"))

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())


@contextmanager
def walked(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Screen]]:
    ours, theirs = pty.openpty()
    # setsid: Ctrl-C is a signal only in the terminal that controls the program.
    command = ["setsid", "--ctty", sys.executable, "-m", "testbed", "walk", STORY]
    command += ["--speed", "60", "--rate", "150"]
    command += ["--report", str(folder / "report"), "--environment", str(folder / "environment")]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT) as walk:
        os.close(theirs)
        try:
            yield walk, Screen(ours)
        finally:
            walk.send_signal(signal.SIGINT)
            walk.wait(PATIENCE)
            os.close(ours)


def test_right_and_wrong_predictions_are_told_and_counted(tmp_path: Path) -> None:
    with walked(tmp_path) as (walk, screen):
        step = 0
        while screen.until(ALIAS) == ALIAS:
            step += 1
            # Right but for step 3, where both claim the name and the one that had it keeps it.
            screen.type(f"{'nlb' if step < 3 else 'alb'}\n")
            assert screen.until(LOST)
            screen.type("n\n" if step > 1 else "\n")
        assert walk.wait(PATIENCE) in (0, 4), screen.text  # 4: on a busy machine the requests may start late
    assert "dig api.example.com" in screen.text
    assert "you said alb; it points to the NLB" in screen.text
    assert "you said alb; it points to the ALB" in screen.text
    assert "Why: Now only the Ingresses claim the name." in " ".join(screen.text.split())
    assert f"{2 * step - 2} of {2 * step - 1} predictions were right." in screen.text


@pytest.mark.parametrize("typed", ["q\n", "\x04", "\x03"], ids=["q", "ctrl-d", "ctrl-c"])
def test_a_walk_may_be_left_at_a_question(tmp_path: Path, typed: str) -> None:
    with walked(tmp_path) as (walk, screen):
        assert screen.until(ALIAS)
        screen.type(typed)
        screen.until("never shown")
        assert walk.wait(PATIENCE) == 130, screen.text
    assert "Traceback" not in screen.text
    assert "cutover.py" not in screen.text  # no line of the script is to blame
    assert not (tmp_path / "environment").exists()
    read = run_testbed(
        "report", str(tmp_path / "report" / "journal.ndjson"), "--report", str(tmp_path / "again")
    )
    assert read.returncode == 4, read.stdout + read.stderr
