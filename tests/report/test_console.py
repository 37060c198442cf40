"""The console of a run."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys

import pytest
from rich.table import Table

from testbed.report.console import Terminal

IN_A_THREAD = """
import sys, threading
from testbed.report.console import Terminal
console, seen = Terminal(), []
def work():
    for number in range(100_000):
        console.print(f"line {number}")
    seen.append(number)
thread = threading.Thread(target=work)
thread.start()
thread.join()
sys.exit(0 if seen else 9)
"""


def test_brackets_and_colons_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table()
    table.add_column("step [/red]")
    table.add_row("[/bold] apply [x] :warning:")
    console = Terminal()
    console.print("[/nonsense] :boom:")
    console.print(table)
    printed = capsys.readouterr().out
    assert "[/nonsense] :boom:" in printed
    assert "[/bold] apply [x] :warning:" in printed


def test_a_thread_that_prints_into_a_pipe_without_a_reader_goes_on() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", IN_A_THREAD], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        child.stdout.readline()
        child.stdout.close()
        assert child.stderr
        assert (child.stderr.read(), child.wait()) == ("", 0)


ASKING = """
import builtins, sys
from testbed.report.console import Terminal
builtins.input = lambda: print("blocked") or ""
try:
    Terminal().ask("Where to? ")
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_question_does_not_block_before_a_line_is_typed() -> None:
    # Inside `input`, a signal that came a moment before is not heard until the next key.
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", ASKING], stdin=theirs, stdout=subprocess.PIPE) as child:
        assert child.stdout
        shown = os.read(child.stdout.fileno(), 1 << 10)
        child.send_signal(signal.SIGINT)
        shown += child.stdout.read()
    os.close(ours)
    os.close(theirs)
    assert shown == b"Where to? \ninterrupted\n"


def test_a_question_returns_the_line_that_was_typed() -> None:
    ours, theirs = pty.openpty()
    asking = "from testbed.report.console import Terminal; print([Terminal().ask('? ')])"
    with subprocess.Popen([sys.executable, "-c", asking], stdin=theirs, stdout=subprocess.PIPE) as child:
        assert child.stdout
        os.write(ours, b"alb\n")
        assert child.stdout.read() == b"? ['alb']\n"
    os.close(ours)
    os.close(theirs)
