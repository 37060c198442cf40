"""The service `aws`: moto for ELBv2 and ACM, LocalStack's Route 53 behind it, the one AWS endpoint in front.

```
4566          the AWS endpoint, for every part (and a Unix socket, for the rehearsal)
4568          for `control` only: a new run, certificates with their keys, notices of changes
```

A new run begins with an empty account: moto is reset, and the run's zone in LocalStack is created again.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from testbed.aws import localstack, standing_certificates
from testbed.aws.aws_endpoint import AwsEndpoint
from testbed.aws.boto3_clients import Clients
from testbed.aws.certificate_store import CertificateStore
from testbed.aws.change_feed import ChangeFeed
from testbed.errors import BadInput
from testbed.journal import Journal
from testbed.network import AWS_PORT, MOTO_PORT
from testbed.runtime.components import moto as moto_process
from testbed.runtime.compose import run_messages
from testbed.runtime.compose.container_network import (
    CONTROL_PORT,
    INSIDE_PORT,
    ContainerNetwork,
)
from testbed.runtime.compose.service_client import Service
from testbed.runtime.compose.service_server import Server
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE

_EVERYWHERE = "0.0.0.0"
_OWN = "127.0.0.1"


class AwsService:
    """Keeps the account of one run after the other.

    Args:
        socket: a Unix socket where the endpoint listens, too.
        patience: seconds that LocalStack may take to start.
    """

    def __init__(self, network: ContainerNetwork, socket: Path, upkeep: Upkeep, patience: float) -> None:
        self._network, self._socket, self._upkeep = network, socket, upkeep
        self._patience = patience
        self._moto = f"http://{_OWN}:{MOTO_PORT}"
        self._localstack = localstack.endpoint(network.localstack)
        self._changes = ChangeFeed()
        self._certificates: CertificateStore | None = None
        self._endpoint: AwsEndpoint | None = None
        self._journal: Journal | None = None
        self._beginning = asyncio.Lock()

    def start(self) -> None:
        """Start moto and listen for runs.

        Raises:
            Missing: a port is taken, or moto does not start.
        """
        folder = self._upkeep.folder()
        self._folder = folder
        moto = self._upkeep.spawn(moto_process.command(_OWN, MOTO_PORT), folder)
        moto.wait_until(lambda: moto_process.is_ready(moto))
        loop = self._upkeep.loop()
        server = Server(
            {
                "GET /ready": self._ready,
                "POST /runs": self._begin,
                "POST /story": self._begin_story,
                "GET /changes": self._revisions,
                "GET /certificate": self._certificate,
            }
        )
        listening = server.start([(self._network.aws, INSIDE_PORT), (_OWN, INSIDE_PORT)])

        async def stop() -> None:
            await server.stop()
            await self._end()

        self._upkeep.serve(loop, listening, stop)

    async def _ready(self, _: web.Request) -> Any:
        self._upkeep.check()
        return {}

    async def _begin(self, request: web.Request) -> Any:
        """Begin a new run; return its authorities, and the certificate chain and key of the targets."""
        document = orjson.loads(await request.read())
        setup, clock = run_messages.read_run(document)
        async with self._beginning:  # a second order at the same time would bind the endpoint's port again
            await self._end()
            # In a thread: LocalStack may take a minute to start, and `/ready` has to answer meanwhile.
            await asyncio.to_thread(self._reset, setup.zone)
            certificates = CertificateStore(self._folder / "tls")
            self._certificates = certificates
            self._journal = Journal(Path(document["journal"]))
            control = Service("control", f"http://{self._network.control}:{CONTROL_PORT}")

            # ELBv2 reports the health of targets, but the balancers that check it belong to `control`.
            async def target_health(group: str) -> list[dict[str, Any]]:
                return list(await asyncio.to_thread(control.get, "/target-health", group=group))

            self._endpoint = AwsEndpoint(
                _EVERYWHERE,
                AWS_PORT,
                self._moto,
                changes=self._changes,
                certificates=certificates,
                run_journal=self._journal,
                clock=clock,
                route53=self._localstack,
                socket=self._socket,
                name_server=(self._network.dns, self._network.dns_port),
            )
            await asyncio.to_thread(
                standing_certificates.stand_in, setup.certificates, certificates, Clients(self._moto).acm
            )
            self._endpoint.target_health = target_health
            self._endpoint.balancer_provisioning = 0.0
            await self._endpoint.start()
        chain, key = certificates.target_certificate(setup.host)
        return {
            "bundle": certificates.bundle.read_text(),
            "chain": chain.read_text(),
            "key": key.read_text(),
        }

    async def _begin_story(self, request: web.Request) -> Any:
        document = orjson.loads(await request.read())
        if self._endpoint:
            self._endpoint.balancer_provisioning = float(document["balancer_provisioning"])
        return {}

    async def _end(self) -> None:
        if self._endpoint:
            await self._endpoint.stop()
            self._endpoint = None
        if self._journal:
            self._journal.close()
            self._journal = None

    def _reset(self, zone: str) -> None:
        localstack.wait_until_ready(self._localstack, seconds=self._patience)
        localstack.fresh_zone(self._localstack, zone)
        Service("moto", self._moto).send("POST", "/moto-api/reset")

    async def _revisions(self, request: web.Request) -> Any:
        """Return the revision of each service, once one is beyond those in the query."""
        known = {service: int(revision) for service, revision in request.query.items()}
        waiting = [
            asyncio.create_task(self._changes.changed(service, revision, PATIENCE.long_poll))
            for service, revision in known.items()
        ]
        _, late = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in late:
            task.cancel()
        return {service: self._changes.revision(service) for service in known}

    async def _certificate(self, request: web.Request) -> Any:
        try:
            assert self._certificates
            chain, key = self._certificates.get(request.query["arn"])
        except KeyError:
            raise BadInput("no such certificate") from None
        return {"chain": chain.decode(), "key": key.decode()}
