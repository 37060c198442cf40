"""The target pods as a scenario describes them, and their access logs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.clock import Clock
from testbed.errors import Missing
from testbed.network import Network
from testbed.rehearsal.scenario import Targets
from testbed.runtime.components import target_envoys
from testbed.settings import PRODUCTION
from tests.made_setups import OWN, PLAIN


def test_each_cluster_has_target_pods_of_its_own(tmp_path: Path) -> None:
    pods = target_envoys.pods(OWN, Network(81), tmp_path / "c", tmp_path / "k")
    blue, _, other, _, green, _ = pods
    assert [pod.name for pod in pods] == ["web-0", "web-1", "other-0", "other-1", "envoy-2", "envoy-3"]
    assert len({pod.address for pod in pods}) == len(pods)
    assert (blue.server_names, other.server_names) == (("www.example.org",), ())
    assert (blue.tls_ports, blue.plain_ports, blue.proxy_protocol) == ((9443, 9444), (9080,), True)
    assert (green.tls_ports, green.plain_ports, green.proxy_protocol) == ((8443,), (8080,), False)
    assert (blue.grpc, blue.rest) == (("127.0.0.1", 1), ("127.0.0.1", 2))


def test_without_servers_of_the_users_own_they_lead_to_the_backend_pods(tmp_path: Path) -> None:
    network = Network(81)
    pods = target_envoys.pods(PLAIN, network, tmp_path / "c", tmp_path / "k")
    assert {pod.backends for pod in pods} == {(network.backend_pod(0), network.backend_pod(1))}
    assert {(pod.grpc, pod.rest) for pod in pods} == {(None, None)}


def test_a_privileged_port_of_a_pod_is_bound_where_everybody_may(tmp_path: Path) -> None:
    cluster = replace(PLAIN.cluster, targets=(Targets(tls_ports=(443, 8443), plain_ports=(80, 8080)),))
    setup = replace(PLAIN, clusters=(cluster,))
    pod, _ = target_envoys.pods(setup, Network(81), tmp_path / "c", tmp_path / "k")
    assert (pod.tls_ports, pod.plain_ports) == ((20443, 8443), (20080, 8080))
    pod, _ = target_envoys.pods(setup, Network(81, privileged=True), tmp_path / "c", tmp_path / "k")
    assert (pod.tls_ports, pod.plain_ports) == ((443, 8443), (80, 8080))


@pytest.mark.parametrize("age", [None, 120.0, PRODUCTION.target_max_connection_age])
def test_the_age_of_connections_can_be_chosen_or_left_out(tmp_path: Path, age: float | None) -> None:
    pod = target_envoys.TargetPod("e", "127.0.0.1", ("127.0.0.1",), tmp_path / "c", tmp_path / "k", age)
    text = json.dumps(target_envoys.envoy(pod, Clock(1), tmp_path).document)
    assert ('"max_connection_duration"' in text) is (age is not None)
    if age:
        assert f'"max_connection_duration": "{age:.3f}s"' in text


def test_with_server_names_the_tls_listener_takes_no_connection_without_one_of_them(tmp_path: Path) -> None:
    pod = target_envoys.TargetPod(
        "e", "127.0.0.1", ("127.0.0.1",), tmp_path / "c", tmp_path / "k", server_names=("a.b", "*.b")
    )
    tls = target_envoys.envoy(pod, Clock(1), tmp_path).document["static_resources"]["listeners"][0]
    assert [one["name"] for one in tls["listener_filters"]] == ["envoy.filters.listener.tls_inspector"]
    (chain,) = tls["filter_chains"]
    assert chain["filter_chain_match"] == {"server_names": ["a.b", "*.b"]}
    assert "default_filter_chain" not in tls


@pytest.mark.parametrize("plain_age", [True, False])
def test_the_plain_listener_retires_connections_where_clients_reach_it(
    tmp_path: Path, plain_age: bool
) -> None:
    pod = target_envoys.TargetPod(
        "e", "127.0.0.1", ("127.0.0.1",), tmp_path / "c", tmp_path / "k", 120.0, plain_age=plain_age
    )
    text = json.dumps(target_envoys.envoy(pod, Clock(1), tmp_path).document)
    assert text.count('"max_connection_duration": "120.000s"') == (2 if plain_age else 1)


@pytest.mark.parametrize("expected", [True, False])
def test_the_tls_listener_expects_the_proxy_protocol_where_it_is_told_to(
    tmp_path: Path, expected: bool
) -> None:
    pod = target_envoys.TargetPod(
        "e", "127.0.0.1", ("127.0.0.1",), tmp_path / "c", tmp_path / "k", proxy_protocol=expected
    )
    text = json.dumps(target_envoys.envoy(pod, Clock(1), tmp_path).document)
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
    assert [event.id for event in target_envoys.access_events(log)] == ["a"]


def test_a_torn_line_inside_an_access_log_is_told_with_its_number(tmp_path: Path) -> None:
    log = tmp_path / "envoy-0.access.json"
    log.write_bytes(ACCESS + ACCESS[:40] + ACCESS)
    with pytest.raises(Missing, match=r"envoy-0\.access\.json:2: a line of the access log is torn"):
        list(target_envoys.access_events(log))
