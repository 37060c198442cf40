"""The Kubernetes API of a running cluster, with a certificate and a token of its own.

Nothing waits for it: it starts in the loop of the servers while the topology goes on starting.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from testbed.clock import Clock
from testbed.errors import Missing
from testbed.rehearsal import topology
from testbed.runtime.loop_thread import LoopThread
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE

if TYPE_CHECKING:
    from testbed.kubernetes import ObjectStore
    from testbed.kubernetes.api.api_server import KubernetesApi


class KubernetesAccess(topology.KubernetesAccess):
    """A server of the API and what a client needs to reach it.

    Args:
        store: the objects that it serves.
        clock: of the run.
        address, port: where it listens.
        seed: of the names that it makes up.
        unix: a Unix socket where it listens too.
    """

    def __init__(
        self,
        store: ObjectStore,
        clock: Clock,
        address: str,
        port: int,
        seed: int,
        unix: Path | None = None,
    ) -> None:
        self._store, self._clock, self._seed = store, clock, seed
        self._address, self._port, self._unix = address, port, unix
        self._token = secrets.token_urlsafe(32)
        self._authority = b""
        self._listens = threading.Event()
        self._failure: BaseException | None = None
        self._fail: Callable[[BaseException], None] = lambda _: None
        self._starting: asyncio.Task[None] | None = None
        self._api: KubernetesApi | None = None

    @property
    def url(self) -> str:
        """The URL of the API."""
        return f"https://{self._address}:{self._port}"

    def start(self, loop: LoopThread, upkeep: Upkeep) -> None:
        """Begin to start; `kubeconfig` waits until the API listens. A failure is one of the whole topology.

        Raises:
            Missing: the port is taken.
        """
        self._fail = upkeep.fail
        # Making keys takes a while: a port that is taken is to show at the start, not when a tool asks.
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self._address, self._port))
            except OSError as error:
                raise Missing(
                    f"{self._address}:{self._port} (Kubernetes API): {os.strerror(error.errno or 0)}",
                    do="stop what listens there or name another network with --network",
                ) from None
        upkeep.serve(loop, self._begin(), self._stop)

    def kubeconfig(self) -> dict[str, Any]:
        """Return what kubectl reads, once the API listens.

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
        # Kept, because the loop holds only a weak reference to a task.
        self._starting = asyncio.create_task(self._start())

    async def _start(self) -> None:
        try:
            # Making keys takes a while, and the loop has other servers to run meanwhile.
            self._api = await asyncio.to_thread(self._make)
            await self._api.start()
        except Exception as error:  # noqa: BLE001 `kubeconfig` raises it
            self._failure = error
            self._fail(error)
        finally:
            self._listens.set()

    def _make(self) -> KubernetesApi:
        import trustme

        from testbed.kubernetes.api.api_server import KubernetesApi

        authority = trustme.CA(organization_name="Testbed Kubernetes CA")
        self._authority = authority.cert_pem.bytes()
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(self._address).configure_cert(tls)
        return KubernetesApi(
            self._store,
            self._clock,
            self._address,
            self._port,
            tls=tls,
            token=self._token,
            seed=self._seed,
            socket=self._unix,
        )

    async def _stop(self) -> None:
        if self._starting:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._api:
            await self._api.stop()
