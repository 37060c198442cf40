from __future__ import annotations

import os
import signal
import subprocess
import sys

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
        list(range(1000))
with interrupts.by_ctrl_c():
    try:
        Lost()
        print("lost")
        signal.pause()
    except KeyboardInterrupt:
        print("found")
"""


def test_an_interrupt_within_exec_leaves_the_exit_code_alone() -> None:
    ended = subprocess.run([sys.executable, "-c", IN_EXEC], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, "")


def test_an_interrupt_that_python_swallows_comes_again() -> None:
    ended = subprocess.run([sys.executable, "-c", IN_DEL], capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("lost\nfound\n", "")


def test_ctrl_c_stays_ignored_where_it_is() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts.by_ctrl_c():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_sigterm_is_told_as_ctrl_c_is() -> None:
    with pytest.raises(Interrupted), interrupts.told(), interrupts.by_sigterm():
        os.kill(os.getpid(), signal.SIGTERM)


def test_nothing_interrupts_the_tidying_up() -> None:
    with interrupts.none():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
