"""What all binaries of a user have in common; how one goes wrong is in `test_real_external_dns`."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from testbed.clock import Clock
from testbed.network import Network
from testbed.runtime.components.confined_controllers import ConfinedControllers
from testbed.runtime.components.real_controller import KUBECONFIG, RealController
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE
from tests.real_controllers.programs import script
from tests.runtime.components.test_real_external_dns import until


class Counts(RealController):
    """Has done its work when it has written a line with `done` in it."""

    done = "counted"

    def __init__(self, *arguments: object, **further: object) -> None:
        super().__init__(*arguments, **further)  # type: ignore[arg-type]
        self.heard: list[str] = []
        self.told: list[str] = []

    def hear(self, line: str) -> None:
        self.heard.append(line)

    def look(self) -> bool:
        return "done" in self.heard

    def restarts(self, told: str) -> None:
        self.told.append(told)
        self.heard.clear()


@pytest.fixture
def upkeep() -> Iterator[Upkeep]:
    made = Upkeep()
    yield made
    made.close()


def started(network: Network, upkeep: Upkeep, folder: Path, body: str) -> Counts:
    controllers = ConfinedControllers(network, upkeep.loop(), upkeep, 1)
    real = Counts(
        "counts",
        str(script(folder, body)),
        ["--flag"],
        home=folder,
        kubeconfig=lambda: {"kind": "Config"},
        controllers=controllers,
        clock=Clock(600.0),
    )
    upkeep.thread("counts", real.run, 3 * PATIENCE.process_stop)
    return real


def test_it_has_a_kubeconfig_that_nobody_else_reads(network: Network, upkeep: Upkeep, tmp_path: Path) -> None:
    real = started(
        network, upkeep, tmp_path, "import signal; print('one'); print('done', flush=True); signal.pause()"
    )
    until(real.has_begun.is_set, upkeep)
    assert real.heard == ["one", "done"]
    assert real.last_words() == "done"
    kubeconfig = tmp_path / KUBECONFIG
    assert yaml.safe_load(kubeconfig.read_text()) == {"kind": "Config"}
    assert stat.S_IMODE(kubeconfig.stat().st_mode) == 0o600


def test_what_ends_after_its_work_is_started_again(network: Network, upkeep: Upkeep, tmp_path: Path) -> None:
    real = started(network, upkeep, tmp_path, "print('done', flush=True)")
    until(lambda: len(real.told) > 1, upkeep)
    assert real.told[0] == "the process ended with status 0; the kubelet starts it again"
