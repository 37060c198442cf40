"""The topology of a scenario, from the options of a run."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from testbed import journal
from testbed.aws.certificate_store import CertificateStore
from testbed.errors import BadInput, Interrupted, Missing
from testbed.network import Network, lease
from testbed.options import ON_COMPOSE, Options
from testbed.rehearsal.scenario import Scenario, Targets
from testbed.rehearsal.setup import Setup
from testbed.releases import Named
from testbed.runtime.running import JOURNAL, running
from testbed.traffic.description import Traffic
from tests.made_setups import OWN, PLAIN
from tests.real_controllers.programs import script
from tests.runtime.components.test_real_external_dns import FOREVER, SERVES


def scenario(folder: Path, **changes: Any) -> Scenario:
    made = Scenario(play=print, name="s", title="s", host=PLAIN.host, zone=PLAIN.zone, folder=folder)
    return dataclasses.replace(made, external_dns=(), **changes)


@pytest.mark.timeout(60)
def test_the_topology_has_the_scenarios_setup_and_the_options_clock_and_network(tmp_path: Path) -> None:
    story = scenario(tmp_path, lb_controller="v3")
    with lease() as free:
        network = Network(free.second)
    options = Options(speed=120.0, network=network)
    with running(story, options, tmp_path) as topology:
        assert topology.setup == Setup.of(story, options)
        assert (topology.clock.speed, topology.network) == (120.0, network)
        assert topology.journal.path == tmp_path / JOURNAL
        topology.check()
    with lease(network):  # the run has given it back
        pass
    list(journal.read(tmp_path / JOURNAL))


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_interrupt_of_the_start_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CertificateStore, "target_certificate", interrupted)
    with pytest.raises(Interrupted, match="interrupted"), running(scenario(tmp_path), Options(), tmp_path):
        pass


def test_a_network_that_another_run_holds_is_missing(tmp_path: Path) -> None:
    with (
        lease() as held,
        pytest.raises(Missing, match="is held by another run"),
        running(scenario(tmp_path), Options(network=held), tmp_path),
    ):
        pass


@pytest.mark.parametrize(
    "changes",
    [{"traffic": Traffic(OWN.calls)}, {"targets": (Targets(namespace="shop"),)}],
    ids=["traffic", "targets"],
)
def test_containers_have_the_sample_service_only(tmp_path: Path, changes: dict[str, Any]) -> None:
    with (
        pytest.raises(BadInput, match="containers have the sample service only; leave out --on compose"),
        running(scenario(tmp_path, **changes), Options(on=ON_COMPOSE), tmp_path),
    ):
        pass


@pytest.mark.timeout(60)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_disk_that_is_full_at_the_start_is_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / JOURNAL).symlink_to("/dev/full")
    with (
        pytest.raises(Missing, match=r"journal\.ndjson cannot be written: No space left on device"),
        running(scenario(tmp_path), Options(), tmp_path),
    ):
        pass
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.timeout(60)
def test_a_binary_takes_part_and_lowers_the_speed_whoever_starts_it(tmp_path: Path) -> None:
    asked = "import sys\nif '--version' in sys.argv: sys.exit(print('v0.21.0'))\n"
    path = str(script(tmp_path, asked + SERVES + FOREVER))
    story = dataclasses.replace(scenario(tmp_path), external_dns=("--source=service", "--policy=sync"))
    with running(story, Options(speed=60.0, external_dns=path), tmp_path) as topology:
        assert topology.clock.speed == 20.0
        assert topology.cluster.external_dns_syncs() == (1, 1)
        (real,) = topology.real_controllers
        assert (real.release, real.path) == ("v0.21.0", path)
        assert f"{path} --source=service --policy=sync --interval=3000ms" in real.command
    lines = [one.line for one in journal.read(tmp_path / JOURNAL) if isinstance(one, journal.Log)]
    assert any("All records are already up to date" in line for line in lines)


def test_containers_run_no_binary_of_this_machine(tmp_path: Path) -> None:
    story = dataclasses.replace(scenario(tmp_path), external_dns=("--source=service",))
    options = Options(on=ON_COMPOSE, external_dns=Named("v0.21.0", "--external-dns", "./external-dns"))
    with pytest.raises(BadInput, match="containers run no"), running(story, options, tmp_path):
        pass


def test_processes_run_no_image(tmp_path: Path) -> None:
    story = dataclasses.replace(scenario(tmp_path), external_dns=("--source=service",))
    options = Options(external_dns="external-dns:v0.21.0")
    with pytest.raises(BadInput, match=r"is an image.*add --on compose"), running(story, options, tmp_path):
        pass
