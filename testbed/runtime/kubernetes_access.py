"""The Kubernetes API of a running topology: started beside it, with a certificate and a token of its own.

Nothing waits for it: it is made in the loop of the servers while the topology goes on starting.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import threading
from typing import TYPE_CHECKING, Any

from testbed.clock import Clock
from testbed.errors import Missing
from testbed.network import KUBERNETES_PORT, Network
from testbed.runtime.loop import LoopThread
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE

if TYPE_CHECKING:
    from testbed.kubernetes import ObjectStore
    from testbed.kubernetes.api.server import KubernetesApi


class KubernetesAccess:
    """A server of the API and what a client needs to reach it.

    Args:
        store: the objects that it serves.
        clock: of the run.
        network: where it listens.
        seed: of the names that it makes up.
    """

    def __init__(self, store: ObjectStore, clock: Clock, network: Network, seed: int) -> None:
        self._store, self._clock, self._network, self._seed = store, clock, network, seed
        self._token = secrets.token_urlsafe(32)
        self._authority = b""
        self._listens = threading.Event()
        self._failure: BaseException | None = None
        self._starting: asyncio.Task[None] | None = None
        self._api: KubernetesApi | None = None

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"https://{self._network.control}:{KUBERNETES_PORT}"

    def start(self, loop: LoopThread, upkeep: Upkeep) -> None:
        """Begin to start; whoever needs the API waits in `kubeconfig`."""
        upkeep.serve(loop, self._begin(), self._stop)

    def kubeconfig(self) -> dict[str, Any]:
        """What kubectl reads, once the API listens.

        Raises:
            Missing: it cannot listen.
        """
        from testbed.kubernetes.api.kubeconfig import kubeconfig

        if not self._listens.wait(PATIENCE.process_start):
            raise Missing(f"the Kubernetes API did not start within {PATIENCE.process_start:g} s")
        if self._failure:
            raise self._failure
        return kubeconfig(self.url, self._authority, self._token)

    async def _begin(self) -> None:
        self._starting = asyncio.create_task(self._start())

    async def _start(self) -> None:
        try:
            # Keys take a while, in which the loop has others to serve.
            self._api = await asyncio.to_thread(self._make)
            await self._api.start()
        except Exception as error:  # noqa: BLE001 raised to whoever asks for the API
            self._failure = error
        finally:
            self._listens.set()

    def _make(self) -> KubernetesApi:
        import trustme

        from testbed.kubernetes.api.server import KubernetesApi

        authority = trustme.CA(organization_name="Testbed Kubernetes CA")
        self._authority = authority.cert_pem.bytes()
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(self._network.control).configure_cert(tls)
        return KubernetesApi(
            self._store,
            self._clock,
            self._network.control,
            KUBERNETES_PORT,
            tls=tls,
            token=self._token,
            seed=self._seed,
        )

    async def _stop(self) -> None:
        if self._starting:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._api:
            await self._api.stop()
