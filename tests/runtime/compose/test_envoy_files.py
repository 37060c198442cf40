from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from testbed import loopback_http
from testbed.clock import Clock
from testbed.errors import BadInput
from testbed.rehearsal.scenario import Targets
from testbed.runtime.compose.container_network import ContainerNetwork
from testbed.runtime.compose.envoy_files import EnvoyFiles
from tests.made_setups import OWN, PLAIN, TARGETS


def begun(folder: Path, age: float | None = 300.0, speed: float = 60.0) -> str:
    """The listeners of the first target after a run has begun."""
    files = EnvoyFiles(ContainerNetwork(91), folder)
    files.write_bootstraps()
    (folder / "1").mkdir()
    files.begin(
        replace(PLAIN, connection_age=age),
        Clock(speed=speed),
        folder / "1",
        folder / "chain.pem",
        folder / "key.pem",
    )
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


def test_the_targets_listen_where_the_scenarios_pods_do(tmp_path: Path) -> None:
    files = EnvoyFiles(ContainerNetwork(91), tmp_path)
    files.write_bootstraps()
    (tmp_path / "1").mkdir()
    # Docker Compose has containers for one kind of pods, of the usual name.
    pods = replace(TARGETS, name=Targets().name)
    one = replace(OWN, clusters=(replace(OWN.cluster, targets=(pods,)),))
    files.begin(one, Clock(), tmp_path / "1", tmp_path / "chain.pem", tmp_path / "key.pem")
    listeners = json.loads((tmp_path / "envoy-0" / "lds.json").read_text())["resources"]
    ports = {
        address["socket_address"]["port_value"]
        for one in listeners
        for address in (one["address"], *(more["address"] for more in one.get("additional_addresses", ())))
    }
    assert ports == {9443, 9444, 9080}
    assert "proxy_protocol" in json.dumps(listeners)


def refusal(why: str) -> str:
    return json.dumps({"configs": [{"name": "tls", "error_state": {"details": why}}]})


def test_listeners_that_envoy_read_before_their_clusters_are_given_to_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = begun(tmp_path)
    files, path = EnvoyFiles(ContainerNetwork(91), tmp_path), tmp_path / "envoy-0" / "lds.json"
    before = path.stat().st_ino
    monkeypatch.setattr(loopback_http, "get", lambda _: refusal("route: unknown cluster 'backend-grpc'"))
    assert not files.serves(0, tmp_path / "1")
    assert path.stat().st_ino != before
    assert path.read_text() == written


def test_listeners_that_envoy_refuses_for_any_other_reason_are_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(tmp_path)
    monkeypatch.setattr(loopback_http, "get", lambda _: refusal("no such file: chain.pem"))
    with pytest.raises(BadInput, match=r"envoy-0 refuses its listener: no such file: chain\.pem"):
        EnvoyFiles(ContainerNetwork(91), tmp_path).serves(0, tmp_path / "1")
