"""Faults of containers, at a server that speaks as much of Docker's API as they need."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from aiohttp import web

from testbed.errors import BadInput, Missing
from testbed.network import Network
from testbed.runtime.compose.container_network import ContainerNetwork
from testbed.runtime.compose.faults import Containers
from testbed.runtime.loop_thread import LoopThread

PORT = 2375
NETWORK = ContainerNetwork(91)
PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"


class Docker:
    """Two containers of one project, and what was done to them."""

    def __init__(self) -> None:
        self.acts: list[str] = []
        self.addresses = {"control": NETWORK.control, "nlb": NETWORK.admin("nlb")}

    def application(self) -> web.Application:
        application = web.Application()
        routes = {
            "GET /version": self.version,
            "GET /v{v}/containers/json": self.listed,
            "GET /v{v}/containers/{name}/json": self.one,
            "POST /v{v}/containers/{name}/{act}": self.act,
            "GET /v{v}/networks/{name}": self.network,
            "POST /v{v}/networks/{name}/{act}": self.act,
        }
        for route, handler in routes.items():
            method, path = route.split()
            application.router.add_route(method, path, handler)
        return application

    async def version(self, _: web.Request) -> web.Response:
        return web.json_response({"ApiVersion": "1.44"})

    async def listed(self, request: web.Request) -> web.Response:
        wanted = json.loads(request.query["filters"])["label"]
        names = [name for name in self.addresses if f"{SERVICE}={name}" in wanted]
        return web.json_response([{"Id": name} for name in names])

    async def one(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        networks = {"control": {"IPAddress": self.addresses[name]}}
        labels = {PROJECT: "mine", SERVICE: name}
        return web.json_response(
            {"Id": name, "Config": {"Labels": labels}, "NetworkSettings": {"Networks": networks}}
        )

    async def network(self, request: web.Request) -> web.Response:
        return web.json_response({"Id": request.match_info["name"]})

    async def act(self, request: web.Request) -> web.Response:
        body = json.loads(await request.text() or "{}")
        address = body.get("EndpointConfig", {}).get("IPAMConfig", {}).get("IPv4Address", "")
        self.acts.append(" ".join(filter(None, [*list(request.match_info.values())[1:], address])))
        return web.Response(status=204 if "containers" in request.path else 200)


@pytest.fixture
def docker(network: Network, monkeypatch: pytest.MonkeyPatch) -> Iterator[Docker]:
    server = Docker()
    monkeypatch.setenv("DOCKER_HOST", f"tcp://{network.control}:{PORT}")
    with LoopThread() as loop:
        runner = web.AppRunner(server.application())
        loop.run(runner.setup())
        loop.run(web.TCPSite(runner, network.control, PORT).start())
        yield server
        loop.run(runner.cleanup())


@pytest.mark.parametrize(
    ("kind", "acts"),
    [
        ("stop", ["nlb stop", "nlb start"]),
        ("kill", ["nlb kill", "nlb start"]),
        ("pause", ["nlb pause", "nlb unpause"]),
        ("cut_off", ["control disconnect", f"control connect {NETWORK.admin('nlb')}"]),
    ],
)
def test_a_fault_ends_with_its_block_and_leaves_the_container_as_it_was(
    docker: Docker, kind: str, acts: list[str]
) -> None:
    with Containers(NETWORK) as containers, containers.fault(kind, "nlb"):
        assert docker.acts == acts[:1]
    assert docker.acts == acts


@pytest.mark.parametrize(("kind", "part"), [("burn", "nlb"), ("stop", "control")])
def test_an_unknown_fault_or_part_is_bad_input_and_strikes_nothing(
    docker: Docker, kind: str, part: str
) -> None:
    with (
        Containers(NETWORK) as containers,
        pytest.raises(BadInput, match="use stop"),
        containers.fault(kind, part),
    ):
        pass
    assert docker.acts == []


def test_a_container_that_does_not_run_is_missing(docker: Docker) -> None:
    del docker.addresses["nlb"]
    with (
        Containers(NETWORK) as containers,
        pytest.raises(Missing, match="the container of nlb does not run"),
        containers.fault("stop", "nlb"),
    ):
        pass


def test_another_topology_is_not_taken_for_this_one(docker: Docker) -> None:
    docker.addresses["control"] = "10.90.64.12"
    with pytest.raises(Missing, match=r"no composed topology has 10\.91\.0\.0/16"):
        Containers(NETWORK)


def test_without_docker_one_line_says_where_faults_are_played(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"tcp://{network.control}:{PORT}")
    with pytest.raises(Missing, match=r"Docker does not answer: .*; faults are played from the host"):
        Containers(NETWORK)
