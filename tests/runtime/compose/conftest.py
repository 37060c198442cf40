"""The services of the composed topology on loopback addresses, without Docker: the same code and Envoys.

Moto takes LocalStack's place, behind a page that says what LocalStack's says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from testbed.child_process import Command
from testbed.clock import Clock
from testbed.journal import Journal
from testbed.machine import find_envoy
from testbed.network import MOTO_PORT, lease
from testbed.rehearsal.setup import Setup
from testbed.runtime.components import backends, moto
from testbed.runtime.compose import aws_service, composed, control_service
from testbed.runtime.compose.aws_service import AwsService
from testbed.runtime.compose.composed import Composed
from testbed.runtime.compose.container_network import ContainerNetwork
from testbed.runtime.compose.control_service import ControlService
from testbed.runtime.compose.service_client import Service
from testbed.runtime.upkeep import Upkeep
from tests.made_setups import PLAIN

SPEED = 300.0
PATIENCE = 10.0


class LoopbackContainers(ContainerNetwork):
    """The addresses of the containers, in a loopback network and on ports that any user may bind."""

    def address(self, third: int, fourth: int) -> str:
        return f"127.{self.second}.{third}.{fourth}"


@dataclass
class Services:
    """The services, their Envoys and backends. No run has begun."""

    network: ContainerNetwork
    aws: Service
    control: Service
    service: ControlService
    upkeep: Upkeep
    folder: Path


def localstack(behind: str) -> web.AppRunner:
    """A server as LocalStack's: its health page, and moto for everything else."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/_localstack/health":
            return web.json_response({"services": {"route53": "running"}})
        # The Host header stays moto's own: by it moto knows that this is no host of AWS.
        headers = {key: value for key, value in request.headers.items() if key.lower() != "host"}
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(
                request.method, behind + request.path_qs, data=await request.read(), headers=headers
            ) as answered,
        ):
            return web.Response(
                status=answered.status, body=await answered.read(), content_type=answered.content_type
            )

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    return web.AppRunner(application)


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("compose")
    run, sockets = folder / "run", folder / "sockets"
    run.mkdir()
    sockets.mkdir()
    upkeep = Upkeep()
    with lease() as leased, ExitStack() as stack:
        stack.callback(upkeep.close)
        network = LoopbackContainers(leased.second, privileged=False)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        # What listens everywhere in a container listens at addresses of this network here.
        patch.setattr(aws_service, "_EVERYWHERE", network.aws)
        patch.setattr(aws_service, "_OWN", network.address(64, 20))
        patch.setattr(control_service, "_OWN", network.address(64, 21))
        patch.setattr(
            composed, "ContainerNetwork", lambda second: LoopbackContainers(second, privileged=False)
        )
        address = network.address(64, 22)
        process = upkeep.spawn(moto.command(address, MOTO_PORT), folder)
        process.wait_until(lambda: moto.is_ready(process))
        runner = localstack(f"http://{address}:{MOTO_PORT}")

        async def start() -> None:
            await runner.setup()
            await web.TCPSite(runner, network.localstack, 4566).start()

        upkeep.serve(upkeep.loop(), start(), runner.cleanup)
        AwsService(network, sockets / "aws", upkeep, PATIENCE).start()
        service = ControlService(network, run, upkeep, sockets / "clusters")
        service.start([network.control], sockets / "control")
        stack.callback(service.end)
        for name in ("nlb", "alb", "envoy-0", "envoy-1"):
            upkeep.spawn(Command(name, envoy(run / f"{name}.json")), folder)
        addresses = [network.backend_pod(index) for index in range(backends.PODS)]
        for where, command in zip(addresses, backends.commands(PLAIN, addresses), strict=True):
            backend = upkeep.spawn(command, folder)
            backend.wait_until(lambda where=where: backends.is_ready(PLAIN, where))
        yield Services(
            network,
            Service("aws", f"http://{network.aws}:4568"),
            Service("control", f"http://{network.control}:7070"),
            service,
            upkeep,
            folder,
        )


def envoy(bootstrap: Path) -> list[str]:
    """The command of an Envoy's container, as in docker-compose.yml."""
    flags = ["--concurrency", "1", "--disable-hot-restart", "--drain-time-s", "1"]
    flags += ["--drain-strategy", "immediate", "--file-flush-interval-msec", "500", "--log-level", "error"]
    return [str(find_envoy()), *flags, "--config-path", str(bootstrap)]


Begin = Callable[[Setup], Composed]


@pytest.fixture
def begin(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Begins a run in the services, as a rehearsal on this machine does."""
    monkeypatch.setenv("TESTBED_CONTROL", f"http://{services.network.control}:7070")
    monkeypatch.setenv("TESTBED_AWS", f"unix:{services.folder / 'sockets' / 'aws'}")
    with ExitStack() as stack:

        def begun(setup: Setup) -> Composed:
            journal = stack.enter_context(Journal(tmp_path / "journal.ndjson"))
            topology = Composed(setup, Clock(SPEED), journal)
            stack.callback(topology.close)
            topology.start()
            return topology

        yield begun


def until(holds: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait until something holds; False if it does not in time."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if holds():
            return True
        pause.wait(0.05)
    return holds()
