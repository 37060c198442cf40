"""What `docker compose up` starts with: the scenario's own setup, as a rehearsal has it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

from testbed.clock import Clock
from testbed.options import Options
from testbed.rehearsal.script import load
from testbed.rehearsal.setup import Setup
from testbed.runtime.compose.control_run import ControlRun
from testbed.runtime.compose.standing import keep_standing
from tests.runtime.compose.conftest import Services

ROOT = Path(__file__).resolve().parents[3]

SCRIPT = """\
from testbed.rehearsal import scenario
from testbed.rehearsal.scenario import Targets

@scenario(
    "A story",
    host="api.example.com",
    lb_controller="v3",
    targets=(Targets(labels={"app": "web"}, namespace="shop", tls_ports=(9443,)),),
    port=8443,
)
def story(cutover): ...
"""


class Taken:
    """A service that has been asked to stand, and finds that a rehearsal came first."""

    def __init__(self) -> None:
        self.is_taken = False
        self.orders: list[tuple[Setup, Clock]] = []

    def stand(self, setup: Setup, clock: Clock) -> ControlRun | None:
        self.orders.append((setup, clock))
        return None


def test_the_version_the_targets_and_the_port_are_the_scenarios(tmp_path: Path) -> None:
    (tmp_path / "cutover.py").write_text(SCRIPT)
    service = Taken()
    keep_standing(cast(Any, service), str(tmp_path), threading.Event())
    ((setup, clock),) = service.orders
    assert setup.cluster.lb_controller.startswith("v3.")
    assert setup.port == 8443
    assert setup.cluster.targets[0].labels == {"app": "web"}
    assert setup.cluster.targets[0].tls_ports == (9443,)
    options = Options(scenario=str(tmp_path))
    assert setup == Setup.of(load(str(tmp_path)), options)
    assert clock.speed == options.speed


def test_a_wrong_scenario_is_one_line_and_is_tried_again_until_it_should_stop(
    tmp_path: Path, capsys: Any
) -> None:
    service, stop = Taken(), threading.Event()
    standing = threading.Thread(
        target=keep_standing, args=[cast(Any, service), str(tmp_path / "absent"), stop], daemon=True
    )
    standing.start()
    stop.set()
    standing.join(5)
    assert not standing.is_alive()
    assert capsys.readouterr().err.count("no such scenario") <= 1
    assert service.orders == []


def test_the_manifests_of_the_scenario_are_applied_to_what_stands(services: Services) -> None:
    services.service.is_taken = False
    keep_standing(services.service, str(ROOT / "scenarios" / "zozomat"), threading.Event())
    names = {item["metadata"]["name"] for item in services.service.run.cluster().objects.list("Service")}
    assert "envoy" in names
