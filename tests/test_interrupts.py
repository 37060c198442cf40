from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testbed import interrupts
from testbed.errors import Interrupted

IN_EXEC = """
import os, signal, sys
from testbed import interrupts
with interrupts.by_ctrl_c():
    try:
        exec("os.kill(os.getpid(), signal.SIGINT)\\nwhile True: pass")
    except KeyboardInterrupt:
        pass
sys.exit(130)
"""

IN_DEL = """
import os, signal, sys
from testbed import interrupts
class Lost:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGHUP)
        list(range(1000))
with interrupts.by_ctrl_c():
    try:
        Lost()
        print("lost")
        signal.pause()
    except KeyboardInterrupt:
        print("found")
"""

TWICE = """
import dataclasses, os, signal, threading
from testbed import interrupts
interrupts.PATIENCE = dataclasses.replace(interrupts.PATIENCE, second_interrupt=0.008)
read, write = os.pipe()
parent = os.getpid()
if os.fork() == 0:  # another process, so that the second signal may arrive at any moment
    os.close(write)
    number = 0
    while os.read(read, 1):
        threading.Event().wait(0.005)
        for delay in (number % 60 * 30, 0):
            os.kill(parent, signal.SIGINT)
            for _ in range(delay):
                pass
        number += 1
    os._exit(0)
os.close(read)
ends = set()
with interrupts.by_ctrl_c():
    for _ in range(200):
        try:
            os.write(write, b"x")
            threading.Event().wait()
        except BaseException as error:
            ends.add(type(error).__name__)
        try:
            threading.Event().wait(0.012)
        except BaseException as error:
            ends.add(f"late {type(error).__name__}")
print(*sorted(ends))
"""


IN_AN_IMPORT = """
import dataclasses, signal, sys
from testbed import interrupts
interrupts.PATIENCE = dataclasses.replace(interrupts.PATIENCE, second_interrupt=0.01)
sys.path.insert(0, sys.argv[1])
with interrupts.by_ctrl_c():
    try:
        import imported
        signal.pause()
    except KeyboardInterrupt:
        print("whole" if "imported" in sys.modules else "broken off")
"""
ONCE = """
import os, signal
os.kill(os.getpid(), signal.SIGINT)
"""
FOR_EVER = """
import os, signal, time
while True:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.02)
"""


@pytest.mark.parametrize(("module", "printed"), [(ONCE, "whole\n"), (FOR_EVER, "broken off\n")])
def test_an_import_ends_before_an_interrupt_is_raised_but_a_second_one_does_not_wait(
    module: str, printed: str, tmp_path: Path
) -> None:
    (tmp_path / "imported.py").write_text(module)
    run = [sys.executable, "-c", IN_AN_IMPORT, str(tmp_path)]
    ended = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == (printed, "")


def test_an_interrupt_within_exec_leaves_the_exit_code_alone() -> None:
    ended = subprocess.run([sys.executable, "-c", IN_EXEC], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, "")


def test_an_interrupt_that_python_swallows_comes_again() -> None:
    ended = subprocess.run([sys.executable, "-c", IN_DEL], capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("lost\nfound\n", "")


def test_two_interrupts_at_once_are_one() -> None:
    ended = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("Interrupt\n", "")


def test_ctrl_c_stays_ignored_where_it_is() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts.by_ctrl_c():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_and_a_hang_up_become_the_same_error_as_ctrl_c(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interrupts, "_interrupt", interrupts._Handler())  # it drops a second one that soon
    before = signal.signal(number, signal.SIG_DFL)  # the tests themselves may run under nohup
    try:
        with pytest.raises(Interrupted), interrupts.as_error(), interrupts.by_sigterm():
            os.kill(os.getpid(), number)
    finally:
        signal.signal(number, before)


def test_a_hang_up_stays_ignored_under_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts.by_sigterm():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_nothing_interrupts_the_tidying_up() -> None:
    with interrupts.ignored():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
