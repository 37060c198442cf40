"""The ways to the API: in process, over a port, over a Unix socket."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import trustme

from testbed.clock import Clock
from testbed.errors import Missing
from testbed.kubernetes import ObjectStore
from testbed.kubernetes.api.api_server import KubernetesApi
from testbed.kubernetes.api.dispatch import Call
from testbed.kubernetes.api.kubeconfig import kubeconfig
from testbed.kubernetes.client_transports import Https, InProcess
from testbed.network import KUBERNETES_PORT, Network
from testbed.runtime.loop_thread import LoopThread

TOKEN = "the token of this test"
GET = Call("GET", "/api/v1/namespaces", {"limit": "1"}, accept="application/json")


class Served:
    """An API that listens at a port and at a socket."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.address, self.socket = network.control, folder / "socket"
        self.store = ObjectStore(Clock())
        self.authority = trustme.CA()
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert(self.address).configure_cert(tls)
        port = KUBERNETES_PORT
        self.api = KubernetesApi(
            self.store, Clock(), self.address, port, tls=tls, token=TOKEN, socket=self.socket
        )

    def config(self, *, server: str = "", authority: trustme.CA | None = None, token: str = TOKEN) -> Any:
        url = server or f"https://{self.address}:{KUBERNETES_PORT}"
        return kubeconfig(url, (authority or self.authority).cert_pem.bytes(), token)


@pytest.fixture
def served(network: Network, tmp_path: Path) -> Iterator[Served]:
    found = Served(network, tmp_path)
    with LoopThread() as loop:
        loop.run(found.api.start())
        try:
            yield found
        finally:
            loop.run(found.api.stop())


def test_every_way_gives_the_same_answer(served: Served) -> None:
    served.store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    answers = [
        transport.send(GET)
        for transport in (
            InProcess(served.store, Clock()),
            Https(served.config()),
            Https(served.config(), served.socket),
        )
    ]
    assert {(answer.code, answer.content_type, answer.body) for answer in answers} == {
        (200, "application/json", answers[0].body)
    }


def test_a_refusal_is_an_answer(served: Served) -> None:
    call = Call("POST", "/api/v1/namespaces", {}, "application/json", "application/json", "", b"[]")
    for transport in (InProcess(served.store, Clock()), Https(served.config())):
        answer = transport.send(call)
        assert (answer.code, orjson.loads(answer.body)["reason"]) == (400, "BadRequest")


def test_the_token_is_needed_at_the_port_and_at_the_socket(served: Served) -> None:
    for socket in (None, served.socket):
        assert Https(served.config(token="wrong"), socket).send(GET).code == 401


def test_a_server_with_a_certificate_of_another_authority_is_not_trusted(served: Served) -> None:
    for socket in (None, served.socket):
        with pytest.raises(Missing, match=r"does not answer at https://.*CERTIFICATE_VERIFY_FAILED"):
            Https(served.config(authority=trustme.CA()), socket).send(GET)


def test_the_certificate_is_for_the_server_of_the_kubeconfig_also_at_the_socket(served: Served) -> None:
    with pytest.raises(Missing, match=r"does not answer at https://elsewhere\.test"):
        Https(served.config(server="https://elsewhere.test"), served.socket).send(GET)


def test_an_api_that_is_away_is_found_when_it_is_back(network: Network, tmp_path: Path) -> None:
    away = Served(network, tmp_path)
    for transport in (Https(away.config(), away.socket), Https(away.config())):
        with pytest.raises(Missing, match="the Kubernetes API does not answer"):
            transport.send(GET)
        with LoopThread() as loop:
            loop.run(away.api.start())
            assert transport.send(GET).code == 200
            loop.run(away.api.stop())
        with pytest.raises(Missing, match="the Kubernetes API does not answer"):
            transport.send(GET)


def test_no_proxy_of_the_environment_comes_between(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert Https(served.config()).send(GET).code == 200
