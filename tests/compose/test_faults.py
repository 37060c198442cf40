"""Faults of containers strike what they name, and leave everything as it was."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed import journal
from testbed.errors import BadInput, ExitCode, Missing
from testbed.runtime.compose.container_network import ContainerNetwork
from testbed.runtime.compose.faults import Containers
from tests.compose.projects import ROOT, Project
from tests.compose.test_lifecycle import names_of


@pytest.fixture(scope="module")
def containers(project: Project) -> Iterator[Containers]:
    assert names_of(project)  # the topology stands
    with Containers(ContainerNetwork(project.subnet)) as found:
        yield found


def answer(project: Project) -> str:
    """What the plain listener of the second target does with a request."""
    url = f"http://{project.address(1, 2)}:8080/measurements/foot-0"
    try:
        with urllib.request.urlopen(url, timeout=1) as answered:
            return str(answered.status)
    except urllib.error.URLError as error:
        return type(error.reason).__name__
    except OSError as error:
        return type(error).__name__


def until(expected: Callable[[], bool]) -> bool:
    pause = threading.Event()
    for _ in range(100):
        if expected():
            return True
        pause.wait(0.1)
    return False


@pytest.mark.parametrize("fault", ["stop", "kill", "pause", "cut_off"])
def test_a_fault_silences_a_target_while_its_block_lasts(
    project: Project, containers: Containers, fault: str
) -> None:
    assert until(lambda: answer(project) == "200")
    with containers.fault(fault, "envoy-1"):
        assert answer(project) in {"TimeoutError", "timeout", "OSError"}
    assert until(lambda: answer(project) == "200")


def test_a_paused_target_still_takes_connections(project: Project, containers: Containers) -> None:
    with containers.fault("pause", "envoy-1"):
        socket.create_connection((project.address(1, 2), 8080), 1).close()


def test_a_balancer_that_was_killed_has_all_its_addresses_again(
    project: Project, containers: Containers
) -> None:
    nlb = project.address(144, 1), 443

    def takes() -> bool:
        try:
            socket.create_connection(nlb, 1).close()
        except OSError:
            return False
        return True

    assert until(takes)
    with containers.fault("kill", "nlb"):
        assert not takes()
    assert until(takes)


@pytest.mark.parametrize(("fault", "part"), [("burn", "nlb"), ("kill", "control"), ("kill", "nobody")])
def test_what_is_no_fault_or_no_part_is_told(containers: Containers, fault: str, part: str) -> None:
    with pytest.raises(BadInput, match=f"no fault '{fault}' of '{part}'"), containers.fault(fault, part):
        pass


def test_a_topology_that_is_not_there_is_told(project: Project) -> None:
    with pytest.raises(Missing, match=r"no composed topology has 10\.99\.0\.0/16"):
        Containers(ContainerNetwork(99))


def test_a_story_with_three_faults_of_the_same_classes_fails_from_the_host(
    project: Project, tmp_path: Path
) -> None:
    environment = {
        **project.environment,
        "TESTBED_CONTROL": f"http://{project.loopback}:7070",
        "TESTBED_AWS": f"http://{project.loopback}:4566",
    }
    story = [sys.executable, "-m", "testbed", "rehearse", "tests/compose/stories/three_faults.py"]
    options = ["--on", "compose", "--speed", "40", "--rate", "100", "--report", str(tmp_path)]
    done = subprocess.run([*story, *options], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode in (ExitCode.FAIL, ExitCode.INCONCLUSIVE), done.stdout + done.stderr
    events = list(journal.read(tmp_path / "journal.ndjson"))
    struck = {event.number: event.text for event in events if isinstance(event, journal.FaultStarted)}
    undone = [event.number for event in events if isinstance(event, journal.FaultEnded)]
    assert list(struck.values()) == [
        "target-killed envoy-1",
        "target-cut-off envoy-0",
        "backend-paused backend-0",
    ]
    assert undone == list(struck)
    outcomes = {event.outcome for event in events if isinstance(event, journal.Request)}
    assert outcomes & {"failed", "unknown"}
    served = {event.pod for event in events if isinstance(event, journal.Request)}
    assert {"envoy-0", "envoy-1"} <= served
