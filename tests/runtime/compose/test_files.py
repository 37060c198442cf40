from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed.clock import Clock
from testbed.runtime.compose.files import EnvoyFiles
from testbed.runtime.compose.network import ContainerNetwork
from testbed.runtime.setup import Setup


def setup(age: float | None) -> Setup:
    return Setup("api.example.com", "example.com", "v0.7.4", [], age, 1)


def begun(folder: Path, age: float | None = 300.0, speed: float = 60.0) -> str:
    """The listeners of the first target after a run has begun."""
    files = EnvoyFiles(ContainerNetwork(91), folder)
    files.write_bootstraps()
    files.begin(setup(age), Clock(speed=speed), folder / "1", folder / "chain.pem", folder / "key.pem")
    return (folder / "envoy-0" / "lds.json").read_text()


def test_every_envoy_finds_its_bootstrap_before_there_is_a_run(tmp_path: Path) -> None:
    EnvoyFiles(ContainerNetwork(91), tmp_path).write_bootstraps()
    for name in ("nlb", "alb", "envoy-0", "envoy-1"):
        assert json.loads((tmp_path / f"{name}.json").read_text())["admin"]
    assert json.loads((tmp_path / "envoy-1" / "lds.json").read_text()) == {"resources": []}


def test_a_run_gives_the_targets_both_listeners_with_its_own_files(tmp_path: Path) -> None:
    listeners = json.loads(begun(tmp_path))["resources"]
    assert [one["name"] for one in listeners] == ["tls", "plain"]
    addresses = {one["address"]["socket_address"]["address"] for one in listeners}
    assert addresses == {"10.91.1.1"}
    assert all(str(tmp_path / "1") in json.dumps(one) for one in listeners)


@pytest.mark.parametrize(("age", "speed", "told"), [(300.0, 60.0, "5.000s"), (300.0, 30.0, "10.000s")])
def test_the_next_run_may_have_another_age_and_speed(
    tmp_path: Path, age: float, speed: float, told: str
) -> None:
    assert f'"max_connection_duration": "{told}"' in begun(tmp_path, age, speed)


def test_no_half_written_file_is_left(tmp_path: Path) -> None:
    begun(tmp_path)
    assert not list(tmp_path.rglob("*.new"))
