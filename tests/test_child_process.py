from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from testbed import child_process
from testbed.child_process import Command, Process
from testbed.errors import Missing
from testbed.settings import PATIENCE

SLEEPER = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]


def test_a_process_ends_with_its_block(tmp_path: Path) -> None:
    with Process(Command("sleeper", SLEEPER), tmp_path) as child:
        child.wait_until(lambda: "up" in child.log.read_text())
        assert psutil.pid_exists(child.pid)
    assert not psutil.pid_exists(child.pid)


@pytest.mark.parametrize(
    "name",
    ["AWS_PROFILE", "AWS_ENDPOINT_URL_ROUTE_53", "http_proxy", "HTTPS_PROXY", "grpc_proxy"],
)
def test_a_child_sees_nothing_of_the_users_account_and_proxies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "theirs")
    monkeypatch.setenv("LANG", "C.UTF-8")
    seen = "import os; print(os.environ['LANG'], os.environ['OURS'], 'theirs' in os.environ.values())"
    with Process(Command("child", [sys.executable, "-c", seen], {"OURS": "ours"}), tmp_path) as child:
        assert child.wait(PATIENCE.process_start) == 0
        assert child.log.read_text().strip() == "C.UTF-8 ours False"


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    deaf = (
        "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True)\nwhile 1: signal.pause()"
    )
    with Process(Command("deaf", [sys.executable, "-c", deaf]), tmp_path) as child:
        child.wait_until(lambda: "up" in child.log.read_text())
    assert child.returncode == -signal.SIGKILL


def test_an_early_end_is_reported_with_the_last_output(tmp_path: Path) -> None:
    command = Command("broken", [sys.executable, "-c", "import sys; sys.exit('no such zone')"])
    with (
        Process(command, tmp_path) as child,
        pytest.raises(Missing, match="broken ended with status 1: no such zone"),
    ):
        child.wait_until(lambda: False)


def test_a_missing_binary_is_reported_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="absent-binary cannot be started: No such file"):
        Process(Command("absent", ["absent-binary"]), tmp_path)


def test_a_child_may_open_as_many_files_as_this_machine_allows(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, hard - 1), hard))
    try:
        with Process(Command("counter", ["/bin/sh", "-c", "ulimit -S -n"]), tmp_path) as child:
            assert child.wait(PATIENCE.condition) == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert child.log.read_text().split() == [str(hard)]


def test_a_child_whose_parent_died_before_setpriv_ran_never_starts() -> None:
    *prefix, parent = child_process.dying_with_parent()
    assert parent == str(os.getpid())
    orphan = subprocess.run([*prefix, "1", "echo", "started"], stdout=subprocess.PIPE, text=True, check=False)
    assert (orphan.returncode, orphan.stdout) == (1, "")
    child = subprocess.run(
        [*prefix, parent, "echo", "started"], stdout=subprocess.PIPE, text=True, check=True
    )
    assert child.stdout == "started\n"


def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import pathlib, signal, sys\n"
            "from testbed.child_process import Command, Process\n"
            f"child = Process(Command('child', {SLEEPER!r}), pathlib.Path({str(tmp_path)!r}))\n"
            "print(child.pid, flush=True); signal.pause()",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout
    child = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0)


def test_a_line_reaches_its_standard_input(tmp_path: Path) -> None:
    echo = Command("echo", [sys.executable, "-c", "print(input(), flush=True)"])
    with Process(echo, tmp_path) as child:
        child.send("stop")
        assert child.wait(20) == 0
        assert child.last_words() == "stop"


def test_a_child_that_reads_orders_ends_with_its_input(tmp_path: Path) -> None:
    reader = [sys.executable, "-c", "import sys; print(len(sys.stdin.readlines()), flush=True)"]
    with Process(Command("reader", reader), tmp_path) as child:
        child.send("one")
        child.end_input()
        assert child.wait(PATIENCE.process_start) == 0
        assert child.log.read_text() == "1\n"
