"""A process that was stopped says in the journal when it did not run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from testbed import journal
from testbed.clock import Clock
from testbed.journal import Journal
from testbed.rehearsal.heartbeat import heartbeat
from testbed.settings import PATIENCE

PROGRAM = """
import sys, time
from pathlib import Path
from testbed.clock import Clock
from testbed.journal import Journal
from testbed.rehearsal.heartbeat import heartbeat
with Journal(Path(sys.argv[1])) as written, heartbeat(written, Clock()):
    print("beats", flush=True)
    sys.stdin.read()
"""


def stopped_for(seconds: float, path: Path) -> list[journal.Standstill]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "beats\n"
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGCONT)
        process.stdin.close()
    return [event for event in journal.read(path) if isinstance(event, journal.Standstill)]


def test_a_stopped_process_writes_how_long_it_stood_still(tmp_path: Path) -> None:
    stopped = 2 * PATIENCE.standstill
    found = stopped_for(stopped, tmp_path / "journal.ndjson")
    assert found
    assert max(one.time - one.start for one in found) >= stopped


def test_a_beat_in_time_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    with Journal(path) as written, heartbeat(written, Clock()):
        written.write(journal.Threshold(time=1.0, text="p99 < 1s"))
    assert [type(event) for event in journal.read(path)] == [journal.Threshold]
