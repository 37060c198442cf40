from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from testbed.child_process import Command, Process
from testbed.network import lease


@dataclass(frozen=True)
class Pod:
    process: Process
    address: str
    folder: Path

    def again(self, *options: str) -> Process:
        """A second pod at the same address."""
        return Process(command(self.address, *options), self.folder)


def command(address: str, *options: str) -> Command:
    arguments = [sys.executable, "-m", "testbed.backend", "--name", "backend-0", "--address", address]
    return Command(f"pod{''.join(options)}", [*arguments, *options])


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Pod]:
    with lease() as network:
        address = network.backend_pod(0)
        with Process(command(address), folder) as process:
            process.wait_until(lambda: "ready" in process.log.read_text())
            yield Pod(process, address, folder)


@pytest.fixture(scope="session")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pod]:
    with running(tmp_path_factory.mktemp("pod")) as started:
        yield started


@pytest.fixture
def own_pod(tmp_path: Path) -> Iterator[Pod]:
    """A pod that the test may stop."""
    with running(tmp_path) as started:
        yield started


@pytest.fixture
def rest(pod: Pod) -> Iterator[socket.socket]:
    with socket.create_connection((pod.address, 8000), timeout=5) as connection:
        yield connection
