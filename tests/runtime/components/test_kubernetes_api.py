"""The API of a running cluster, from the moment that it begins to start."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from testbed.clock import Clock
from testbed.errors import Missing
from testbed.kubernetes import ObjectStore
from testbed.kubernetes.client import KubernetesClient
from testbed.kubernetes.client_transports import Https
from testbed.network import KUBERNETES_PORT, Network
from testbed.runtime.components.kubernetes_api import KubernetesAccess
from testbed.runtime.upkeep import Upkeep


@pytest.fixture
def upkeep() -> Iterator[Upkeep]:
    made = Upkeep()
    yield made
    made.close()


@pytest.fixture
def store() -> ObjectStore:
    made = ObjectStore(Clock(), seed=1)
    made.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    return made


def test_its_kubeconfig_waits_until_it_listens_and_reaches_it(
    network: Network, upkeep: Upkeep, store: ObjectStore, tmp_path: Path
) -> None:
    access = KubernetesAccess(store, Clock(), network.control, KUBERNETES_PORT, 1, tmp_path / "socket")
    access.start(upkeep.loop(), upkeep)
    config = access.kubeconfig()
    assert config["clusters"][0]["cluster"]["server"] == access.url
    assert access.url == f"https://{network.control}:{KUBERNETES_PORT}"
    for socket in (None, tmp_path / "socket"):
        names = [
            item["metadata"]["name"] for item in KubernetesClient(Https(config, socket)).list("Namespace")
        ]
        assert "default" in names


def test_its_end_ends_a_watch_that_is_open(network: Network, upkeep: Upkeep, store: ObjectStore) -> None:
    access = KubernetesAccess(store, Clock(), network.control, KUBERNETES_PORT, 1)
    access.start(upkeep.loop(), upkeep)
    config = access.kubeconfig()
    authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
    connection = http.client.HTTPSConnection(
        network.control, KUBERNETES_PORT, context=ssl.create_default_context(cadata=authority)
    )
    token = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
    with closing(connection):
        connection.request("GET", "/api/v1/namespaces?watch=true", headers=token)
        events = connection.getresponse()
        assert json.loads(events.readline())["object"]["metadata"]["name"] == "default"
        upkeep.close()
        with suppress(OSError, http.client.IncompleteRead):
            assert events.read() == b""
    with pytest.raises(ConnectionRefusedError):
        connection.connect()


def test_a_taken_port_is_noticed_at_the_start(network: Network, upkeep: Upkeep, store: ObjectStore) -> None:
    loop = upkeep.loop()
    first, second = (KubernetesAccess(store, Clock(), network.control, KUBERNETES_PORT, 1) for _ in range(2))
    first.start(loop, upkeep)
    first.kubeconfig()
    with pytest.raises(Missing, match=rf"{KUBERNETES_PORT} \(Kubernetes API\): Address already in use"):
        second.start(loop, upkeep)


def test_an_api_that_fails_later_is_a_failure_of_the_topology(
    network: Network, upkeep: Upkeep, store: ObjectStore, tmp_path: Path
) -> None:
    access = KubernetesAccess(store, Clock(), network.control, KUBERNETES_PORT, 1, tmp_path / "no" / "socket")
    access.start(upkeep.loop(), upkeep)
    with pytest.raises(Missing, match=r"\(Kubernetes API\) No such file or directory"):
        access.kubeconfig()
    with pytest.raises(Missing, match=r"\(Kubernetes API\) No such file or directory"):
        upkeep.check()
