"""How many CPU seconds each part of a run spent, seen from outside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import psutil

CLIENTS, BACKENDS, MOTO, PARENT, PAGE = "clients", "backends", "moto", "parent", "live page"
TARGET_ENVOYS, NLB_ENVOY, ALB_ENVOY, OTHER = "target Envoys", "NLB Envoy", "ALB Envoy", "other"

_MODULES = {
    "testbed.traffic": CLIENTS,
    "testbed.backend": BACKENDS,
    "testbed.live": PAGE,
    "testbed.aws.moto_process": MOTO,
    "testbed.aws.moto_server": MOTO,
}
_CONFIGURATIONS = {"nlb.json": NLB_ENVOY, "alb.json": ALB_ENVOY}


def part_of(command: Sequence[str]) -> str:
    """Return which part of a run a command line is; `OTHER` for one that is no part of a testbed."""
    if "-m" in command[:-1]:
        module = command[command.index("-m") + 1]
        return _MODULES.get(module, PARENT if module == "testbed" else OTHER)
    if "--config-path" in command[:-1]:
        name = command[command.index("--config-path") + 1].rpartition("/")[2]
        return _CONFIGURATIONS.get(name, TARGET_ENVOYS)
    return OTHER


class CpuByPart:
    """Adds up the CPU seconds of a process and its descendants, as they were at the last look at each.

    A process is known by its id and start, since the kernel gives an id again.
    """

    def __init__(self, pid: int) -> None:
        self._root = pid
        self._seen: dict[tuple[int, float], tuple[str, float]] = {}

    def look(self) -> None:
        """Read what each process has spent so far."""
        try:
            root = psutil.Process(self._root)
            family = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for process in family:
            try:
                # User and system time of its own; children count on their own.
                spent = sum(process.cpu_times()[:2])
                self._seen[process.pid, process.create_time()] = (part_of(process.cmdline()), spent)
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue

    @property
    def seconds(self) -> Mapping[str, float]:
        """CPU seconds by part."""
        spent: dict[str, float] = defaultdict(float)
        for part, seconds in self._seen.values():
            spent[part] += seconds
        return spent
